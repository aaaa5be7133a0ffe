"""What axe says of every page, in every language, at every size and in any light; and that nothing is cut."""

from collections.abc import Sequence
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import ADDRESSES, Watched

pytestmark = pytest.mark.browser

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]

Sight = tuple[int, int, Literal["light", "dark"]]

# A screen of 1280 by 1024 zoomed to 200 % shows what one of 640 by 512 does. With the others every size is looked at in
# light and in dark.
SIGHTS: dict[str, Sight] = {"fi": (1280, 1024, "light"), "sv": (320, 640, "dark"), "en": (640, 512, "light")}
OTHER_SIGHTS: dict[str, Sight] = {"fi": (640, 512, "dark"), "sv": (1280, 1024, "dark"), "en": (320, 640, "light")}


@pytest.mark.parametrize(
    "sights", [SIGHTS, pytest.param(OTHER_SIGHTS, marks=pytest.mark.exhaustive)], ids=["sights", "other sights"]
)
@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_axe_finds_nothing_and_nothing_is_cut(
    watched: Watched, country_url: str, address: str, sights: dict[str, Sight]
) -> None:
    found = {
        language: _found(watched.page, f"{country_url}{address}&lang={language}", [sight])
        for language, sight in sights.items()
    }

    assert found == {"fi": [], "sv": [], "en": []}
    # The browser tells of every answer that is an error, also where we asked for one.
    assert [said for said in watched.problems(country_url) if "status of 422" not in said] == []


def test_axe_finds_nothing_around_swagger_ui(watched: Watched, server_url: str) -> None:
    # Swagger UI is not ours to mend, and its faults stand in the accessibility statement; it has a main of its own.
    found = _found(
        watched.page,
        f"{server_url}/docs?lang=sv",
        [SIGHTS["sv"], OTHER_SIGHTS["sv"]],
        wait_for=".swagger-ui .info .title",
        context={"exclude": [["#swagger-ui"]]},
        rules={"landmark-no-duplicate-main": {"enabled": False}},
    )

    assert found == []


def test_with_styles_off_a_page_says_the_same_in_the_same_order(watched: Watched, country_url: str) -> None:
    said = []
    for blocked in (False, True):
        if blocked:
            watched.page.route("**/*.css", lambda route: route.fulfill(body="", content_type="text/css"))
        for address in ("/?county=13", "/compare?county=13&county=12", "/definitions?"):
            watched.page.goto(f"{country_url}{address}&lang=fi")
            said.append(watched.page.locator("body").inner_text().split())

    assert min(map(len, said)) > 200
    assert said[:3] == said[3:]


def test_what_is_wrong_is_found(watched: Watched, country_url: str) -> None:
    def spoil(route: Any) -> None:
        css = "h1 { min-width: 50rem } label { color: #ccc }" if route.request.url.endswith(".css") else None
        page = None if css else route.fetch().text().replace('<main id="content">', "<div>")
        route.fulfill(body=css or page, content_type="text/css" if css else "text/html")

    watched.page.route("**/*", spoil)

    found = _found(watched.page, f"{country_url}/?county=13&lang=en", [(320, 640, "light")])

    assert {complaint.split(" ")[0] for complaint in found} >= {"color-contrast:", "region:", "the"}


def _found(
    page: Page, address: str, sights: Sequence[Sight], *, wait_for: str = "h1", context: Any = None, rules: Any = None
) -> list[str]:
    """What axe finds at the address, and where the page would have to be scrolled sideways."""
    page.goto(address)
    expect(page.locator(wait_for)).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    page.evaluate(Axe().axe_script)
    options = {"runOnly": WCAG, "rules": rules or {}, "resultTypes": ["violations"]}
    found = []
    for width, height, scheme in sights:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        answer = page.evaluate("([context, options]) => axe.run(context ?? document, options)", [context, options])
        found += [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in answer["violations"]]
        wide = page.evaluate("document.documentElement.scrollWidth")
        found += [f"the page is {wide} wide"] if wide > width else []
    return found
