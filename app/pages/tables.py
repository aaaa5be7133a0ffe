"""Tables of a page: every cell with its figure and its words, sorted by whatever column a link asks for."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from app.errors import parameter_problem

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell: its `text`; the bare `value` for programs, as the API has it; a link if it leads somewhere.

    Where there is no figure, `value` is None and the text says which kind of nothing it is.
    """

    text: str
    value: Any = None
    href: str | None = None
    day: bool = False


@dataclass(frozen=True, slots=True)
class Column(Generic[Row]):
    """What stands in one column; `key` names it in addresses, `meaning` the definition its heading leads to."""

    key: str
    heading: str
    cell: Callable[[Row], Cell]
    order: Callable[[Row], Any]
    """What rows are sorted by; None stands last in both directions."""
    numeric: bool = True
    meaning: str | None = None


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column, with the link that sorts by it and how it is sorted now (as aria-sort says it)."""

    key: str
    text: str
    href: str
    sorted: str | None
    numeric: bool
    meaning: str | None


@dataclass(frozen=True, slots=True)
class Table:
    """A table as it is shown; the first column names the rows."""

    name: str
    caption: str
    headings: Sequence[Heading]
    rows: Sequence[tuple[str, Sequence[Cell]]]
    """Each with the id of its row."""


def table(
    name: str,
    caption: str,
    columns: Sequence[Column[Row]],
    rows: Sequence[Row],
    *,
    row_id: Callable[[Row], str],
    sort: str | None,
    parameter: str,
    href: Callable[[str], str],
) -> Table:
    """The table of `rows`, sorted as `sort` says: the key of a column, with a minus in front for descending.

    Without `sort` the rows keep their order. `href` is the address with another sort, which `parameter` names.

    Raises:
        InvalidParameter: there is no such column.
    """
    wanted, descending = (sort or "").removeprefix("-"), (sort or "").startswith("-")
    known = {column.key: column for column in columns}
    if sort is not None:
        if wanted not in known:
            raise parameter_problem(
                parameter, f"{sort!r} is no column; there are {', '.join(known)}, each also as -column"
            )
        rows = _sorted(rows, known[wanted].order, descending=descending)
    return Table(
        name,
        caption,
        [_heading(column, wanted if sort else None, descending=descending, href=href) for column in columns],
        [(row_id(row), [column.cell(row) for column in columns]) for row in rows],
    )


def _sorted(rows: Sequence[Row], order: Callable[[Row], Any], *, descending: bool) -> list[Row]:
    """Stable, and what has nothing to sort by stands last."""
    something = [row for row in rows if order(row) is not None]
    nothing = [row for row in rows if order(row) is None]
    return sorted(something, key=order, reverse=descending) + nothing


def _heading(column: Column[Row], wanted: str | None, *, descending: bool, href: Callable[[str], str]) -> Heading:
    now = ("descending" if descending else "ascending") if column.key == wanted else None
    following = f"-{column.key}" if now == "ascending" else column.key
    return Heading(column.key, column.heading, href(following), now, column.numeric, column.meaning)
