"""The style sheet keeps what it promises: contrasts in light and dark, roles instead of colours, nothing that moves."""

import colorsys
import re
from collections.abc import Iterator

import pytest

from tests.pages.test_routes import STATIC

SHEET = re.sub(r"/\*.*?\*/", "", (STATIC / "page.css").read_text(encoding="utf-8"), flags=re.DOTALL)

TEXT = ("--text", "--muted", "--link", "--brand")
DRAWN = ("--edge", "--focus", "--in-use", "--pilot", "--planned", "--paused", "--ended", "--whole", "--accent")


def declared(within: str) -> dict[str, str]:
    """What the variables are set to in the :root blocks of a part of the sheet, the last one counting."""
    blocks = re.findall(r":root\s*{([^}]*)}", within)
    return {name: value.strip() for block in blocks for name, value in re.findall(r"(--[\w-]+):([^;]*);", block)}


def of_scheme(scheme: str) -> dict[str, str]:
    """What the variables are set to on a light or a dark screen."""
    plain, dark = SHEET.split("@media screen and (prefers-color-scheme: dark)", 1)
    return declared(plain) | (declared(dark.split("@media print", 1)[0]) if scheme == "dark" else {})


def luminance(name: str, variables: dict[str, str]) -> float:
    """The relative luminance of a colour (WCAG 2.2)."""
    value = variables[name]
    if found := re.fullmatch(r"var\((--[\w-]+)\)", value):
        return luminance(found[1], variables)
    hue, saturation, lightness = map(float, re.findall(r"[\d.]+", value))
    channels = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation / 100)
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def pairs() -> Iterator[tuple[str, str, float]]:
    """What stands on what, and the contrast that it needs there (WCAG 2.2, 1.4.3 and 1.4.11)."""
    for surface in ("--surface", "--raised"):
        yield from ((name, surface, 4.5) for name in TEXT)
        yield from ((name, surface, 3) for name in DRAWN)
    yield from (("--text", surface, 4.5) for surface in ("--chosen", "--warning-surface"))
    yield from (("--link", surface, 4.5) for surface in ("--chosen", "--warning-surface"))
    yield "--on-accent", "--accent", 4.5
    yield "--warning", "--warning-surface", 3
    yield "--in-use", "--pilot", 3


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everything_stands_out_from_what_it_stands_on(scheme: str) -> None:
    variables = of_scheme(scheme)

    def contrast(name: str, surface: str) -> float:
        darker, lighter = sorted((luminance(name, variables), luminance(surface, variables)))
        return (lighter + 0.05) / (darker + 0.05)

    too_weak = [pair for pair in pairs() if contrast(pair[0], pair[1]) < pair[2]]

    assert too_weak == []


def test_black_on_white_has_the_greatest_contrast() -> None:
    variables = {"--black": "hsl(0 0% 0%)", "--white": "hsl(0 0% 100%)", "--same": "var(--white)"}

    assert (luminance("--same", variables) + 0.05) / (luminance("--black", variables) + 0.05) == pytest.approx(21)


def test_every_rule_asks_for_a_role_that_there_is_and_for_no_colour() -> None:
    rules = re.sub(r":root\s*{[^}]*}", "", SHEET)

    assert set(re.findall(r"var\((--[\w-]+)", SHEET)) <= declared(SHEET).keys()
    assert re.findall(r"#[0-9a-f]{3,8}\b(?=[^{}]*;)|\b(?:rgb|hsl|oklch)a?\(", rules) == []


def test_nothing_moves_and_nothing_is_fetched() -> None:
    assert re.findall(r"transition|animation|scroll-behavior|@import|url\(", SHEET) == []
