from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from itertools import compress, product

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from app.disclosure.protection import CannotProtect, Hidden, Progress, Protected, protect
from app.series.content import Content, Statement
from app.series.facts import Count
from app.series.figures import ReleasedYear
from tests.disclosure.oracle import violated
from tests.disclosure.statements import Sessions, imported, statement

RESIDENTS = {"005": 9000, "140": 20000, "297": 125000, "778": 14000}

tiny = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])
thresholds = st.integers(2, 3)
few = st.integers(0, 5)


def whole_years(years: Sequence[int]) -> st.SearchStrategy[Sessions]:
    return tables([str(year) for year in years], most=4)


def tables(periods: Sequence[str], *, most: int) -> st.SearchStrategy[Sessions]:
    """Each of some municipalities has a count of every period."""
    mine = st.fixed_dictionaries(dict.fromkeys(periods, few))
    return st.dictionaries(st.sampled_from(sorted(RESIDENTS)[:most]), mine, min_size=1, max_size=most)


def protected(new: Statement, earlier: Sequence[Statement] = (), *, threshold: int = 5) -> Protected:
    return protect(new, earlier, threshold=threshold, residents=RESIDENTS, tell=lambda progress: None)


def published(new: Statement, earlier: Sequence[Statement] = (), *, threshold: int = 5) -> Statement:
    return Statement(content=protected(new, earlier, threshold=threshold).content, counts=new.counts)


def bare(row: ReleasedYear) -> ReleasedYear:
    """The row without comparable figures."""
    return replace(
        row,
        comparable_through=None,
        comparable_municipalities=None,
        comparable_sessions=None,
        comparable_previous_sessions=None,
    )


def blank(row: ReleasedYear) -> ReleasedYear:
    return replace(bare(row), sessions=None, withheld=True)


def all_hidden(content: Content) -> Content:
    return Content(
        years={year: blank(row) for year, row in content.years.items()},
        municipalities={
            code: {year: blank(row) for year, row in rows.items()} for code, rows in content.municipalities.items()
        },
        quarters={text: replace(row, sessions=None, withheld=True) for text, row in content.quarters.items()},
    )


def with_shown(content: Content, hidden: Hidden, full: Content) -> Content:
    """`content` with one figure as it is in `full`."""
    if hidden.area is not None:
        year = int(hidden.period)
        rows = {**content.municipalities[hidden.area], year: full.municipalities[hidden.area][year]}
        return replace(content, municipalities={**content.municipalities, hidden.area: rows})
    if "Q" in hidden.period:
        return replace(content, quarters={**content.quarters, hidden.period: full.quarters[hidden.period]})
    year = int(hidden.period[:4])
    if " to " in hidden.period:
        assert not content.years[year].withheld
        return replace(content, years={**content.years, year: full.years[year]})
    return replace(content, years={**content.years, year: bare(full.years[year])})


def every_choice(full: Content) -> Iterator[Content]:
    """`full` with each choice of its figures withheld."""
    figures: list[tuple[str | None, str]] = [(None, str(year)) for year in full.years]
    figures += [(code, str(year)) for code, rows in full.municipalities.items() for year in rows]
    for shown in product((False, True), repeat=len(figures)):
        content = all_hidden(full)
        for area, period in compress(figures, shown):
            content = with_shown(content, Hidden(area, period, "small"), full)
        yield content


def check(new: Statement, earlier: Sequence[Statement], threshold: int) -> Statement:
    """What was protected stands up to every table, and needs each figure that is withheld for others' sake."""
    try:
        found = protected(new, earlier, threshold=threshold)
    except CannotProtect:
        assert all(violated(content, new.counts, earlier, threshold) for content in every_choice(new.content))
        raise
    assert not violated(found.content, new.counts, earlier, threshold)
    for hidden in found.hidden:
        withheld_year = " to " in hidden.period and found.content.years[int(hidden.period[:4])].withheld
        if hidden.why == "protects others" and not withheld_year:
            shown = with_shown(found.content, hidden, new.content)
            assert violated(shown, new.counts, earlier, threshold), hidden
    return Statement(content=found.content, counts=new.counts)


