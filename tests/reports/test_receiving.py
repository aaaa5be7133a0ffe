"""Submissions as files: the same rules and the same receipt as in JSON, and problems that name line and column."""

import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st
from starlette.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.conftest import Caller, StandingClock, count, status
from tests.reports.stored import everything
from tests.reports.workbooks import XLSX, altered, with_sheet_data, workbook

CSV = "text/csv"
NDJSON = "application/x-ndjson"
FILES = Path(__file__).parent / "files"
COLUMNS = (
    "municipality/kunta/kommun, municipality_name/kunnan nimi/kommunens namn, "
    "practice/toimintamalli/verksamhetsmodell, period/jakso, sessions/tapaamiset/träffar, "
    "through/saakka/till och med, replace/korvaa/ersätt, date/päivä/datum, status/tila, note/huomautus/anmärkning"
)


def send(caller: Caller, content: bytes | str, kind: str = CSV, **query: Any) -> Any:
    headers = {**caller.headers, "Content-Type": kind}
    return caller.http.post("/v1/submissions", content=content, params=query, headers=headers)


def steady(answer: Any) -> tuple[int, dict[str, Any]]:
    """The status code and the receipt, without what differs between equal submissions of two databases."""
    return answer.status_code, {**answer.json(), "hash": None}


def refused(answer: Any) -> tuple[int, list[tuple[int | None, str | None, str]]]:
    """The status code, and the line, column and detail of each error."""
    errors = answer.json()["errors"]
    assert {name for error in errors for name in error} <= {"line", "column", "detail"}
    return answer.status_code, [(error.get("line"), error.get("column"), error["detail"]) for error in errors]


def as_lines(counts: list[dict[str, Any]], statuses: list[dict[str, Any]]) -> str:
    return "\n".join(json.dumps(row) for row in [*counts, *statuses])


def as_rows(counts: list[dict[str, Any]], statuses: list[dict[str, Any]]) -> list[list[Any]]:
    rows = [*counts, *statuses]
    headings = list(dict.fromkeys(name for row in rows for name in row))
    return [headings, *([row.get(name) for name in headings] for row in rows)]


def as_csv(rows: list[list[Any]], separator: str = ",") -> str:
    return "\r\n".join(separator.join("" if cell is None else str(cell) for cell in row) for row in rows) + "\r\n"


COUNTS = [
    count("297", "2022-03", 7, note="Yksi puuttui"),
    count("005", "2023", 41, replace=True),
    count("140", "2024", 3, through="2024-03-15", practice="yhdessa-aika"),
]
STATUSES = [status("297", "2021-02", "pilot"), status("297", "2022", "in_use", note="Päätös")]


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (NDJSON, as_lines(COUNTS, STATUSES).encode()),
        (
            "application/x-ndjson; charset=utf-8",
            as_lines(COUNTS, STATUSES).replace("\n", "\r\n\r\n").encode("utf-8-sig"),
        ),
        (CSV, as_csv(as_rows(COUNTS, STATUSES)).encode()),
        ("Text/CSV; charset=utf-8", as_csv(as_rows(COUNTS, STATUSES), ";").encode("utf-8-sig")),
        (XLSX, workbook(*as_rows(COUNTS, STATUSES))),
    ],
)
def test_a_file_is_answered_as_the_same_rows_in_json(app: FastAPI, nation: Caller, kind: str, content: bytes) -> None:
    as_file = send(nation, content, kind, dry_run=True)
    as_json = nation.post(COUNTS, STATUSES, dry_run=True)
    recorded = send(nation, content, kind)
    again = nation.post(COUNTS, STATUSES)

    assert as_file.status_code == 200
    assert as_file.json() == as_json.json()
    assert (recorded.status_code, recorded.headers["Location"]) == (201, "/v1/submissions/1")
    assert (recorded.json()["created"], again.json()["unchanged"]) == (5, 5)


