"""The contract: what openapi/openapi.json promises, and that a real application keeps every example in it."""

import json
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from openapi_spec_validator import validate
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.access.keys import issue_key
from app.access.models import Action
from app.cli.__main__ import app as yhdessa
from app.database import Database
from app.main import create_app
from app.schema import migrate
from app.settings import Settings
from tests.conftest import ROOT, StandingClock
from tests.reports.workbooks import filled_in

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

CONTRACT: dict[str, Any] = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: {"method": method.upper(), "path": path, **operation}
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
}
SCHEMAS: dict[str, dict[str, Any]] = CONTRACT["components"]["schemas"]

PUBLIC = {
    "getStatus",
    "listStatuses",
    "listReleases",
    "getRelease",
    "listReleaseFigures",
    "getReleaseDifferences",
    "listCounties",
    "listMunicipalities",
    "listPractices",
    "getConfig",
    "isAlive",
    "isReady",
}
JSON = "application/json"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PUBLIC_TOO = {"getTrend", "getStatusHistory"}
PUBLISHING = {"postRelease", "getReleaseDraft", "listReleaseDrafts"}
LATER = {"getSessionCount", "getTrend", "getQuality"} | PUBLISHING
WITHOUT_DATABASE = {"getConfig", "isAlive"}
WITH_BODY = {"postSubmission", "putSessionCount", "putStatus", "retractSubmission", "postRelease"}

_HASH = "[0-9a-f]{64}"
_KEY = "(yhdessa_)?[a-z0-9]{8}(_[A-Za-z0-9]{38})?"

# What only an earlier answer can give, a cursor or an ETag, and what has to be new each time.
WITHOUT_EXAMPLE = {"cursor", "If-Match", "Idempotency-Key"}


