"""That whoever has a keyboard and no mouse gets everywhere, and always sees where."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Watched

pytestmark = pytest.mark.browser

# Everything that Tab has to reach, in its order, what can be unfolded being open.
STOPS = """() => {
  document.querySelectorAll("details").forEach(details => { details.open = true; });
  const kinds = "a[href], button, select, summary, input:not([type=hidden]), [tabindex='0']";
  window.stops = [...document.querySelectorAll(kinds)].filter(element => element.checkVisibility());
  return window.stops.length;
}"""

# Which of the stops has the focus, what it is, and what is wrong with how it is seen. A shape of the map fills only a
# part of its box, so that there nobody can say what covers it.
FOCUSED = """() => {
  const element = document.activeElement;
  const box = element.getClientRects()[0] ?? element.getBoundingClientRect();
  const look = getComputedStyle(element);
  const [x, y] = [box.x + Math.min(box.width, 8) / 2, box.y + Math.min(box.height, innerHeight - box.y) / 2];
  const top = document.elementFromPoint(x, y);
  const wrong = [];
  if (look.outlineStyle === "none" || parseFloat(look.outlineWidth) < 2) wrong.push("has no outline");
  if (box.bottom <= 0 || box.top >= innerHeight || box.right <= 0 || box.left >= innerWidth) wrong.push("out of sight");
  if (!element.closest("svg") && !element.contains(top)) wrong.push(`covered by ${top?.outerHTML.slice(0, 80)}`);
  const kind = `${element.tagName} in ${element.closest("svg, table, form, nav, body").tagName}`;
  return [window.stops.indexOf(element), kind, wrong.map(what => `${element.outerHTML.slice(0, 120)} ${what}`)];
}"""


@pytest.mark.parametrize("width", [1280, 320])
@pytest.mark.parametrize("address", ["/?county=13", "/?", "/compare?county=13&county=12", "/guide?"])
def test_tab_goes_through_everything_in_its_order(watched: Watched, country_url: str, address: str, width: int) -> None:
    watched.page.set_viewport_size({"width": width, "height": 800})
    watched.page.goto(f"{country_url}{address}&lang=sv")
    stops = watched.page.evaluate(STOPS)

    reached, wrong = _walk(watched.page, stops)

    assert stops > 10
    assert reached == list(range(stops))
    assert wrong == []


def test_the_focus_is_seen_on_every_kind_of_thing(watched: Watched, country_url: str) -> None:
    watched.page.set_viewport_size({"width": 1280, "height": 800})
    watched.page.goto(f"{country_url}/?county=13&lang=fi")
    stops = watched.page.evaluate(STOPS)
    unseen, kinds = [], set()

    for _ in range(stops):
        watched.page.keyboard.press("Tab")
        _, kind, _ = watched.page.evaluate(FOCUSED)
        if kind not in kinds:
            kinds.add(kind)
            focused = watched.page.screenshot()
            unseen += [] if focused != _without_focus(watched.page) else [kind]

    assert {"A in BODY", "A in NAV", "a in svg", "A in TABLE", "SELECT in FORM", "BUTTON in FORM"} <= kinds
    assert unseen == []


def test_the_first_stop_skips_to_the_content(watched: Watched, country_url: str) -> None:
    watched.page.goto(f"{country_url}/?county=13&lang=en")
    skip = watched.page.get_by_role("link", name="Skip to the content")

    watched.page.keyboard.press("Tab")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport(ratio=1)
    watched.page.keyboard.press("Enter")
    watched.page.keyboard.press("Tab")

    assert watched.page.evaluate("document.querySelector('main').contains(document.activeElement)")
    assert watched.page.url.endswith("#content")


def test_another_county_is_asked_for_by_keyboard(watched: Watched, country_url: str) -> None:
    watched.page.goto(f"{country_url}/?lang=fi")

    while watched.page.evaluate("document.activeElement.name") != "county":
        watched.page.keyboard.press("Tab")
    watched.page.keyboard.type("Pohjois-Savo")
    watched.page.keyboard.press("Tab")
    watched.page.keyboard.press("Enter")

    expect(watched.page.locator("h1")).to_contain_text("Pohjois-Savon hyvinvointialue")
    assert "county=13" in watched.page.url


def _walk(page: Page, stops: int) -> tuple[list[int], list[str]]:
    """The stops that Tab reaches one after the other, and what is wrong with how they are seen."""
    reached, wrong = [], []
    for _ in range(stops):
        page.keyboard.press("Tab")
        stop, _, complaints = page.evaluate(FOCUSED)
        reached.append(stop)
        wrong += complaints
    return reached, wrong


def _without_focus(page: Page) -> bytes:
    """What the same stretch of the page looks like while nothing has the focus."""
    page.evaluate("window.focused = document.activeElement; window.focused.blur()")
    seen = page.screenshot()
    page.evaluate("window.focused.focus({preventScroll: true})")
    return seen
