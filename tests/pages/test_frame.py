"""What every page has around it: the header, its languages, and where one is."""

import pytest
from bs4 import BeautifulSoup, Tag
from fastapi.testclient import TestClient

from tests.conftest import Caller
from tests.pages.test_routes import HTML


def header_of(http: TestClient, address: str) -> Tag:
    page = BeautifulSoup(http.get(address, headers=HTML).text, "html.parser")
    header = page.find("header")
    assert isinstance(header, Tag)
    return header


def current(header: Tag) -> list[str]:
    """What is marked as where one is: the language and the page."""
    return [link.get_text() for link in header.select("[aria-current]")]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("fi", ["Tilanne", "Vertaa", "Määritelmät", "Ilmoittajille", "Kehittäjille"]),
        ("sv", ["Läget", "Jämför", "Definitioner", "För dem som rapporterar", "För utvecklare"]),
        ("en", ["Overview", "Compare", "Definitions", "For those who report", "For developers"]),
    ],
)
def test_every_page_has_the_same_header(anyone: Caller, language: str, said: list[str]) -> None:
    pages = ["", "compare", "definitions", "guide", "docs"]

    headers = [header_of(anyone.http, f"/{page}?lang={language}") for page in pages]

    there = [(name, f"./{page}?lang={language}") for name, page in zip(said, pages, strict=True)]
    for header, name in zip(headers, said, strict=True):
        assert [(link.get_text(), link["href"]) for link in header.select("nav.pages a")] == there
        assert current(header) == [{"fi": "Suomeksi", "sv": "På svenska", "en": "In English"}[language], name]


def test_another_language_shows_the_same_view(anyone: Caller) -> None:
    header = header_of(anyone.http, "/?county=13&release=1&sort=-status&lang=fi")

    swedish = header.select_one("a[lang=sv]")

    assert swedish is not None
    assert swedish["href"] == "./?lang=sv&county=13&release=1&sort=-status"
    assert swedish["hreflang"] == "sv"


def test_where_nothing_can_be_shown_no_page_is_marked(anyone: Caller) -> None:
    header = header_of(anyone.http, "/?county=99&lang=en")

    assert current(header) == ["In English"]
