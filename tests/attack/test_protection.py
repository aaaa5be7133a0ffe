"""Protected releases against the attacker: nothing that is hidden can be worked out, and the audit says so too."""

from collections.abc import Iterator

import pytest

from app.disclosure.protection import CannotProtect, protect
from app.intruder.audit import audit
from app.series.content import Statement
from tests.attack.attacker import narrowed
from tests.attack.tables import RESIDENTS, Counts, north_savo, six_moments, statement

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

THRESHOLD = 5


def released(moments: list[Counts], *, quarters: bool = False) -> Iterator[list[Statement]]:
    """All releases so far, after each of the moments that could be protected."""
    earlier: list[Statement] = []
    for counts in moments:
        whole = statement(counts, quarters=quarters)
        try:
            protected = protect(whole, earlier, threshold=THRESHOLD, residents=RESIDENTS, tell=lambda progress: None)
        except CannotProtect:
            continue
        earlier = [*earlier, Statement(content=protected.content, counts=whole.counts)]
        yield earlier


def holds(releases: list[Statement]) -> bool:
    """True if neither the attacker nor the audit finds anything in the last of `releases`."""
    *earlier, new = releases
    verdict = audit(new.content, new.counts, earlier, threshold=THRESHOLD, tell=lambda done, number: None)
    assert verdict.failures == []
    return narrowed(releases, THRESHOLD) == []


def test_protected_tables_hold() -> None:
    releases = [one for seed in range(5) for one in released([north_savo(seed)])]

    assert len(releases) == 5
    assert all(holds(one) for one in releases)


def test_a_protected_sequence_holds() -> None:
    releases = list(released(six_moments(0)[:4]))

    assert len(releases) >= 3
    assert all(holds(one) for one in releases)


def test_quarters_of_a_year_that_goes_on_hold() -> None:
    # In the second some that were shown counted nothing in the second quarter.
    releases = list(released(six_moments(3)[:2], quarters=True))

    assert len(releases) == 2
    assert all(holds(one) for one in releases)


@pytest.mark.exhaustive
@pytest.mark.parametrize("seed", range(300))
def test_three_hundred_protected_tables_hold(seed: int) -> None:
    [release] = released([north_savo(seed)])

    assert holds(release)


@pytest.mark.exhaustive
@pytest.mark.parametrize("quarters", [False, True])
@pytest.mark.parametrize("seed", range(50))
def test_fifty_protected_sequences_hold(seed: int, quarters: bool) -> None:
    releases = list(released(six_moments(seed), quarters=quarters))

    assert releases
    assert all(holds(one) for one in releases)