@pytest.mark.parametrize(("name", "kind"), [("finnish-excel.csv", CSV), ("libreoffice.xlsx", XLSX)])
def test_a_file_as_an_office_saves_it_is_recorded(north_savo: Caller, name: str, kind: str) -> None:
    answer = send(north_savo, (FILES / name).read_bytes(), kind)

    assert (answer.status_code, answer.json()["created"], answer.json()["rejected"]) == (201, 4, 0)
    counts = north_savo.get("/v1/session-counts").json()["rows"]
    assert [(row["municipality"], row["period"], row["sessions"], row["through"]) for row in counts] == [
        ("140", "2024-Q1", 0, None),
        ("297", "2022", 5, None),
        ("749", "2024", 12, "2024-03-15"),
    ]
    statuses = north_savo.get("/v1/statuses").json()["rows"]
    assert [(row["municipality"], row["date"], row["status"]) for row in statuses] == [("297", "2022-03-15", "in_use")]
    history = north_savo.get("/v1/session-counts/yhdessa-aika/297/2022/history").json()["rows"]
    assert [row["note"] for row in history] == ["Kaikki yksiköt"]


def test_every_wrong_cell_of_a_csv_is_told_with_its_line_and_its_heading(app: FastAPI, north_savo: Caller) -> None:
    before = everything(app)
    rows = [
        "Kunta;JAKSO;tapaamiset;Saakka;päivä;Tila;huomautus",
        "Kuopio;2022;5;;;;",
        '297;1.3.2022;5,5;x;;;"two',
        'lines"',
        "297;;5;;15.3.2022;pilot;",
        "297;2022-01;5;;15.3.2022;;",
        ";2022-02;1000001;;;;",
        "297;2022-03;;15.3.2022;;;not filled in",
        "297;;;;;kokeilu;",
        "297;2022;;;2022;pilot;",
        "297;2022-04;-1;;;;" + "a" * 501,
        "297;2022-05;6;;;;;7",
    ]

    answer = send(north_savo, "\r\n".join(rows), skip_invalid=True)

    period = (
        "write a year as 2022, a quarter as 2022-Q1, a month as 2022-03; a spreadsheet makes a day of the last "
        "unless the cell is formatted as text, but not of 2022M03, which is also taken"
    )
    whole = "write a whole number in digits, as 5"
    called = "planned (suunnitteilla), pilot (kokeilussa), in_use (käytössä), paused (tauolla), ended (päättynyt)"
    code = "write a municipality code of three digits, as 297 or KU297"
    assert refused(answer) == (
        422,
        [
            (2, "Kunta", code),
            (3, "JAKSO", period),
            (3, "tapaamiset", whole),
            (3, "Saakka", "write a day as 15.3.2022 or 2022-03-15"),
            (5, None, "sessions and status are both filled in; one line is one count or one status"),
            (6, "päivä", "a count has a period and no date; leave this empty"),
            (7, "tapaamiset", "Input should be less than or equal to 1000000"),
            (7, "Kunta", "is empty"),
            (9, "Tila", f"write one of {called}"),
            (9, "päivä", "is empty"),
            (10, "JAKSO", "a status has a date and no period; leave this empty"),
            (11, "tapaamiset", "Input should be greater than or equal to 0"),
            (11, "huomautus", "String should have at most 500 characters"),
            (12, None, "something stands in column H, which has no heading"),
        ],
    )
    assert answer.json()["detail"] == (
        f"line 2, Kunta: {code}; line 3, JAKSO: {period}; line 3, tapaamiset: {whole} and 11 more"
    )
    assert everything(app) == before


