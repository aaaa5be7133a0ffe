"""CSV of everything: the same bytes as one page of it, in pieces that hold nothing between them."""

import asyncio
import csv
import io
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.exc import TimeoutError
from sqlmodel import col, select
from starlette.types import Message
from structlog.testing import capture_logs

from app.database import Database
from app.errors import Unavailable
from app.main import create_app
from app.places.models import MunicipalityRecord
from app.reports import export
from app.settings import Settings
from app.web.admission import Admission
from tests.conftest import Caller, StandingClock, count
from tests.reports.test_lists import define_kela, post_figures

COUNTS, STATUSES = "/v1/session-counts", "/v1/statuses"
HOSTILE = '=cmd|"/c calc", Hyvinkää €\r\n'
"""Words of letters of several bytes, that have to be quoted, doubled, and kept from being a formula."""


@pytest.fixture(autouse=True)
def few_rows_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows in the first piece and three in others, so that small tables come in several."""
    monkeypatch.setattr(export, "FIRST_ROWS", 2)
    monkeypatch.setattr(export, "ROWS_AT_ONCE", 3)


@pytest.fixture
def app(settings: Settings, clock: StandingClock) -> FastAPI:
    """An application in which one request reads at a time, and nobody waits long."""
    app = create_app(settings.model_copy(update={"pool_size": 1}), clock)
    admission: Admission = app.state.admission
    admission.seconds = 2.5
    return app


@pytest.fixture
def reader(app: FastAPI, clock: StandingClock, nation: Caller, new_key: Callable[..., str]) -> Caller:
    """A key for the country over figures of several practices and organisations, with hostile names among them."""
    define_kela(app, clock)
    rename(app, clock, "140", name_fi=HOSTILE, name_sv="-1")
    clock.advance(minutes=1)
    post_figures(nation)
    hostile = Caller(nation.http, new_key("county:13", organisation=HOSTILE))
    hostile.post(
        [count("297", "2023", 7), count("297", "2024-05", 1, through="2024-05-02"), count("420", "2023-Q3", 0)]
    )
    hostile.put(f"{COUNTS}/yhdessa-aika/297/2022-01", {"sessions": 8})
    hostile.delete(f"{COUNTS}/yhdessa-aika/297/2022-12", reason="Wrong")
    return nation


def rename(app: FastAPI, clock: StandingClock, code: str, **names: str) -> None:
    """Give a municipality other names from now on."""
    database: Database = app.state.database
    with database.writing() as db:
        known = db.exec(select(MunicipalityRecord).where(col(MunicipalityRecord.code) == code)).one()
        db.add(MunicipalityRecord(**known.model_dump() | names | {"recorded_at": clock()}))


def test_everything_is_written_as_a_page_of_it_is(reader: Caller) -> None:
    queries: list[dict[str, Any]] = [
        {},
        {"practice": "yhdessa-aika"},
        {"county": "13", "register": "current"},
        {"municipality": ["297", "507"]},
        {"practice": "kela"},
        {"as_of": "2024-05-14"},
    ]
    for path, query in itertools.product((COUNTS, STATUSES), queries):
        in_pieces = reader.get(path, format="csv", **query)
        page = reader.get(path, format="csv", limit=1_000, **query)

        assert in_pieces.content == page.content
        assert in_pieces.headers["Content-Type"] == page.headers["Content-Type"]
        assert in_pieces.headers["Vary"] == page.headers["Vary"]


def test_periods_are_filtered_and_a_cursor_leads_to_the_rest(reader: Caller) -> None:
    for path, more in ((COUNTS, {"from_period": "2022", "to_period": "2023"}), (STATUSES, {})):
        asked: dict[str, Any] = {"format": "csv", **more}
        whole = lines(reader.get(path, limit=1_000, **asked))
        first = reader.get(path, limit=3, **more).json()

        rest = reader.get(path, cursor=first["next"], **asked)

        assert len(whole) > 6
        assert lines(rest) == [whole[0], *whole[4:]]


def test_a_long_answer_has_no_length_and_what_fits_into_a_piece_has_one(reader: Caller) -> None:
    long, short = reader.get(COUNTS, format="csv"), reader.get(COUNTS, format="csv", municipality="140")

    assert "Content-Length" not in long.headers
    assert int(short.headers["Content-Length"]) == len(short.content)


def test_all_pieces_are_of_one_moment(app: FastAPI, clock: StandingClock, reader: Caller) -> None:
    before = reader.get(COUNTS, format="csv").content

    def post() -> None:
        clock.advance(minutes=1)
        reader.put(f"{COUNTS}/yhdessa-aika/588/2022-03", {"sessions": 5})
        reader.put(f"{COUNTS}/yhdessa-aika/588/2022-04", {"sessions": 6})

    content = asyncio.run(taken(app, COUNTS, reader, between=lambda: asyncio.to_thread(post)))

    assert content == before
    assert reader.get(COUNTS, format="csv").content != before


def test_a_long_answer_is_revalidated_and_changes_its_etag_with_its_last_row(reader: Caller) -> None:
    first, again = (reader.get(COUNTS, format="csv").headers["ETag"] for _ in range(2))
    known = reader.http.get(f"{COUNTS}?format=csv", headers={**reader.headers, "If-None-Match": first})
    reader.put(f"{COUNTS}/yhdessa-aika/588/2022-03", {"sessions": 5})
    changed = reader.http.get(f"{COUNTS}?format=csv", headers={**reader.headers, "If-None-Match": first})

    assert first == again
    assert first.startswith('"')
    assert (known.status_code, known.content, known.headers["ETag"]) == (304, b"", first)
    assert known.headers["Cache-Control"] == "private, no-cache"
    assert (changed.status_code, changed.headers["ETag"] == first) == (200, False)


def test_a_long_answer_has_another_etag_where_a_name_is_another(
    app: FastAPI, clock: StandingClock, reader: Caller
) -> None:
    before = reader.get(COUNTS, format="csv").headers["ETag"]

    rename(app, clock, "588", name_sv="Another")

    assert reader.get(COUNTS, format="csv").headers["ETag"] != before


def test_head_tells_the_length_of_a_long_answer(reader: Caller) -> None:
    got = reader.get(STATUSES, format="csv")

    head = reader.http.head(f"{STATUSES}?format=csv", headers={**reader.headers, "Range": "bytes=0-9"})

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == str(len(got.content))
    assert {**head.headers, "content-length": "", "x-request-id": ""} == {
        **got.headers,
        "content-length": "",
        "x-request-id": "",
    }


def test_a_range_of_a_long_answer_is_answered(reader: Caller) -> None:
    whole = reader.get(STATUSES, format="csv")
    for part in (slice(0, 10), slice(150, 400), slice(350, 360), slice(300, None), slice(-7, None)):
        first, last, _ = part.indices(len(whole.content))
        said = f"bytes={part.start}" if part.start < 0 else f"bytes={first}-{'' if part.stop is None else last - 1}"

        answer = reader.http.get(f"{STATUSES}?format=csv", headers={**reader.headers, "Range": said})

        assert answer.status_code == 206
        assert answer.content == whole.content[part]
        assert answer.headers["Content-Range"] == f"bytes {first}-{last - 1}/{len(whole.content)}"
        assert answer.headers["Content-Length"] == str(len(answer.content))
        assert answer.headers["ETag"] == whole.headers["ETag"]


def test_any_other_range_of_a_long_answer_is_answered_whole(reader: Caller) -> None:
    content = reader.get(STATUSES, format="csv").content
    for headers in ({"Range": "bytes=9999999-"}, {"Range": "bytes=0-9", "If-Range": '"another"'}):
        answer = reader.http.get(f"{STATUSES}?format=csv", headers={**reader.headers, **headers})

        assert (answer.status_code, answer.content) == (200, content)


def test_a_client_that_knows_no_chunks_is_told_the_length(app: FastAPI, reader: Caller) -> None:
    content = reader.get(COUNTS, format="csv").content
    said: list[Message] = []

    assert asyncio.run(taken(app, COUNTS, reader, http_version="1.0", said=said)) == content
    assert (b"content-length", str(len(content)).encode()) in said[0]["headers"]


def test_who_takes_an_answer_slowly_keeps_no_place(app: FastAPI, reader: Caller) -> None:
    others: list[bytes] = []

    async def ask_too() -> None:
        others.append(await taken(app, STATUSES, reader))

    whole = asyncio.run(taken(app, COUNTS, reader, between=ask_too))

    assert whole == reader.get(COUNTS, format="csv").content
    assert others == [reader.get(STATUSES, format="csv").content]


def test_nothing_more_is_read_for_who_went_away(app: FastAPI, reader: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = reader.get(COUNTS, format="csv").content

    part = asyncio.run(taken(app, COUNTS, reader, gone_after=2))

    assert whole.startswith(part)
    assert len(part) < len(whole) / 2


def test_a_fault_in_the_midst_never_ends_the_answer(
    app: FastAPI, reader: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Database = app.state.database
    said: list[Message] = []

    async def break_database() -> None:
        monkeypatch.setattr(database, "reading", no_connection)

    # Captured, since writing what is raised with all its frames for people to read takes seconds.
    with capture_logs(), pytest.raises(Unavailable, match="the database did not answer in time"):
        asyncio.run(taken(app, COUNTS, reader, between=break_database, said=said))

    assert said[0]["status"] == 200
    assert all(message["more_body"] for message in said[1:])


def no_connection() -> None:
    raise TimeoutError


def lines(answer: Any) -> list[list[str]]:
    """The lines of a CSV as cells, in which a line may break."""
    return list(csv.reader(io.StringIO(answer.text, newline="")))


async def taken(
    app: FastAPI,
    path: str,
    caller: Caller,
    *,
    between: Callable[[], Awaitable[object]] | None = None,
    gone_after: int | None = None,
    http_version: str = "1.1",
    said: list[Message] | None = None,
) -> bytes:
    """The body of everything as CSV, taken piece by piece.

    `between` is done once the first piece has come; the client goes away after `gone_after` pieces. All that the
    application says is added to `said`.
    """
    said = [] if said is None else said
    pieces: list[bytes] = []
    gone, first = asyncio.Event(), iter([{"type": "http.request", "body": b"", "more_body": False}])

    async def receive() -> Message:
        if (message := next(first, None)) is None:
            await gone.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(message: Message) -> None:
        said.append(message)
        if body := message.get("body"):
            pieces.append(body)
            if between and len(pieces) == 1:
                await between()
            if len(pieces) == gone_after:
                gone.set()
                await asyncio.sleep(0)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": http_version,
        "method": "GET",
        "path": path,
        "query_string": b"format=csv",
        "headers": [(name.lower().encode(), value.encode()) for name, value in caller.headers.items()],
    }
    async with asyncio.timeout(20):
        await app(scope, receive, send)
    return b"".join(pieces)
