"""The pages in a real browser: Swagger UI works under the strict policy and asks nobody else."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import ConsoleMessage, Locator, Page, Request, expect, sync_playwright

pytestmark = pytest.mark.browser

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


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    assert found, "the browser tests need chromium; on Debian: apt-get install chromium"
    return found


@pytest.fixture
def watched(chromium: str) -> Iterator[Watched]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 1000})
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
        browser.close()


def test_swagger_ui_shows_the_contract_without_a_word_to_anybody_else(watched: Watched, server_url: str) -> None:
    watched.page.goto(f"{server_url}/docs")

    expect(watched.page.locator(".swagger-ui .info .title")).to_be_visible()
    expect(_call(watched.page, "get", "/v1/trends")).to_be_visible()
    assert f"{server_url}/openapi.json" in watched.addresses
    assert watched.problems(server_url) == []


def test_a_developer_authorises_and_tries_a_call_out(watched: Watched, server_url: str, reporting_key: str) -> None:
    watched.page.goto(f"{server_url}/docs")

    _authorise(watched.page, reporting_key)
    answer = _execute(_call(watched.page, "get", "/v1/key"))

    expect(answer.locator(".response-col_status")).to_contain_text("200")
    expect(answer).to_contain_text("Request duration")
    assert watched.problems(server_url) == []


def test_a_developer_posts_the_example_as_it_stands(watched: Watched, server_url: str, reporting_key: str) -> None:
    watched.page.goto(f"{server_url}/docs")

    _authorise(watched.page, reporting_key)
    call = _call(watched.page, "post", "/v1/submissions")
    answer = _execute(call)
    posted = json.loads(call.locator("textarea.body-param__text").input_value())

    assert posted["counts"]
    expect(answer.locator(".response-col_status")).to_contain_text("201")
    assert watched.problems(server_url) == []


def test_the_key_is_still_there_after_a_reload(watched: Watched, server_url: str, reporting_key: str) -> None:
    watched.page.goto(f"{server_url}/docs")
    _authorise(watched.page, reporting_key)

    watched.page.reload()
    answer = _execute(_call(watched.page, "get", "/v1/key"))

    expect(answer.locator(".response-col_status")).to_contain_text("200")


@pytest.mark.parametrize("language", ["fi", "sv", "en"])
def test_the_front_page_leads_to_swagger_ui(watched: Watched, server_url: str, language: str) -> None:
    watched.page.goto(f"{server_url}/?lang={language}")

    assert watched.problems(server_url) == []
    watched.page.get_by_role("link", name="Swagger UI").click()
    expect(watched.page.locator(".swagger-ui .info .title")).to_be_visible()


def _call(page: Page, method: str, path: str) -> Locator:
    """The block of one call in the list."""
    return page.locator(f".opblock-{method}").filter(has=page.locator(f'[data-path="{path}"]'))


def _authorise(page: Page, key: str) -> None:
    """Give `key` as a bearer token in the dialog behind the Authorize button."""
    page.locator(".auth-wrapper .btn.authorize").click()
    dialog = page.locator(".dialog-ux")
    bearer = dialog.locator(".auth-container").filter(has_text="(http, Bearer)")
    bearer.get_by_label("auth-bearer-value").fill(key)
    bearer.get_by_role("button", name="Apply credentials").click()
    expect(bearer.get_by_role("button", name="Remove authorization")).to_be_visible()
    bearer.get_by_role("button", name="Close").click()
    expect(dialog).to_have_count(0)


def _execute(call: Locator) -> Locator:
    """Open `call`, execute it as it is filled in, and give the block that shows the server's answer."""
    call.locator(".opblock-summary-control").click()
    call.locator("button.execute").click()
    answer = call.locator(".live-responses-table .response")
    expect(answer).to_be_visible()
    return answer