def test_every_wrong_line_of_ndjson_is_told(app: FastAPI, north_savo: Caller) -> None:
    before = everything(app)
    lines = [
        '{"municipality": "297", "period": "2022", "sessions": 5}',
        '{"municipality": "297", "period": 2022, "sessions": "5", "through": null, "sesions": 5}',
        "",
        '{"municipality": "297", "period": "2022", "sessions": 5',
        '{"municipality": "297", "municipality": "297", "period": "2022", "sessions": 5}',
        '{"municipality": "297", "sessions": 5}',
        '{"municipality": "297", "period": "2022", "date": "2022", "status": "pilot"}',
        "[1]",
        '{"date": "2022", "status": "käytössä", "municipality": 297}',
        '{"period": "2022"}',
        '{"period": NaN}',
        '{"period": "\\ud800"}',
    ]

    answer = send(north_savo, "\n".join(lines), NDJSON)

    either = "write an object with a period, which makes it a count, or with a date, which makes it a status"
    assert refused(answer) == (
        422,
        [
            (2, "sessions", "Input should be a valid integer"),
            (2, "period", "Input should be a valid string"),
            (2, "sesions", "Extra inputs are not permitted"),
            (4, None, "the body is not JSON: Expecting ',' delimiter (line 4, column 56)"),
            (5, None, "the name 'municipality' stands twice in one object; which value counts?"),
            (6, None, either),
            (7, None, either),
            (8, None, either),
            (9, "status", "Input should be 'planned', 'pilot', 'in_use', 'paused' or 'ended'"),
            (9, "municipality", "Input should be a valid string"),
            (10, "sessions", "Field required"),
            (10, "municipality", "Field required"),
            (11, None, "NaN is not a JSON number"),
            (12, None, "/period: holds a NUL or half a surrogate pair, which is no text"),
        ],
    )
    assert everything(app) == before


def test_cells_of_a_workbook_are_told_by_the_line_that_excel_shows(north_savo: Caller) -> None:
    file = with_sheet_data(
        workbook(["x"]),
        b'<row r="3"><c r="B3" t="inlineStr"><is><t>Kunta</t></is></c><c r="C3" t="inlineStr"><is><t>Jakso</t></is></c>'
        b'<c r="D3" t="inlineStr"><is><t>Tapaamiset</t></is></c></row>'
        b'<row r="7"><c r="B7"><v>297</v></c><c r="C7"><v>2022</v></c><c r="D7"><f>1+1</f><v>2</v></c></row>'
        b'<row r="9"><c r="B9"><v>297</v></c><c r="C9"><v>2023</v></c><c r="D9"><v>2.5</v></c>'
        b'<c r="F9"><v>1</v></c></row>',
    )

    answer = send(north_savo, file, XLSX)

    assert refused(answer) == (
        422,
        [
            (7, "Tapaamiset", "holds a formula; put its value there"),
            (9, None, "something stands in column F, which has no heading"),
            (9, "Tapaamiset", "write a whole number in digits, as 5"),
        ],
    )


def test_rules_are_told_by_line_and_column_in_their_order(app: FastAPI, north_savo: Caller) -> None:
    north_savo.post([count("140", "2022-03", 1)])
    before = everything(app)
    header = "Kunta;jakso;tapaamiset;note"
    foreign, future, overlapping = "91;2022;5;", "297;2030;5;", "140;2022;9;"
    identity = "204;2022;5;131052-308T"

    answers = [
        send(north_savo, "\n".join([header, *rows]))
        for rows in ([overlapping, future, foreign, foreign], [overlapping, "", future, identity], [overlapping])
    ]

    assert [refused(answer) for answer in answers] == [
        (
            403,
            [(4, "Kunta", "the key does not cover 091 Helsinki"), (5, "Kunta", "the key does not cover 091 Helsinki")],
        ),
        (
            422,
            [
                (4, "jakso", "2030 has not begun; today is 2024-05-15"),
                (5, "note", "holds a personal identity code; leave it out, nobody needs it here"),
            ],
        ),
        (
            409,
            [
                (
                    2,
                    "jakso",
                    "2022 shares days with 2022-03 (entry 1); `replace: true` supersedes what is in the way",
                )
            ],
        ),
    ]
    assert everything(app) == before


