"""Lists of what is in force: filters, pages that stand still, CSV, and merged municipalities."""

import base64
import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import product
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from app.database import Database
from app.practices.definitions import SHIPPED_PRACTICE, define_practice
from tests.conftest import Caller, StandingClock, count, status

COUNTS, STATUSES = "/v1/session-counts", "/v1/statuses"


def figures(answer: Any, *columns: str) -> list[tuple[Any, ...]]:
    """Of the rows of a list: municipality and period or date, then `columns`."""
    assert answer.status_code == 200, answer.text
    rows = answer.json()["rows"]
    return [(row["reported_as"], row.get("period") or row["date"], *(row[name] for name in columns)) for row in rows]


def define_kela(app: FastAPI, clock: StandingClock) -> None:
    """Define a second practice."""
    database: Database = app.state.database
    with database.writing() as db:
        define_practice(db, SHIPPED_PRACTICE.model_copy(update={"slug": "kela"}), at=clock())


def post_figures(nation: Caller) -> None:
    """Counts and statuses of two counties, of Åland, of a municipality to be merged and of two practices."""
    nation.post(
        [
            count("297", "2022-12", 12),
            count("297", "2022-01", 1),
            count("297", "2022-Q2", 2),
            count("297", "2021", 21),
            count("140", "2023", 23),
            count("507", "2022-03", 3),
            count("588", "2022-03", 4),
            count("035", "2022-03", 5),
            count("297", "2022", 99, practice="kela"),
        ],
        [
            status("297", "2022", "pilot"),
            status("297", "2022-06-15", "in_use"),
            status("140", "2023-01-31", "planned"),
            status("507", "2021-03", "pilot"),
            status("588", "2021-05", "in_use"),
            status("297", "2023", "paused", practice="kela"),
        ],
    )


ALL_COUNTS = [
    ("297", "2022", 99),
    ("035", "2022-03", 5),
    ("140", "2023", 23),
    ("297", "2021", 21),
    ("297", "2022-01", 1),
    ("297", "2022-12", 12),
    ("297", "2022-Q2", 2),
    ("507", "2022-03", 3),
    ("588", "2022-03", 4),
]
ALL_STATUSES = [
    ("297", "2023-01-01", "paused"),
    ("140", "2023-01-31", "planned"),
    ("297", "2022-01-01", "pilot"),
    ("297", "2022-06-15", "in_use"),
    ("507", "2021-03-01", "pilot"),
    ("588", "2021-05-01", "in_use"),
]


def test_counts_are_flat_rows_in_the_order_of_practice_code_and_period(
    app: FastAPI, clock: StandingClock, nation: Caller
) -> None:
    define_kela(app, clock)
    clock.advance(minutes=1)
    post_figures(nation)

    answer = nation.get(COUNTS)

    assert figures(answer, "sessions") == ALL_COUNTS
    assert {name: value for name, value in answer.json().items() if name != "rows"} == {
        "as_of": "2024-05-15",
        "next": None,
    }
    assert answer.json()["rows"][1] == {
        "practice": "yhdessa-aika",
        "municipality": "035",
        "municipality_name_fi": "Brändö",
        "municipality_name_sv": "Brändö",
        "reported_as": "035",
        "county": None,
        "period": "2022-03",
        "first_day": "2022-03-01",
        "last_day": "2022-03-31",
        "through": None,
        "sessions": 5,
        "entry": 8,
        "organisation": "THL",
        "recorded_at": "2024-05-15T09:01:00.000000Z",
    }


def test_statuses_are_open_to_everyone_without_note_and_reporter(
    app: FastAPI, clock: StandingClock, anyone: Caller, nation: Caller
) -> None:
    define_kela(app, clock)
    clock.advance(minutes=1)
    post_figures(nation)

    answer = anyone.get(STATUSES)

    assert figures(answer, "status") == ALL_STATUSES
    assert answer.json()["rows"][2] == {
        "practice": "yhdessa-aika",
        "municipality": "297",
        "municipality_name_fi": "Kuopio",
        "municipality_name_sv": "Kuopio",
        "reported_as": "297",
        "county": "13",
        "date": "2022-01-01",
        "date_precision": "year",
        "status": "pilot",
        "entry": 1,
        "recorded_at": "2024-05-15T09:01:00.000000Z",
    }


