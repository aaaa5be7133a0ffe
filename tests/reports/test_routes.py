"""Single figures: one address each, with an ETag that keeps two writers from overwriting one another."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.conftest import Caller, StandingClock, count, status
from tests.reports.stored import everything

COUNT = "/v1/session-counts/yhdessa-aika/297/2022-03"
STATUS = "/v1/statuses/yhdessa-aika/297/2022-02"


def said(answer: Any) -> tuple[int, str | None, str]:
    """The status code, the ETag, and what became of the figure or the kind of problem."""
    document = answer.json()
    kind = document["rows"][0]["outcome"] if "rows" in document else document["type"].rpartition(":")[2]
    return answer.status_code, answer.headers.get("etag"), kind


def test_a_count_is_put_corrected_and_put_again(kuopio: Caller) -> None:
    bodies: list[dict[str, Any]] = [
        {"sessions": 7},
        {"sessions": 8, "through": "2022-03-30", "note": "n"},
        {"sessions": 8, "through": "2022-03-30"},
    ]

    answers = [kuopio.put(COUNT, body) for body in bodies]

    assert [said(answer) for answer in answers] == [
        (201, '"1"', "created"),
        (200, '"2"', "corrected"),
        (200, '"2"', "unchanged"),
    ]
    assert [answer.json()["id"] for answer in answers] == [1, 2, 3]


def test_a_status_is_put_corrected_and_put_again(kuopio: Caller) -> None:
    answers = [kuopio.put(STATUS, {"status": name}) for name in ("planned", "pilot", "pilot")]

    assert [said(answer) for answer in answers] == [
        (201, '"1"', "created"),
        (200, '"2"', "corrected"),
        (200, '"2"', "unchanged"),
    ]


def test_a_count_is_read_whole(clock: StandingClock, kuopio: Caller) -> None:
    clock.advance(minutes=1)
    kuopio.put(COUNT.replace("297", "KU297"), {"sessions": 7, "through": "2022-03-15", "note": "secret"})

    answer = kuopio.get(COUNT)

    assert answer.json() == {
        "practice": "yhdessa-aika",
        "municipality": "297",
        "municipality_name_fi": "Kuopio",
        "municipality_name_sv": "Kuopio",
        "reported_as": "297",
        "county": "13",
        "period": "2022-03",
        "first_day": "2022-03-01",
        "last_day": "2022-03-31",
        "through": "2022-03-15",
        "sessions": 7,
        "entry": 1,
        "organisation": "Kuopio",
        "recorded_at": "2024-05-15T09:01:00.000000Z",
    }
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')
    assert kuopio.get(COUNT.replace("297", "KU297")).json() == answer.json()


def test_a_status_is_read_by_everyone_without_note_and_reporter(
    clock: StandingClock, anyone: Caller, kuopio: Caller
) -> None:
    clock.advance(minutes=1)
    kuopio.put(STATUS, {"status": "pilot", "note": "secret"})

    answer = anyone.get(STATUS)

    assert answer.json() == {
        "practice": "yhdessa-aika",
        "municipality": "297",
        "municipality_name_fi": "Kuopio",
        "municipality_name_sv": "Kuopio",
        "reported_as": "297",
        "county": "13",
        "date": "2022-02-01",
        "date_precision": "month",
        "status": "pilot",
        "entry": 1,
        "recorded_at": "2024-05-15T09:01:00.000000Z",
    }
    assert answer.headers["etag"] == '"1"'
    assert anyone.get(STATUS.replace("2022-02", "2022-02-01")).json() == answer.json()


def test_who_has_the_figure_already_is_told_so(kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})
    headers = {**kuopio.headers, "If-None-Match": '"1"'}

    same = kuopio.http.get(COUNT, headers=headers)
    kuopio.put(COUNT, {"sessions": 8})
    changed = kuopio.http.get(COUNT, headers=headers)

    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", '"1"')
    assert (changed.status_code, changed.headers["etag"]) == (200, '"2"')


def test_if_match_lets_only_the_writer_through_who_has_seen_the_figure_in_force(kuopio: Caller) -> None:
    figures: list[tuple[str, list[dict[str, Any]]]] = [
        (COUNT, [{"sessions": 7}, {"sessions": 8}, {"sessions": 9}]),
        (STATUS, [{"status": "planned"}, {"status": "pilot"}, {"status": "in_use"}]),
    ]
    for path, (first, second, third) in figures:
        answers = [
            kuopio.put(path, first, If_Match="*"),
            kuopio.put(path, first, If_Match='"1"'),
            kuopio.put(path, first),
            kuopio.put(path, second, If_Match='"1"'),
            kuopio.put(path, third, If_Match='"1"'),
            kuopio.put(path, third, If_Match='W/"2"'),
            kuopio.put(path, third, If_Match="2"),
            kuopio.put(path, third, If_Match='"1", "2"'),
            kuopio.put(path, first, If_Match=" * "),
        ]

        assert [said(answer) for answer in answers] == [
            (412, None, "precondition-failed"),
            (412, None, "precondition-failed"),
            (201, '"1"', "created"),
            (200, '"2"', "corrected"),
            (412, None, "precondition-failed"),
            (412, None, "precondition-failed"),
            (412, None, "precondition-failed"),
            (200, '"3"', "corrected"),
            (200, '"4"', "corrected"),
        ]
        assert answers[0].json()["detail"].endswith("there is none now")
        assert answers[4].json()["detail"].endswith('it is "2" now')


def test_a_put_equal_to_what_is_there_is_unchanged_whatever_if_match_says(kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})
    kuopio.put(COUNT, {"sessions": 8})
    kuopio.put(STATUS, {"status": "pilot"})

    answers = [
        kuopio.put(COUNT, {"sessions": 8, "note": "retried"}, If_Match='"1"'),
        kuopio.put(STATUS, {"status": "pilot"}, If_Match='"99"'),
    ]

    assert [said(answer) for answer in answers] == [(200, '"2"', "unchanged"), (200, '"1"', "unchanged")]


def test_a_stale_if_match_comes_before_an_overlap_and_after_everything_invalid(app: FastAPI, kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})
    before = everything(app)
    year = COUNT.removesuffix("-03")

    answers = [
        kuopio.put(year, {"sessions": 70}),
        kuopio.put(year, {"sessions": 70}, If_Match='"1"'),
        kuopio.put(year, {"sessions": 70}, If_Match="*"),
        kuopio.put(year, {"sessions": 70, "replace": True}, If_Match='"1"'),
        kuopio.put(COUNT, {"sessions": 8, "through": "2022-04-01"}, If_Match='"9"'),
        kuopio.put(COUNT.replace("297", "091"), {"sessions": 8, "through": "2022-04-01"}, If_Match='"9"'),
    ]

    assert [said(answer) for answer in answers] == [
        (409, None, "overlapping"),
        (412, None, "precondition-failed"),
        (412, None, "precondition-failed"),
        (412, None, "precondition-failed"),
        (422, None, "invalid-request"),
        (403, None, "not-covered"),
    ]
    assert [answers[index].json()["errors"][0].get("parameter") for index in (0, 4, 5)] == [
        "period",
        None,
        "municipality",
    ]
    assert answers[4].json()["errors"][0]["pointer"] == "/through"
    assert everything(app) == before


def test_a_put_can_supersede(kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})

    answer = kuopio.put(COUNT.removesuffix("-03"), {"sessions": 70, "replace": True})

    assert said(answer) == (201, '"3"', "created")
    assert answer.json()["rows"][0]["superseded"] == [1]


def test_a_retraction_heeds_if_match_and_then_there_is_nothing(app: FastAPI, kuopio: Caller) -> None:
    figures: list[tuple[str, dict[str, Any]]] = [(COUNT, {"sessions": 7}), (STATUS, {"status": "pilot"})]
    for path, body in figures:
        nothing_yet = kuopio.delete(path, reason="x", headers={"If-Match": '"1"'})
        kuopio.put(path, body)
        before = everything(app)
        stale = kuopio.delete(path, reason="x", headers={"If-Match": '"2"'})
        untouched = everything(app)
        retracted = kuopio.delete(path, reason="x", headers={"If-Match": '"1"'})
        after = [
            kuopio.get(path).status_code,
            kuopio.delete(path, reason="x").status_code,
            kuopio.put(path, body, If_Match='"2"').status_code,
            kuopio.put(path, body).status_code,
        ]

        assert (said(nothing_yet)[0], said(stale), untouched) == (404, (412, None, "precondition-failed"), before)
        assert (retracted.status_code, said(retracted)[2]) == (200, "retracted")
        assert after == [404, 404, 412, 201]


def test_a_refused_put_names_the_part_of_the_address_or_body(kuopio: Caller) -> None:
    paths = {
        "/v1/session-counts/none/297/2022-03": "practice",
        "/v1/session-counts/yhdessa-aika/999/2022-03": "municipality",
        "/v1/session-counts/yhdessa-aika/297/2030": "period",
        "/v1/session-counts/yhdessa-aika/297/2014": "period",
        "/v1/session-counts/yhdessa-aika/297/2022-13": "period",
        "/v1/session-counts/yhdessa-aika/297/2022-03-01": "period",
        "/v1/session-counts/yhdessa-aika/97/2022-03": "municipality",
        "/v1/session-counts/Yhdessa/297/2022-03": "practice",
    }
    dates = {"2030": "date", "2014": "date", "2022-02-30": "date", "2022-Q1": "date"}

    counts = {path: kuopio.put(path, {"sessions": 1}) for path in paths}
    statuses = {day: kuopio.put(f"/v1/statuses/yhdessa-aika/297/{day}", {"status": "pilot"}) for day in dates}
    under_way = kuopio.put("/v1/session-counts/yhdessa-aika/297/2024", {"sessions": 1})

    assert {path: (answer.status_code, answer.json()["errors"][0]["parameter"]) for path, answer in counts.items()} == {
        path: (422, name) for path, name in paths.items()
    }
    assert {day: (answer.status_code, answer.json()["errors"][0]["parameter"]) for day, answer in statuses.items()} == {
        day: (422, name) for day, name in dates.items()
    }
    assert [(error["pointer"], "row" in error) for error in under_way.json()["errors"]] == [("/through", False)]


def test_there_is_no_figure_at_addresses_of_nothing(kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7)], [status("297", "2022-02", "pilot")])

    answers = {
        path: kuopio.get(f"/v1/{path}").status_code
        for path in (
            "session-counts/yhdessa-aika/297/2022-03",
            "session-counts/yhdessa-aika/297/2022",
            "session-counts/yhdessa-aika/999/2022-03",
            "session-counts/none/297/2022-03",
            "session-counts/yhdessa-aika/297/2014",
            "statuses/yhdessa-aika/297/2022-02",
            "statuses/yhdessa-aika/297/2022-02-15",
            "statuses/yhdessa-aika/999/2022-02",
            "statuses/none/297/2022-02",
            "statuses/yhdessa-aika/297/2014",
            "statuses/yhdessa-aika/297/2022-02-30",
        )
    }

    assert list(answers.values()) == [200, 404, 404, 404, 422, 200, 404, 404, 404, 422, 422]


def test_a_count_is_for_readers_of_the_area_alone(
    http: TestClient, anyone: Caller, kuopio: Caller, north_savo: Caller, new_key: Callable[..., str]
) -> None:
    kuopio.put(COUNT, {"sessions": 7})
    helsinki = Caller(http, new_key("municipality:091"))
    reports_only = Caller(http, new_key("municipality:297", actions=["report"]))

    answers = [caller.get(COUNT) for caller in (kuopio, north_savo, anyone, helsinki, reports_only)]

    assert [answer.status_code for answer in answers] == [200, 200, 401, 403, 403]
    assert [answer.json()["type"].rpartition(":")[2] for answer in answers[2:]] == [
        "not-authenticated",
        "not-covered",
        "not-allowed",
    ]


def test_a_figure_is_read_as_of_a_moment(clock: StandingClock, kuopio: Caller) -> None:
    kuopio.put(COUNT, {"sessions": 7})
    kuopio.put(STATUS, {"status": "planned"})
    clock.advance(days=1)
    kuopio.put(COUNT, {"sessions": 8})
    kuopio.delete(STATUS, reason="Wrong day")

    then = [kuopio.get(path, as_of="2024-05-15") for path in (COUNT, STATUS)]
    now = [kuopio.get(path) for path in (COUNT, STATUS)]

    assert [answer.status_code for answer in (*then, *now)] == [200, 200, 200, 404]
    assert (then[0].json()["sessions"], then[1].json()["status"], now[0].json()["sessions"]) == (7, "planned", 8)
    assert [answer.headers["etag"] for answer in (then[0], now[0])] == ['"1"', '"2"']
