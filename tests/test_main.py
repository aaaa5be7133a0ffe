"""The application as a whole: that it ends as it should, and what it serves beside the contract."""

from fastapi import FastAPI
from starlette.testclient import TestClient

from app.database import Database
from app.main import VERSION


def test_when_the_application_ends_it_closes_its_connections(app: FastAPI) -> None:
    database: Database = app.state.database

    with TestClient(app) as http:
        http.get("/v1/practices")
        before = database.engine.pool

    assert database.engine.pool is not before


def test_the_contract_is_made_once_and_tells_the_version_of_the_product(http: TestClient) -> None:
    first, again = http.get("/openapi.json"), http.get("/openapi.json")

    assert first.content == again.content
    assert first.json()["info"]["version"] == VERSION