def test_counts_are_filtered(app: FastAPI, clock: StandingClock, nation: Caller) -> None:
    define_kela(app, clock)
    post_figures(nation)
    cases: list[tuple[dict[str, Any], list[int]]] = [
        ({"practice": "kela"}, [99]),
        ({"practice": "yhdessa-aika"}, [5, 23, 21, 1, 12, 2, 3, 4]),
        ({"county": "13"}, [99, 23, 21, 1, 12, 2]),
        ({"county": "12", "practice": "yhdessa-aika"}, [3, 4]),
        ({"municipality": "140"}, [23]),
        ({"municipality": ["KU140", "588", "035"]}, [5, 23, 4]),
        ({"municipality": ["140", "507"], "county": "12"}, [3]),
        ({"from_period": "2022-Q2"}, [23, 12, 2]),
        ({"to_period": "2022-Q2", "practice": "yhdessa-aika"}, [5, 21, 1, 2, 3, 4]),
        ({"from_period": "2022", "to_period": "2022"}, [99, 5, 1, 12, 2, 3, 4]),
        ({"from_period": "2022-03", "to_period": "2022-03"}, [5, 3, 4]),
        ({"from_period": "2023", "to_period": "2022"}, []),
        ({"county": "13", "from_period": "2022", "to_period": "2022-06", "municipality": "297"}, [1, 2]),
    ]

    found = [[row["sessions"] for row in nation.get(COUNTS, **query).json()["rows"]] for query, _ in cases]

    assert found == [sessions for _, sessions in cases]


def test_statuses_are_filtered(app: FastAPI, clock: StandingClock, anyone: Caller, nation: Caller) -> None:
    define_kela(app, clock)
    post_figures(nation)
    queries: list[dict[str, Any]] = [
        {"practice": "kela"},
        {"county": "12"},
        {"municipality": "KU297"},
        {"municipality": ["140", "588"]},
        {"municipality": "297", "practice": "yhdessa-aika"},
        {"municipality": "297", "county": "12"},
    ]

    numbers = [[row["entry"] for row in anyone.get(STATUSES, **query).json()["rows"]] for query in queries]

    assert numbers == [[6], [4, 5], [6, 1, 2], [3, 5], [1, 2], []]


def test_on_a_day_each_municipality_has_one_status_the_latest_dated_on_or_before_it(
    anyone: Caller, nation: Caller
) -> None:
    nation.post(
        [],
        [
            status("297", "2022", "pilot"),
            status("297", "2022-06-15", "in_use"),
            status("140", "2023", "planned"),
            status("588", "2024-05-15", "ended"),
        ],
    )
    nation.delete("/v1/statuses/yhdessa-aika/140/2023", reason="Not decided")

    days = {
        day: figures(anyone.get(STATUSES, on=day), "status")
        for day in ("2021-12-31", "2022-01-01", "2022-06-14", "2022-06-15", "2023-12-31", "2024-05-15")
    }

    assert days == {
        "2021-12-31": [],
        "2022-01-01": [("297", "2022-01-01", "pilot")],
        "2022-06-14": [("297", "2022-01-01", "pilot")],
        "2022-06-15": [("297", "2022-06-15", "in_use")],
        "2023-12-31": [("297", "2022-06-15", "in_use")],
        "2024-05-15": [("297", "2022-06-15", "in_use"), ("588", "2024-05-15", "ended")],
    }


def test_on_reads_what_was_recorded_up_to_as_of_and_not_a_later_day(
    clock: StandingClock, anyone: Caller, nation: Caller
) -> None:
    nation.post([], [status("297", "2022", "pilot")])
    clock.advance(days=1)
    nation.post([], [status("297", "2022-02", "in_use")])

    then = anyone.get(STATUSES, on="2023-01-01", as_of="2024-05-15")
    now = anyone.get(STATUSES, on="2023-01-01")
    later = [anyone.get(STATUSES, on="2024-05-17"), anyone.get(STATUSES, on="2024-05-16", as_of="2024-05-15")]

    assert (figures(then, "status"), figures(now, "status")) == (
        [("297", "2022-01-01", "pilot")],
        [("297", "2022-02-01", "in_use")],
    )
    assert [(answer.status_code, answer.json()["errors"][0]["parameter"]) for answer in later] == [(422, "on")] * 2


