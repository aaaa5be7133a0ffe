"""The whole contract, asked at random by schemathesis with all of its checks, against the application itself."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.config import SchemathesisConfig
from starlette.testclient import TestClient

from tests.conftest import ROOT, Caller, StandingClock, count, status

# Many cases and much arithmetic: each module's own tests are what its lines are measured by.
pytestmark = pytest.mark.no_cover

CONTRACT: dict[str, Any] = json.loads((ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8"))
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for methods in CONTRACT["paths"].values() for operation in methods.values()
}

# The key is good and may ask as often as it likes, so 401 and 429 are no answers to data that fits the schema; nor are
# a body too large or of another kind, or a full disk.
NEVER = {"206", "304", "401", "413", "415", "429", "503", "507"}
# Elsewhere 422 also says that a rule of content is broken which no schema can tell: a county, practice or moment that
# there is not, a period that has not begun, a personal identity code in a note.
WITHOUT_RULES_OF_CONTENT = {"getConfig", "getKey", "getSubmission", "isAlive", "isReady"}


XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Case = schemathesis.Case[Any]
Test = TypeVar("Test", bound=Callable[..., None])


@schemathesis.serializer("application/x-ndjson", XLSX)
def as_it_is(_context: schemathesis.SerializationContext, value: Any) -> bytes:
    """Files are sent as the text that was made for their schema."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


def every_operation(*, with_key: bool, max_examples: int) -> Callable[[Test], Test]:
    """Makes a test one of each operation, knowing which answers it may give to data that fits its schema."""

    def accepting(name: str, operation: dict[str, Any]) -> list[str]:
        if not with_key and {} not in operation.get("security", [{}]):
            # A NUL in a text fits any schema, and is refused before the key is looked at.
            return ["401", "422"]
        refusals = {"422"} if name in WITHOUT_RULES_OF_CONTENT else set()
        return sorted(operation["responses"].keys() - NEVER - refusals)

    config = {
        "seed": 297,
        "generation": {"max-examples": max_examples, "database": "none"},
        "phases": {"coverage": {"generate-duplicate-query-parameters": True}},
        "checks": {
            "not_a_server_error": {"expected-statuses": ["2xx", "3xx", "4xx"]},
            # 412: If-Match is looked at before the figure. 413: a list of too many rows is more than a body may have.
            "negative_data_rejection": {
                "expected-statuses": ["401", "403", "404", "405", "412", "413", "415", "422"],
            },
        },
        "operations": [
            {
                "include-operation-id": name,
                "checks": {"positive_data_acceptance": {"expected-statuses": accepting(name, operation)}},
            }
            for name, operation in OPERATIONS.items()
        ],
    }
    return schemathesis.openapi.from_dict(CONTRACT, config=SchemathesisConfig.from_dict(config)).parametrize()


@pytest.fixture
def key(app: FastAPI, clock: StandingClock, new_key: Callable[..., str]) -> Iterator[str]:
    """A key for North Savo, about which something is recorded."""
    clock.now = datetime(2025, 7, 1, 9, 0, tzinfo=UTC)
    key = new_key("county:13", organisation="North Savo")
    with TestClient(app) as http:
        Caller(http, key).post([count("297", "2022-03", 7)], [status("297", "2021-02", "pilot", note="Kept")])
    yield key
    app.state.database.dispose()


# The database is not set back between examples: what one records, the next one finds.
unhurried = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


# The hostile requests of tests/test_hostile.py are sent to both kinds of database; here the stricter one will do.
@every_operation(with_key=True, max_examples=6)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@unhurried
def test_the_contract_holds_with_a_key(case: Case, app: FastAPI, key: str) -> None:
    ask(case, app, key)


# Whoever is refused never comes to the database, so one kind of it will do.
@every_operation(with_key=False, max_examples=6)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@unhurried
def test_the_contract_holds_without_a_key(case: Case, app: FastAPI, key: str) -> None:
    ask(case, app)


@pytest.mark.exhaustive
@every_operation(with_key=True, max_examples=60)
@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@unhurried
def test_the_contract_holds_with_a_key_many_times_over(case: Case, app: FastAPI, key: str) -> None:
    ask(case, app, key)


@pytest.mark.exhaustive
@every_operation(with_key=False, max_examples=60)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@unhurried
def test_the_contract_holds_without_a_key_many_times_over(case: Case, app: FastAPI, key: str) -> None:
    ask(case, app)


def ask(case: Case, app: FastAPI, key: str | None = None) -> None:
    """Send `case` to `app`, with the key if there is one, and run every check on the answer."""
    # Some checks send further requests of their own, to what the schema names.
    case.operation.schema.app = app
    case.call_and_validate(app=app, headers={"Authorization": f"Bearer {key}"} if key else None)
