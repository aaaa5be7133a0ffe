"""Each thing that a release may not say, whatever its readers know."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import pytest

from app.series.content import Content, ReleasedQuarter, Statement
from app.series.figures import ReleasedYear
from tests.intruder.releases import Counts, audited, imported, quarter, said_of, whole, years

COUNTS: Counts = {code: [quarter(1, 9), quarter(2, 11)] for code in "abcd"}
SAFE = said_of(COUNTS, quarters=True)
TWO_YEARS: Counts = {code: [quarter(1, 9, 2022), quarter(2, 8, 2022), quarter(1, 7)] for code in "abcd"}


def rules(published: Content, counts: Counts, earlier: list[Statement] | None = None) -> list[tuple[str, str | None]]:
    """Which rules are broken, and whose figure it is."""
    return [(one.rule, one.municipality) for one in audited(published, counts, earlier or []).failures]


def row(content: Content, **changed: object) -> Content:
    """`content` with another row of the county for 2023."""
    return replace(content, years={**content.years, 2023: replace(content.years[2023], **changed)})  # type: ignore[arg-type]


def cell(content: Content, code: str, **changed: object) -> Content:
    """`content` with another row of the municipality for 2023."""
    rows = {2023: replace(content.municipalities.get(code, {}).get(2023, ReleasedYear(covers=True)), **changed)}  # type: ignore[arg-type]
    return replace(content, municipalities={**content.municipalities, code: rows})


def of_quarter(content: Content, period: str, **changed: object) -> Content:
    """`content` with another row for the quarter."""
    blank = ReleasedQuarter(sessions=None, reporting=0, partial=False)
    other = replace(content.quarters.get(period, blank), **changed)  # type: ignore[arg-type]
    return replace(content, quarters={**content.quarters, period: other})


def test_what_the_other_examples_break_is_safe() -> None:
    assert audited(SAFE, COUNTS).passed
    assert audited(said_of(TWO_YEARS, pair_until=3), TWO_YEARS).passed


@pytest.mark.parametrize(
    ("published", "whose"),
    [
        (row(SAFE, sessions=81), None),
        (row(SAFE, sessions=None), None),
        (row(SAFE, reporting=5), None),
        (of_quarter(SAFE, "2023-Q1", reporting=3), None),
        (row(SAFE, covers=False), None),
        (cell(SAFE, "a", sessions=21), "a"),
        (cell(SAFE, "a", sessions=None), "a"),
        (cell(SAFE, "x", sessions=0), "x"),
        (cell(SAFE, "x", withheld=True), "x"),
        (replace(SAFE, municipalities={code: SAFE.municipalities[code] for code in "bcd"}), "a"),
        (of_quarter(SAFE, "2023-Q1", sessions=35), None),
        (of_quarter(SAFE, "2023-Q3", sessions=0), None),
        (of_quarter(SAFE, "2023-Q3", withheld=True), None),
        (of_quarter(SAFE, "2022-Q1", sessions=9), None),
    ],
)
def test_a_figure_that_the_counts_do_not_give_is_told(published: Content, whose: str | None) -> None:
    assert ("not as counted", whose) in rules(published, COUNTS)


def test_what_says_nothing_is_as_counted() -> None:
    published = cell(of_quarter(SAFE, "2022-Q1"), "x")

    assert audited(published, COUNTS).passed
    assert audited(replace(SAFE, years={2022: ReleasedYear(covers=False), **SAFE.years}), COUNTS).passed


def test_a_quarter_has_no_figure_where_a_count_is_of_a_longer_period() -> None:
    counts: Counts = {**COUNTS, "d": [whole(20)]}
    published = said_of(counts, quarters=True)
    silent = {period: replace(one, sessions=None) for period, one in published.quarters.items()}

    assert audited(replace(published, quarters=silent), counts).passed
    assert rules(published, counts)[0] == ("not as counted", None)
    hidden = {period: replace(one, withheld=True) for period, one in silent.items()}
    assert rules(replace(published, quarters=hidden), counts)[0] == ("not as counted", None)


@pytest.mark.parametrize(
    ("published", "whose"),
    [
        (row(SAFE, withheld=True), None),
        (cell(SAFE, "a", withheld=True), "a"),
        (of_quarter(SAFE, "2023-Q1", withheld=True), None),
    ],
)
def test_what_is_withheld_is_not_stated(published: Content, whose: str | None) -> None:
    assert rules(published, COUNTS) == [("withheld yet stated", whose)]


def test_a_withheld_year_is_not_compared() -> None:
    published = row(said_of(TWO_YEARS, pair_until=3), sessions=None, withheld=True)

    assert rules(published, TWO_YEARS) == [("withheld yet stated", None)]


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"comparable_through": date(2023, 3, 30)}, TWO_YEARS),
        ({"comparable_through": None}, TWO_YEARS),
        ({"comparable_municipalities": 3}, TWO_YEARS),
        # One joined this year, one left, one joined later in the year before, one counted over the end of March.
        ({}, {**TWO_YEARS, "e": [quarter(1, 9)]}),
        ({}, {**TWO_YEARS, "e": [quarter(1, 9, 2022)]}),
        ({"comparable_municipalities": 5}, {**TWO_YEARS, "e": [quarter(2, 9, 2022), quarter(1, 9)]}),
        ({"comparable_municipalities": 5}, {**TWO_YEARS, "e": [whole(9, 2022), quarter(1, 9)]}),
        ({"comparable_municipalities": 5}, {**TWO_YEARS, "e": [quarter(1, 9, 2022), whole(9)]}),
    ],
)
def test_a_comparison_is_of_all_who_report_in_both_years(changed: dict[str, object], counts: Counts) -> None:
    published = row(said_of(counts, pair_until=3), **changed)

    assert ("not of all who report", None) in rules(published, counts)


def test_a_comparison_needs_the_year_before_in_the_same_release() -> None:
    published = said_of(TWO_YEARS, pair_until=3)
    source = imported(y2022=94)
    carried = {2022: replace(source.content.years[2022], carried=True), 2023: published.years[2023]}

    assert rules(Content(years=carried), TWO_YEARS, [source]) == [("not of all who report", None)]


@pytest.mark.parametrize("field", ["comparable_sessions", "comparable_previous_sessions"])
def test_a_comparison_is_as_counted(field: str) -> None:
    assert rules(row(said_of(TWO_YEARS, pair_until=3), **{field: 5}), TWO_YEARS) == [("not as counted", None)]


def test_an_earlier_release_must_be_as_counted_too() -> None:
    # Else nobody knows of what cells it speaks.
    earlier = Statement(content=row(SAFE, sessions=81), counts=COUNTS)

    assert rules(SAFE, COUNTS, [earlier]) == [("earlier not as counted", None)]


def test_a_small_cell_is_withheld() -> None:
    counts = years(a=4, b=9, c=9, d=5)

    assert rules(said_of(counts), counts) == [("small but shown", "a")]


def test_a_year_that_is_carried_over_is_as_it_was() -> None:
    source = imported(y2022=94)
    counts = {code: own[2:] for code, own in TWO_YEARS.items()}
    now = said_of(counts, table=False)

    def published(**changed: object) -> Content:
        carried = replace(source.content.years[2022], carried=True, **changed)  # type: ignore[arg-type]
        return Content(years={2022: carried, **now.years})

    assert rules(published(), counts, [source]) == []
    assert rules(published(), counts) == [("carried over changed", None)]
    assert rules(published(sessions=95), counts, [source]) == [("carried over changed", None)]
    assert rules(published(sessions=None, withheld=True), counts, [source]) == [("carried over changed", None)]


def test_what_was_withheld_stays_so_unless_it_changed_much() -> None:
    before = years(a=9, b=9, c=9, d=9)
    first = Statement(content=said_of(before, withheld="abcd"), counts=before)

    def shown(**changed: int) -> list[tuple[str, str | None]]:
        after = {**before, **years(**changed)}
        return rules(said_of(after, withheld=["b", "c", "d", "2023"]), after, [first])

    assert shown() == [("withheld before", "a")]
    assert shown(a=13) == [("withheld before", "a")]
    assert shown(a=5) == [("withheld before", "a")]
    assert ("withheld before", "a") not in shown(a=14)
    much = years(a=20, b=9)
    first = Statement(content=said_of(much, withheld=["a", "b", "2023"]), counts=much)
    less = years(a=15, b=9)
    assert rules(said_of(less, withheld=["b", "2023"]), less, [first]) == []


def test_what_was_withheld_in_any_release_stays_so() -> None:
    before = years(a=9, b=9, c=9, d=9)
    first = Statement(content=said_of(before, withheld="abcd"), counts=before)
    second = Statement(content=said_of(before, table=False), counts=before)

    assert rules(said_of(before), before, [first, second])[0] == ("withheld before", "a")


@dataclass(frozen=True, slots=True, kw_only=True)
class WiderYear(ReleasedYear):
    """A row that somebody gave one more figure."""

    median: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WiderContent(Content):
    """A release that speaks of months as well."""

    months: int = 0


def _wider_year() -> Content:
    return Content(years={2023: WiderYear(covers=True, sessions=80, reporting=4, median=20)})


def _wider_cell() -> Content:
    return cell(SAFE, "a", comparable_sessions=9, comparable_previous_sessions=8)


@pytest.mark.parametrize(
    "published", [_wider_year, _wider_cell, lambda: WiderContent(years=SAFE.years), lambda: WiderContent(years={})]
)
def test_a_figure_that_the_audit_does_not_know_is_told(published: Callable[[], Content]) -> None:
    assert ("unknown figure", None) in rules(published(), COUNTS)


def test_of_an_imported_release_only_totals_are_known() -> None:
    source = imported(y2023=80)
    split = Statement(content=replace(source.content, quarters=SAFE.quarters), counts={})

    assert rules(SAFE, COUNTS, [source]) == []
    assert rules(SAFE, COUNTS, [split]) == [("unknown figure", None)]
    compared = row(source.content, comparable_sessions=9, comparable_previous_sessions=8)
    assert rules(SAFE, COUNTS, [Statement(content=compared, counts={})]) == [("unknown figure", None)]


def test_every_field_of_a_release_is_known() -> None:
    # Whoever sees this fail added a field: what does it tell of a hidden cell?
    assert audited(SAFE, COUNTS).failures == []
