"""Lines read many at once: exactly what is read line by line, or nothing."""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, strategies as st

from app.formats.delimited import CsvLines
from app.formats.sheet import Sheet
from app.reports.blocks import Blocks
from app.reports.sent import SentCount, SentStatus
from app.reports.sheets import Report, WrongRow, report_in

CELLS = {
    "kunta": ("297", " ku49 ", "", "Kuopio"),
    "kunnan nimi": ("Kuopio", "", " "),
    "period": ("2022-03", "2022M04", "2023", "", "2022-13"),
    "sessions": ("5", " 0", "", "-1", "x"),
    "replace": ("", "true", "Ei", "maybe"),
    "note": ("", "Hei", '"a\nb"'),
    "date": ("", "1.3.2022", "2022"),
    "status": ("", "in_use", "Kokeilussa", "off"),
}
OTHERS = ("kunnan nimi", "replace", "note", "date", "period")
COUNTS, STATUSES = ("kunta", "period", "sessions"), ("kunta", "date", "status")


@st.composite
def files(draw: st.DrawFn) -> str:
    """A CSV of counts or of statuses, mostly, with whatever else may stand in it."""
    needed = draw(st.sampled_from([COUNTS, STATUSES, (*COUNTS, "date", "status")]))
    headings = [*needed, *draw(st.lists(st.sampled_from(OTHERS), unique=True))]
    headings = draw(st.permutations(list(dict.fromkeys(headings))))
    # The first of each are right, and drawn most.
    cells = [st.just(CELLS[heading][0]) | st.sampled_from(CELLS[heading]) for heading in headings]
    lines = draw(st.lists(st.tuples(*cells), max_size=4))
    ends = draw(st.lists(st.sampled_from(["", "", "", ",", ",more"]), min_size=len(lines), max_size=len(lines)))
    return "\n".join([",".join(headings), *(",".join(line) + end for line, end in zip(lines, ends, strict=True))])


def opened(text: str) -> tuple[Report, CsvLines]:
    lines = CsvLines(text.encode())
    return report_in([Sheet("", lines)]), lines


def one_by_one(text: str) -> Sequence[SentCount | SentStatus] | None:
    """What each line says by itself; None if something is wrong with one."""
    report, lines = opened(text)
    try:
        return [report.row(line.number, line) for line in report.filled_in(lines)]
    except WrongRow:
        return None


@given(files())
@example("kunta,period,sessions\n297,2022-03,5\n\n297,2022-04,5")
@example("kunta,,period,sessions\n297,2022-03,5")
def test_lines_that_are_read_at_once_say_what_each_says_by_itself(text: str) -> None:
    report, lines = opened(text)
    block = lines.block(100)

    rows = Blocks(report).rows(block.rows)

    assert rows is None or (rows == one_by_one(text) and len(rows) == len(block.numbers))


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("kunta,period,sessions\n49, 2022M03,5\n", SentCount("049", "2022-03", 5)),
        (
            "sessions,note,date,period,kunta,kunnan nimi,replace\n5,Hei,,2022,KU297,Kuopio,ja\n",
            SentCount("297", "2022", 5, replace=True, note="Hei"),
        ),
        (
            "status;päivä;kunta;practice\nkäytössä;1.3.2022;297;kela\n",
            SentStatus("297", "2022-03-01", "in_use", "kela"),
        ),
    ],
)
def test_lines_with_nothing_wrong_are_read_at_once(text: str, row: SentCount | SentStatus) -> None:
    report, lines = opened(text)

    rows = Blocks(report).rows(lines.block(100).rows)

    assert rows == [row]
    assert rows is not None
    assert type(rows[0]) is type(row)


def test_a_block_has_the_number_of_each_of_its_lines() -> None:
    lines = CsvLines(b'a,b\n"x\ny",1\n\nz,2\n')
    next(lines)

    assert lines.block(2) == ([2, 4], [["x\ny", "1"], []])
    assert lines.block(2) == ([5], [["z", "2"]])
    assert lines.block(2) == ([], [])
