"""What compare.html sets side by side."""

from dataclasses import dataclass

from app.pages.overview import Overview
from app.pages.view import View
from app.pages.wording import Wording


@dataclass(frozen=True, slots=True)
class Part:
    """What the template reads."""


def compare_part(words: Wording, shown: Overview, view: View) -> Part:
    """What the template reads."""
    return Part()
