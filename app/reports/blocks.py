"""Many lines of a file at once, column by column, as long as nothing is wrong with any of them."""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import repeat

from app.reports.columns import NotAValue
from app.reports.models import ListName
from app.reports.sent import SentCount, SentStatus
from app.reports.sheets import KINDS, Report, cell_value


class Blocks:
    """Reads lines that are all rows of one list: counts if the file has a column of sessions, else statuses."""

    def __init__(self, report: Report) -> None:
        self.list_name: ListName = report.deciding[0][1]
        self._kind = KINDS[self.list_name]
        self._width = len(report.headings)
        self._all_headed = list(report.columns) == list(range(self._width))
        self._reads = {
            column.field: _reading(self.list_name, column.field) for column in report.columns.values() if column.lists
        }
        self._fields = [column.field for column in report.columns.values()]

    def rows(self, lines: Sequence[Sequence[str]]) -> Sequence[SentCount | SentStatus] | None:
        """What `lines` say, by their cells; None if they must be looked at one by one.

        That is so unless each has a cell for each heading, filled as far as it must be, and nothing is wrong with any.
        """
        if not self._all_headed or {*map(len, lines)} != {self._width}:
            return None
        cells = dict(zip(self._fields, zip(*lines, strict=True), strict=True))
        try:
            values = {field: list(map(read, cells[field])) for field, read in self._reads.items()}
        except NotAValue:
            return None
        defaults = self._kind._field_defaults
        columns = (values[field] if field in values else repeat(defaults[field]) for field in self._kind._fields)
        # As the class itself would make them of each tuple, in a third of the time.
        return list(map(tuple.__new__, repeat(self._kind), zip(*columns, strict=False)))


def _reading(list_name: ListName, field: str) -> Callable[[str], object]:
    """What reads a cell of `field`, each but once; it raises NotAValue too if it is empty and must not be."""
    kind = KINDS[list_name]

    @cache
    def read(cell: str) -> object:
        if text := cell.strip():
            return cell_value(list_name, field, text)
        if field in kind._fields and field not in kind._field_defaults:
            raise NotAValue("is empty")
        return kind._field_defaults.get(field)

    return read
