"""What the audit says of small releases whose answer can be worked out by hand."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from app.intruder.audit import audit
from app.intruder.verdict import Failure, NotAudited, Verdict
from app.series.content import Content, Statement
from app.series.figures import ReleasedYear
from tests.intruder.releases import (
    Counts,
    audited,
    imported,
    quarter,
    said_of,
    whole,
    years,
)

FIRST, LAST = date(2023, 1, 1), date(2023, 12, 31)


def told(verdict: Verdict) -> list[tuple[str, str | None, str | None, int, int | None]]:
    """Each failure as rule, attacker, municipality and bounds."""
    return [(one.rule, one.attacker, one.municipality, one.low, one.high) for one in verdict.failures]


def test_a_small_cell_among_enough_others_is_safe() -> None:
    counts = years(a=1, b=2, c=9, d=7)

    verdict = audited(said_of(counts, withheld="abcd"), counts)

    assert (verdict.passed, verdict.failures) == (True, [])
    assert verdict.tables_found > 0


def test_those_who_must_give_together_know_that_others_could_have() -> None:
    counts = years(a=1, b=2, c=2, d=2, e=2)

    assert audited(said_of(counts, withheld="abcde"), counts).passed


def test_the_only_hidden_cell_is_what_is_left_of_the_total() -> None:
    counts = years(a=1, b=12, c=9)

    verdict = audited(said_of(counts, withheld="a"), counts)

    assert not verdict.passed
    assert verdict.failures == [
        Failure(attacker=None, municipality="a", first=FIRST, last=LAST, low=1, high=1, rule=rule)
        for rule in ("alone", "together")
    ]


def test_a_neighbour_who_knows_its_own_cell_knows_the_other_hidden_one() -> None:
    counts = years(a=1, b=12, c=9)

    verdict = audited(said_of(counts, withheld="ab"), counts)

    assert told(verdict) == [("alone", "b", "a", 1, 1), ("together", "b", "a", 1, 1), ("together", "a", "b", 12, 12)]


def test_a_cell_that_cannot_be_high_enough_is_told_with_its_bounds() -> None:
    counts = years(a=1, b=2, c=9, d=7)

    verdict = audited(said_of(counts, withheld="abc"), counts)

    # c knows that a and b are 3 together, so neither can be 4.
    assert told(verdict)[:2] == [("alone", "c", "a", 0, 3), ("alone", "c", "b", 0, 3)]


def test_a_cell_that_cannot_be_nothing_is_told_with_its_bounds() -> None:
    counts: Counts = {"a": [quarter(1, 4), quarter(2, 8)], "b": [quarter(1, 30)], "c": [quarter(2, 30)]}
    published = said_of(counts, withheld=["c"], quarters=True, table=True)

    verdict = audited(published, counts)

    # b is shown, so what is left of the first quarter is a's.
    assert ("alone", None, "a", 4, 4) in told(verdict)


def test_a_total_that_is_withheld_tells_nothing() -> None:
    counts = years(a=1, b=2)

    assert audited(said_of(counts, withheld=["a", "b", "2023"]), counts).passed
    assert not audited(said_of(counts, withheld=["a", "b"]), counts).passed


def test_a_total_of_a_single_municipality_is_its_cell() -> None:
    counts = years(a=3)

    assert told(audited(said_of(counts, table=False), counts))[0] == ("alone", None, "a", 3, 3)


def test_a_small_sum_is_small_cells() -> None:
    counts = years(a=1, b=2, c=0)

    assert not audited(said_of(counts, table=False), counts).passed


def test_a_quarter_is_as_small_as_a_year() -> None:
    counts: Counts = {"a": [quarter(1, 1), quarter(2, 20)], "b": [quarter(1, 8), quarter(2, 20)]}

    assert audited(said_of(counts, table=False), counts).failures == []
    assert told(audited(said_of(counts, table=False, quarters=True), counts))[0] == ("alone", "b", "a", 1, 1)


def test_the_rest_of_the_year_is_what_a_comparison_leaves() -> None:
    counts: Counts = {
        code: [quarter(1, 9, 2022), quarter(2, 9, 2022), quarter(1, first), quarter(2, 40)]
        for code, first in (("a", 1), ("b", 12), ("c", 9))
    }

    assert audited(said_of(counts, table=False), counts).passed
    assert audited(said_of(counts, table=False, pair_until=3), counts).passed
    counts = {**counts, "c": [*counts["c"][:2], quarter(1, 0), quarter(2, 40)]}
    assert told(audited(said_of(counts, table=False, pair_until=3), counts))[:2] == [
        ("alone", "b", "a", 0, 1),
        ("alone", "b", "c", 0, 1),
    ]


def test_the_year_before_is_what_a_comparison_says_too() -> None:
    counts: Counts = {
        code: [quarter(1, first, 2022), quarter(2, 40, 2022), quarter(1, 9), quarter(2, 40)]
        for code, first in (("a", 1), ("b", 12), ("c", 0))
    }

    verdict = audited(said_of(counts, table=False, pair_until=3), counts)

    first, last = date(2022, 1, 1), date(2022, 3, 31)
    assert verdict.failures[0] == Failure(
        attacker="b", municipality="a", first=first, last=last, low=0, high=1, rule="alone"
    )


def test_what_is_known_of_the_rest_of_a_year_is_known_of_its_beginning() -> None:
    begun: Counts = {code: [quarter(1, first)] for code, first in (("a", 1), ("b", 8), ("c", 9))}
    whole_years: Counts = {code: [quarter(1, 9, 2022), *own] for code, own in begun.items()}
    compared = said_of(whole_years, table=False, pair_until=3)

    # Nothing was counted after March of 2023, so a's year is its beginning: no other unknown.
    assert audited(compared, whole_years).passed
    assert audited(said_of(whole_years, withheld=["a", "b", "c"], pair_until=3), whole_years).passed
    assert not audited(said_of(whole_years, withheld=["a", "b"], pair_until=3), whole_years).passed


def test_a_bound_far_above_the_truth_is_not_told() -> None:
    counts: Counts = {
        "a": [quarter(1, 3), quarter(2, 20)],
        "b": [quarter(1, 6), quarter(2, 0)],
        "c": [quarter(2, 30)],
    }

    verdict = audited(said_of(counts, withheld="ac", quarters=True), counts)

    # b is shown with 6, so at least 3 of the 9 of the first quarter are a's, and at most all 9.
    assert told(verdict)[0] == ("alone", None, "a", 3, None)


def test_a_municipality_that_joins_is_the_difference_of_two_totals() -> None:
    before = years(a=9, b=7, c=8)
    after = {**before, **years(d=1)}
    first = Statement(content=said_of(before, withheld="abc"), counts=before)

    alone = audited(said_of(after, withheld="abcd"), after)
    verdict = audited(said_of(after, withheld="abcd"), after, [first])

    assert alone.passed
    assert ("together", None, "d", 1, 1) in told(verdict)


def test_who_joins_is_the_difference_although_the_year_went_on() -> None:
    before: Counts = {"a": [quarter(1, 7)], "b": [quarter(1, 9)], "c": [quarter(1, 7)]}
    after: Counts = {**{code: [*own, quarter(2, 0)] for code, own in before.items()}, "d": [quarter(2, 4)]}
    first = Statement(content=said_of(before, withheld="abc"), counts=before)

    verdict = audited(said_of(after, withheld="abcd"), after, [first])

    # Nothing of the others' years changed; by days they may have held some of the 4.
    assert told(verdict) == [("together", None, "d", 4, 4)]
    assert [failure.last for failure in verdict.failures] == [LAST]


def test_a_year_is_known_not_to_shrink() -> None:
    before: Counts = {"a": [quarter(1, 9)], "c": [quarter(1, 9)]}
    after: Counts = {"a": [quarter(1, 9), quarter(2, 1)], "c": [quarter(1, 9), quarter(2, 1)], "b": [quarter(2, 1)]}
    first = Statement(content=said_of(before), counts=before)

    alone = audited(said_of(after, withheld="abc"), after)
    verdict = audited(said_of(after, withheld="abc"), after, [first])

    # Of the 21 at least 18 are of a and c.
    assert alone.passed
    assert told(verdict) == [
        (("together", None, "a", 9, 12)),
        ("together", None, "b", 0, 3),
        ("together", None, "c", 9, 12),
    ]
    corrected: Counts = {**after, "a": [quarter(1, 8), quarter(2, 2)], "c": [quarter(1, 8), quarter(2, 2)]}
    assert audited(said_of(corrected, withheld="abc"), corrected, [first]).passed


def test_a_year_that_was_shown_may_be_withheld_for_the_quarter_since() -> None:
    before: Counts = {code: [quarter(1, 9)] for code in "abcd"}
    after: Counts = {code: [quarter(1, 9), quarter(2, 0 if code == "a" else 9)] for code in "abcd"}
    first = Statement(content=said_of(before, quarters=True), counts=before)

    assert audited(said_of(after, withheld="abcd", quarters=True), after, [first]).passed
    # What was left of the second quarter is seen from what the year was.
    open_year = audited(said_of(after, withheld="bcd", quarters=True), after, [first])
    assert ("together", None, "a", 0, 0) in told(open_year)


def test_what_a_new_release_adds_is_checked_for_the_cells_of_old_ones() -> None:
    before = years(a=9, b=7, c=8, d=1)
    first = Statement(content=said_of(before, withheld="abcd"), counts=before)
    after = years(a=9, b=7, c=8, d=7)

    assert audited(first.content, before).passed
    verdict = audited(said_of(after, withheld="abc"), after, [first])

    # d shows 7 now, so the three are known to be 24, and the old d with them.
    assert told(verdict) == [("together", None, "d", 1, 1)]


@pytest.mark.parametrize("sessions", [1, 6])
def test_small_and_withheld_cells_of_old_releases_are_checked(sessions: int) -> None:
    before = years(a=9, b=7, c=8, d=sessions)
    after = years(a=9, b=7, c=8, d=20)
    # Of the table a small cell needs no word; a great one is looked after if it was withheld.
    first = Statement(content=said_of(before, withheld="abcd", table=sessions == 6), counts=before)
    open_one = Statement(content=said_of(before, table=False), counts=before)

    assert told(audited(said_of(after, withheld="abc"), after, [first])) == [
        ("together", None, "d", sessions, sessions)
    ]
    assert audited(said_of(after, withheld="abc"), after, [open_one]).passed == (sessions == 6)


def test_a_little_less_and_a_little_more_are_enough_together() -> None:
    before = years(a=2, b=2, c=2)
    first = Statement(content=said_of(before, withheld="abc"), counts=before)
    after = {**before, **years(a=4)}

    verdict = audited(said_of(after, withheld="abc"), after, [first])

    # b knows that a and c were 4 together, and everybody that a grew by two: it is from 2 to 6 now.
    assert verdict.passed


def test_what_an_old_release_said_of_other_cells_is_not_looked_at_again() -> None:
    before = {"a": [whole(1, 2021), whole(9)], "b": [whole(12, 2021), whole(9)], "c": [whole(9)]}
    first = Statement(content=said_of(before, table=False), counts=before)
    after = years(a=9, b=9, c=9)

    assert not audited(first.content, before).passed
    assert audited(said_of(after, withheld="abc"), after, [first]).passed
    before, after = years(a=1, b=12), years(a=9, b=12)
    first = Statement(content=said_of(before, withheld="a"), counts=before)
    assert audited(said_of(after, withheld=["2023"], table=False), after, [first]).passed


def test_an_imported_total_is_known_if_it_is_the_same() -> None:
    counts = years(a=1, b=2)
    published = said_of(counts, withheld=["a", "b", "2023"])

    assert not audited(published, counts, [imported(y2023=3)]).passed
    assert audited(published, counts, [imported(y2023=4)]).passed
    assert audited(published, counts, [imported(y2022=3)]).passed


def test_an_imported_total_is_known_of_earlier_releases_too() -> None:
    before = years(a=1, b=2)
    hidden = Statement(content=said_of(before, withheld=["a", "b", "2023"]), counts=before)
    now = years(a=1, b=9, c=15)
    published = said_of(now, withheld="abc")

    assert audited(published, now, [hidden]).passed
    # The 3 are a and b of the release before, and a is as it was.
    assert told(audited(published, now, [imported(y2023=3), hidden]))[0] == ("together", None, "a", 0, 3)


def test_a_year_that_is_carried_over_says_nothing_new() -> None:
    counts: Counts = {"a": [whole(1, 2022), whole(9)], "b": [whole(2, 2022), whole(9)], "c": [whole(9)]}
    published = said_of(counts, table=False)
    source = imported(y2022=94)
    carried = replace(source.content.years[2022], carried=True)
    published = Content(years={**published.years, 2022: carried})

    assert audited(published, counts, [source]).passed


def test_with_a_threshold_of_one_only_rules_are_left() -> None:
    counts = years(a=1, b=12)

    assert audited(said_of(counts), counts, threshold=1).passed


def test_the_audit_tells_how_far_it_is() -> None:
    counts = years(a=1, b=2, c=9, d=7)
    heard: list[tuple[int, int]] = []

    audit(
        said_of(counts, withheld="abcd"),
        counts,
        [],
        threshold=5,
        tell=lambda done, number: heard.append((done, number)),
    )

    # Two small cells alone, and all four that are withheld, together.
    assert heard == [(done, 6) for done in (1, 2, 3, 4, 5, 6)]


def test_a_release_without_any_count_is_safe() -> None:
    assert audited(Content(years={2023: ReleasedYear(covers=True)}), {}).passed


def test_a_solver_that_runs_out_of_time_audits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, status=1, x=None)

    with pytest.raises(NotAudited, match="gave up"):
        audited(said_of(years(a=1, b=2), withheld="ab"), years(a=1, b=2))


def test_a_table_that_does_not_fit_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    # One session more for the first, and nobody who has one less.
    _answering(monkeypatch, status=0, x=[1.0, 0.0, 0.0, 0.0])

    with pytest.raises(NotAudited, match="does not fit"):
        audited(said_of(years(a=1, b=2), withheld="ab"), years(a=1, b=2))


def test_a_table_that_shows_something_else_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    _answering(monkeypatch, status=0, x=[0.0, 0.0, 0.0, 0.0])

    with pytest.raises(NotAudited, match="not what was asked"):
        audited(said_of(years(a=1, b=2), withheld="ab"), years(a=1, b=2))


def _answering(monkeypatch: pytest.MonkeyPatch, **answer: Any) -> None:
    """Put a solver in the place of scipy's that says this whatever it is asked."""
    found = type("Answer", (), {"message": "as it was told to", **answer})
    monkeypatch.setattr("scipy.optimize.milp", lambda *args, **options: found)
