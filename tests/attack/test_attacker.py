"""The attacker finds what can be worked out by hand, or it would prove nothing."""

from dataclasses import replace
from itertools import pairwise

import pytest

from app.series.content import Content, Statement
from tests.attack.attacker import narrowed
from tests.attack.tables import north_savo, quarter, six_moments, statement, whole_year

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover


def hiding(whole: Statement, *codes: str) -> Statement:
    """`whole` with these municipalities withheld."""
    table = {
        code: {year: replace(row, sessions=None, withheld=True) if code in codes else row for year, row in rows.items()}
        for code, rows in whole.content.municipalities.items()
    }
    return Statement(content=replace(whole.content, municipalities=table), counts=whole.counts)


def found(*statements: Statement) -> set[tuple[str | None, str, int, int, int, str]]:
    """Attacker, municipality, its sessions, the bounds, and how."""
    return {(one.attacker, one.cell[0], one.cell[3], one.low, one.high, one.how) for one in narrowed(statements, 5)}


def test_what_is_left_of_a_total_is_found() -> None:
    whole = statement({"a": [whole_year(2023, 1)], "b": [whole_year(2023, 12)], "c": [whole_year(2023, 9)]})

    assert (None, "a", 1, 1, 1, "alone") in found(hiding(whole, "a"))
    assert ("b", "a", 1, 1, 1, "alone") in found(hiding(whole, "a", "b"))
    assert (None, "a", 1, 1, 1, "alone") not in found(hiding(whole, "a", "b"))
    assert found(hiding(whole, "a", "b", "c")) == set()


def test_a_municipality_that_joins_is_found() -> None:
    counts = {"a": [whole_year(2023, 9)], "b": [whole_year(2023, 7)], "c": [whole_year(2023, 8)]}
    first = hiding(statement(counts), "a", "b", "c")
    second = hiding(statement({**counts, "d": [whole_year(2023, 1)]}), "a", "b", "c", "d")

    assert found(second) == set()
    assert (None, "d", 1, 1, 1, "together") in found(first, second)


def test_a_municipality_that_joins_is_found_although_the_year_went_on() -> None:
    counts = {"a": [quarter(2023, 1, 7)], "b": [quarter(2023, 1, 9)], "c": [quarter(2023, 1, 7)]}
    first = hiding(statement(counts), "a", "b", "c")
    more = {**{code: [*own, quarter(2023, 2, 0)] for code, own in counts.items()}, "d": [quarter(2023, 2, 4)]}
    second = hiding(statement(more), "a", "b", "c", "d")

    assert found(second) == set()
    assert (None, "d", 4, 4, 4, "together") in found(first, second)


def test_a_year_is_known_not_to_shrink() -> None:
    before = {"a": [quarter(2023, 1, 9)], "c": [quarter(2023, 1, 9)]}
    after = {**{code: [*own, quarter(2023, 2, 1)] for code, own in before.items()}, "b": [quarter(2023, 2, 1)]}
    second = hiding(statement(after), "a", "b", "c")

    assert found(second) == set()
    assert (None, "b", 1, 0, 3, "together") in found(statement(before), second)


def test_a_year_that_was_shown_hides_the_quarter_since() -> None:
    before = {code: [quarter(2023, 1, 9)] for code in "abcd"}
    after = {code: [quarter(2023, 1, 9), quarter(2023, 2, 0 if code == "a" else 9)] for code in "abcd"}
    first, second = (statement(counts, quarters=True) for counts in (before, after))

    assert found(first, hiding(second, "a", "b", "c", "d")) == set()
    assert (None, "a", 0, 0, 0, "together") in found(first, second)


def test_an_imported_total_is_used() -> None:
    whole = statement({"a": [whole_year(2023, 1)], "b": [whole_year(2023, 2)]})
    source = Statement(content=Content(years=whole.content.years), counts={})
    silent = Content(years={2023: replace(whole.content.years[2023], sessions=None, withheld=True)})
    hidden = Statement(content=silent, counts=whole.counts)

    assert found(hidden) == set()
    assert (None, "a", 1, 0, 3, "together") in found(source, hidden)


def test_a_quarter_and_a_comparison_are_used() -> None:
    years = {code: [quarter(2022, 1, 9), quarter(2022, 2, 9)] for code in "abc"}
    counts = {code: [*own, quarter(2023, 1, 9 if code == "b" else 1)] for code, own in years.items()}
    plain = statement(counts, municipalities=False)

    # The year so far is its first quarter, so the comparison says the same again.
    assert plain.content.years[2023].comparable_sessions == 11
    assert ("b", "a", 1, 0, 2, "alone") in found(plain)
    assert found(statement(years, municipalities=False, quarters=True)) == set()
    small = {**years, "a": [quarter(2022, 1, 1), quarter(2022, 2, 17)], "b": [quarter(2022, 1, 3), *years["b"][1:]]}
    assert found(statement(small, municipalities=False)) == set()
    assert ("c", "a", 1, 0, 4, "alone") not in found(statement(small, municipalities=False, quarters=True))
    assert ("b", "a", 1, 0, 10, "alone") not in found(statement(small, municipalities=False, quarters=True))
    assert found(statement({**small, "c": [quarter(2022, 1, 0), quarter(2022, 2, 9)]}, quarters=True))


@pytest.mark.parametrize("seed", range(3))
def test_made_up_counties_are_shaped_like_north_savo(seed: int) -> None:
    counts = north_savo(seed)

    by_year = {
        year: [c.sessions for own in counts.values() for c in own if c.first.year == year]
        for year in (2021, 2022, 2023)
    }
    assert all(8 <= len(sessions) <= 15 for sessions in by_year.values())
    assert [round(sum(by_year[year]) / about) for year, about in ((2021, 94), (2022, 105), (2023, 23))] == [1, 1, 1]


def test_moments_grow_are_corrected_and_see_others_join() -> None:
    moments = [six_moments(seed) for seed in range(5)]

    assert all(len(of_one) == 6 for of_one in moments)
    assert any(len(of_one[0]) < len(of_one[-1]) for of_one in moments)
    assert any(
        before[code][0] != after[code][0] for of_one in moments for before, after in pairwise(of_one) for code in before
    )
