"""The table of a comparison: every year of every side."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from app.pages.compare.sides import ComparisonView, Named, Side
from app.pages.figures.nothing import Nothing
from app.pages.figures.phrases import coverage_in_words, share_in_words
from app.pages.tables import Cell, Column, Table, table
from app.pages.wording import Wording
from app.trends.models import TrendRow


@dataclass(frozen=True, slots=True)
class _Row:
    """A year of a side."""

    number: int
    name: str
    side: Side
    year: TrendRow


def side_table(words: Wording, named: Named, view: ComparisonView) -> Table:
    """Every year of every side, the latest year first.

    Raises:
        InvalidParameter: it is to be sorted by a column that there is not.
    """
    rows = [_Row(number, name, side, year) for number, (name, side) in enumerate(named, start=1) for year in side.told]
    return table(
        "compared",
        words.gettext("The figures side by side"),
        list(_columns(words, country=any(side.county is None for _, side in named))),
        sorted(rows, key=lambda row: -row.year.year),
        row_id=lambda row: f"side-{row.number}-{row.year.year}",
        sort=view.sort,
        parameter="sort",
        href=lambda sort: view.href(sort=sort),
    )


def _columns(words: Wording, *, country: bool) -> Iterable[Column[_Row]]:
    yield Column(
        "side",
        words.gettext("What is compared"),
        lambda row: Cell(row.name, href=row.side.view.href()),
        lambda row: words.alphabetical(row.name),
        numeric=False,
    )
    yield Column(
        "year", words.gettext("Year"), lambda row: Cell(str(row.year.year), row.year.year), lambda row: row.year.year
    )
    yield _column("share", words.gettext("Share"), lambda row: share_in_words(words, row), _standing(words))
    yield _number(words, "municipalities", words.gettext("Municipalities on trial or in use"), _standing(words))
    yield _number(words, "municipalities_in_area", words.gettext("Municipalities in all"), _standing(words))
    yield _number(
        words,
        "sessions_per_1000_residents",
        words.gettext("Sessions per 1,000 residents"),
        lambda row: _nothing(words, row).rate(row.year),
    )
    yield _day(words, "through", words.gettext("Figures complete to"), _sessions(words))
    yield _column(
        "coverage", words.gettext("Reports received"), lambda row: coverage_in_words(words, row), _sessions(words)
    )
    if country:
        yield _number(words, "counties", words.gettext("Counties in the sum"), _standing(words))
    yield _day(words, "published_on", words.gettext("Published"), lambda _: words.gettext("on several days"))


Missing = Callable[[_Row], str]
"""Which kind of nothing stands where there is no figure."""


def _nothing(words: Wording, row: _Row) -> Nothing:
    return Nothing(words, row.side.practice.counted)


def _standing(words: Wording) -> Missing:
    return lambda row: _nothing(words, row).standing(row.year)


def _sessions(words: Wording) -> Missing:
    return lambda row: _nothing(words, row).sessions(row.year)


def _number(words: Wording, key: str, heading: str, missing: Missing) -> Column[_Row]:
    return _column(key, heading, lambda row: words.number(getattr(row, key)), missing)


def _day(words: Wording, key: str, heading: str, missing: Missing) -> Column[_Row]:
    return _column(key, heading, lambda row: words.short_day(getattr(row, key)), missing, day=True)


def _column(
    key: str, heading: str, text: Callable[[TrendRow], str], missing: Missing, *, day: bool = False
) -> Column[_Row]:
    """What the API calls `key`; `text` says it of a row that has it."""

    def cell(row: _Row) -> Cell:
        value = getattr(row.year, key)
        return Cell(missing(row)) if value is None else Cell(text(row.year), value, day=day)

    return Column(key, heading, cell, lambda row: getattr(row.year, key), meaning=key)