def test_lines_that_are_in_the_way_of_one_another_are_named_as_lines(north_savo: Caller) -> None:
    answer = send(north_savo, "kunta;jakso;tapaamiset\n\n297;2022;5\n140;2022;5\n297;2022-03;1\n")

    assert refused(answer) == (
        422,
        [
            (3, "jakso", "this submission also has 2022-03 in line 5; one day may be counted once"),
            (5, "jakso", "this submission also has 2022 in line 3; one day may be counted once"),
        ],
    )


def test_rejected_lines_stand_on_the_receipt_with_line_and_column(north_savo: Caller) -> None:
    answer = send(
        north_savo,
        "kunta;jakso;tapaamiset;päivä;tila\n297;2024;5;;\n297;2022;5;;\n91;;;2022;pilot\n",
        skip_invalid=True,
    )

    receipt = answer.json()
    nowhere = {"pointer": None, "parameter": None, "row": None}
    through = "2024 is not over; say with `through` which day was the last one counted"
    assert (answer.status_code, receipt["created"], receipt["rejected"]) == (201, 1, 2)
    assert [row["errors"] for row in receipt["rows"]] == [
        [{**nowhere, "detail": through, "line": 2, "column": None}],
        [],
        [{**nowhere, "detail": "the key does not cover 091 Helsinki", "line": 4, "column": "kunta"}],
    ]
    assert north_savo.get("/v1/submissions/1").json() == receipt


@pytest.mark.parametrize(
    ("header", "errors"),
    [
        (
            "kunta;jakso;tapaamiset;Puhelin",
            [(1, "Puhelin", f"there is no such column; there are {COLUMNS}")],
        ),
        (
            "kunta;Municipality;jakso;tapaamiset",
            [(1, "Municipality", "the column municipality stands twice; which one counts?")],
        ),
        ("kunta;jakso", [(1, None, "there is neither a column sessions nor a column status")]),
        (
            "tapaamiset;" + "x" * 90,
            [
                (1, "x" * 60, f"there is no such column; there are {COLUMNS}"),
                (1, None, "there is no column municipality/kunta/kommun"),
                (1, None, "there is no column period/jakso"),
            ],
        ),
        (
            "tapaamiset;tila",
            [
                (1, None, "there is no column municipality/kunta/kommun"),
                (1, None, "there is no column period/jakso"),
                (1, None, "there is no column date/päivä/datum"),
            ],
        ),
        ("297;2022;5", [(None, None, f"no column has a heading that we know; there are {COLUMNS}")]),
        ("", [(None, None, f"no column has a heading that we know; there are {COLUMNS}")]),
    ],
)
def test_headings_are_known_and_stand_once(
    north_savo: Caller, header: str, errors: list[tuple[int | None, str | None, str]]
) -> None:
    assert refused(send(north_savo, header + "\n297;2022;5\n")) == (422, errors)


def test_lines_that_are_not_filled_in_report_nothing(north_savo: Caller) -> None:
    header = "kunta;kunnan nimi;jakso;tapaamiset;saakka\n"

    some = send(north_savo, f"{header};;;;\n297;Kuopio;2022;0;\n\n140;Iisalmi;2022;;\n")
    none = send(north_savo, f"{header}297;Kuopio;2022;;31.12.2022;\n")
    empty = send(north_savo, "", NDJSON)

    assert (some.status_code, some.json()["created"]) == (201, 1)
    assert north_savo.get("/v1/session-counts/yhdessa-aika/140/2022").status_code == 404
    nothing = (422, [(None, None, "no line is filled in, so there is nothing to record")])
    assert [refused(none), refused(empty)] == [nothing] * 2


def test_the_sheet_with_our_headings_is_read_if_there_is_one(north_savo: Caller) -> None:
    report: list[list[Any]] = [["kunta", "jakso", "tapaamiset"], [297, 2022, 5]]

    one = send(north_savo, workbook(["Instructions"], [None], [], Data=report, Empty=[]), XLSX)
    two = send(north_savo, workbook(*report, April=report), XLSX)
    none = send(north_savo, workbook(["a"], ["kunta"]), XLSX)

    assert (one.status_code, one.json()["created"]) == (201, 1)
    assert refused(two) == (
        422,
        [(None, None, "several sheets hold reports (Sheet, April); send each as a file of its own")],
    )
    assert refused(none) == (422, [(None, None, f"no column has a heading that we know; there are {COLUMNS}")])


