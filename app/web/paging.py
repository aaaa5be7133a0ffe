"""How long lists are answered a page at a time: how many rows, and the address of the next page."""

from typing import Annotated

from fastapi import Query, Request

DEFAULT_ROWS = 1_000
MOST_ROWS = 10_000

Limit = Annotated[
    int | None,
    Query(
        ge=1,
        le=MOST_ROWS,
        description=f"Rows of a page; {DEFAULT_ROWS} in JSON, all in CSV if left out",
        examples=[100],
    ),
]


def next_page(request: Request, cursor: str | None) -> str | None:
    """The address of the page that begins at `cursor`; None on the last page."""
    if cursor is None:
        return None
    return f"{request.url.path}?{request.url.include_query_params(cursor=cursor).query}"
