"""The pages a browser opens, asked for one by one without a browser."""

from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import app.pages
from app.database import Database
from app.errors import install_problems
from app.pages.routes import files, router
from app.settings import Settings
from app.web.answers import ConditionalAnswers
from tests.conftest import UNHURRIED, Caller, status
from tests.measures.scraping import scraped

STATIC = Path(app.pages.__file__).parent / "static"
TEMPLATES = sorted(STATIC.parent.glob("templates/*.html"))
NORTH_SAVO = "/?county=13&lang=fi"
HTML = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, metrics_open=True, **UNHURRIED)


@pytest.fixture
def pages() -> TestClient:
    """What needs no database."""
    server = FastAPI(docs_url=None)
    install_problems(server)
    server.add_middleware(ConditionalAnswers)
    server.include_router(router)
    server.include_router(files)
    return TestClient(server)


@pytest.mark.parametrize(
    ("address", "accept_language", "language"),
    [
        ("/docs", "", "fi"),
        ("/docs", "sv-FI, fi;q=0.8", "sv"),
        ("/docs", "de, en-GB;q=0.5, fi;q=0.4", "en"),
        ("/docs", "sv;q=0, en;q=0.1", "en"),
        ("/docs", "en;q=much, sv;q=0.2", "sv"),
        ("/docs", "se, de;q=0.9", "fi"),
        ("/docs?lang=en", "sv", "en"),
        ("/docs?lang=xx", "sv", "sv"),
        ("/docs?lang=xx", "", "fi"),
    ],
)
def test_a_page_speaks_the_language_asked_for(
    pages: TestClient, address: str, accept_language: str, language: str
) -> None:
    answer = pages.get(address, headers={"Accept-Language": accept_language})

    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    assert "Accept-Language" in answer.headers["Vary"]
    assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("address", ["/docs", "/favicon.ico", "/static/docs.css"])
def test_nothing_but_our_own_files_may_run_on_a_page(pages: TestClient, address: str) -> None:
    answer = pages.get(address)

    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda template: template.name)
def test_no_page_holds_script_or_style_of_its_own(template: Path) -> None:
    page = template.read_text(encoding="utf-8")

    assert "<script>" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert "|safe" not in page.replace(" ", "")


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("page.css", "text/css; charset=utf-8"),
        ("docs-init.js", "text/javascript; charset=utf-8"),
        ("swagger-ui/swagger-ui-bundle.js", "text/javascript; charset=utf-8"),
        ("swagger-ui/favicon-32x32.png", "image/png"),
        ("swagger-ui/LICENSE", "text/plain; charset=utf-8"),
    ],
)
def test_a_shipped_file_is_served_as_it_is(pages: TestClient, path: str, media_type: str) -> None:
    answer = pages.get(f"/static/{path}")

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == media_type
    assert answer.content == (STATIC / path).read_bytes()


def test_a_file_that_is_not_there_is_no_matter_for_a_page(pages: TestClient) -> None:
    answer = pages.get("/static/none.css", headers=HTML)

    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")


@pytest.mark.parametrize("path", ["", "swagger-ui", "no.js", "../routes.py", "%2e%2e/routes.py", "/etc/passwd"])
def test_what_is_not_shipped_is_not_found(pages: TestClient, path: str) -> None:
    answer = pages.get(f"/static/{path}")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("address", ["/docs", "/favicon.ico", "/static/page.css"])
def test_an_unchanged_page_is_not_sent_again(pages: TestClient, address: str) -> None:
    first = pages.get(address)

    again = pages.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("address", "status_code", "words"),
    [
        ("/?county=99&lang=fi", 422, "Osoitteessa on virhe."),
        ("/?county=1&lang=sv", 422, "Något i adressen är fel."),
        ("/?colour=red&lang=en", 422, "Something in the address is not right."),
        ("/?practice=none&lang=en", 422, "practice: "),
        ("/?release=99&lang=fi", 404, "Tässä osoitteessa ei ole mitään."),
        ("/?sort=colour&lang=en", 422, "is no column"),
        ("/?as_of=2999-01-01&lang=en", 422, "lies in the future"),
    ],
)
def test_people_are_told_on_a_page_what_programs_are_told_in_a_problem(
    anyone: Caller, address: str, status_code: int, words: str
) -> None:
    told = anyone.http.get(address, headers=HTML)
    problem = anyone.http.get(address)

    assert (told.status_code, told.headers["Content-Type"]) == (status_code, "text/html; charset=utf-8")
    assert words in told.text
    assert told.headers["Cache-Control"] == "no-store"
    assert (problem.status_code, problem.headers["Content-Type"]) == (status_code, "application/problem+json")
    assert problem.json()["detail"].replace("'", "&#39;") in told.text


def test_a_database_that_is_away_is_told_on_a_page_and_logged_with_its_cause(
    app: FastAPI, anyone: Caller, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(*_: Any) -> Any:
        raise TimeoutError

    database: Database = app.state.database
    monkeypatch.setattr(database, "reading_in_public", away)
    monkeypatch.setattr("app.web.dependencies.unavailable", lambda error: isinstance(error, TimeoutError))

    told = anyone.http.get("/?lang=sv", headers=HTML)

    assert (told.status_code, told.headers["Retry-After"]) == (503, "2")
    assert "Tjänsten kan inte svara just nu." in told.text
    assert "cause=builtins.TimeoutError" in "".join(capsys.readouterr())


def test_everybody_is_shown_the_same_whatever_key_they_hold(anyone: Caller, kuopio: Caller) -> None:
    kuopio.post([{"municipality": "297", "period": "2024-01", "sessions": 4321}])

    shown = [anyone.http.get(NORTH_SAVO, headers=caller.headers) for caller in (anyone, kuopio)]

    assert shown[0].content == shown[1].content
    assert "4321" not in shown[0].text
    assert "4\N{NO-BREAK SPACE}321" not in shown[0].text


def test_the_page_is_answered_from_memory_until_something_public_is_new(anyone: Caller, kuopio: Caller) -> None:
    before = anyone.http.get(NORTH_SAVO)
    again = anyone.http.get(NORTH_SAVO)
    not_modified = anyone.http.get(NORTH_SAVO, headers={"If-None-Match": before.headers["ETag"]})
    at_hand = scraped(anyone.http)["answers_at_hand_total"]
    kuopio.post([{"municipality": "297", "period": "2024-01", "sessions": 7}])
    untouched = anyone.http.get(NORTH_SAVO)
    kuopio.post([], [status("297", "2024-02-01", "pilot")])
    after = anyone.http.get(NORTH_SAVO)

    assert (again.content, not_modified.status_code, at_hand) == (before.content, 304, 2)
    assert untouched.content == before.content
    assert after.content != before.content
    assert anyone.http.get(NORTH_SAVO).content == after.content


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "seconds"),
    [("", 60), ("&release=1", 60), ("&as_of=2024-05-01", 60), ("&release=1&as_of=2024-05-01", 3600)],
)
def test_only_a_page_of_a_named_release_and_moment_is_settled(anyone: Caller, query: str, seconds: int) -> None:
    answer = anyone.http.get(NORTH_SAVO + query)

    assert answer.headers["Cache-Control"] == f"public, max-age={seconds}, must-revalidate"


def test_what_is_kept_in_one_language_is_not_given_to_who_reads_another(anyone: Caller) -> None:
    told = [
        anyone.http.get("/", headers={"Accept-Language": language}).headers["Content-Language"]
        for language in ("sv", "en", "sv", "fi", "en")
    ]

    assert told == ["sv", "en", "sv", "fi", "en"]
