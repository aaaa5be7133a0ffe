from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from hypothesis import HealthCheck, given, settings, strategies as st

from app.disclosure.protection import CannotProtect, Hidden, Protected, protect
from app.series.content import Content, Statement
from app.series.figures import ReleasedYear
from tests.disclosure.oracle import violated
from tests.disclosure.statements import Sessions, statement

RESIDENTS = {"005": 9000, "140": 20000, "297": 125000, "778": 14000}

tiny = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


def check(new: Statement, earlier: Sequence[Statement], threshold: int) -> Statement:
    """What was protected stands up to every table, and needs each figure that is withheld for others' sake."""
    try:
        found = protected(new, earlier, threshold=threshold)
    except CannotProtect:
        assert violated(all_hidden(new.content), new.counts, earlier, threshold)
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
    st.booleans(),
    st.booleans(),
)
def test_releases_one_after_the_other_stand_up_to_every_table(
    sessions: Sessions, corrections: list[tuple[str, int]], threshold: int, table: bool, later_table: bool
) -> None:
    earlier = [check(statement(sessions, table=table), [], threshold)]
    for code, number in corrections:
        sessions = {**sessions, code: {"2023": number}}
        try:
            earlier.append(check(statement(sessions, table=later_table), earlier, threshold))
        except CannotProtect:
            return
