"""The table of years and all that trend.html tells of them."""

from dataclasses import dataclass

from app.pages.overview import Overview
from app.pages.view import View
from app.pages.wording import Wording


@dataclass(frozen=True, slots=True)
class Part:
    """What the template reads."""


def trend_part(words: Wording, shown: Overview, view: View) -> Part:
    """What the template reads."""
    return Part()
