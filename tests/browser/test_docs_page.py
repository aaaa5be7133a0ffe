"""The pages in a real browser: Swagger UI works under the strict policy and asks nobody else."""

import json

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Watched

pytestmark = pytest.mark.browser


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


def test_every_page_leads_to_swagger_ui_and_back(watched: Watched, server_url: str) -> None:
    watched.page.goto(f"{server_url}/guide?lang=sv")

    watched.page.locator("header a[href*='docs?']").click()
    expect(watched.page.locator(".swagger-ui .info .title")).to_be_visible()
    heading = watched.page.locator("main > h1").inner_text()
    watched.page.locator("header a[aria-current='page']").click()
    watched.page.locator("header .product a").click()

    assert heading == "För utvecklare"
    expect(watched.page).to_have_url(f"{server_url}/?lang=sv")
    assert watched.problems(server_url) == []


def test_the_sheet_of_our_pages_changes_nothing_inside_swagger_ui(watched: Watched, server_url: str) -> None:
    page = watched.page
    ours = _looks(page, server_url)
    page.route("**/page.css", lambda route: route.fulfill(body="", content_type="text/css"))

    alone = _looks(page, server_url)

    assert len(ours) > 500
    assert ours == alone


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


def _looks(page: Page, server_url: str) -> list[str]:
    """What Swagger UI looks like, element by element, with one call opened."""
    page.goto(f"{server_url}/docs")
    _call(page, "post", "/v1/submissions").locator(".opblock-summary-control").click()
    expect(page.locator("button.execute")).to_be_visible()
    looks: list[str] = page.evaluate(
        """() => [...document.querySelectorAll("#swagger-ui *")].map(element => {
          const look = getComputedStyle(element);
          const told = ["display", "color", "backgroundColor", "fontSize", "fontWeight", "lineHeight", "fontFamily",
            "textAlign", "textDecorationLine", "minHeight", "maxWidth", "margin", "padding", "border", "overflow"];
          return [element.tagName, ...told.map(name => look[name])].join(" ");
        })"""
    )
    return looks
