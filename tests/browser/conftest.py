"""Chromium, what goes wrong in it, and a country to look at."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from app.main import create_app
from app.settings import Settings
from tests.conftest import NOW, UNHURRIED, StandingClock, running_server, sqlite_copy
from tests.pages.country import fill

# As root in a container there is no sandbox; the rest keeps Chromium from calling home.
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

RECORD_VIOLATIONS = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", ({violatedDirective, blockedURI, sourceFile}) => {
      window.violations.push(`${violatedDirective} refused ${blockedURI} in ${sourceFile}`);
    });
"""

LANGUAGES = ("fi", "sv", "en")

ADDRESSES = {
    "country": "/?",
    "county with everything": "/?county=13",
    "county that withholds its total": "/?county=12",
    "county with nothing to count": "/?county=18",
    "county that published nothing": "/?county=21",
    "one municipality": "/?county=90",
    "imported release": "/?county=13&release=1",
    "practice that is not counted": "/?practice=ohjaus-ja-neuvonta&county=13",
    "before anything was said": "/?as_of=2020-01-01",
    "compare": "/compare?county=13&county=12&county=18",
    "compare what": "/compare?",
    "definitions": "/definitions?",
    "guide": "/guide?",
    "accessibility": "/accessibility?",
    "no such county": "/?county=99",
}
"""Every page and every state of the front page, by what it shows; `&lang=` goes behind."""


@dataclass
class Watched:
    """A browser page, with what went wrong on it and every address it asked for."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)

    def problems(self, server_url: str) -> list[str]:
        """What the browser complained of, refused by policy, or asked of another server than `server_url`."""
        outside = [a for a in self.addresses if not a.startswith((f"{server_url}/", "data:", "blob:"))]
        violations: list[str] = self.page.evaluate("window.violations")
        return [*self.complaints, *violations, *outside]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "the browser tests need chromium; on Debian: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page of a browser that knows nothing yet."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(15_000)
    page.add_init_script(RECORD_VIOLATIONS)
    watched = Watched(page)

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            watched.complaints.append(f"{message.type}: {message.text}")

    def on_request(request: Request) -> None:
        watched.addresses.append(request.url)

    page.on("console", on_console)
    page.on("request", on_request)
    page.on("pageerror", lambda error: watched.complaints.append(f"error: {error}"))
    yield watched
    context.close()


@pytest.fixture(scope="session")
def country_url(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a real server process on a country that has reported and published."""
    database_url = sqlite_copy(migrated_sqlite, tmp_path_factory.mktemp("country"))
    clock = StandingClock(NOW)
    fill(create_app(Settings(database_url=database_url, **UNHURRIED), clock), clock)
    with running_server(database_url) as url:
        yield url
