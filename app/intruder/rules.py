"""What a release may not say, whatever else its readers know."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, replace
from datetime import date

from app.intruder.cells import (
    QUARTERS,
    YEAR,
    Counts,
    Months,
    counts_of,
    days,
    period,
    spoken_of,
    within,
)
from app.intruder.verdict import Failure, Rule
from app.series.content import Content, ReleasedQuarter, Statement
from app.series.figures import ReleasedYear

# Every field that a release may have. Whoever adds one asks first what it tells of a hidden cell: it is an equation
# (cells.py), or it does not depend on how many sessions were counted, or it is not published.
_KNOWN: dict[type, frozenset[str]] = {
    Content: frozenset({"years", "municipalities", "quarters"}),
    ReleasedQuarter: frozenset({"sessions", "reporting", "partial", "withheld"}),
    ReleasedYear: frozenset(
        {
            "municipalities_in_area",
            "residents",
            "municipalities",
            "pilot",
            "in_use",
            "active_at_end",
            "started",
            "resumed",
            "stopped",
            "merged",
            "sessions",
            "reporting",
            "through",
            "partial",
            "active_days",
            "covered_days",
            "covered_days_in_year",
            "counts_without_active_day",
            "counts_beyond_through",
            "comparable_through",
            "comparable_municipalities",
            "comparable_sessions",
            "comparable_previous_sessions",
            "covers",
            "carried",
            "withheld",
        }
    ),
}


def broken_rules(
    published: Content, counts: Counts, earlier: Sequence[Statement], *, threshold: int
) -> Iterator[Failure]:
    """What is wrong with `published`, which is made of `counts`, after the releases `earlier`."""
    statements = [*earlier, Statement(content=published, counts=counts)]
    yield from (failure for statement in statements for failure in _unknown_figures(statement))
    yield from _other_than_counted(published, counts)
    for statement in earlier:
        # Nobody knows of what an imported one is made.
        if statement.counts:
            wrong = _other_than_counted(statement.content, statement.counts)
            yield from (replace(failure, rule="earlier not as counted") for failure in wrong)
    yield from _carried_over_changed(published, earlier)
    yield from _small_but_shown(published, counts, threshold)
    yield from _withheld_before(published, counts, earlier, threshold)


def _unknown_figures(statement: Statement) -> Iterator[Failure]:
    """Fields that the audit does not know, and figures of a kind that no such row has."""
    content = statement.content
    years = sorted(content.years)
    of_municipalities = [row for rows in content.municipalities.values() for row in rows.values()]
    split: list[ReleasedYear | ReleasedQuarter] = [*of_municipalities, *content.quarters.values()]
    kinds = {type(content), *map(type, content.years.values()), *map(type, split)}
    strange = any(frozenset(field.name for field in fields(kind)) != _KNOWN.get(kind) for kind in kinds)
    compared = any(_pair(row) != (None, None) for row in of_municipalities)
    compares = any(_pair(content.years[year]) != (None, None) for year in spoken_of(content))
    more_than_totals = not statement.counts and (compares or any(row.sessions is not None for row in split))
    if strange or compared or more_than_totals:
        first, last = (years[0], years[-1]) if years else (date.min.year, date.min.year)
        yield _failure("unknown figure", None, (first, YEAR), None, to=last)


def _other_than_counted(content: Content, counts: Counts) -> Iterator[Failure]:
    """Figures that are not what the counts add up to, and such as are both withheld and stated."""
    spoken = spoken_of(content)
    for year, row in content.years.items():
        if year in spoken:
            of_year = counts_of(year, counts)
            yield from _figure(row, None, year, YEAR, of_year)
            yield from _comparison(content, counts, year)
            for months in QUARTERS:
                if quarter := content.quarters.get(period(year, months)):
                    yield from _quarter(quarter, year, months, of_year)
        elif not row.covers and (row.sessions, *_pair(row)) != (None, None, None):
            yield _failure("not as counted", None, (year, YEAR), row.sessions)
    yield from _municipalities(content, counts, spoken)
    known = {period(year, months) for year in spoken for months in QUARTERS}
    for name, quarter in content.quarters.items():
        if name not in known and quarter.sessions is not None:
            yield _failure("not as counted", None, (int(name[:4]), YEAR), quarter.sessions)


def _municipalities(content: Content, counts: Counts, spoken: Iterable[int]) -> Iterator[Failure]:
    """The table speaks of every municipality that reports, and of none in a year of which the release does not."""
    if not content.municipalities:
        return
    for year in spoken:
        of_year = counts_of(year, counts)
        for code in of_year.keys() - {code for code, rows in content.municipalities.items() if year in rows}:
            yield _failure("not as counted", code, (year, YEAR), None)
    for code, rows in content.municipalities.items():
        for year, row in rows.items():
            own = {code: counts.get(code, ())} if year in spoken else {}
            yield from _figure(row, code, year, YEAR, counts_of(year, own))


def _figure(
    row: ReleasedYear | ReleasedQuarter, code: str | None, year: int, months: Months, of_year: Counts
) -> Iterator[Failure]:
    """The sessions that stand in `row`, or do not, and how many report them."""
    inside = {code: counted for code, own in of_year.items() if (counted := within(months, own))}
    sessions = _sum(months, inside) if inside and not row.withheld else None
    if row.withheld and row.sessions is not None:
        yield _failure("withheld yet stated", code, (year, months), row.sessions)
    elif row.sessions != sessions or row.reporting not in (None, len(inside)) or (row.withheld and not inside):
        yield _failure("not as counted", code, (year, months), row.sessions)


def _quarter(quarter: ReleasedQuarter, year: int, months: Months, of_year: Counts) -> Iterator[Failure]:
    """A quarter; where a count of the year is longer than one, none of the year's has a figure."""
    quarterly = all(any(within(part, [count]) for part in QUARTERS) for own in of_year.values() for count in own)
    if quarterly:
        yield from _figure(quarter, None, year, months, of_year)
    elif quarter.withheld or quarter.sessions is not None:
        yield _failure("not as counted", None, (year, months), quarter.sessions)


