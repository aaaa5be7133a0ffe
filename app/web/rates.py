"""How often somebody may do something: so many times at once, and as many again in each minute.

Counted in the memory of this process: of several server processes each counts for itself, and forgets when it ends.
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import ClassVar

from app.errors import Problem

WINDOW_SECONDS = 60
MOST_REMEMBERED = 10_000
"""Of how many it is remembered how often they asked, some 2 MB; a network of attackers must not fill the memory."""

Ticks = Callable[[], int]
"""Nanoseconds since some moment, which no setting of the clock moves; handed in, so that a test can let them pass."""

_NANOSECONDS = 1_000_000_000
_COST = WINDOW_SECONDS * _NANOSECONDS


class TooManyRequests(Problem):
    """Too many requests with this key, or too many with a wrong key from this address; wait, then ask again."""

    status_code = 429
    title = "Too many requests"
    answers_with: ClassVar[Mapping[str, str]] = {"Retry-After": "Seconds to wait before trying again"}


@dataclass(frozen=True, slots=True)
class Spent:
    """What came of asking once more: `remaining` times are left at once, and one more after `seconds`, at least 1."""

    allowed: bool
    remaining: int
    seconds: int


class Rate:
    """Allows each who asks `per_minute` times at once, and as many again evenly over each minute (a token bucket).

    Of each one number is remembered: the moment at which all that was allowed will have been made good. It is counted
    in parts of a nanosecond, `per_minute` to each, so that one time costs a whole number of them and nothing is
    rounded. Who has made good all is forgotten, and beyond `most_remembered` who has not asked for longest.
    """

    def __init__(self, name: str, per_minute: int, *, ticks: Ticks, most_remembered: int = MOST_REMEMBERED) -> None:
        self.name = name
        self.per_minute = per_minute
        self._ticks = ticks
        self._most_remembered = most_remembered
        self._good_at: OrderedDict[str, int] = OrderedDict()
        # Routes run in threads.
        self._lock = Lock()

    def spend(self, who: str) -> Spent:
        """Count one more time of `who` if it is allowed; what is refused costs nothing."""
        most = _COST * self.per_minute
        with self._lock:
            now = self._ticks() * self.per_minute
            owed = max(self._good_at.pop(who, now) - now, 0)
            allowed = owed + _COST <= most
            owed += _COST if allowed else 0
            self._good_at[who] = now + owed
            self._forget(now)
        remaining, beyond = divmod(most - owed, _COST)
        # Rounded up.
        seconds = -((beyond - _COST) // (self.per_minute * _NANOSECONDS))
        return Spent(allowed, remaining, seconds)

    @property
    def remembered(self) -> int:
        """Of how many it is remembered how often they asked."""
        return len(self._good_at)

    def _forget(self, now: int) -> None:
        """Forget those who asked longest ago, until one that has not made good all, and few enough are left."""
        while len(self._good_at) > self._most_remembered or next(iter(self._good_at.values())) <= now:
            self._good_at.popitem(last=False)