def test_on_is_a_day_of_the_calendar_and_nothing_else(anyone: Caller) -> None:
    answers = [
        anyone.get(STATUSES, on=text) for text in ("2022-02-30", "2022-02", "0", "1640995200", "2022-01-01T00:00:00")
    ]

    assert [(answer.status_code, answer.json()["errors"][0]["parameter"]) for answer in answers] == [(422, "on")] * 5


def test_a_status_ends_with_its_code_and_the_successor_inherits_none(
    http: TestClient, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    clock.now = datetime(2026, 2, 1, 9, tzinfo=UTC)
    nation = Caller(http, new_key("country"))
    nation.post([], [status("588", "2024", "in_use")])

    listed = [figures(nation.get(STATUSES, on=day), "status") for day in ("2024-12-31", "2025-01-01")]

    assert listed == [[("588", "2024-01-01", "in_use")], []]
    assert figures(nation.get(STATUSES), "status") == [("588", "2024-01-01", "in_use")]


def test_the_current_register_shows_a_merged_municipality_as_its_successor(
    http: TestClient, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    clock.now = datetime(2026, 2, 1, 9, tzinfo=UTC)
    nation = Caller(http, new_key("country"))
    nation.post(
        [count("588", "2024", 5), count("507", "2024", 7), count("507", "2025", 9), count("297", "2024", 1)],
        [status("588", "2024", "in_use"), status("507", "2023", "pilot")],
    )
    current = {"register": "current"}

    columns = ("municipality", "municipality_name_fi", "county", "sessions")
    whole = figures(nation.get(COUNTS, **current), *columns)
    queries = [
        {"municipality": "507"},
        {"municipality": "588"},
        {"county": "12"},
        {"municipality": "KU588", "county": "13"},
    ]
    narrowed = [figures(nation.get(COUNTS, **query, **current), "municipality") for query in queries]
    statuses = figures(nation.get(STATUSES, **current), "municipality", "status")
    on_a_day = figures(nation.get(STATUSES, on="2024-12-31", **current), "municipality", "status")

    assert whole == [
        ("297", "2024", "297", "Kuopio", "13", 1),
        ("507", "2024", "507", "Mäntyharju", "12", 7),
        ("507", "2025", "507", "Mäntyharju", "12", 9),
        ("588", "2024", "507", "Mäntyharju", "12", 5),
    ]
    both = [("507", "2024", "507"), ("507", "2025", "507"), ("588", "2024", "507")]
    assert narrowed == [both, both[2:], both, []]
    assert statuses == on_a_day == [("507", "2023-01-01", "507", "pilot"), ("588", "2024-01-01", "507", "in_use")]


def test_as_reported_and_before_the_merger_a_municipality_keeps_its_own_code(
    http: TestClient, clock: StandingClock, new_key: Callable[..., str]
) -> None:
    clock.now = datetime(2024, 12, 31, 9, tzinfo=UTC)
    nation = Caller(http, new_key("country"))
    nation.post([count("588", "2023", 5), count("507", "2023", 7)])
    before = nation.get(COUNTS, register="current")
    clock.now = datetime(2025, 1, 1, 9, tzinfo=UTC)
    answers = [
        before,
        nation.get(COUNTS),
        nation.get(COUNTS, register="reported", municipality="507"),
        nation.get(COUNTS, register="current", as_of="2024-12-31"),
        nation.get(COUNTS, register="current"),
    ]

    assert [[row[2] for row in figures(answer, "municipality")] for answer in answers] == [
        ["507", "588"],
        ["507", "588"],
        ["507"],
        ["507", "588"],
        ["507", "507"],
    ]


def test_an_unfiltered_list_means_the_scope_of_the_key(
    http: TestClient, kuopio: Caller, north_savo: Caller, nation: Caller, new_key: Callable[..., str]
) -> None:
    for code in ("297", "140", "507", "091"):
        nation.post([count(code, "2022", 1)])
    two_areas = Caller(http, new_key("county:12", "municipality:297"))

    listed = [[row[0] for row in figures(caller.get(COUNTS))] for caller in (kuopio, north_savo, two_areas, nation)]

    assert listed == [["297"], ["140", "297"], ["297", "507"], ["091", "140", "297", "507"]]


def test_a_filter_outside_the_scope_is_refused(
    http: TestClient, anyone: Caller, kuopio: Caller, north_savo: Caller, new_key: Callable[..., str]
) -> None:
    reports_only = Caller(http, new_key("county:13", actions=["report"]))

    allowed = [
        kuopio.get(COUNTS, municipality="297"),
        kuopio.get(COUNTS, municipality="297", county="13"),
        north_savo.get(COUNTS, county="13"),
        north_savo.get(COUNTS, municipality=["297", "140"]),
    ]
    refused = [
        kuopio.get(COUNTS, county="13"),
        kuopio.get(COUNTS, municipality="140"),
        kuopio.get(COUNTS, municipality=["297", "140"]),
        north_savo.get(COUNTS, county="12"),
        north_savo.get(COUNTS, municipality=["297", "507"]),
        north_savo.get(COUNTS, municipality="588", register="current"),
        reports_only.get(COUNTS),
        anyone.get(COUNTS),
    ]

    assert [answer.status_code for answer in allowed] == [200] * 4
    assert [(answer.status_code, answer.json()["type"].rpartition(":")[2]) for answer in refused] == [
        *[(403, "not-covered")] * 6,
        (403, "not-allowed"),
        (401, "not-authenticated"),
    ]


def test_filters_that_exclude_one_another_find_nothing_inside_or_outside_the_scope(
    kuopio: Caller, nation: Caller
) -> None:
    nation.post([count("297", "2022", 1), count("507", "2022", 1)])

    answers = [caller.get(COUNTS, municipality="297", county="12") for caller in (kuopio, nation)]

    assert [figures(answer) for answer in answers] == [[], []]


def test_what_a_filter_names_must_exist(nation: Caller) -> None:
    queries: list[tuple[str, dict[str, Any]]] = [
        ("practice", {"practice": "none"}),
        ("county", {"county": "99"}),
        ("municipality", {"municipality": ["297", "999"]}),
        ("municipality", {"municipality": "97"}),
        ("county", {"county": "1"}),
        ("register", {"register": "old"}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 10_001}),
        ("format", {"format": "xml"}),
        ("as_of", {"as_of": "yesterday"}),
        ("colour", {"colour": "blue"}),
    ]

    for path in (COUNTS, STATUSES):
        answers = [(name, nation.get(path, **query)) for name, query in queries]
        assert [(answer.status_code, answer.json()["errors"][0]["parameter"]) for _, answer in answers] == [
            (422, name) for name, _ in queries
        ]


def test_a_period_that_is_none_is_refused_by_the_name_of_its_parameter(nation: Caller) -> None:
    answers = [
        nation.get(COUNTS, **{name: text})
        for name in ("from_period", "to_period")
        for text in ("2014", "2022-13", "2022-03-01")
    ]

    assert [(answer.status_code, answer.json()["errors"][0]["parameter"]) for answer in answers] == [
        *[(422, "from_period")] * 3,
        *[(422, "to_period")] * 3,
    ]


def pages(caller: Caller, path: str, **query: Any) -> list[list[tuple[Any, ...]]]:
    """Every page of a list, following `next`."""
    answer = caller.get(path, **query)
    found = [figures(answer, "entry")]
    while cursor := answer.json()["next"]:
        answer = caller.get(path, cursor=cursor, **query)
        found.append(figures(answer, "entry"))
    return found


def test_pages_together_are_the_whole_list(app: FastAPI, clock: StandingClock, nation: Caller) -> None:
    define_kela(app, clock)
    post_figures(nation)
    queries: list[tuple[str, dict[str, Any]]] = [
        (COUNTS, {}),
        (COUNTS, {"municipality": ["297", "507", "588"], "register": "current"}),
        (STATUSES, {}),
        (STATUSES, {"on": "2024-01-01"}),
    ]

    for (path, query), limit in product(queries, (1, 2, 3, 8, 9, 10)):
        whole = figures(nation.get(path, **query), "entry")
        paged = pages(nation, path, limit=limit, **query)

        assert [row for page in paged for row in page] == whole
        assert [len(page) for page in paged[:-1]] == [limit] * (len(paged) - 1)
        assert len(paged) == -(-len(whole) // limit)


def test_pages_read_one_moment_whatever_is_posted_between_them(clock: StandingClock, nation: Caller) -> None:
    codes = ["140", "171", "204", "239", "263", "297"]
    nation.post([count(code, "2022", 1) for code in codes], [status(code, "2022", "pilot") for code in codes])
    queries: list[tuple[str, dict[str, Any]]] = [(COUNTS, {}), (STATUSES, {}), (STATUSES, {"on": "2024-01-01"})]
    first = [nation.get(path, limit=2, **query) for path, query in queries]

    clock.advance(hours=1)
    nation.post(
        [
            count("204", "2022", 9),
            count("140", "2021", 1),
            count("239", "2021", 1),
            count("239", "2022-01", 1, replace=True),
        ],
        [status("204", "2022", "in_use"), status("239", "2023", "paused")],
    )
    nation.delete("/v1/session-counts/yhdessa-aika/263/2022", reason="x")
    nation.delete("/v1/statuses/yhdessa-aika/263/2022", reason="x")
    rest = [
        following_pages(nation, path, answer, **query) for (path, query), answer in zip(queries, first, strict=True)
    ]

    figure = [[(code, "2022", 1) for code in codes], *[[(code, "2022-01-01", "pilot") for code in codes]] * 2]
    columns = ("sessions", "status", "status")
    seen = [
        figures(start, column) + [row for page in pages_ for row in figures(page, column)]
        for start, pages_, column in zip(first, rest, columns, strict=True)
    ]
    assert seen == figure
    assert [row[0] for row in figures(nation.get(COUNTS))] == ["140", "140", "171", "204", "239", "239", "297"]


def following_pages(caller: Caller, path: str, answer: Any, **query: Any) -> list[Any]:
    """The answers after `answer`, a page of two."""
    found = []
    while cursor := answer.json()["next"]:
        answer = caller.get(path, limit=2, cursor=cursor, **query)
        found.append(answer)
    return found


def test_pages_as_of_a_moment_stay_at_that_moment(clock: StandingClock, nation: Caller) -> None:
    nation.post([count("297", f"2022-0{month}", month) for month in (1, 2, 3)])
    clock.advance(days=1)
    nation.post([count("297", "2022-03", 30), count("297", "2022-04", 4)])

    paged = pages(nation, COUNTS, limit=2, as_of="2024-05-15")

    assert paged == [[("297", "2022-01", 1), ("297", "2022-02", 2)], [("297", "2022-03", 3)]]


def test_paging_goes_on_when_the_clock_is_set_back(clock: StandingClock, nation: Caller) -> None:
    nation.post([count("297", f"2022-0{month}", month) for month in (1, 2, 3)])
    clock.advance(hours=-1)

    paged = pages(nation, COUNTS, limit=2)

    assert [len(page) for page in paged] == [2, 1]


def test_the_link_header_leads_to_the_next_page(nation: Caller) -> None:
    nation.post([count(code, "2022", 1) for code in ("140", "297", "507")])

    first = nation.get(COUNTS, municipality=["140", "297", "507"], limit=2, practice="yhdessa-aika")
    address, _, relation = first.headers["link"].partition(">; ")
    second = nation.http.get(address.removeprefix("<"), headers=nation.headers)

    assert relation == 'rel="next"'
    assert address.startswith("</v1/session-counts?")
    assert first.json()["next"] in address
    assert [row[0] for row in figures(first)] == ["140", "297"]
    assert [row[0] for row in figures(second)] == ["507"]
    assert "link" not in second.headers


def test_json_pages_have_a_thousand_rows_unless_asked_for_more_and_csv_has_all(nation: Caller) -> None:
    periods = [f"{year}-{month:02}" for year in range(2015, 2024) for month in range(1, 13)]
    nation.post(
        [
            count(code, text, 1)
            for code in ("140", "171", "204", "239", "263", "297", "402", "420", "595", "686")
            for text in periods
        ]
    )

    plain, more, table = (nation.get(COUNTS, **query) for query in ({}, {"limit": 1_080}, {"format": "csv"}))

    assert [len(answer.json()["rows"]) for answer in (plain, more)] == [1_000, 1_080]
    assert (plain.json()["next"] is None, more.json()["next"]) == (False, None)
    assert table.text.count("\r\n") == 1_081
    assert "link" not in table.headers


def test_csv_has_the_rows_of_json(app: FastAPI, clock: StandingClock, nation: Caller) -> None:
    define_kela(app, clock)
    post_figures(nation)
    nation.put("/v1/session-counts/yhdessa-aika/402/2024", {"sessions": 0, "through": "2024-03-31"})

    for path, query in [(COUNTS, {}), (STATUSES, {}), (STATUSES, {"on": "2023-06-30"}), (COUNTS, {"limit": "2"})]:
        rows = nation.get(path, **query).json()["rows"]
        by_format = nation.get(path, format="csv", **query)
        by_header = nation.http.get(path, params=query, headers={**nation.headers, "Accept": "text/csv"})

        table = list(csv.DictReader(io.StringIO(by_format.text, newline="")))
        assert table == [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows]
        assert list(table[0]) == list(rows[0])
        assert (by_header.content, by_header.headers["content-type"]) == (by_format.content, "text/csv; charset=utf-8")


def test_csv_of_nothing_is_its_header_and_pages_by_link(nation: Caller) -> None:
    empty = nation.get(COUNTS, format="csv")
    nation.post([count(code, "2022", 1) for code in ("140", "297", "507")])

    first = nation.get(COUNTS, format="csv", limit=2)
    second = nation.http.get(first.headers["link"].partition(">")[0].removeprefix("<"), headers=nation.headers)

    assert empty.text.splitlines() == [
        "practice,municipality,municipality_name_fi,municipality_name_sv,reported_as,county,period,first_day,last_day,"
        "through,sessions,entry,organisation,recorded_at"
    ]
    assert [line.split(",")[1] for line in (first.text + second.text).splitlines()] == [
        "municipality",
        "140",
        "297",
        "municipality",
        "507",
    ]


def test_format_wins_over_the_accept_header(nation: Caller) -> None:
    kinds = {
        (accept, query): nation.http.get(f"{COUNTS}{query}", headers={**nation.headers, "Accept": accept}).headers[
            "content-type"
        ]
        for accept in ("text/csv", "application/json", "*/*")
        for query in ("", "?format=csv", "?format=json")
    }

    table, document = "text/csv; charset=utf-8", "application/json"
    assert list(kinds.values()) == [table, table, document, document, table, document, document, table, document]


def test_a_cursor_that_no_answer_gave_is_refused(nation: Caller) -> None:
    moment = "2024-05-15T09:00:00.000000Z"
    forged = [
        [moment, "yhdessa-aika", "297"],
        [moment, "yhdessa-aika", "297", "2022", "2022"],
        ["yesterday", "yhdessa-aika", "297", "2022"],
        ["2024-05-15T09:00:00", "yhdessa-aika", "297", "2022"],
        ["0001-01-01T00:00:00+14:00", "yhdessa-aika", "297", "2022"],
        ["9999-12-31T23:59:59-14:00", "yhdessa-aika", "297", "2022"],
        [moment, "yhdessä", "297", "2022"],
        [moment, "yhdessa\0", "297", "2022"],
        {"moment": moment},
        7,
        None,
    ]
    texts = [base64.urlsafe_b64encode(json.dumps(one).encode()).decode() for one in forged]

    for path in (COUNTS, STATUSES):
        answers = [nation.get(path, cursor=text) for text in [*texts, "x", "é", "====", "[" * 300, "a\0"]]
        assert [(answer.status_code, answer.json()["errors"][0]["parameter"]) for answer in answers] == [
            (422, "cursor")
        ] * len(answers)


def test_a_cursor_of_another_list_or_of_nowhere_does_no_harm(nation: Caller) -> None:
    nation.post([count("297", "2022", 1), count("507", "2022", 1)], [status("297", "2022", "pilot")])
    of_counts = nation.get(COUNTS, limit=1).json()["next"]
    moments = ["0001-01-01T00:00:00.000000Z", "9999-12-31T23:59:59.999999Z"]
    ends = [base64.urlsafe_b64encode(json.dumps([moment, "a", "{}", "x"]).encode()).decode() for moment in moments]

    answers = [nation.get(path, cursor=cursor) for cursor in (of_counts, *ends) for path in (COUNTS, STATUSES)]

    assert [len(figures(answer)) for answer in answers] == [1, 1, 0, 0, 2, 1]
