"""The demo's breakdown: made up, and yet exactly what was published."""

from collections import Counter
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.demo.breakdown import Report, breakdown, correction
from app.demo.installation import install
from app.settings import Settings
from tests.conftest import Caller

# fmt: off
NORTH_SAVO = {
    "140", "171", "204", "239", "263", "297", "402", "420", "595", "686",
    "687", "749", "762", "778", "844", "857", "915", "921", "925",
}
# fmt: on


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    return list(breakdown())


@pytest.fixture(scope="module")
def counts(reports: list[Report]) -> list[dict[str, Any]]:
    return [dict(row) for report in reports for row in report.counts]


@pytest.fixture(scope="module")
def statuses(reports: list[Report]) -> list[dict[str, Any]]:
    return [dict(row) for report in reports for row in report.statuses]


def test_the_years_add_up_to_what_was_published(counts: list[dict[str, Any]]) -> None:
    sessions: Counter[str] = Counter()
    municipalities: dict[str, set[str]] = {}
    for row in counts:
        sessions[row["period"][:4]] += row["sessions"]
        municipalities.setdefault(row["period"][:4], set()).add(row["municipality"])

    assert sessions == {"2021": 94, "2022": 105, "2023": 23}
    assert {year: len(codes) for year, codes in municipalities.items()} == {"2021": 8, "2022": 14, "2023": 15}
    assert set().union(*municipalities.values()) < NORTH_SAVO


def test_each_municipality_reports_every_month_from_its_pilot_on_and_none_before(
    counts: list[dict[str, Any]], statuses: list[dict[str, Any]]
) -> None:
    months = [f"{year}-{month:02}" for year in (2021, 2022, 2023) for month in range(1, 13)][:27]
    pilots = {row["municipality"]: row["date"] for row in _of_yhdessa_aika(statuses) if row["status"] == "pilot"}

    reported = sorted((row["municipality"], row["period"]) for row in counts)

    assert months[-1] == "2023-03"
    assert reported == sorted((code, month) for code in pilots for month in months if month >= pilots[code])
    assert min(row["sessions"] for row in counts) == 0


def test_kuopio_is_the_first(statuses: list[dict[str, Any]]) -> None:
    begun = sorted((row["date"], row["municipality"]) for row in _of_yhdessa_aika(statuses))

    assert begun[0] == ("2021-01", "297")
    assert begun[1][0] > "2021-01"


def test_some_pilots_come_into_use_and_the_others_go_on(statuses: list[dict[str, Any]]) -> None:
    steps: dict[str, list[tuple[str, str]]] = {}
    for row in sorted(_of_yhdessa_aika(statuses), key=lambda row: row["date"]):
        steps.setdefault(row["municipality"], []).append((row["date"], row["status"]))

    ways = Counter(tuple(status for _, status in way) for way in steps.values())

    assert ways == {("pilot",): 8, ("pilot", "in_use"): 7}


def test_only_march_2023_is_counted_in_part(counts: list[dict[str, Any]]) -> None:
    parts = {(row["period"], row.get("through")) for row in counts if row["period"] == "2023-03" or "through" in row}

    assert parts == {("2023-03", "2023-03-27")}


def test_the_other_practices_have_statuses_only(counts: list[dict[str, Any]], statuses: list[dict[str, Any]]) -> None:
    others = [row for row in statuses if "practice" in row]
    guidance = [row for row in others if row["practice"] == "ohjaus-ja-neuvonta"]
    kela = [row for row in others if row["practice"] == "kela-jalkautuminen"]

    assert len(guidance) + len(kela) == len(others)
    assert len({row["municipality"] for row in guidance} & NORTH_SAVO) == len(guidance) == 10
    assert {(row["date"], row["status"]) for row in guidance} == {("2022-03", "pilot")}
    assert [(row["municipality"], row["date"], row["status"]) for row in kela] == [("297", "2021", "pilot")]
    assert not any("practice" in row for row in counts)


def test_every_row_says_that_it_is_illustrative(counts: list[dict[str, Any]], statuses: list[dict[str, Any]]) -> None:
    assert {row["note"] for row in counts + statuses} == {"Illustrative: the real split is unknown"}
    assert correction()["note"] == "Illustrative: the real split is unknown"


def test_reports_come_by_month_and_each_municipality_posts_once_a_month(reports: list[Report]) -> None:
    order = [(report.month, report.municipality) for report in reports]

    assert order == sorted(set(order))
    assert all(
        {row["municipality"] for row in [*report.counts, *report.statuses]} == {report.municipality}
        and {row["period"] for row in report.counts} | {row["date"] for row in report.statuses} == {report.month}
        for report in reports
    )


def test_it_is_the_same_every_time_and_everywhere(counts: list[dict[str, Any]]) -> None:
    kuopio = [row["sessions"] for row in counts if row["municipality"] == "297"]

    assert breakdown() == breakdown()
    assert kuopio == [2, 4, 4, 3, 3, 2, 0, 2, 3, 4, 4, 2, 2, 3, 3, 3, 3, 1, 0, 1, 3, 4, 3, 2, 1, 2, 2]


def test_the_correction_is_one_session_more_than_kuopio_held_in_march_2023(counts: list[dict[str, Any]]) -> None:
    posted = next(row for row in counts if (row["municipality"], row["period"]) == ("297", "2023-03"))

    assert correction() == {
        "sessions": posted["sessions"] + 1,
        "through": "2023-03-27",
        "note": "Illustrative: the real split is unknown",
    }


def test_posted_it_is_plausible_and_the_live_trend_is_what_was_published(
    app: FastAPI, http: TestClient, settings: Settings, reports: list[Report]
) -> None:
    keys = install(settings, {report.municipality for report in reports})

    receipts = []
    for code, key in keys.municipalities.items():
        own = [report for report in reports if report.municipality == code]
        counts = [dict(row) for report in own for row in report.counts]
        statuses = [dict(row) for report in own for row in report.statuses]
        receipts.append(Caller(http, key).post(counts, statuses).json())
    years = Caller(http, keys.county).get("/v1/trends", county="13", to_year=2023).json()["years"]

    assert sum(receipt["created"] for receipt in receipts) == sum(
        len(report.counts) + len(report.statuses) for report in reports
    )
    assert [row["warnings"] for receipt in receipts for row in receipt["rows"] if row["warnings"]] == []
    assert [_values(row, "year", "basis", "municipalities", "share", "sessions", "through") for row in years] == [
        (2021, "reports", 8, 0.4211, 94, "2021-12-31"),
        (2022, "reports", 14, 0.7368, 105, "2022-12-31"),
        (2023, "reports", 15, 0.7895, 23, "2023-03-27"),
    ]
    assert [_values(row, "coverage", "partial", "sessions_per_municipality", "annual_pace") for row in years] == [
        (1.0, False, 11.75, None),
        (1.0, False, 7.5, None),
        (1.0, True, None, 97.6),
    ]
    assert [_values(row, "difference_municipalities", "difference_sessions") for row in years] == [(0, 0)] * 3
    compared = ("comparable_municipalities", "comparable_sessions", "comparable_previous_sessions")
    assert [_values(row, "comparable_through", *compared) for row in years] == [
        (None, None, None, None),
        ("2022-12-31", 1, 28, 33),
        ("2023-02-28", 8, 9, 16),
    ]


def _values(row: dict[str, Any], *fields: str) -> tuple[Any, ...]:
    return tuple(row[field] for field in fields)


def _of_yhdessa_aika(statuses: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in statuses if "practice" not in row]
