"""Cutting files into chunks: nothing lost, nothing cut in two, every line found again."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from app.sending.chunks import CSV, JSON, NDJSON, XLSX, Chunk, Limits, UnknownKind, chunks_of, content_type_of

MANY_BYTES = 1_000_000

HEADER = "kunta;kausi;istunnot;lisätieto\r\n"


def cut(content: bytes, content_type: str, rows: int, size_bytes: int = MANY_BYTES) -> list[bytes]:
    return [chunk.content for chunk in chunks_of(content, content_type, Limits(rows, size_bytes))]


def test_the_kind_of_a_file_is_in_its_name() -> None:
    assert {name: content_type_of(Path(name)) for name in ("a.json", "b.ndjson", "c.jsonl", "d.e.CSV", "f.xlsx")} == {
        "a.json": "application/json",
        "b.ndjson": "application/x-ndjson",
        "c.jsonl": "application/x-ndjson",
        "d.e.CSV": "text/csv",
        "f.xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
    with pytest.raises(UnknownKind, match=r"^figures\.xls: the name must end in \.json, \.ndjson, .*, \.xlsx$"):
        content_type_of(Path("folder.csv/figures.xls"))


# CSV.


def test_a_csv_is_cut_between_rows_each_chunk_under_the_header() -> None:
    content = (HEADER + "297;2023-01;1;a\r\n297;2023-02;2;b\r\n297;2023-03;3;c").encode()

    assert cut(content, CSV, 2) == [
        (HEADER + "297;2023-01;1;a\r\n297;2023-02;2;b\r\n").encode(),
        (HEADER + "297;2023-03;3;c").encode(),
    ]


@pytest.mark.parametrize("rows", [3, 4])
def test_what_fits_stays_as_it_is(rows: int) -> None:
    content = (HEADER + "297;2023-01;1;a\r\n297;2023-02;2;b\r\n297;2023-03;3;c\r\n").encode("utf-8-sig")

    assert chunks_of(content, CSV, Limits(rows, MANY_BYTES))[0].content == content


def test_a_csv_is_not_cut_inside_quotes_and_its_bytes_stay_as_they_are() -> None:
    content = '\ufeff"kunta";"no\nte"\n297;"a ""word""\n297;b"\n140;"c;\r\nd"\n005;5" pipe\n009;e\n'.encode()

    chunks = chunks_of(content, CSV, Limits(1, MANY_BYTES))

    head = '\ufeff"kunta";"no\nte"\n'.encode()
    assert [chunk.content.removeprefix(head).decode() for chunk in chunks] == [
        '297;"a ""word""\n297;b"\n',
        '140;"c;\r\nd"\n',
        '005;5" pipe\n',
        "009;e\n",
    ]
    assert [chunk.content.startswith(head) for chunk in chunks] == [True] * 4
    assert [chunk.line_in_file(3) for chunk in chunks] == [3, 5, 7, 8]
    assert [chunk.line_in_file(2) for chunk in chunks] == [2, 2, 2, 2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
def test_a_csv_keeps_what_it_is_written_in(encoding: str) -> None:
    content = (HEADER + "297;2023-01;1;Törmä\r\n297;2023-02;2;Ylä\r\n").encode(encoding)

    assert [chunk.decode(encoding) for chunk in cut(content, CSV, 1)] == [
        HEADER + "297;2023-01;1;Törmä\r\n",
        HEADER + "297;2023-02;2;Ylä\r\n",
    ]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_of_a_later_chunk_are_told_as_those_of_the_file(line_end: str) -> None:
    lines = ["", "kunta;istunnot", "297;1", "", "140;2", ";", '005;"', '3"', "", ""]
    content = line_end.join(lines).encode()

    chunks = chunks_of(content, CSV, Limits(1, MANY_BYTES))

    told = {
        (line, chunk.line_in_file(number))
        for chunk in chunks
        for number, line in enumerate(io.StringIO(chunk.content.decode(), newline=None).read().split("\n"), 1)
        if line
    }
    assert len(chunks) == 3
    assert told == {(line, number) for number, line in enumerate(lines, 1) if line}


def test_blank_lines_make_no_chunk_of_their_own() -> None:
    content = b"\nkunta,istunnot\n\n297,1\n,\n140,2\n , \n\n"

    assert cut(content, CSV, 1) == [b"\nkunta,istunnot\n\n297,1\n,\n", b"\nkunta,istunnot\n140,2\n , \n\n"]


def test_a_quote_that_is_never_closed_goes_to_the_server_with_all_that_follows() -> None:
    rest = b'140,"2\n' + b"005,3\n" * 30_000
    content = b"kunta,istunnot\n297,1\n" + rest

    assert cut(content, CSV, 1) == [b"kunta,istunnot\n297,1\n", b"kunta,istunnot\n" + rest]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"kunta,istunnot", HEADER.encode("utf-16"), b"\xfe\xff\x00k" * 9])
@pytest.mark.parametrize("kind", [CSV, NDJSON])
def test_what_has_no_rows_or_cannot_be_read_here_is_one_chunk(content: bytes, kind: str) -> None:
    assert cut(content, kind, 1, 1) == [content]


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.lists(st.text(st.sampled_from('aä ";,\n\r'), max_size=6), min_size=2, max_size=2), max_size=12),
    delimiter=st.sampled_from(",;"),
    line_end=st.sampled_from(["\n", "\r\n"]),
    most=st.integers(1, 5),
    size_bytes=st.integers(1, 80),
)
def test_any_csv_is_whole_again_when_its_chunks_are_put_together(
    rows: list[list[str]], delimiter: str, line_end: str, most: int, size_bytes: int
) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows([["kunta", "lisätieto"], *rows])
    content = text.getvalue().encode()
    header = f'"kunta"{delimiter}"lisätieto"{line_end}'.encode()

    chunks = chunks_of(content, CSV, Limits(most, size_bytes))

    assert header + b"".join(chunk.content.removeprefix(header) for chunk in chunks) == content
    read = [list(csv.reader(io.StringIO(chunk.content.decode(), newline=""), delimiter=delimiter)) for chunk in chunks]
    assert [row for part in read for row in part[1:]] == rows
    filled = [sum(any(cell.strip(' ",;\r\n') for cell in row) for row in part[1:]) for part in read]
    assert max(filled) <= most
    assert min(filled) > 0 or len(chunks) == 1


# NDJSON.


def test_ndjson_is_cut_between_lines() -> None:
    content = b'\n{"a":1}\r\n\r\n{"a":\r2}\n{"b":3}'

    chunks = chunks_of(content, NDJSON, Limits(1, MANY_BYTES))

    assert [chunk.content for chunk in chunks] == [b'\n{"a":1}\r\n\r\n', b'{"a":\r2}\n', b'{"b":3}']
    assert [chunk.line_in_file(1) for chunk in chunks] == [1, 4, 5]


# JSON.


def body(counts: int, statuses: int) -> dict[str, list[dict[str, Any]]]:
    return {
        "counts": [{"period": str(number), "note": "ä"} for number in range(counts)],
        "statuses": [{"date": str(number)} for number in range(statuses)],
    }


def test_json_is_cut_between_rows_statuses_first() -> None:
    content = json.dumps(body(3, 2)).encode()

    assert [json.loads(chunk) for chunk in cut(content, JSON, 2)] == [
        {"statuses": [{"date": "0"}, {"date": "1"}], "counts": []},
        {"statuses": [], "counts": [{"period": "0", "note": "ä"}, {"period": "1", "note": "ä"}]},
        {"statuses": [], "counts": [{"period": "2", "note": "ä"}]},
    ]
    assert cut(content, JSON, 5) == [content]


def test_a_json_chunk_can_hold_the_last_statuses_and_the_first_counts() -> None:
    content = json.dumps(body(2, 3)).encode()

    assert [[len(json.loads(chunk)[name]) for name in ("statuses", "counts")] for chunk in cut(content, JSON, 4)] == [
        [3, 1],
        [0, 1],
    ]


def test_chunks_stay_within_the_size_unless_a_row_alone_does_not() -> None:
    rows = body(40, 40)
    rows["counts"][20]["note"] = "x" * 300
    content = json.dumps(rows).encode()

    chunks = cut(content, JSON, 1_000, 200)

    assert sorted(len(chunk) for chunk in chunks)[-1] > 300
    assert [len(chunk) <= 200 for chunk in chunks].count(False) == 1
    assert [row for chunk in chunks for row in json.loads(chunk)["counts"]] == rows["counts"]
    assert len(chunks) < 30


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1, 2, 3]",
        b'{"counts": 7}',
        b'{"counts": [1, 2], "more": []}',
        b'{"counts": [{"a": 1, "a": 2}, {}]}',
        b'{"counts": [1, 2], "counts": []}',
        b'{"counts": [], "statuses": []}',
        b"[" * 100_000,
        b'{"counts": [1, ' + b"9" * 5_000 + b"]}",
        b'{"counts": ["\xff", 1]}',
    ],
)
def test_json_that_is_no_submission_goes_to_the_server_as_it_is(content: bytes) -> None:
    assert chunks_of(content, JSON, Limits(1, 10)) == [Chunk(content, JSON)]


def test_json_says_the_same_after_it_is_cut() -> None:
    content = rb'{"counts": [5.0, NaN, "\ud800", 12345678901234567890123], "statuses": [null, true]}'

    assert cut(content, JSON, 9, 70) == [
        rb'{"statuses":[null,true],"counts":[5.0,NaN,"\ud800"]}',
        b'{"statuses":[],"counts":[12345678901234567890123]}',
    ]


# Excel.


def test_an_excel_file_is_sent_whole() -> None:
    assert chunks_of(b"PK\n\n\n", XLSX, Limits(1, 1)) == [Chunk(b"PK\n\n\n", XLSX)]
