"""The areas that a key covers, and who is calling."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from app.access.models import Action
from app.errors import Problem
from app.places.register import Municipality

COUNTRY = "country"
AREA_PATTERN = re.compile(r"country|county:\d{2}|municipality:\d{3}", re.ASCII)


class NotCovered(Problem):
    """The key does not cover this area."""

    status_code = 403
    title = "The key does not cover this area"


class NotAllowed(Problem):
    """The key may not do this."""

    status_code = 403
    title = "The key may not do this"


@dataclass(frozen=True, slots=True)
class Scope:
    """The areas of a key, each `country`, `county:13` or `municipality:297`."""

    areas: frozenset[str]

    def covers(self, place: Municipality) -> bool:
        """True if figures about `place` are in the scope, by itself, through its county or as part of the country."""
        return not self.areas.isdisjoint({COUNTRY, f"county:{place.county}", f"municipality:{place.code}"})

    def require(self, places: Iterable[Municipality]) -> None:
        """Do nothing if every one of `places` is in the scope.

        Raises:
            NotCovered: some are not; it names the first three.
        """
        outside = sorted(place.code for place in places if not self.covers(place))
        if outside:
            more = f" and {len(outside) - 3} more" if len(outside) > 3 else ""
            raise NotCovered(f"the key does not cover {', '.join(outside[:3])}{more}; GET /v1/key shows its areas")

    def covers_all(self, places: Collection[Municipality]) -> bool:
        """True if every one of `places` is in the scope."""
        return all(self.covers(place) for place in places)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: the key, its organisation, and what it may do where."""

    key_id: str
    key_name: str
    expires_at: datetime
    organisation_id: int
    organisation: str
    actions: frozenset[Action]
    scope: Scope

    def require(self, action: Action) -> None:
        """Do nothing if the key may do `action`.

        Raises:
            NotAllowed: it may not.
        """
        if action not in self.actions:
            may = ", ".join(sorted(self.actions)) or "nothing"
            raise NotAllowed(f"this needs a key with the action {action}; this key may: {may}")

    def reads(self, places: Collection[Municipality]) -> bool:
        """True if the key reads live figures of every one of `places`."""
        return Action.READ in self.actions and self.scope.covers_all(places)
