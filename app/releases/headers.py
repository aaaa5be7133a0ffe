"""What the headers of a public answer say of the releases that it was read from."""

from collections.abc import Iterable

from app.web.answers import PUBLIC, SETTLED

RELEASED = {
    "Release": "Numbers of the releases that the answer was read from, with commas between them",
    "Cache-Control": "How long the answer may be kept without asking again: a minute, since the next release changes "
    "it; an hour if it says what a release says that was asked for by its number",
}
"""The headers, as they are documented."""


def public_headers(releases: Iterable[int], *, named: bool) -> dict[str, str]:
    """The headers of an answer that everybody gets, read from `releases` that were `named`, or are the latest."""
    return {**release_header(releases), "Cache-Control": SETTLED if named else PUBLIC}


def release_header(releases: Iterable[int]) -> dict[str, str]:
    """The header that names `releases`; none if there are none."""
    numbers = ", ".join(map(str, releases))
    return {"Release": numbers} if numbers else {}