def _comparison(content: Content, counts: Counts, year: int) -> Iterator[Failure]:
    """The sums over the same months of two years are of all who report in both, or are not shown."""
    row = content.years[year]
    pair = _pair(row)
    if pair == (None, None):
        return
    if row.withheld:
        yield _failure("withheld yet stated", None, (year, YEAR), pair[0])
        return
    months = (1, row.comparable_through.month if row.comparable_through else 12)
    now, before = counts_of(year, counts), counts_of(year - 1, counts)
    whole = (
        row.comparable_through == days(year, months)[1]
        and year - 1 in spoken_of(content)
        and row.comparable_municipalities == len(now)
        and now.keys() == before.keys()
        and _apart(months, now)
        and _apart(months, before)
    )
    if not whole:
        yield _failure("not of all who report", None, (year, months), pair[0])
    elif pair != (_sum(months, now), _sum(months, before)):
        yield _failure("not as counted", None, (year, months), pair[0])


def _carried_over_changed(published: Content, earlier: Sequence[Statement]) -> Iterator[Failure]:
    """A year that is carried over says what an earlier release said."""
    for year, row in published.years.items():
        stood = [statement.content.years[year] for statement in earlier if year in statement.content.years]
        if row.carried and not any(_figures(row) == _figures(before) for before in stood):
            yield _failure("carried over changed", None, (year, YEAR), row.sessions)


def _small_but_shown(published: Content, counts: Counts, threshold: int) -> Iterator[Failure]:
    for code, year, sessions in _shown(published):
        if code in counts and sessions < threshold:
            yield _failure("small but shown", code, (year, YEAR), sessions)


def _withheld_before(
    published: Content, counts: Counts, earlier: Sequence[Statement], threshold: int
) -> Iterator[Failure]:
    """What one release withholds, all later ones do, unless it changed by the threshold or more."""
    shown = {(code, year): sessions for code, year, sessions in _shown(published)}
    for statement in earlier:
        for code, rows in statement.content.municipalities.items():
            for year, row in rows.items():
                before = _sum(YEAR, counts_of(year, {code: statement.counts.get(code, ())}))
                now = shown.get((code, year))
                if row.withheld and now is not None and abs(now - before) < threshold:
                    yield _failure("withheld before", code, (year, YEAR), now)


def _shown(content: Content) -> list[tuple[str, int, int]]:
    """The municipality, the year and the sessions of each figure in the table of municipalities."""
    return [
        (code, year, row.sessions)
        for code, rows in content.municipalities.items()
        for year, row in rows.items()
        if row.sessions is not None
    ]


def _pair(row: ReleasedYear) -> tuple[int | None, int | None]:
    return row.comparable_sessions, row.comparable_previous_sessions


def _figures(row: ReleasedYear) -> tuple[int | None, ...]:
    return row.sessions, *_pair(row), row.withheld


def _apart(months: Months, counts: Counts) -> bool:
    """True if every count lies either in these months or after them, and each municipality has one in them."""
    return all(
        within(months, own) and all(within(months, [count]) or count.first.month > months[1] for count in own)
        for own in counts.values()
    )


def _sum(months: Months, counts: Counts) -> int:
    return sum(count.sessions for own in counts.values() for count in within(months, own))


def _failure(
    rule: Rule, municipality: str | None, where: tuple[int, Months], sessions: int | None, *, to: int | None = None
) -> Failure:
    """A figure that everybody can see; `to` is the year in which it ends, if another than it begins in."""
    first, last = days(*where)
    return Failure(
        attacker=None,
        municipality=municipality,
        first=first,
        last=last if to is None else days(to, YEAR)[1],
        low=sessions or 0,
        high=sessions,
        rule=rule,
    )
