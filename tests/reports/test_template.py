"""The file to fill in: who gets which lines, how it looks, and that it posts back."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from openpyxl import load_workbook
from starlette.testclient import TestClient

from tests.conftest import Caller, StandingClock
from tests.reports.workbooks import XLSX, filled_in

TEMPLATE = "/v1/submissions/template"


def table(answer: Any) -> list[list[str]]:
    """The cells of a template as CSV."""
    assert answer.status_code == 200
    assert answer.content.startswith(b"\xef\xbb\xbf")
    return [line.split(";") for line in answer.content.decode("utf-8-sig").splitlines()]


def test_a_template_has_a_line_for_each_municipality_of_the_key(north_savo: Caller, kuopio: Caller) -> None:
    of_county, of_municipality = (caller.get(TEMPLATE, period="2023-03") for caller in (north_savo, kuopio))

    headings = ["municipality", "municipality_name", "practice", "period", "sessions", "through", "note"]
    assert table(of_municipality) == [headings, ["297", "Kuopio", "yhdessa-aika", "2023M03", "", "", ""]]
    assert len(table(of_county)) == 1 + 19
    assert of_county.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert of_county.headers["Content-Disposition"] == 'attachment; filename="yhdessa-aika-2023-03.csv"'


@pytest.mark.parametrize(("period", "written"), [("2023", "2023"), ("2023-Q1", "2023-Q1"), ("2024-05", "2024M05")])
def test_a_period_is_written_so_that_excel_makes_no_day_of_it(kuopio: Caller, period: str, written: str) -> None:
    assert table(kuopio.get(TEMPLATE, period=period))[1][3] == written


def test_headings_and_names_are_in_the_language_that_is_asked_for(
    http: TestClient, new_key: Callable[..., str]
) -> None:
    helsinki = Caller(http, new_key("municipality:091"))

    answers = {language: table(helsinki.get(TEMPLATE, period="2023", language=language)) for language in ("fi", "sv")}

    assert answers == {
        "fi": [
            ["kunta", "kunnan nimi", "toimintamalli", "jakso", "tapaamiset", "saakka", "huomautus"],
            ["091", "Helsinki", "yhdessa-aika", "2023", "", "", ""],
        ],
        "sv": [
            ["kommun", "kommunens namn", "verksamhetsmodell", "period", "träffar", "till och med", "anmärkning"],
            ["091", "Helsingfors", "yhdessa-aika", "2023", "", "", ""],
        ],
    }


def test_a_municipality_is_there_if_it_was_in_the_register_in_the_period(nation: Caller, clock: StandingClock) -> None:
    clock.advance(days=365)

    codes = {
        period: {line[0] for line in table(nation.get(TEMPLATE, period=period))}
        for period in ("2024-12", "2025-01", "2024")
    }

    # Pertunmaa (588) went into Mäntyharju (507) at the end of 2024.
    assert {period: (588 in map(_code, found), 507 in map(_code, found)) for period, found in codes.items()} == {
        "2024-12": (True, True),
        "2025-01": (False, True),
        "2024": (True, True),
    }


def _code(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def test_a_template_in_excel_keeps_codes_and_periods_as_text(nation: Caller) -> None:
    answer = nation.get(TEMPLATE, period="2023-03", format="xlsx", language="fi")

    sheet = load_workbook(io.BytesIO(answer.content)).worksheets[0]
    headings, first, *_ = sheet.values
    assert answer.headers["Content-Type"] == XLSX
    assert answer.headers["Content-Disposition"] == 'attachment; filename="yhdessa-aika-2023-03.xlsx"'
    assert headings == ("kunta", "kunnan nimi", "toimintamalli", "jakso", "tapaamiset", "saakka", "huomautus")
    assert first == ("005", "Alajärvi", "yhdessa-aika", "2023-03", None, None, None)
    assert [cell.number_format for cell in sheet[2]] == ["@", "@", "@", "@", "0", "yyyy-mm-dd", "@"]
    assert (
        nation.get(TEMPLATE, period="2023-03", format="xlsx", language="fi").headers["ETag"] == answer.headers["ETag"]
    )


def test_a_template_posts_back_as_soon_as_it_is_filled_in(north_savo: Caller) -> None:
    csv = north_savo.get(TEMPLATE, period="2023-03", language="sv").content
    xlsx = north_savo.get(TEMPLATE, period="2023-04", format="xlsx").content
    # As Excel saves it: without the zeros in front of a code, which North Savo's have not.
    csv = csv.replace(b"297;Kuopio;yhdessa-aika;2023M03;", b"297;Kuopio;yhdessa-aika;2023M03;7")

    posted = [
        north_savo.http.post(
            "/v1/submissions", content=content, headers={**north_savo.headers, "Content-Type": kind}
        ).json()
        for content, kind in (
            (csv, "text/csv"),
            (filled_in(xlsx, {"sessions": 4, "note": "Kaikki"}, {}, {"sessions": 0}), XLSX),
        )
    ]

    assert [(receipt["created"], receipt["rejected"]) for receipt in posted] == [(1, 0), (2, 0)]
    rows = north_savo.get("/v1/session-counts").json()["rows"]
    assert [(row["municipality"], row["period"], row["sessions"]) for row in rows] == [
        ("140", "2023-04", 4),
        ("204", "2023-04", 0),
        ("297", "2023-03", 7),
    ]


def test_a_template_as_it_was_given_reports_nothing(kuopio: Caller) -> None:
    file = kuopio.get(TEMPLATE, period="2023-03").content

    answer = kuopio.http.post("/v1/submissions", content=file, headers={**kuopio.headers, "Content-Type": "text/csv"})

    assert (answer.status_code, answer.json()["detail"]) == (422, "no line is filled in, so there is nothing to record")


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ({"period": "2024-06"}, "period: 2024-06 has not begun; today is 2024-05-15"),
        ({"period": "2014"}, "period: figures are kept for the years 2015 to 9998, not for 2014"),
        ({"period": "2023", "practice": "kela"}, "practice: there is no practice 'kela'; there are yhdessa-aika"),
        ({"period": "2023", "format": "ods"}, "format: Input should be 'csv' or 'xlsx'"),
        ({}, "period: Field required"),
    ],
)
def test_what_is_asked_for_must_exist(kuopio: Caller, query: dict[str, str], detail: str) -> None:
    answer = kuopio.get(TEMPLATE, **query)

    assert (answer.status_code, answer.json()["detail"]) == (422, detail)


def test_a_template_is_for_keys_that_report(anyone: Caller, http: TestClient, new_key: Callable[..., str]) -> None:
    reader = Caller(http, new_key("municipality:297", actions=["read"]))

    assert [caller.get(TEMPLATE, period="2023").status_code for caller in (anyone, reader)] == [401, 403]