def test_of_many_errors_a_hundred_are_listed_and_all_counted(north_savo: Caller) -> None:
    header = "kunta;jakso;tapaamiset\n"

    cells = send(north_savo, header + "297;2022;x\n" * 250)
    rules = send(north_savo, header + "91;2022;5\n" * 250)
    in_json = north_savo.post([count("091", "2022", 5)] * 250)

    assert [len(answer.json()["errors"]) for answer in (cells, rules, in_json)] == [100, 100, 250]
    assert cells.json()["detail"].endswith(
        "write a whole number in digits, as 5 and 247 more (the first 100 are listed)"
    )
    assert rules.json()["detail"] == "the key does not cover 091 Helsinki, and 249 more"


@pytest.fixture
def ten_rows(settings: Settings, clock: StandingClock, new_key: Callable[..., str]) -> Iterator[Caller]:
    """A key for Kuopio at a server that takes ten rows at once."""
    app = create_app(settings.model_copy(update={"max_rows": 10}), clock)
    with TestClient(app) as http:
        yield Caller(http, new_key("municipality:297"))


def test_rows_are_taken_up_to_the_limit_and_counted_before_they_are_looked_at(ten_rows: Caller) -> None:
    def answers(number: int) -> list[Any]:
        statuses = [status("297", f"2022-{day:02}", "pilot") for day in range(1, number - 5)]
        counts = [count("297", f"2022-{month:02}", 1) for month in range(1, 7)]
        rows = as_rows(counts, statuses)
        return [
            ten_rows.post(counts, statuses),
            send(ten_rows, as_csv(rows)),
            send(ten_rows, as_csv(rows) + "297,2022,,,\n" * 5),
            send(ten_rows, as_lines(counts, statuses), NDJSON),
            send(ten_rows, workbook(*rows), XLSX),
        ]

    taken, refusals = answers(10), answers(11)
    empty = ten_rows.post([{}] * 11)

    assert [answer.status_code for answer in taken] == [201] * 5
    assert [(answer.status_code, answer.json()["type"]) for answer in [*refusals, empty]] == [
        (413, "urn:yhdessa:problem:too-many-rows")
    ] * 6
    assert {answer.json()["detail"] for answer in [*refusals, empty]} == {
        "the submission has 11 rows, and 10 are taken at once; send it in several"
    }


@pytest.mark.parametrize("kind", ["", "text/plain", "application/jsonl", "application/vnd.ms-excel", "text/csv2"])
def test_another_kind_of_content_is_refused_with_those_that_are_taken(north_savo: Caller, kind: str) -> None:
    answer = send(north_savo, "kunta;jakso;tapaamiset\n297;2022;5\n", kind)

    assert (answer.status_code, answer.json()["detail"]) == (
        415,
        "send application/json or text/csv or application/x-ndjson or "
        f"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet; this came as {kind or 'nothing named'!r}",
    )


def test_a_body_is_read_for_key_holders_only_and_unknown_parameters_are_refused(
    anyone: Caller, north_savo: Caller
) -> None:
    assert send(anyone, "not a file").status_code == 401
    assert send(north_savo, "kunta;jakso;tapaamiset\n297;2022;5\n", dryrun=True).status_code == 422


