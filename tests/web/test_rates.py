"""How often somebody may ask, held against a list of every time that was allowed."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

from hypothesis import given, settings, strategies as st

from app.web.rates import MOST_REMEMBERED, Rate, Spent
from tests.conftest import StandingTicks

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class ListOfTimes:
    """The rule as it is said: in any stretch of time no more than `per_minute`, and as many again in each minute."""

    def __init__(self, per_minute: int) -> None:
        self.per_minute = per_minute
        self.allowed_at: list[int] = []

    def spend(self, at: int) -> Spent:
        allowed = self.left(at) >= 1
        if allowed:
            self.allowed_at.append(at)
        seconds = next(n for n in itertools.count() if self.left(at + n * SECOND) > self.left(at))
        return Spent(allowed, self.left(at), seconds)

    def left(self, at: int) -> int:
        """How many fit in at the moment `at`, counted over each stretch of time that began with an allowed one."""
        so_far = [
            self.per_minute + Fraction((at - first) * self.per_minute, MINUTE) - (len(self.allowed_at) - number)
            for number, first in enumerate(self.allowed_at)
        ]
        return int(min([Fraction(self.per_minute), *so_far]))


@st.composite
def askings(draw: st.DrawFn) -> tuple[int, list[tuple[str, int]]]:
    """A rate, and who asks how many nanoseconds after the one before; often just when one more is allowed."""
    per_minute = draw(st.sampled_from([1, 2, 3, 7, 20, 600]))
    about_one = st.builds(lambda n, by: max(n * MINUTE // per_minute + by, 0), st.integers(0, 4), st.integers(-1, 2))
    pauses = st.one_of(st.just(0), about_one, st.integers(0, 2 * MINUTE))
    return per_minute, draw(st.lists(st.tuples(st.sampled_from(["one", "other"]), pauses), max_size=40))


@given(askings())
@settings(deadline=None)
def test_a_rate_allows_what_a_list_of_times_allows(asked: tuple[int, list[tuple[str, int]]]) -> None:
    per_minute, asking = asked
    ticks = StandingTicks()
    rate = Rate("key", per_minute, ticks=ticks)
    lists = {"one": ListOfTimes(per_minute), "other": ListOfTimes(per_minute)}

    for who, pause in asking:
        ticks.now += pause

        assert rate.spend(who) == lists[who].spend(ticks.now)


def test_so_many_are_allowed_at_once_and_as_many_again_evenly_over_a_minute() -> None:
    ticks = StandingTicks()
    rate = Rate("key", 3, ticks=ticks)

    at_once = [rate.spend("one") for _ in range(5)]
    later = []
    for seconds in (19, 1, 20, 60):
        ticks.advance(seconds=seconds)
        later.append((rate.spend("one"), rate.spend("one")))

    assert at_once == [
        Spent(True, 2, 20),
        Spent(True, 1, 20),
        Spent(True, 0, 20),
        Spent(False, 0, 20),
        Spent(False, 0, 20),
    ]
    assert later == [
        (Spent(False, 0, 1), Spent(False, 0, 1)),
        (Spent(True, 0, 20), Spent(False, 0, 20)),
        (Spent(True, 0, 20), Spent(False, 0, 20)),
        (Spent(True, 2, 20), Spent(True, 1, 20)),
    ]


def test_who_waits_as_long_as_told_is_allowed_and_a_second_before_is_not() -> None:
    for per_minute in (1, 7, 59):
        ticks = StandingTicks()
        rate = Rate("key", per_minute, ticks=ticks)
        while rate.spend("one").allowed:
            pass
        seconds = rate.spend("one").seconds

        ticks.advance(seconds=seconds - 1)
        too_early = rate.spend("one")
        ticks.advance(seconds=1)
        in_time = rate.spend("one")

        assert (too_early.allowed, in_time.allowed) == (False, True)


def test_threads_at_once_get_no_more_than_one_after_the_other() -> None:
    rate = Rate("key", 1_000, ticks=StandingTicks())

    with ThreadPoolExecutor(8) as threads:
        spent = list(threads.map(lambda _: rate.spend("one"), range(2_000)))

    assert sorted(one.remaining for one in spent if one.allowed) == list(range(1_000))


def test_of_a_hundred_thousand_who_ask_only_the_last_are_remembered() -> None:
    rate = Rate("address", 20, ticks=StandingTicks())

    for number in range(100_000):
        rate.spend(str(number))

    assert rate.remembered == MOST_REMEMBERED == 10_000
    assert rate.spend("99999").remaining == 18
    assert rate.spend("0").remaining == 19


def test_who_asked_longest_ago_is_forgotten_first() -> None:
    rate = Rate("address", 20, ticks=StandingTicks(), most_remembered=3)

    for who in ("a", "b", "c", "a", "d"):
        rate.spend(who)

    assert {who: rate.spend(who).remaining for who in ("a", "c", "d", "b")} == {"a": 17, "c": 18, "d": 18, "b": 19}


def test_who_has_made_good_everything_is_forgotten() -> None:
    ticks = StandingTicks()
    rate = Rate("address", 20, ticks=ticks)
    for who in ("a", "b", "b"):
        rate.spend(who)

    counted = []
    for seconds in (2.9, 0.1, 3):
        ticks.advance(seconds=seconds)
        rate.spend("c")
        counted.append(rate.remembered)

    assert counted == [3, 2, 1]


def test_whoever_asks_just_as_often_as_is_allowed_is_never_refused() -> None:
    for per_minute in (1, 600):
        ticks = StandingTicks()
        rate = Rate("key", per_minute, ticks=ticks)
        spent = []
        for _ in range(3_000):
            spent.append(rate.spend("one"))
            ticks.now += MINUTE // per_minute

        assert {(one.allowed, one.remaining) for one in spent} == {(True, per_minute - 1)}
