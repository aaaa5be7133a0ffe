"""What about.html tells of where the figures come from."""

from dataclasses import dataclass

from app.pages.overview import Overview
from app.pages.view import View
from app.pages.wording import Wording


@dataclass(frozen=True, slots=True)
class Part:
    """What the template reads."""


def about_part(words: Wording, shown: Overview, view: View) -> Part:
    """What the template reads."""
    return Part()
