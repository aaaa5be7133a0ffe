"""What a page is asked to show, and the addresses that lead from it to others."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from app.pages.language import Language
from app.practices.definitions import DEFAULT_PRACTICE


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One page with all that its address says; addresses are relative, so that they hold behind a path prefix."""

    page: str
    """The path from the root, without a slash; empty for the front page."""
    language: Language
    practice: str = DEFAULT_PRACTICE
    county: str | None = None
    release: int | None = None
    as_of: str | None = None
    sort: str | None = None
    sort_years: str | None = None

    def href(self, page: str | None = None, **changes: Any) -> str:
        """The address of this view with `changes`, or of another `page` about the same."""
        there = replace(self, **changes)
        return _address(self.page if page is None else page, there._query())

    def elsewhere(self, **changes: Any) -> str:
        """The address of this page about something else, whose tables may have other columns to sort by."""
        return self.href(sort=None, sort_years=None, **changes)

    def to(self, page: str, fragment: str = "") -> str:
        """The address of another page in the same language that is not about figures."""
        return _address(page, {"lang": self.language}) + (f"#{fragment}" if fragment else "")

    def trend(self, **more: Any) -> str:
        """The address of the same figures at the API."""
        asked = {"practice": self.practice, "county": self.county, "release": self.release, "as_of": self.as_of}
        return _address("v1/trends", {**asked, **more})

    def api(self, path: str, **asked: Any) -> str:
        """The address of something else at the API."""
        return _address(f"v1/{path}", asked)

    def hidden(self, *without: str) -> dict[str, str]:
        """What a form must carry along so that it changes only what it asks for, the parameters `without`."""
        return {name: str(value) for name, value in self._query().items() if value is not None and name not in without}

    def _query(self) -> dict[str, Any]:
        return {
            "lang": self.language,
            "practice": None if self.practice == DEFAULT_PRACTICE else self.practice,
            "county": self.county,
            "release": self.release,
            "as_of": self.as_of,
            "sort": self.sort,
            "sort_years": self.sort_years,
        }


def _address(page: str, query: dict[str, Any]) -> str:
    said = urlencode({name: value for name, value in query.items() if value is not None}, doseq=True)
    return f"./{page}?{said}" if said else f"./{page}"