def test_the_committed_contract_is_what_the_command_writes() -> None:
    written = CliRunner().invoke(yhdessa, ["openapi"])

    assert written.exit_code == 0
    assert json.loads(written.stdout) == CONTRACT
    assert written.stdout == (ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"), "run `make openapi`"


def test_the_server_serves_the_committed_contract(http: TestClient) -> None:
    assert http.get("/openapi.json").json() == CONTRACT


def test_it_is_valid_openapi_of_exactly_the_version_that_x_road_takes() -> None:
    validate(CONTRACT)

    assert CONTRACT["openapi"] == "3.1.0"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_is_described(name: str) -> None:
    operation = OPERATIONS[name]

    assert re.fullmatch("(get|is|list|post|put|retract|rotate)[A-Z][A-Za-z]+", name)
    assert [tag for tag in operation["tags"] if tag not in {tag["name"] for tag in CONTRACT["tags"]}] == []
    assert len(operation["tags"]) == 1
    assert 5 < len(operation["summary"]) < 60
    assert len(operation["description"]) > len(operation["summary"])
    assert all(response["description"] for response in operation["responses"].values())
    assert "Successful Response" not in str(operation["responses"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_is_described_with_an_example_where_that_helps(name: str) -> None:
    for parameter in OPERATIONS[name].get("parameters", []):
        schema = parameter["schema"]

        assert len(parameter["description"]) > 10, parameter["name"]
        assert "null" not in str(schema), "a parameter is left out, it is never null"
        closed = "enum" in schema or schema["type"] == "boolean"
        assert closed or parameter["name"] in WITHOUT_EXAMPLE or _values(parameter), parameter["name"]


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_answer_in_json_has_an_example(name: str) -> None:
    for status_code, response in OPERATIONS[name]["responses"].items():
        content = response.get("content", {})

        assert content or status_code in ("206", "304")
        for media_type, described in content.items():
            assert "schema" in described
            assert "example" in described or described["examples"], (status_code, media_type)


@pytest.mark.parametrize("name", OPERATIONS)
def test_keys_are_asked_for_exactly_where_they_are_needed(name: str) -> None:
    keys: list[dict[str, list[str]]] = [{"bearer": []}, {"basic": []}]

    expected = None if name in PUBLIC else [*keys, {}] if name in PUBLIC_TOO else keys

    assert OPERATIONS[name].get("security") == expected
    assert ("401" in OPERATIONS[name]["responses"]) == (name not in PUBLIC)


def test_keys_are_bearer_tokens_or_basic_passwords() -> None:
    schemes = CONTRACT["components"]["securitySchemes"]

    assert {name: (scheme["type"], scheme["scheme"]) for name, scheme in schemes.items()} == {
        "bearer": ("http", "bearer"),
        "basic": ("http", "basic"),
    }
    assert all(scheme["description"] for scheme in schemes.values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_refusal_is_documented_as_a_problem_document(name: str) -> None:
    responses = OPERATIONS[name]["responses"]

    refusals = {code: response for code, response in responses.items() if code >= "400"}

    assert {"422"} <= refusals.keys()
    assert ("503" in refusals) == (name not in WITHOUT_DATABASE)
    assert ("507" in refusals) == (OPERATIONS[name]["method"] != "GET")
    assert ({"413", "415"} <= refusals.keys()) == (name in WITH_BODY)
    for code, response in refusals.items():
        assert list(response["content"]) == ["application/problem+json"]
        content = response["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/ProblemDocument"}
        assert {example["value"]["status"] for example in content["examples"].values()} == {int(code)}
        assert all(example["value"]["type"] in response["description"] for example in content["examples"].values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_call_that_takes_a_key_documents_its_rate_and_the_key_s_end(name: str) -> None:
    responses = OPERATIONS[name]["responses"]
    with_key = ["RateLimit-Policy", "RateLimit", "Key-Expires"]

    documented = {
        code: [header for header in response.get("headers", {}) if header in with_key]
        for code, response in responses.items()
    }

    assert ("429" in responses) == (name not in PUBLIC)
    assert name in PUBLIC or "Retry-After" in responses["429"]["headers"]
    for code, headers in documented.items():
        none_yet = name in PUBLIC or code in ("413", "415")
        assert headers == ([] if none_yet else with_key[:2] if code == "401" else with_key), code


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation["method"] == "GET"])
def test_every_get_documents_its_etag_and_304(name: str) -> None:
    responses = OPERATIONS[name]["responses"]

    assert "ETag" in responses["200"]["headers"]
    assert {"206", "304"} <= responses.keys()


def test_every_field_of_what_goes_out_is_always_there() -> None:
    # RFC 9457 leaves out what a problem does not have, and so do its errors.
    optional = {"ProblemDocument": {"errors"}, "FieldError": {"pointer", "parameter", "row", "line", "column"}}
    going_out = _reached("responses")

    missing = {
        name: set(SCHEMAS[name]["properties"]) - set(SCHEMAS[name].get("required", []))
        for name in going_out
        if "properties" in SCHEMAS[name]
    }

    assert {name: fields for name, fields in missing.items() if fields} == optional


def test_nothing_that_comes_in_may_have_unknown_fields() -> None:
    coming_in = _reached("requestBody")

    reports = {"SubmissionIn", "CountIn", "StatusIn", "CountPut", "StatusPut", "RetractionIn"}
    assert coming_in == reports | {"PublicationIn", "ChangeIn"}
    assert {SCHEMAS[name]["additionalProperties"] for name in coming_in} == {False}


@pytest.fixture
def described(empty_database_url: str) -> Iterator["Walk"]:
    """A fresh install on which the examples of the contract come true, one after the other."""
    settings = Settings(database_url=empty_database_url)
    clock = StandingClock(datetime(2025, 6, 1, 9, 0, tzinfo=UTC))
    database = Database(settings)
    migrate(database, clock)
    with database.writing() as db:
        key, publishing_key = (
            issue_key(
                db,
                name="Client information system",
                organisation="North Savo",
                actions=actions,
                areas=["county:13"],
                at=datetime(2025, 6, 1, 9, 0, tzinfo=UTC),
            )
            for actions in ([Action.REPORT, Action.READ], [Action.PUBLISH])
        )
    database.dispose()
    app = create_app(settings, clock)
    with TestClient(app) as client:
        yield Walk(client, clock, key, publishing_key)


class Walk:
    """Sends examples at the moments that the examples of the answers name, and remembers which it sent."""

    def __init__(self, http: TestClient, clock: StandingClock, key: str, publishing_key: str) -> None:
        self.http = http
        self.clock = clock
        self.key = key
        self.publishing_key = publishing_key
        self.sent: set[tuple[str, str, str]] = set()

    def send(self, name: str, body: str = "", at: str = "", kind: str = JSON, **asked: Any) -> tuple[int, Any]:
        """The answer to operation `name` with its examples: the first of each required parameter, and `body`."""
        operation = OPERATIONS[name]
        if at:
            self.clock.now = datetime.fromisoformat(f"2025-{at}:00+00:00")
        required = {p["name"]: _values(p)[0] for p in operation.get("parameters", []) if p["required"]}
        for parameter, value in {**required, **asked}.items():
            self.sent.add((name, parameter, str(value)))
        given = {**required, **asked}
        path = operation["path"].format_map(given)
        key = self.publishing_key if name in PUBLISHING else self.key
        query = {k: v for k, v in given.items() if f"{{{k}}}" not in operation["path"]}
        headers = {} if name in PUBLIC | {"getTrend"} else {"Authorization": f"Bearer {key}"}
        content = None
        if "requestBody" in operation:
            example = operation["requestBody"]["content"][kind]["examples"][body]
            self.sent.add((name, kind, body))
            headers["Content-Type"] = kind
            content = self._content(example, kind)
        answer = self.http.request(operation["method"], path, params=query, content=content, headers=headers)
        assert answer.is_success, (name, given, answer.text)
        as_json = answer.headers["Content-Type"] == "application/json"
        return answer.status_code, answer.json() if as_json else answer.content

    def draft(self, number: int) -> tuple[int, Any]:
        """The answer about the draft with that number, once it is no longer being prepared."""
        while (answer := self.send("getReleaseDraft", id=number))[1]["state"] == "preparing":
            time.sleep(0.02)
        return answer

    def _content(self, example: dict[str, Any], kind: str) -> bytes:
        if kind == XLSX:
            # What the example names, once one line of it is filled in.
            named = re.search(r"/v1/\S+(?= answers)", example["value"])
            assert named
            template = self.http.get(named[0], headers={"Authorization": f"Bearer {self.key}"})
            return filled_in(template.content, {"sessions": 3})
        return (json.dumps(example["value"]) if kind == JSON else example["value"]).encode()


def test_every_example_is_answered_as_the_contract_shows(described: Walk) -> None:
    send = described.send

    answers = {
        ("putStatus", 201): send("putStatus", "on trial", "06-02T09:00"),
        ("putSessionCount", 201): send("putSessionCount", "a whole period", "06-02T09:05"),
        ("putSessionCount", 200): send("putSessionCount", "with a note", "06-03T09:00"),
        ("putStatus", 200): send("putStatus", "in use", "06-03T09:05"),
        ("getSessionCount", 200): send("getSessionCount", at="07-01T09:00"),
        **{
            (name, 200): send(name)
            for name, operation in OPERATIONS.items()
            if operation["method"] == "GET" and name not in LATER
        },
        ("getTrend", 200): send("getTrend", county="13", from_year="2023"),
    }
    for name, operation in OPERATIONS.items():
        for parameter in operation.get("parameters", []):
            for value in _values(parameter) if operation["method"] == "GET" and not parameter["required"] else ():
                send(name, **{parameter["name"]: value})
    send("getSubmissionTemplate", period="2023")
    send("putSessionCount", "part of a period", "07-01T09:01")
    answers |= {
        ("retractSessionCount", 200): send("retractSessionCount", at="07-01T09:05"),
        ("retractStatus", 200): send("retractStatus", at="07-01T09:10"),
        ("postSubmission", 200): send("postSubmission", "counts and a status", "07-02T09:00", dry_run="true"),
        ("postSubmission", 201): send("postSubmission", "counts and a status"),
        ("getQuality", 200): send("getQuality"),
        ("retractSubmission", 201): send("retractSubmission", "wrong month", "07-02T09:05"),
        ("rotateKey", 201): send("rotateKey", at="07-03T09:05", overlap_days="14"),
    }
    for body in ("part of a year", "a year in place of its months"):
        send("postSubmission", body, dry_run="true")
        send("postSubmission", body)
    for kind, content in OPERATIONS["postSubmission"]["requestBody"]["content"].items():
        for body in content["examples"] if kind != JSON else ():
            send("postSubmission", body, kind=kind, skip_invalid="true")
    for month_or_day, name in (("2023-Q4", "period"), ("2022", "period"), ("2023-11", "date")):
        about = "SessionCount" if name == "period" else "Status"
        send(f"put{about}", "a whole period" if name == "period" else "on trial", **{name: month_or_day})
        send(f"get{about}", **{name: month_or_day})
        send(f"get{about}History", **{name: month_or_day})
        send(f"retract{about}", **{name: month_or_day})

    answers |= {
        ("postRelease", 202): send("postRelease", "a county", "07-04T09:00"),
        ("getReleaseDraft", 200): described.draft(1),
        ("listReleaseDrafts", 200): send("listReleaseDrafts"),
    }
    send("postRelease", "a correction", "07-06T09:00", dry_run="true")
    assert described.draft(2)[1]["state"] == "ready"

    assert described.sent >= _every_example()
    for (name, expected_status), (status_code, answer) in answers.items():
        assert status_code == expected_status, name
        content = OPERATIONS[name]["responses"][str(status_code)]["content"]
        if isinstance(answer, bytes):
            # An example of a file is its beginning.
            [shown] = [content[kind]["example"] for kind in ("text/csv", "text/plain") if kind in content]
            assert answer.decode("utf-8-sig").startswith(shown), name
            continue
        shown = content[JSON]["example"]
        assert _steady(answer, shown) == _steady(shown, shown), name


def _every_example() -> set[tuple[str, str, str]]:
    """Each example of the contract: the operation, the parameter or kind of body, and the value or its name."""
    values = {
        (name, parameter["name"], str(value))
        for name, operation in OPERATIONS.items()
        for parameter in operation.get("parameters", [])
        for value in _values(parameter)
    }
    bodies = {
        (name, kind, body)
        for name in WITH_BODY
        for kind, content in OPERATIONS[name]["requestBody"]["content"].items()
        for body in content["examples"]
    }
    return values | bodies


def _values(parameter: dict[str, Any]) -> list[Any]:
    """The values of the examples of `parameter`; one without a value says that it may be left out."""
    named = [example["value"] for example in parameter.get("examples", {}).values() if "value" in example]
    return [*named, *parameter["schema"].get("examples", [])]


def _steady(answer: Any, shown: Any) -> Any:
    """`answer` as it is in every run: without hashes, keys, and the rows of a register beside the one that is shown."""
    steady = _without_chance(answer)
    if isinstance(steady.get("rows"), list) and len(shown["rows"]) == 1:
        steady["rows"] = [
            row for row in map(_without_chance, steady["rows"]) if row == _without_chance(shown["rows"][0])
        ]
    return steady


def _without_chance(answer: dict[str, Any]) -> dict[str, Any]:
    """`answer` with the names of hashes and keys in the place of these."""
    chance = {"hash": _HASH, "previous_hash": _HASH, "key": _KEY, "replaced": _KEY}
    if "expires_at" in answer:
        chance["id"] = _KEY
    for name in chance.keys() & answer.keys():
        assert answer[name] is None or re.fullmatch(chance[name], answer[name]), name
    return {name: chance.get(name, value) if value else value for name, value in answer.items()}


def _reached(where: str) -> set[str]:
    """The names of the schemas that the operations refer to in `where`, in one step or several."""
    found: set[str] = set()
    to_read = [operation.get(where, {}) for operation in OPERATIONS.values()]
    while to_read:
        names = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(to_read.pop()))) - found
        found |= names
        to_read += [SCHEMAS[name] for name in names]
    return found
