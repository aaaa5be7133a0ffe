"""Whatever the attacker breaks, the audit flags; and it flags nothing else."""

from dataclasses import replace
from random import Random

import pytest

from app.intruder.audit import audit
from app.series.content import Statement
from tests.attack.attacker import Narrowed, narrowed
from tests.attack.tables import Counts, north_savo, six_moments, statement

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

THRESHOLD = 5


def hiding(whole: Statement, hidden: set[tuple[str, int]]) -> Statement:
    """`whole` with these municipality-years withheld."""
    table = {
        code: {
            year: replace(row, sessions=None, withheld=True) if (code, year) in hidden else row
            for year, row in rows.items()
        }
        for code, rows in whole.content.municipalities.items()
    }
    return Statement(content=replace(whole.content, municipalities=table), counts=whole.counts)


def cells(whole: Statement) -> dict[tuple[str, int], int]:
    return {
        (code, year): row.sessions
        for code, rows in whole.content.municipalities.items()
        for year, row in rows.items()
        if row.sessions is not None
    }


def small(whole: Statement) -> set[tuple[str, int]]:
    return {place for place, sessions in cells(whole).items() if sessions < THRESHOLD}


def flagged(statements: list[Statement]) -> set[tuple[str, str, int, int]]:
    """What the audit finds in the last of `statements`: how, whose, and the months."""
    *earlier, new = statements
    verdict = audit(new.content, new.counts, earlier, threshold=THRESHOLD, tell=lambda done, number: None)
    assert verdict.passed == (not verdict.failures)
    return {(one.rule, str(one.municipality), one.first.toordinal(), one.last.toordinal()) for one in verdict.failures}


def broken(found: list[Narrowed]) -> set[tuple[str, str, int, int]]:
    """What the attacker finds, likewise."""
    return {(one.how, one.cell[0], one.cell[1].toordinal(), one.cell[2].toordinal()) for one in found}


def one_year(counts: Counts, year: int) -> Counts:
    own = {code: [count for count in given if count.first.year == year] for code, given in counts.items()}
    return {code: given for code, given in own.items() if given}


def primary_only_is_flagged(seed: int) -> bool:
    """True if the attacker breaks it, and the audit says so."""
    whole = statement(north_savo(seed))
    release = hiding(whole, small(whole))

    attacked = broken(narrowed([release], THRESHOLD))

    assert flagged([release]) == attacked
    return bool(attacked)


def test_hiding_only_what_is_small_is_flagged() -> None:
    assert primary_only_is_flagged(4)


@pytest.mark.exhaustive
def test_hiding_only_what_is_small_is_flagged_every_time() -> None:
    broken_ones = [primary_only_is_flagged(seed) for seed in range(30)]

    assert sum(broken_ones) >= 15


def unhiding_is_flagged(seed: int, year: int) -> int:
    """Show each cell that is hidden for others' sake, of a pattern that hides no more than it must; how many there are.

    The pattern is made with the attacker: hide all, then show again what does not help it.
    """
    whole = statement(one_year(north_savo(seed), year))
    hidden = set(cells(whole))
    if narrowed([hiding(whole, hidden)], THRESHOLD):
        return 0
    for place in sorted(hidden - small(whole), key=lambda one: (-cells(whole)[one], one)):
        if not narrowed([hiding(whole, hidden - {place})], THRESHOLD):
            hidden.remove(place)
    complementary = hidden - small(whole)

    assert flagged([hiding(whole, hidden)]) == set()
    for place in complementary:
        assert flagged([hiding(whole, hidden - {place})])
    return len(complementary)


def test_showing_one_complementary_cell_is_flagged() -> None:
    assert unhiding_is_flagged(4, 2021) == 2


@pytest.mark.exhaustive
def test_showing_any_complementary_cell_is_flagged_every_time() -> None:
    assert sum(unhiding_is_flagged(seed, year) for seed in range(30) for year in (2021, 2022, 2023)) > 30


def random_hiding_is_judged_alike(seed: int, *, quarters: bool, releases: int = 3) -> int:
    """Hide at random in the first `releases`, every second moment, of a sequence; how many of them were broken."""
    random = Random(seed)
    said: list[Statement] = []
    before: set[tuple[str, int]] = set()
    verdicts = 0
    for counts in six_moments(seed)[: 2 * releases : 2]:
        whole = statement(counts, quarters=quarters)
        before |= {place for place in cells(whole) if random.random() < 0.4} | small(whole)
        said.append(hiding(whole, before))
        attacked, found = broken(narrowed(said, THRESHOLD)), flagged(said)
        # What a year tells that the new release does not touch was told before.
        assert found <= attacked
        assert all(how == "together" for how, *_ in attacked - found)
        assert len(said) > 1 or found == attacked
        verdicts += bool(found)
    return verdicts


@pytest.mark.parametrize("quarters", [False, True])
def test_sequences_are_judged_as_the_attacker_does(quarters: bool) -> None:
    random_hiding_is_judged_alike(0, quarters=quarters, releases=2)


@pytest.mark.exhaustive
@pytest.mark.parametrize("quarters", [False, True])
def test_many_sequences_are_judged_as_the_attacker_does(quarters: bool) -> None:
    assert sum(random_hiding_is_judged_alike(seed, quarters=quarters) for seed in range(20)) > 0
