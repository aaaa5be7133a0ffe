"""GET /v1/key."""

from collections.abc import Callable

from starlette.testclient import TestClient

from tests.conftest import Caller


def test_a_key_says_what_it_may_do_where_and_until_when(http: TestClient, new_key: Callable[..., str]) -> None:
    key = new_key(
        "municipality:297", "county:13", "country", actions=["read", "publish", "report"], organisation="THL", days=10
    )

    answer = Caller(http, key).get("/v1/key")

    assert answer.json() == {
        "id": key.split("_")[1],
        "name": "test",
        "organisation": "THL",
        "actions": ["publish", "read", "report"],
        "areas": ["country", "county:13", "municipality:297"],
        "expires_at": "2024-05-25T09:00:00Z",
    }
    assert key not in answer.text
