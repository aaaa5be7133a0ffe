"""Rows as lines and back: whatever a text, a moment or a piece of JSON holds, on both databases alike."""

import json
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings as with_settings, strategies as st

from app.archive.rows import Heading, fill, headings, lines
from app.clock import written
from app.database import Database
from app.settings import Settings

# PostgreSQL holds no NUL, and neither holds half a surrogate pair; the service takes in neither.
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
moments = st.datetimes(datetime(1900, 1, 1), datetime(9999, 12, 31)).map(lambda one: one.replace(tzinfo=UTC))  # noqa: DTZ001
numbers = st.integers(-(2**31), 2**31 - 1)
replies = st.lists(
    st.tuples(texts, texts, moments, numbers, st.dictionaries(texts, texts, max_size=3), texts),
    max_size=8,
    unique_by=lambda one: one[0],
)


def told(heading: Heading, rows: list[Any]) -> list[bytes]:
    """The lines of a table, in the order of its rows."""
    written_rows = [json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode() for row in rows]
    return [heading.model_dump_json().encode(), *written_rows]


def test_whatever_is_in_a_row_comes_back_as_it_was_in_the_same_order(database_url: str) -> None:
    database = Database(Settings(database_url=database_url))
    tables = [one for one in headings() if one.table in ("organisations", "remembered_replies")]

    @with_settings(max_examples=60, derandomize=True, deadline=None, database=None)
    @given(replies)
    def come_back(found: list[Any]) -> None:
        ordered = sorted(found, key=lambda one: str(one[0]).encode())
        rows = [[7, key, hash_, written(at), number, kept, body] for key, hash_, at, number, kept, body in ordered]
        expected = [*told(tables[0], [[7, "Kuopio", "2024-05-15T09:00:00.000000Z"]]), *told(tables[1], rows)]
        with database.writing() as db:
            fill(db, expected)
            assert list(lines(db, tables)) == expected
            db.rollback()

    come_back()
    database.dispose()
