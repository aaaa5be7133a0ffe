"""The yearly trend against its naive twin, on random counties."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Literal, TypedDict, TypeVar

import pytest
from hypothesis import HealthCheck, given, seed, settings, strategies as st
from hypothesis.strategies import DrawFn

from app.series.facts import Count, County, History, Release
from app.series.figures import ReleasedYear
from app.series.rows import YearRow
from app.series.trend import yearly_trend
from tests.trend_oracle import Answer, trend_day_by_day

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

# A change of app/series deserves some 20 000 once: it takes ten minutes.
EXAMPLES = 600

T = TypeVar("T")
Span = tuple[date, date]

STATUSES = ("in_use", "pilot", "paused", "ended", "planned")
PUBLISHED_ON = date(2023, 3, 27)
CODES = ("13", "11", "")


class Options(TypedDict):
    """The keyword arguments of `yearly_trend`."""

    as_of: date
    counted: bool
    residents: dict[int, dict[str, int]]
    counties_total: int
    narrowed: bool
    read: Literal["live", "release"]
    from_year: int | None
    to_year: int | None


class Question(TypedDict):
    """All arguments of `yearly_trend`."""

    counties: list[County]
    options: Options


@dataclass(frozen=True)
class Frame:
    """What the municipalities of one question have in common, so that their years can be compared.

    In a `calm` frame all is well nearly everywhere. In `gap_year` nobody is active or counts; `uneven`
    municipalities stop counting at different month ends; of `strangers` no status is known.
    """

    calm: bool
    first_year: int
    as_of: date
    merger: date
    eventful: bool
    narrowed: bool
    released: bool
    live_from: int | None
    gap_year: int | None
    uneven: bool
    strangers: bool


@st.composite
def questions(draw: DrawFn) -> Question:
    frame = draw(frames())
    read: Literal["live", "release"] = draw(often("live", "live", "live", "release"))
    codes = CODES[: draw(often(1, 1, 2, 2, 2, 3))]
    counties = [draw(counties_of(frame, code=code, read=read)) for code in codes]
    municipalities = [history.code for county in counties for history in county.histories]
    cut = draw(often(False, False, False, True))
    total = 1 if len(codes) == 1 and draw(often(True, False)) else 22
    return Question(
        counties=counties,
        options=Options(
            as_of=frame.as_of,
            counted=draw(often(True, True, True, True, False)),
            residents=draw(residents_of(frame, municipalities)),
            counties_total=total,
            narrowed=frame.narrowed,
            read=read,
            from_year=draw(years_of(frame)) if cut else None,
            to_year=draw(years_of(frame)) if cut else None,
        ),
    )


@st.composite
def frames(draw: DrawFn) -> Frame:
    first_year = draw(st.integers(2020, 2023))
    last_year = first_year + draw(often(1, 2, 2, 3, 0))
    as_of = draw(
        st.one_of(
            st.just(date(last_year, 12, 31)),
            st.just(date(last_year, 12, 31)),
            month_ends(last_year),
            days_of(last_year),
            st.just(date(last_year, 1, 1)),
        )
    )
    merger_year = draw(st.integers(first_year, last_year))
    merger = draw(st.one_of(st.just(date(merger_year, 12, 31)), days_of(merger_year)))
    narrowed = draw(often(False, False, False, True))
    live_years = (None, last_year) if narrowed else (*[first_year] * 3, last_year, None)
    calm = draw(often(True, False, False))
    gap_year = draw(st.integers(first_year, last_year))
    return Frame(
        calm=calm,
        first_year=first_year,
        as_of=as_of,
        merger=merger,
        eventful=not calm and draw(often(False, False, True)),
        narrowed=narrowed,
        released=draw(often(False, True, True)),
        live_from=draw(often(*live_years)),
        gap_year=None if calm or draw(often(*[True] * 5, False)) else gap_year,
        uneven=not calm and draw(often(*[False] * 4, True)),
        strangers=not calm and draw(often(*[False] * 9, True)),
    )


@st.composite
def counties_of(draw: DrawFn, frame: Frame, *, code: str, read: str) -> County:
    lacking = not code or (not frame.calm and draw(often(False, False, False, True)))
    released = not lacking and (frame.released or read == "release")
    ahead = read == "release" and draw(often(False, False, True))
    release = draw(releases_of(frame, ahead=ahead)) if released else None
    live_from = frame.live_from
    if not frame.calm:
        live_from = draw(often(*[live_from] * 4, frame.first_year - 1, frame.as_of.year))
    number = 0 if read == "release" else draw(often(1, 2, 3, 4, 0))
    histories = [draw(histories_of(frame, code=f"{code or '9'}{n}")) for n in range(number)]
    if not frame.narrowed:
        return County(code, histories, release, live_from)
    asked = [history.code for history in histories] or [f"{code}{n}" for n in range(draw(often(1, 1, 2, 3)))]
    if release and draw(often(True, True, False)):
        release = replace(release, municipalities=draw(municipalities_of(release, asked)))
    return County(code, histories, release, live_from, asked)


# What one municipality reports.


@st.composite
def histories_of(draw: DrawFn, frame: Frame, *, code: str) -> History:
    habit = draw(often(*["steady"] * 6, "hasty", "silent", "stranger", "wild", "empty"))
    if frame.strangers or frame.calm:
        habit = "stranger" if frame.strangers else "steady"
    register = draw(often(*["stays"] * 4, "merges", "begins"))
    register_from = frame.merger + timedelta(days=1) if register == "begins" else date.min
    register_to = frame.merger if register == "merges" else None
    start = draw(starts_of(frame))
    if register == "begins" and draw(often(True, True, False)):
        start = max(start, register_from)

    statuses: dict[date, str] = {}
    if habit in ("steady", "hasty", "silent"):
        statuses[start] = draw(often("in_use", "pilot"))
        broken = not frame.calm and draw(often(False, False, True))
        statuses |= draw(breaks_of(frame)) if broken else {}
    eventful = frame.eventful and draw(often(True, False))
    if habit == "wild" or (eventful and statuses):
        for _ in range(draw(often(1, 2, 3, 4))):
            statuses[draw(edges_of(frame))] = draw(st.sampled_from(STATUSES))

    counts: list[Count] = []
    if habit in ("steady", "hasty", "stranger", "wild"):
        steady = "all" if frame.calm else draw(often("all", "all", "all", "some"))
        kept = {"steady": steady, "hasty": "early"}.get(habit, "some")
        counts = draw(counts_of(frame, start, register_to, kept=kept))
    if frame.gap_year:
        statuses = _without(frame.gap_year, statuses)
        counts = [count for count in counts if count.first.year != frame.gap_year]
    return History(
        code,
        register_from,
        register_to,
        tuple(sorted((day, status) for day, status in statuses.items() if day <= frame.as_of)),
        tuple(counts),
    )


def _without(year: int, statuses: dict[date, str]) -> dict[date, str]:
    """The same with a year in which nothing happens, if anything did."""
    others = {day: status for day, status in statuses.items() if day.year != year}
    return others | {date(year, 1, 1): "ended", date(year + 1, 1, 1): "in_use"} if statuses else {}


@st.composite
def breaks_of(draw: DrawFn, frame: Frame) -> dict[date, str]:
    """A stop and, some time later, perhaps a new beginning."""
    stop = draw(edges_of(frame))
    statuses = {stop: draw(often("paused", "ended", "planned"))}
    again = draw(often(stop.replace(year=stop.year + 1, day=1), stop.replace(month=12, day=1), None))
    if again is not None:
        statuses.setdefault(again, draw(often("in_use", "pilot")))
    return statuses


@st.composite
def counts_of(draw: DrawFn, frame: Frame, start: date, register_to: date | None, *, kept: str) -> list[Count]:
    """Counts of periods that have begun: `all` from the start on, the `early` ones before it, or `some`."""
    counts = []
    taken_over = draw(often(None, None, date(frame.as_of.year, 1, 1), date(frame.first_year, 7, 1)))
    rhythm = draw(st.sampled_from(("month", "quarter", "year", "mixed")))
    from_day = start.replace(month=draw(often(1, 1, start.month)), day=1) if kept == "all" else date.min
    to_day = min(register_to or date.max, frame.as_of)
    if kept == "early":
        to_day = min(to_day, start)
    if frame.uneven:
        to_day = min(to_day, _month_end(frame.as_of.year, draw(often(3, 6, 12, 9, 8))))
    for year in range(max(start.year, frame.first_year), frame.as_of.year + 1):
        if kept == "some" and draw(often(False, False, True)):
            continue
        shape = draw(st.integers(0, 15)) if rhythm == "mixed" else 0
        for first, last in _periods(year, rhythm, shape):
            dropped = kept == "some" and draw(often(False, False, False, True))
            if dropped or last < from_day or first > to_day or (kept == "early" and last >= start):
                continue
            last = min(last, frame.as_of)
            if kept == "some" and draw(often(False, False, False, False, False, True)):
                last -= timedelta(days=draw(st.integers(0, (last - first).days)))
            reporter = 2 if taken_over and first >= taken_over else 1
            counts.append(Count(first, last, draw(st.integers(0, 9)), reporter))
    return counts


def _periods(year: int, rhythm: str, shape: int) -> list[Span]:
    """The periods of a year: of `mixed` the bits of `shape` say which quarters are one period, not three."""
    if rhythm == "year":
        return [(date(year, 1, 1), date(year, 12, 31))]
    spans = []
    for quarter in range(4):
        months = [3 * quarter + n for n in (1, 2, 3)]
        if rhythm == "quarter" or (rhythm == "mixed" and shape >> quarter & 1):
            spans.append((date(year, months[0], 1), _month_end(year, months[2])))
        else:
            spans += [(date(year, month, 1), _month_end(year, month)) for month in months]
    return spans


# What a release says.


@st.composite
def releases_of(draw: DrawFn, frame: Frame, *, ahead: bool) -> Release:
    """With `ahead` it may be one that was asked for and that is younger than the as-of day."""
    last_year = draw(often(frame.as_of.year, frame.as_of.year, frame.first_year)) + ahead
    published_on = draw(
        st.one_of(
            st.just(date(last_year, 12, 31)),
            st.just(date(last_year + 1, 2, 15)),
            days_of(last_year),
        )
    )
    if not ahead:
        published_on = min(published_on, frame.as_of)
    last_year = min(last_year, published_on.year)
    first_year = last_year - draw(often(1, 2, 2, 0))
    years = {}
    for year in range(first_year, last_year + 1):
        inside = first_year < year < last_year
        covers = not inside or draw(often(True, False))
        years[year] = draw(released_years(year, published_on)) if covers else draw(holes())
    return Release(draw(st.integers(1, 9)), published_on, years)


@st.composite
def municipalities_of(draw: DrawFn, release: Release, codes: Sequence[str]) -> dict[str, dict[int, ReleasedYear]]:
    """Of most years those in the register, of some years nobody; now and then one that was not asked for."""
    said: dict[str, dict[int, ReleasedYear]] = {}
    for year, of_county in release.years.items():
        if not of_county.covers or draw(often(False, False, False, True)):
            continue
        for code in (*codes, draw(often("999", *codes))):
            if draw(often(*[True] * 9, False)):
                said.setdefault(code, {})[year] = draw(released_years(year, release.published_on))
    return said


@st.composite
def released_years(draw: DrawFn, year: int, published_on: date) -> ReleasedYear:
    """Either a few figures, as an imported table has them, or all that a published one stores."""
    whole = draw(often(True, True, False))
    last_day = min(date(year, 12, 31), published_on)
    sessions = draw(small()) if draw(often(*[True] * 4, False)) else None
    through = draw(st.one_of(st.just(last_day), st.just(last_day), month_ends(year), st.none()))
    if sessions is None or (through is not None and through > last_day):
        through = None if sessions is None else last_day
    partial = last_day < date(year, 12, 31)
    if sessions is not None and (through is None or through < date(year, 12, 31)):
        partial = True
    active_days, covered_days, covered_days_in_year = draw(released_days(year, through, whole=whole))
    withheld = sessions is not None and draw(often(False, False, False, True))
    pairs = whole and not withheld and draw(often(False, True))
    pair_through = draw(often(*_month_ends(year)[-2:])) if pairs and last_day == date(year, 12, 31) else None
    return ReleasedYear(
        covers=True,
        municipalities_in_area=draw(known(whole)),
        residents=draw(st.sampled_from((16000, None, 32000, 1234, 0))),
        municipalities=draw(known(True)),
        pilot=draw(known(whole)),
        in_use=draw(known(whole)),
        active_at_end=draw(known(whole)),
        started=draw(known(whole)),
        resumed=draw(known(whole)),
        stopped=draw(known(whole)),
        merged=draw(known(whole)),
        sessions=None if withheld else sessions,
        withheld=withheld,
        reporting=0 if sessions is None else draw(known(whole)),
        through=through,
        partial=partial,
        active_days=active_days,
        covered_days=covered_days,
        covered_days_in_year=covered_days_in_year,
        counts_without_active_day=whole and draw(often(False, False, False, True)),
        counts_beyond_through=whole and through is not None and draw(often(False, False, False, True)),
        comparable_through=pair_through,
        comparable_municipalities=draw(st.integers(1, 4)) if pair_through else None,
        comparable_sessions=draw(small()) if pair_through else None,
        comparable_previous_sessions=draw(small()) if pair_through else None,
    )


@st.composite
def released_days(
    draw: DrawFn, year: int, through: date | None, *, whole: bool
) -> tuple[int | None, int | None, int | None]:
    """Municipality-days active up to `through`, active and counted up to there, the latter in the year."""
    if not whole:
        return None, None, None
    if through is None:
        return draw(often(0, 10, None)), None, draw(often(0, 10))
    active_days = draw(often(1, 2, 0, 100)) * ((through - date(year, 1, 1)).days + 1)
    covered_days = active_days - min(active_days, draw(often(0, 1, 31)))
    return active_days, covered_days, covered_days + draw(often(0, 7))


@st.composite
def holes(draw: DrawFn) -> ReleasedYear:
    return ReleasedYear(covers=False, municipalities_in_area=draw(known(False)), residents=draw(known(False)))


def known(always: bool) -> st.SearchStrategy[int | None]:
    """Eight is there for the ties that are rounded up."""
    return st.sampled_from((2, 8, 1, 3, 0, 5, 2, 1, None) if always else (None, 2, 8, None, 0))


def small() -> st.SearchStrategy[int]:
    return st.integers(0, 40)


# Days, years and residents.


@st.composite
def residents_of(draw: DrawFn, frame: Frame, municipalities: Sequence[str]) -> dict[int, dict[str, int]]:
    """Tables of some years, round enough for ties; now and then one lacks a municipality."""
    tables = {}
    for year in range(frame.first_year - 1, frame.as_of.year + 2):
        if draw(often(True, True, False)):
            missing = draw(often(99, 99, 99, 99, 0, 1))
            size = draw(often(16000, 8000, 1003, 0))
            tables[year] = {
                code: size * (number + 1) for number, code in enumerate(municipalities) if number != missing
            }
    return tables


def years_of(frame: Frame) -> st.SearchStrategy[int]:
    return st.integers(frame.first_year - 1, frame.as_of.year + 1)


def starts_of(frame: Frame) -> st.SearchStrategy[date]:
    years = st.integers(frame.first_year, frame.as_of.year)
    first_of_a_month = st.builds(date, years, st.integers(1, 12), st.just(1))
    new_year = st.just(date(frame.first_year, 1, 1))
    near = st.sampled_from((date(frame.first_year - 1, 11, 5), date(frame.first_year, 1, 15)))
    if frame.calm:
        return st.one_of(new_year, new_year, near)
    return st.one_of(new_year, new_year, near, first_of_a_month, edges_of(frame))


def edges_of(frame: Frame) -> st.SearchStrategy[date]:
    """Days at which something can go wrong by one, and any other day."""
    years = range(frame.first_year, frame.as_of.year + 1)
    turns = [date(year, *day) for year in years for day in ((1, 1), (12, 31), (2, 28), (7, 1), (6, 30))]
    mergers = [frame.merger + timedelta(days=n) for n in (-1, 0, 1, 2)]
    return st.one_of(
        st.sampled_from(turns),
        st.sampled_from(mergers),
        st.dates(date(frame.first_year, 1, 1), frame.as_of),
    )


def days_of(year: int) -> st.SearchStrategy[date]:
    return st.dates(date(year, 1, 1), date(year, 12, 31))


def month_ends(year: int) -> st.SearchStrategy[date]:
    return st.sampled_from(_month_ends(year))


def often(*values: T) -> st.SearchStrategy[T]:
    """One of the values, each as often as it is named."""
    return st.sampled_from(values)


def _month_ends(year: int) -> list[date]:
    return [_month_end(year, month) for month in range(1, 13)]


def _month_end(year: int, month: int) -> date:
    return date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)


# The tests.


def _months(year: int, number: int) -> tuple[Count, ...]:
    return tuple(Count(first, last, first.month) for first, last in _periods(year, "month", 0)[:number])


def _counting_for(year: int, *numbers: int) -> Question:
    """Municipalities that count a whole year and then so many months of `year`."""
    active = ((date(year - 1, 1, 1), "in_use"),)
    histories = [
        History(f"{number}", date.min, None, active, (*_months(year - 1, 12), *_months(year, months)))
        for number, months in enumerate(numbers, start=100)
    ]
    return Question(
        counties=[County("13", histories)],
        options=Options(
            as_of=date(year, 12, 31),
            counted=True,
            residents={},
            counties_total=1,
            narrowed=False,
            read="live",
            from_year=None,
            to_year=None,
        ),
    )


def test_the_trend_is_what_looking_at_every_day_gives_and_all_that_matters_was_seen() -> None:
    seen: Counter[str] = Counter()

    def compare(question: Question) -> None:
        for row in _compared(question):
            seen.update(_sights(row, question))

    _for_random_questions(compare)

    assert [name for name, times in seen.items() if not times] == []


@pytest.mark.parametrize(
    "question",
    [
        # Two to the end of March weigh as much as one to the end of June, but only in a leap year.
        _counting_for(2024, 3, 6),
        _counting_for(2023, 3, 6),
        _counting_for(2023, 5, 12, 9, 9),
    ],
)
def test_the_pair_is_what_looking_at_every_day_gives_where_ranks_are_close(question: Question) -> None:
    assert _compared(question)


def test_the_naive_twin_answers_the_published_table() -> None:
    table = (
        (2021, 8, 94, date(2021, 12, 31)),
        (2022, 14, 105, date(2022, 12, 31)),
        (2023, 15, 23, PUBLISHED_ON),
    )
    years = {
        year: ReleasedYear(
            covers=True,
            municipalities_in_area=19,
            municipalities=municipalities,
            sessions=sessions,
            through=through,
            partial=through < date(year, 12, 31),
        )
        for year, municipalities, sessions, through in table
    }
    counties = [County("13", (), Release(1, PUBLISHED_ON, years))]

    rows = trend_day_by_day(
        counties, as_of=date(2026, 1, 1), counted=True, residents={}, counties_total=1, read="release"
    )

    assert [row["basis"] for row in rows] == ["release", "release", "release"]
    assert [row["share"] for row in rows] == [0.4211, 0.7368, 0.7895]
    assert [row["sessions_per_municipality"] for row in rows] == [11.75, 7.5, None]
    assert [row["change_municipalities"] for row in rows] == [None, 6, 1]
    assert [row["change_sessions"] for row in rows] == [None, 11, None]
    assert [row["partial"] for row in rows] == [False, False, True]
    assert [row["annual_pace"] for row in rows] == [None, None, 97.6]


def test_the_naive_twin_ends_where_the_first_active_day_is_not_counted() -> None:
    year_end = date(2022, 12, 31)
    new_year, ides, april = date(2022, 1, 1), date(2022, 3, 15), date(2022, 4, 1)
    whole = History("297", date.min, None, ((new_year, "in_use"),), (Count(new_year, year_end, 4),))
    late = History("140", date.min, None, ((ides, "pilot"),), (Count(april, year_end, 2),))

    def row(*histories: History) -> Answer:
        county = County("13", histories)
        return trend_day_by_day([county], as_of=year_end, counted=True, residents={}, counties_total=1)[0]

    both, alone = row(whole, late), row(late)

    assert (both["through"], both["partial"], both["coverage"]) == (date(2022, 3, 14), True, 1.0)
    assert both["sessions_per_municipality_year"] == 3.42  # 6 × 365 / (365 + 275)
    assert (alone["through"], alone["partial"], alone["coverage"]) == (None, True, None)


def _for_random_questions(check: Callable[[Question], None]) -> None:
    """Hypothesis varies what it has after ten examples of a run: many short runs see more that is new."""
    for number in range(EXAMPLES // 10):
        quietly = settings(
            max_examples=10,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        quietly(seed(number)(given(questions())(check)))()


def _compared(question: Question) -> list[Answer]:
    rows = yearly_trend(question["counties"], **question["options"])
    expected = trend_day_by_day(question["counties"], **question["options"])
    assert [row.year for row in rows] == [row["year"] for row in expected]
    for row, naive in zip(rows, expected, strict=True):
        assert _unlike(row, naive) == {}
    return expected


def _unlike(row: YearRow, naive: Answer) -> dict[str, tuple[object, object]]:
    """The fields that differ, with both values; True is not 1 and 2 is not 2.0 in what goes out."""
    pairs = {field.name: (getattr(row, field.name), naive[field.name]) for field in fields(YearRow)}
    return {name: (one, other) for name, (one, other) in pairs.items() if repr(one) != repr(other)}


def _sights(row: Answer, question: Question) -> dict[str, bool]:
    several = isinstance(row["counties"], int) and row["counties"] > 1
    several_asked = len(question["counties"]) > 1
    reports = row["basis"] == "reports"
    year_end = date(int(str(row["year"])), 12, 31)
    through, coverage, partial = row["through"], row["coverage"], row["partial"]
    reported = row["sessions"] is not None
    pair = row["comparable_through"]
    narrowed, missing = question["options"]["narrowed"], row["sessions_missing"]
    municipalities = sum(len(county.municipalities) for county in question["counties"])
    withheld = any(_withholds(county, year_end.year) for county in question["counties"])
    kept = [county for county in question["counties"] if _keeps(county, year_end.year, question["options"]["read"])]
    left_out = not narrowed and several_asked and any(_withholds(county, year_end.year) for county in kept)
    return {
        "mixed basis": row["basis"] == "mixed",
        "released row": row["release_id"] is not None,
        "nothing": row["basis"] == "none",
        "nothing, register stated": row["basis"] == "none" and row["municipalities_in_area"] is not None,
        "narrowed, released": narrowed and row["basis"] == "release" and reported,
        "narrowed, released, several": narrowed and row["basis"] == "release" and reported and municipalities > 1,
        "narrowed, released, not told": narrowed and row["basis"] == "release" and row["municipalities"] is None,
        "narrowed, mixed": narrowed and row["basis"] == "mixed" and reported,
        "narrowed, mixed, withheld": narrowed and row["basis"] == "mixed" and missing == "withheld",
        "narrowed, withheld": narrowed and missing == "withheld" and municipalities > 1,
        "withheld": missing == "withheld" and row["counties"] == 1 and not narrowed,
        "withheld, change of municipalities": missing == "withheld" and row["change_municipalities"] is not None,
        "withheld, left out": left_out and row["basis"] == "release",
        "withheld, left out of reports": left_out and reports,
        "withheld, nobody left": missing == "withheld" and row["basis"] == "none",
        "withheld beside": row["released_on"] is not None and withheld,
        "not reported": missing == "not_reported" and reports,
        "not reported, released": missing == "not_reported" and row["basis"] == "release",
        "not applicable, released": missing == "not_applicable" and row["basis"] == "release",
        "not applicable, nothing": missing == "not_applicable" and row["basis"] == "none",
        "missing, not said": missing is None and not reported and row["basis"] == "release",
        "no status, reported": reports and reported and row["municipalities"] is None,
        "started": _positive(row, "started"),
        "resumed": reports and _positive(row, "resumed"),
        "stopped": reports and _positive(row, "stopped"),
        "merged": reports and _positive(row, "merged"),
        "through null": reported and through is None,
        "through inside the year": reports and through is not None and through != year_end,
        "through the year": reports and through == year_end,
        "coverage below 1": isinstance(coverage, float) and coverage < 1,
        "coverage 1": coverage == 1,
        "coverage 1, partial": coverage == 1 and partial is True,
        "coverage of several": several and coverage is not None,
        "not counted, whole": not question["options"]["counted"] and reported and partial is False,
        "per municipality": row["sessions_per_municipality"] is not None,
        "per municipality and year": row["sessions_per_municipality_year"] is not None,
        "per residents": row["sessions_per_1000_residents"] is not None,
        "change of municipalities": row["change_municipalities"] is not None,
        "change of sessions": row["change_sessions"] is not None,
        "change of sessions of several": several and row["change_sessions"] is not None,
        "pair": pair is not None,
        "pair of whole years": pair == year_end,
        "pair of part years": pair is not None and pair != year_end,
        "pair of several": several and pair is not None,
        "pair of several municipalities": _positive(row, "comparable_municipalities", 1),
        "pace": row["annual_pace"] is not None,
        "pace of several": several and row["annual_pace"] is not None,
        "release beside": row["released_on"] is not None,
        "release beside several": several and row["released_sessions"] is not None,
        "release beside municipalities": narrowed and row["released_sessions"] is not None,
        "difference of sessions of municipalities": narrowed and row["difference_sessions"] is not None,
        "difference of municipalities": row["difference_municipalities"] is not None,
        "difference of sessions": row["difference_sessions"] is not None,
        "break in the series": row["break_in_series"] is True,
        "break in the series of several": several and row["break_in_series"] is True,
        "break in the series, mixed basis": row["basis"] == "mixed" and row["break_in_series"] is True,
        "no break in the series": row["break_in_series"] is False,
        "break in the series not known": row["basis"] == "mixed" and row["break_in_series"] is None,
    }


def _withholds(county: County, year: int) -> bool:
    return county.release is not None and year in county.release.years and county.release.years[year].withheld


def _keeps(county: County, year: int, read: str) -> bool:
    return read == "release" or county.live_from is None or year < county.live_from


def _positive(row: Answer, name: str, bound: int = 0) -> bool:
    value = row[name]
    return isinstance(value, int) and value > bound