@tiny
@given(whole_years([2023]), thresholds, st.booleans())
def test_a_single_release_of_years_stands_up_to_every_table(sessions: Sessions, threshold: int, table: bool) -> None:
    check(statement(sessions, table=table), [], threshold)


@tiny
@given(tables(["2023-Q1", "2023-Q2"], most=3), thresholds, st.booleans())
def test_a_single_release_with_quarters_stands_up_to_every_table(
    sessions: Sessions, threshold: int, table: bool
) -> None:
    check(statement(sessions, table=table, quarters=True), [], threshold)


@tiny
@given(tables(["2022-Q1", "2022-Q2", "2023-Q1", "2023-Q2"], most=3), thresholds, st.booleans(), st.booleans())
def test_a_single_release_with_a_pair_stands_up_to_every_table(
    sessions: Sessions, threshold: int, table: bool, quarters: bool
) -> None:
    check(statement(sessions, table=table, quarters=quarters, through=date(2023, 3, 31)), [], threshold)


@tiny
@given(
    whole_years([2023]),
    st.lists(st.tuples(st.sampled_from(sorted(RESIDENTS)), few), min_size=1, max_size=2),
    thresholds,
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_releases_one_after_the_other_stand_up_to_every_table(
    sessions: Sessions, corrections: list[tuple[str, int]], threshold: int, choices: tuple[bool, bool, bool]
) -> None:
    was_imported, table, later_table = choices
    earlier = [imported({2023: sum(mine["2023"] for mine in sessions.values())})] if was_imported else []
    with suppress(CannotProtect):
        earlier.append(check(statement(sessions, table=table), earlier, threshold))
        for code, number in corrections:
            sessions = {**sessions, code: {"2023": number}}
            earlier.append(check(statement(sessions, table=later_table), earlier, threshold))


@tiny
@given(
    tables(["2023-Q1", "2023-Q2"], most=3),
    st.sampled_from([None, *sorted(RESIDENTS)[:3]]),
    thresholds,
    st.tuples(st.booleans(), st.booleans(), st.booleans()),
)
def test_a_year_that_goes_on_stands_up_to_every_table(
    sessions: Sessions, corrected: str | None, threshold: int, choices: tuple[bool, bool, bool]
) -> None:
    table, quarters, later_quarters = choices
    begun = {code: {"2023-Q1": mine["2023-Q1"] + (code == corrected)} for code, mine in sessions.items()}
    with suppress(CannotProtect):
        earlier = check(statement(begun, table=table, quarters=quarters), [], threshold)
        check(statement(sessions, table=table, quarters=later_quarters), [earlier], threshold)


@pytest.mark.parametrize("total", range(5))
def test_a_total_below_the_threshold_is_withheld(total: int) -> None:
    new = statement({"005": {"2023-Q1": total}, "297": {"2023-Q1": 0}, "140": {"2023-Q1": 0}}, quarters=True)

    found = protected(new).content

    assert found.years[2023].withheld
    assert found.quarters["2023-Q1"].withheld
    assert (found.years[2023].sessions, found.quarters["2023-Q1"].sessions) == (None, None)


def test_a_year_of_one_municipality_is_withheld_if_it_is_small() -> None:
    small, large = (protected(statement({"297": {"2023": number}})).content.years[2023] for number in (4, 5))

    assert (small.sessions, small.withheld) == (None, True)
    assert (large.sessions, large.withheld) == (5, False)


def test_a_total_that_would_tell_what_joined_since_is_withheld() -> None:
    before = {"005": {"2023": 7}, "140": {"2023": 9}, "297": {"2023": 7}}
    after = {**before, "778": {"2023": 1}}
    earlier = published(statement(before, table=False))

    by_itself = protected(statement(after, table=False))
    later = protected(statement(after, table=False), [earlier])

    assert earlier.content.years[2023].sessions == 23
    assert by_itself.content.years[2023].sessions == 24
    assert later.content.years[2023].withheld
    assert later.hidden == [Hidden(None, "2023", "protects others")]


def test_a_total_that_would_tell_what_joined_is_withheld_although_the_year_goes_on() -> None:
    before = {"005": {"2023-Q1": 7}, "140": {"2023-Q1": 9}, "297": {"2023-Q1": 7}}
    after = {code: {**mine, "2023-Q2": 0} for code, mine in before.items()} | {"778": {"2023-Q2": 4}}
    earlier = published(statement(before, table=False))

    later = protected(statement(after, table=False), [earlier])

    # By days the others may have held some of the 4 that came since, by value they held none.
    assert earlier.content.years[2023].sessions == 23
    assert later.hidden == [Hidden(None, "2023", "protects others")]


def test_who_knows_that_a_year_only_grows_learns_no_more() -> None:
    before = {"005": {"2023-Q1": 9}, "140": {"2023-Q1": 9}}
    after = {"005": {"2023-Q1": 9, "2023-Q2": 1}, "140": {"2023-Q1": 9, "2023-Q2": 1}, "778": {"2023-Q2": 1}}
    earlier = published(statement(before))

    by_itself = protected(statement(after))
    later = protected(statement(after), [earlier])

    # Of the 21 at least 18 are of the others.
    assert earlier.content == statement(before).content
    assert not by_itself.content.years[2023].withheld
    assert later.content.years[2023].withheld


def test_a_year_that_was_shown_is_withheld_again_for_the_quarter_since() -> None:
    before = {code: {"2023-Q1": 9} for code in ("005", "140", "297")}
    after = {code: {"2023-Q1": 9, "2023-Q2": 9} for code in ("140", "297")} | {"005": {"2023-Q1": 9, "2023-Q2": 0}}
    earlier = published(statement(before, quarters=True))

    later = protected(statement(after, quarters=True), [earlier])

    assert not earlier.content.municipalities["005"][2023].withheld
    assert later.content.municipalities["005"][2023].withheld


def test_what_is_withheld_for_one_view_is_protected_in_the_other() -> None:
    before = {code: {"2023-Q1": 9} for code in ("001", "002", "005", "140")}
    after = {code: {"2023-Q1": 5, "2023-Q2": 4} for code in ("001", "002")}
    after |= {code: {"2023-Q1": 9, "2023-Q3": 9} for code in ("005", "140")}
    earlier = published(statement(before))

    later = protected(statement({**after, "297": {"2023-Q2": 1}}, quarters=True), [earlier])

    # By value the first two are as they were, so that the next two have to hide who joined; by days each of these is
    # what it was and a quarter of which the other knows the rest.
    assert {hidden.area for hidden in later.hidden} >= {"005", "140"}
    assert later.content.quarters["2023-Q3"].withheld


def test_a_municipality_that_has_nearly_all_learns_nothing_of_the_others() -> None:
    new = statement({"005": {"2023": 1}, "140": {"2023": 0}, "297": {"2023": 90}}, table=False)

    assert protected(new).hidden == [Hidden(None, "2023", "protects others")]


def test_where_few_live_is_withheld_for_others_first() -> None:
    new = statement({"005": {"2023": 20}, "140": {"2023": 4}, "297": {"2023": 20}, "778": {"2023": 20}})

    found = protected(new)

    # Two of them, since each knows its own.
    assert found.hidden == [
        Hidden("005", "2023", "protects others"),
        Hidden("140", "2023", "small"),
        Hidden("778", "2023", "protects others"),
    ]
    assert found.content.years == new.content.years
    assert found.content.municipalities["297"] == new.content.municipalities["297"]
    assert found.content.municipalities["778"] == {2023: ReleasedYear(covers=True, sessions=None, withheld=True)}


def test_what_does_not_help_is_shown_again() -> None:
    # At first 140 seems to be a place to hide in, until it turns out that the total has to go.
    new = statement({"005": {"2023": 1}, "140": {"2023": 20}, "297": {"2023": 0}})

    found = protected(new)

    assert found.hidden == [
        Hidden(None, "2023", "protects others"),
        Hidden("005", "2023", "small"),
        Hidden("297", "2023", "small"),
    ]


def test_the_same_again_withholds_the_same() -> None:
    sessions = {"005": {"2023-Q1": 3, "2023-Q2": 30}, "140": {"2023-Q1": 1, "2023-Q2": 20}, "297": {"2023-Q1": 0}}
    first = protected(statement(sessions, quarters=True))
    earlier = Statement(content=first.content, counts=statement(sessions).counts)

    again = protected(statement(sessions, quarters=True), [earlier])

    assert first.content.quarters["2023-Q1"].withheld
    assert again.content == first.content


@pytest.mark.parametrize(("number", "hidden"), [(8, [Hidden("297", "2023", "hidden before")]), (9, [])])
def test_what_was_withheld_stays_so_until_it_changed_enough(number: int, hidden: list[Hidden]) -> None:
    before = published(statement({"297": {"2023": 4}}))

    # Of a county of one the total would tell it.
    new = statement({"297": {"2023": number}})
    without_total = Statement(
        content=replace(new.content, years={2023: replace(new.content.years[2023], sessions=None)}), counts=new.counts
    )

    assert protected(without_total, [before]).hidden == hidden


def test_what_earlier_releases_show_hides_nobody() -> None:
    before = {"005": {"2023": 11}, "140": {"2023": 7}, "297": {"2023": 19}, "778": {"2023": 9}}
    earlier = published(statement(before))
    assert not any(row[2023].withheld for row in earlier.content.municipalities.values())

    found = protected(statement({**before, "140": {"2023": 1}}), [earlier])

    assert found.hidden == [Hidden(None, "2023", "protects others"), Hidden("140", "2023", "small")]


def test_what_an_imported_release_tells_cannot_be_protected() -> None:
    earlier = [imported({2023: 17}), imported({2022: 8, 2023: 3})]

    with pytest.raises(CannotProtect) as refused:
        protected(statement({"005": {"2023": 1}, "297": {"2023": 2}}), earlier)

    assert refused.value.reason == (
        "the sessions of 2023 cannot be protected, not even with every figure of 2023 withheld: from the 2. of the "
        "earlier releases on, which was imported, somebody could work out what a municipality counted; leave 2023 with "
        "the earlier releases by setting live_from to 2024 or later"
    )


def test_an_earlier_release_is_named_only_from_when_it_spoke_of_the_cell() -> None:
    sessions = {"005": {"2023": 1}, "297": {"2023": 2}}
    # Published, as it were, before there was any protection.
    earlier = [statement({"005": {"2023": 6}, "297": {"2023": 2}}, table=False), statement(sessions)]

    with pytest.raises(CannotProtect, match=r"from the 2\. of the earlier releases on, which was published"):
        protected(statement({"005": {"2023": 7}, "297": {"2023": 7}}, table=False), earlier)


def test_a_year_that_was_taken_over_is_left_as_it_was() -> None:
    new = statement({"005": {"2022": 1, "2023": 7}, "297": {"2022": 1, "2023": 8}}, table=False)
    taken_over = replace(new.content.years[2022], carried=True)
    content = replace(new.content, years={**new.content.years, 2022: taken_over})

    found = protected(Statement(content=content, counts=new.counts), [imported({2022: 2})])

    assert found == Protected(content, [])


def test_a_withheld_year_states_no_pair() -> None:
    quarters = {"2022-Q1": 9, "2022-Q2": 9, "2023-Q1": 9, "2023-Q2": 0}
    new = statement({"005": {**quarters, "2023-Q1": 1}, "297": quarters}, table=False, through=date(2023, 3, 31))

    found = protected(new)

    assert found.hidden == [
        Hidden(None, "2023", "protects others"),
        Hidden(None, "2023 to 2023-03-31", "protects others"),
    ]
    assert found.content.years[2023] == ReleasedYear(covers=True, withheld=True)
    assert found.content.years[2022] == new.content.years[2022]


def test_with_a_year_goes_its_pair_although_it_tells_nothing() -> None:
    both = {"2022-Q1": 9, "2022-Q2": 9, "2023-Q1": 9, "2023-Q2": 9}
    before = {"005": both, "140": both, "297": both, "778": {"2022-Q1": 9, "2022-Q2": 9}}
    after = {**before, "778": {**both, "2023-Q1": 1, "2023-Q2": 0}}
    earlier = published(statement(before, table=False))

    by_itself = protected(statement(after, table=False, through=date(2023, 3, 31)))
    later = protected(statement(after, table=False, through=date(2023, 3, 31)), [earlier])

    assert by_itself.hidden == []
    assert later.hidden == [
        Hidden(None, "2023", "protects others"),
        Hidden(None, "2023 to 2023-03-31", "protects others"),
    ]


def test_a_pair_that_tells_what_was_retracted_is_withheld() -> None:
    both = {"2022-Q1": 9, "2022-Q2": 9, "2023-Q1": 9, "2023-Q2": 9}
    before = {"005": {**both, "2023-Q1": 1, "2023-Q2": 30}, "140": both, "297": both}
    after = {"140": both, "297": both}
    earlier = published(statement(before, table=False, through=date(2023, 3, 31)))

    found = protected(statement(after, table=False, through=date(2023, 3, 31)), [earlier])

    assert earlier.content.years[2023].comparable_sessions == 19
    assert found.hidden == [Hidden(None, "2023 to 2023-03-31", "protects others")]


def test_a_year_that_leaves_its_quarters_open_is_shown() -> None:
    nothing = {"2023-Q1": 0, "2023-Q2": 0}
    new = statement({"005": {"2023-Q1": 1, "2023-Q2": 2}, "140": nothing, "297": nothing}, quarters=True)

    found = protected(new, threshold=3)

    # Either quarter may be 0, but not both at once.
    assert found.content.municipalities["005"] == new.content.municipalities["005"]


def test_a_pair_is_withheld_by_itself() -> None:
    quarters = {"2022-Q1": 9, "2022-Q2": 9, "2023-Q1": 9, "2023-Q2": 9}
    new = statement({"005": {**quarters, "2022-Q1": 1}, "297": quarters}, table=False, through=date(2023, 3, 31))

    found = protected(new)

    assert found.hidden == [Hidden(None, "2023 to 2023-03-31", "protects others")]
    assert found.content.years[2023] == bare(new.content.years[2023])


def test_a_municipality_is_protected_in_the_years_that_it_counted() -> None:
    new = statement({"005": {"2022": 30}, "140": {"2022": 30, "2023": 7}, "297": {"2023": 2}, "778": {"2023": 9}})

    found = protected(new)

    assert found.hidden == [
        Hidden("140", "2023", "protects others"),
        Hidden("297", "2023", "small"),
        Hidden("778", "2023", "protects others"),
    ]
    assert {code: list(rows) for code, rows in found.content.municipalities.items()} == {
        "005": [2022],
        "140": [2022, 2023],
        "297": [2023],
        "778": [2023],
    }


def test_a_municipality_states_no_part_of_its_year() -> None:
    new = statement({"297": {"2023": 40}})
    row = replace(new.content.years[2023], comparable_through=date(2023, 3, 31), comparable_sessions=1)
    content = replace(new.content, municipalities={"297": {2023: row}})

    found = protected(Statement(content=content, counts=new.counts))

    assert found.content.municipalities == new.content.municipalities


def test_progress_is_told_within_its_bounds() -> None:
    told: list[Progress] = []
    new = statement({"005": {"2022": 2, "2023": 20}, "140": {"2022": 3, "2023": 2}, "297": {"2022": 9, "2023": 20}})

    protect(new, [], threshold=5, residents=RESIDENTS, tell=told.append)

    assert all(0 <= progress.done <= progress.total for progress in told)
    assert told[0].doing == "protecting 2022"
    assert told[-1].doing.startswith("showing again what can be of 202")
    assert told[-1].done > told[0].done


def test_a_solver_without_time_protects_nothing() -> None:
    new = statement({"005": {"2023": 1}, "140": {"2023": 2}, "297": {"2023": 90}})

    with pytest.raises(CannotProtect, match="the solver did not find out in time"):
        protect(new, [], threshold=5, residents=RESIDENTS, tell=lambda progress: None, seconds=0)


def test_a_figure_that_is_not_the_sum_of_its_counts_is_refused() -> None:
    new = statement({"297": {"2023": 40}})

    with pytest.raises(ValueError, match="county  2023 is not the sum of its counts"):
        protected(Statement(content=new.content, counts={"297": []}))


def test_a_count_on_both_sides_of_a_quarter_is_refused() -> None:
    new = statement({"297": {"2023-Q1": 40}}, quarters=True)
    half = [Count(date(2023, 1, 1), date(2023, 6, 30), 40)]

    with pytest.raises(ValueError, match="a count of municipality 297 lies on both sides"):
        protected(Statement(content=new.content, counts={"297": half}))
