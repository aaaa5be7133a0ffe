"""What the server said of one chunk after another, in the lines and rows of the whole file."""

from typing import Any

from app.sending.chunks import CSV, JSON, XLSX, Chunk
from app.sending.tally import Finding, Tally

SECOND_PART = Chunk(b"", CSV, header_lines=2, lines_left_out=100)


def row(list_name: str, index: int, **more: Any) -> dict[str, Any]:
    return {"list": list_name, "index": index, "errors": [], "warnings": [], **more}


def receipt(*rows: dict[str, Any], id: int | None = 7, **more: int) -> dict[str, Any]:
    outcomes = dict.fromkeys(("created", "corrected", "unchanged", "rejected"), 0)
    return {"id": id, "rows": list(rows), **outcomes, **more}


def test_receipts_add_up() -> None:
    first = receipt(row("counts", 0), row("statuses", 0), id=7, created=1, unchanged=1)
    second = receipt(row("counts", 0), row("counts", 1), id=8, corrected=1, rejected=1)

    tally = Tally().with_receipt(first, Chunk(b"", JSON), replayed=True)
    tally = tally.with_receipt(second, Chunk(b"", JSON), replayed=False)

    assert tally == Tally(
        receipts=[7, 8],
        replayed=1,
        created=1,
        corrected=1,
        unchanged=1,
        rejected=1,
        rows={"counts": 3, "statuses": 1},
    )


def test_a_dry_run_has_no_receipt() -> None:
    assert Tally().with_receipt(receipt(id=None, created=2), Chunk(b"", JSON), replayed=False) == Tally(created=2)


def test_findings_are_told_by_line_if_the_server_tells_it_and_else_by_what_the_file_has() -> None:
    before = Tally(rows={"counts": 10, "statuses": 3})
    warning = {"code": "tenfold_jump", "detail": "from 1 to 10"}
    wrong = {"line": 3, "column": "jakso", "detail": "has not begun"}
    said = receipt(
        row("counts", 0, warnings=[warning], line=5),
        row("counts", 1, errors=[wrong]),
        row("statuses", 2, warnings=[warning, warning]),
    )

    by_kind = {
        chunk.content_type: before.with_receipt(said, chunk, replayed=False).findings
        for chunk in (SECOND_PART, Chunk(b"", JSON), Chunk(b"", XLSX))
    }

    assert by_kind[CSV] == [
        Finding(place="line 103, column jakso", what="rejected", detail="has not begun"),
        Finding(place="line 105", what="tenfold_jump", detail="from 1 to 10"),
        *[Finding(place="statuses, number 6", what="tenfold_jump", detail="from 1 to 10")] * 2,
    ]
    assert [finding.place for finding in by_kind[XLSX]] == [
        "line 3, column jakso",
        "line 5",
        *["statuses, number 6"] * 2,
    ]
    assert by_kind[JSON][3].place == "/statuses/5"


def test_of_many_findings_the_first_are_kept_rejections_before_warnings() -> None:
    odd = [row("counts", index, warnings=[{"code": "tenfold_jump", "detail": "a"}]) for index in range(15)]
    wrong = row("counts", 15, errors=[{"pointer": "/counts/15/period", "detail": "b"}])

    tally = Tally().with_receipt(receipt(*odd, wrong), Chunk(b"", JSON), replayed=False)
    tally = tally.with_receipt(receipt(*odd, wrong), Chunk(b"", JSON), replayed=False)

    places = [finding.place for finding in tally.findings]
    assert (tally.found, tally.warnings, len(places)) == (32, 30, 20)
    assert places[:2] == ["/counts/15/period", "/counts/31/period"]
    assert places[2:] == [f"/counts/{index}" for index in (*range(15), *range(16, 19))]


def test_an_error_is_told_where_it_is_in_the_whole_file() -> None:
    before = Tally(rows={"counts": 10})
    errors: list[dict[str, Any]] = [
        {"line": 1, "column": "kuta", "detail": "there is no such column"},
        {"line": 3, "detail": "not JSON (line 3, column 7)"},
        {"pointer": "/counts/4/period", "row": 4, "detail": "this submission also has 2022 in row 2; one day"},
        {"pointer": "/statuses/4/status", "detail": "write one of planned"},
        {"line": 9, "detail": "this submission also has 2022 in line 5; one day"},
        {"pointer": "/more", "detail": "a"},
        {"parameter": "dry_run", "detail": "b"},
    ]

    assert [before.in_file(error, SECOND_PART) for error in errors] == [
        {"line": 1, "column": "kuta", "detail": "there is no such column"},
        {"line": 103, "detail": "not JSON (line 103, column 7)"},
        {"pointer": "/counts/14/period", "row": 4, "detail": "this submission also has 2022 in row 12; one day"},
        {"pointer": "/statuses/4/status", "detail": "write one of planned"},
        {"line": 109, "detail": "this submission also has 2022 in line 105; one day"},
        {"pointer": "/more", "detail": "a"},
        {"parameter": "dry_run", "detail": "b"},
    ]
