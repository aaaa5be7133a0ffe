"""The pages a browser opens, asked for one by one without a browser."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

import app.pages
from app.errors import install_problems
from app.pages.routes import router
from app.web.answers import ConditionalAnswers

STATIC = Path(app.pages.__file__).parent / "static"


@pytest.fixture
def pages() -> TestClient:
    server = FastAPI(docs_url=None)
    install_problems(server)
    server.add_middleware(ConditionalAnswers)
    server.include_router(router)
    return TestClient(server)


@pytest.mark.parametrize(
    ("address", "accept_language", "language"),
    [
        ("/", "", "fi"),
        ("/", "sv-FI, fi;q=0.8", "sv"),
        ("/", "de, en-GB;q=0.5, fi;q=0.4", "en"),
        ("/", "sv;q=0, en;q=0.1", "en"),
        ("/", "en;q=much, sv;q=0.2", "sv"),
        ("/", "se, de;q=0.9", "fi"),
        ("/?lang=en", "sv", "en"),
        ("/?lang=xx", "sv", "sv"),
        ("/?lang=xx", "", "fi"),
    ],
)
def test_the_front_page_speaks_the_language_asked_for(
    pages: TestClient, address: str, accept_language: str, language: str
) -> None:
    answer = pages.get(address, headers={"Accept-Language": accept_language})

    assert answer.status_code == 200
    assert answer.headers["Content-Language"] == language
    assert answer.headers["Vary"] == "Accept-Language"
    assert f'<html lang="{language}">' in answer.text


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_front_page_leads_to_the_trend_and_the_contract(pages: TestClient, language: str) -> None:
    page = pages.get("/", params={"lang": language}).text

    assert "Yhdessä aika" in page
    assert "$" not in page
    for link in ("docs", "openapi.json", "v1/trends?county=13"):
        assert f'<a href="{link}">' in page


@pytest.mark.parametrize("address", ["/", "/docs", "/favicon.ico", "/static/docs.css"])
def test_nothing_but_our_own_files_may_run_on_a_page(pages: TestClient, address: str) -> None:
    answer = pages.get(address)

    assert answer.headers["Content-Security-Policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"


@pytest.mark.parametrize("name", ["docs.html", "home.html"])
def test_no_page_holds_script_or_style_of_its_own_or_an_outside_address(name: str) -> None:
    page = (STATIC.parent / "templates" / name).read_text(encoding="utf-8")

    assert "<script>" not in page
    assert "<style" not in page
    assert " style=" not in page
    assert "//" not in page


@pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("docs.css", "text/css; charset=utf-8"),
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


@pytest.mark.parametrize("path", ["", "swagger-ui", "no.js", "../routes.py", "%2e%2e/routes.py", "/etc/passwd", "%00"])
def test_what_is_not_shipped_is_not_found(pages: TestClient, path: str) -> None:
    answer = pages.get(f"/static/{path}")

    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("address", ["/", "/docs", "/favicon.ico", "/static/docs.css"])
def test_an_unchanged_page_is_not_sent_again(pages: TestClient, address: str) -> None:
    first = pages.get(address)

    again = pages.get(address, headers={"If-None-Match": first.headers["ETag"]})

    assert first.headers["Cache-Control"] == "no-cache"
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["Content-Security-Policy"] == first.headers["Content-Security-Policy"]