def test_a_retry_of_a_file_is_answered_once_more(app: FastAPI, north_savo: Caller) -> None:
    headers = {**north_savo.headers, "Content-Type": CSV, "Idempotency-Key": "march"}
    body = "kunta;jakso;tapaamiset\n297;2022;5\n"

    first, again, other = (
        north_savo.http.post("/v1/submissions", content=content, headers=headers)
        for content in (body, body, body + "\n")
    )

    assert (first.status_code, again.content, again.headers["Idempotency-Replayed"]) == (201, first.content, "true")
    assert other.status_code == 422
    assert len(everything(app)["submissions"]) == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_others_are_answered_while_a_long_file_is_read(north_savo: Caller) -> None:
    # Its last line is wrong, so that reading is all that is done with it.
    lines: list[list[Any]] = [
        ["kunta", "jakso", "tapaamiset", "note"],
        *[[297, 2022, 5, "a" * 60]] * 9_999,
        [297, 2022, "x", None],
    ]
    file = workbook(*lines)
    answers: list[Any] = []
    reading = threading.Thread(target=lambda: answers.append(send(north_savo, file, XLSX)))

    reading.start()
    answered = 0
    while reading.is_alive():
        assert north_savo.http.get("/livez").status_code == 200
        answered += 1
    reading.join()

    assert refused(answers[0]) == (422, [(10_001, "tapaamiset", "write a whole number in digits, as 5")])
    # One or two, if reading kept everybody waiting.
    assert answered > 5


# What makes files of each kind that nearly are one.
WORKBOOK = workbook(["kunta", "jakso", "tapaamiset"], [297, 2022, 5])
CELLS = st.sampled_from(
    ["297", "2022", "5", "kunta", "jakso", "tapaamiset", "tila", "päivä", "true", "\0", "'", '"', ";"]
)
TEXT = st.lists(CELLS | st.text(max_size=5) | st.sampled_from([";", ",", "\n", "\r\n", "\t"]), max_size=30).map("".join)
XML = st.lists(
    st.sampled_from(
        b"""<row>|</row>|<c>|</c>|<c t="s">|<c t="d">|<c t="b">|<c t="inlineStr">|<c s="1">|<c r="A0">|<row r="x">|<v>
        |</v>|1e999|-1|2022-99-99|<f/>|<is><t>kunta</t></is>|<x/>""".split(b"|")
    ),
    max_size=12,
).map(b"".join)
PARTS = st.sampled_from(["xl/workbook.xml", "xl/styles.xml", "[Content_Types].xml", "xl/_rels/workbook.xml.rels"])


def broken(file: bytes, at: float, byte: int) -> bytes:
    place = int(at * (len(file) - 1))
    return file[:place] + bytes([byte]) + file[place + 1 :]


WORKBOOKS = st.one_of(
    st.builds(lambda rows: with_sheet_data(WORKBOOK, rows), XML),
    st.builds(broken, st.just(WORKBOOK), st.floats(0, 1), st.integers(0, 255)),
    st.builds(
        lambda part, at, byte: altered(WORKBOOK, part, lambda xml: broken(xml, at, byte)),
        PARTS,
        st.floats(0, 1),
        st.integers(0, 255),
    ),
)
BODIES = st.one_of(
    st.tuples(st.sampled_from([CSV, NDJSON, XLSX, "application/json"]), st.binary(max_size=200)),
    st.tuples(st.just(CSV), TEXT.map(lambda text: f"kunta;jakso;tapaamiset{text}".encode(errors="replace"))),
    st.tuples(st.sampled_from([CSV, NDJSON]), TEXT.map(lambda text: text.encode(errors="replace"))),
    st.tuples(
        st.just(NDJSON),
        st.dictionaries(
            st.sampled_from(["period", "date", "municipality", "sessions", "note"]) | st.text(max_size=3),
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("2022"),
        ).map(lambda row: json.dumps(row).encode()),
    ),
    st.tuples(st.just(XLSX), WORKBOOKS),
)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@given(sent=BODIES)
@hypothesis_settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_no_file_makes_a_fault_of_ours(north_savo: Caller, sent: tuple[str, bytes]) -> None:
    kind, body = sent

    answer = send(north_savo, body, kind, dry_run=True)

    assert answer.status_code in (200, 403, 413, 422), answer.text
    if answer.status_code != 200:
        assert answer.headers["Content-Type"] == "application/problem+json"
