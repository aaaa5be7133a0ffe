"""What a strict route refuses before FastAPI looks at it, on a small application of its own."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Query
from pydantic import BaseModel, ConfigDict
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from app.errors import InvalidRequest, install_problems
from app.web.strict import MAX_DEPTH, BodyLimit, StrictRoute, strict_json

router = APIRouter(route_class=StrictRoute)


class Thing(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    number: int
    text: str = ""


@router.get("/things/{id}")
def read_things(
    id: int,
    number: int | None = None,
    small: Annotated[int, Query(le=9)] = 1,
    flag: bool = False,
    day: date | None = None,
    text: str | None = None,
    several: Annotated[list[str], Query()] = [],  # noqa: B006  # FastAPI copies it
) -> list[Any]:
    return [id, number, small, flag, day, text, several]


@router.post("/things")
def post_thing(thing: Thing) -> Thing:
    return thing


@pytest.fixture
def http() -> Iterator[TestClient]:
    app = FastAPI(middleware=[Middleware(BodyLimit, most=10_000)])
    install_problems(app)
    app.include_router(router)
    with TestClient(app) as client:
        yield client


def refusal(answer: Any) -> tuple[int, str, Any]:
    """What was refused: the status code, the detail, and the only error if there is one."""
    document = answer.json()
    errors = document.get("errors", [None])
    assert len(errors) == 1
    return answer.status_code, document["detail"], errors[0]


def test_what_the_route_names_is_taken(http: TestClient) -> None:
    query = "number=-5&small=9&flag=true&day=2022-12-31&text=%C3%A4%20+%F0%9F%98%80&several=a&several=b&&"

    answer = http.get(f"/things/007?{query}")

    assert answer.json() == [7, -5, 9, True, "2022-12-31", "ä  😀", ["a", "b"]]


@pytest.mark.parametrize("name", ["Number", "numbers", "number[]", "nope", "", "%00", "%F0%9F%98%80"])
def test_an_unknown_parameter_is_refused_with_those_that_there_are(http: TestClient, name: str) -> None:
    answer = http.get(f"/things/1?{name}=1")

    status_code, detail, error = refusal(answer)
    assert status_code == 422
    assert detail.endswith("there is no such parameter here; there are: day, flag, number, several, small, text")
    assert error["parameter"] in (name, "\0", "😀")


def test_where_there_are_no_parameters_the_refusal_says_so(http: TestClient) -> None:
    answer = http.post("/things?a=1", json={"number": 1})

    assert refusal(answer)[1] == "a: there is no such parameter here; there are: none"


@pytest.mark.parametrize("query", ["text=a&text=a", "number=1&number=2", "text=a&number=1&text="])
def test_a_parameter_given_twice_is_refused(http: TestClient, query: str) -> None:
    answer = http.get(f"/things/1?{query}")

    name = query.partition("=")[0]
    assert refusal(answer) == (422, f"{name}: may be given once", {"parameter": name, "detail": "may be given once"})


@pytest.mark.parametrize("value", ["5.0", "1_0", "%205", "+5", "%2B5", "5e0", "0x5", "", "%D9%A5", "true", "null"])
def test_a_number_is_written_in_digits(http: TestClient, value: str) -> None:
    in_query = http.get(f"/things/1?number={value}")
    in_path = http.get(f"/things/{value}x")

    written = "write a whole number in digits, as 5"
    assert refusal(in_query) == (422, f"number: {written}", {"parameter": "number", "detail": written})
    assert refusal(in_path) == (422, f"id: {written}", {"parameter": "id", "detail": written})


@pytest.mark.parametrize("value", ["9223372036854775808", "9" * 4_000, "9" * 5_000, "-1" + "0" * 30])
def test_a_number_out_of_all_bounds_is_refused(http: TestClient, value: str) -> None:
    answer = http.get("/things/1", params={"small": value})

    taken = value.startswith("-")
    assert answer.status_code == (200 if taken else 422)


@pytest.mark.parametrize("value", ["1", "yes", "on", "True", "TRUE", "t", ""])
def test_a_flag_is_true_or_false(http: TestClient, value: str) -> None:
    answer = http.get(f"/things/1?flag={value}")

    assert refusal(answer)[1] == "flag: write true or false"


@pytest.mark.parametrize("value", ["0", "1672444800", "20221231", "2022-12-31T00:00:00", "2022-W52-6", "2022-1-1", ""])
def test_a_day_is_year_month_and_day(http: TestClient, value: str) -> None:
    answer = http.get(f"/things/1?day={value}")

    assert refusal(answer)[1] == "day: write a day, as 2022-12-31"


def test_a_day_that_the_calendar_does_not_have_is_refused(http: TestClient) -> None:
    answer = http.get("/things/1?day=2023-02-29")

    assert refusal(answer)[:2] == (
        422,
        "day: Input should be a valid date or datetime, day value is outside expected range",
    )


@pytest.mark.parametrize("query", ["text=a%00", "several=a&several=%00", "text=%00&flag=true"])
def test_nul_in_a_value_is_refused(http: TestClient, query: str) -> None:
    answer = http.get(f"/things/1?{query}")

    name = query.partition("=")[0]
    assert refusal(answer)[1] == f"{name}: holds a NUL, which is no text"


@pytest.mark.parametrize("query", ["text=%ED%A0%80", "text=%FF", "%C3=1", "text=%C3%28"])
def test_a_query_that_is_not_utf_8_is_refused(http: TestClient, query: str) -> None:
    answer = http.get(f"/things/1?{query}")

    assert refusal(answer) == (422, "the query is not UTF-8; percent-encode its bytes", None)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "APPLICATION/JSON", " application/json ;charset=utf-8", 'application/json; charset="'],
)
def test_json_is_taken_under_its_name_alone(http: TestClient, content_type: str) -> None:
    answer = http.post("/things", content=b'{"number": 5}', headers={"Content-Type": content_type})

    assert answer.json() == {"number": 5, "text": ""}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/json",
        "application/jsonx",
        "application/problem+json",
        "application/json, text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
    ],
)
def test_any_other_content_type_is_unsupported(http: TestClient, content_type: str) -> None:
    answer = http.post("/things", content=b'{"number": 5}', headers={"Content-Type": content_type})

    said = f"send application/json; this came as {content_type or 'nothing named'!r}"
    assert refusal(answer) == (415, said, None)


def test_a_content_type_is_needed(http: TestClient) -> None:
    assert http.post("/things", content=b'{"number": 5}').status_code == 415


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"", "the body is not JSON: Expecting value (line 1, column 1)"),
        (b" \n ", "the body is not JSON: Expecting value (line 2, column 2)"),
        (b"\x00", "the body is not JSON: Expecting value (line 1, column 1)"),
        (b"{'a': 1}", "the body is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)"),
        (b'{"a": 1} {}', "the body is not JSON: Extra data (line 1, column 10)"),
        (b'{"a": 01}', "the body is not JSON: Expecting ',' delimiter (line 1, column 8)"),
        (b'{"a": "\n"}', "the body is not JSON: Invalid control character at (line 1, column 8)"),
        (b"\xef\xbb\xbf{}", "the body is not JSON: Unexpected UTF-8 BOM (decode using utf-8-sig) (line 1, column 1)"),
        ("{}".encode("utf-16"), "the body is not UTF-8 (byte 0)"),
        (
            "{}".encode("utf-16-le"),
            "the body is not JSON: Expecting property name enclosed in double quotes (line 1, column 2)",
        ),
        ("{}".encode("utf-32"), "the body is not UTF-8 (byte 0)"),
        (b'{"a": "\xe4"}', "the body is not UTF-8 (byte 7)"),
        (b'{"a": "\xed\xa0\x80"}', "the body is not UTF-8 (byte 7)"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b"[Infinity]", "Infinity is not a JSON number"),
        (b'{"a": [{"b": -Infinity}]}', "-Infinity is not a JSON number"),
        (b'{"a": 1, "b": 2, "a": 1}', "the name 'a' stands twice in one object; which value counts?"),
        (
            b'[{"\\u00e4": {"\\u00e4": 1, "\xc3\xa4": 2}}]',
            "the name '\\xe4' stands twice in one object; which value counts?",
        ),
        (b'{"": 1, "": 1}', "the name '' stands twice in one object; which value counts?"),
        (b"9" * 5_000, "the body holds a number of more than 4,300 digits"),
        (b'{"a": -' + b"9" * 5_000 + b"}", "the body holds a number of more than 4,300 digits"),
        (b"[" * 10_000 + b"]" * 10_000, f"the body nests deeper than {MAX_DEPTH} levels"),
        (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, f"the body nests deeper than {MAX_DEPTH} levels"),
        (b"[" * 10_000, f"the body nests deeper than {MAX_DEPTH} levels"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), f"the body nests deeper than {MAX_DEPTH} levels"),
        (b'{"a":' * (MAX_DEPTH + 1) + b"1" + b"}" * (MAX_DEPTH + 1), f"the body nests deeper than {MAX_DEPTH} levels"),
    ],
)
def test_json_that_readers_disagree_about_is_refused(body: bytes, detail: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        strict_json("application/json", body)

    assert (refused.value.detail, refused.value.errors) == (detail, [])


@pytest.mark.parametrize("odd", ["\\u0000", "\\ud800", "\\udfff", "\\udc00\\ud800", "a\\ud83d"])
@pytest.mark.parametrize(
    ("body", "where"),
    [
        ('"{}"', ""),
        ('{{"a": "{}"}}', "/a"),
        ('{{"a": [1, {{"b/c~": "ä{}"}}]}}', "/a/1/b~1c~0"),
        ('{{"a": {{"{}": 1}}}}', "/a"),
        ('{{"{}": {{"b": "{}"}}}}', ""),
    ],
)
def test_nul_and_half_a_surrogate_pair_are_no_text(odd: str, body: str, where: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        strict_json("application/json", body.format(odd, odd).encode())

    said = "holds a NUL or half a surrogate pair, which is no text"
    assert refused.value.detail == f"{where or 'the body'}: {said}"
    assert [(error.pointer, error.detail) for error in refused.value.errors] == [(where, said)]


@pytest.mark.parametrize(
    "body",
    [
        b"null",
        b'{"a": {"a": [{"a": 1}, {"a": 2}]}}',
        b'{"a": "\\ud83d\\ude00 \xf0\x9f\x98\x80 \\uffff"}',
        b"[" * MAX_DEPTH + b"]" * MAX_DEPTH,
        b"9" * 4_000,
        b"[1e400, -0, 1E5, 0.1]",
    ],
)
def test_json_that_all_read_alike_passes_on_to_the_schema(body: bytes) -> None:
    strict_json("application/json", body)


@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "5.0", "5e0", "1e5", "5.5", '"5"', "true", "null", "[5]", "NaN", "05", "9" * 5_000]
)
def test_a_number_that_is_not_whole_is_refused(http: TestClient, number: str) -> None:
    answer = http.post("/things", content=f'{{"number": {number}}}', headers={"Content-Type": "application/json"})

    assert answer.status_code == 422


@pytest.mark.parametrize("chunk", [10_001, 1_000])
def test_a_body_is_taken_up_to_the_limit_and_not_beyond(http: TestClient, chunk: int) -> None:
    def post(length: int) -> int:
        body = b'{"number": 5}'.ljust(length)
        chunks = [body] if length < chunk else (body[start : start + chunk] for start in range(0, length, chunk))
        return http.post("/things", content=chunks, headers={"Content-Type": "application/json"}).status_code

    assert (post(10_000), post(10_001), post(1_000_000)) == (200, 413, 413)


def test_a_body_that_nobody_reads_may_be_any_length(http: TestClient) -> None:
    answer = http.request("GET", "/things/1", content=b"x" * 1_000_000)

    assert answer.status_code == 200
