"""What the writer knows from turn to turn is what is recorded, whatever was done, undone, lost, or done by another."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings as with_settings, strategies as st
from sqlmodel import Session, select, text

from app.access.keys import holder_of, issue_key, known_key
from app.access.models import Action
from app.access.scope import Caller
from app.database import Database, is_sqlite, take_turn
from app.errors import Problem
from app.places.register import municipalities
from app.practices.definitions import DEFAULT_PRACTICE, SHIPPED_PRACTICE, define_practice
from app.reports import standing as standing_module
from app.reports.doubts import Figures
from app.reports.ledger import Key
from app.reports.plausibility import figure_of
from app.reports.recording import record, retract
from app.reports.sent import Sent, SentCount, SentStatus
from app.reports.standing import Standing, read_standing
from app.reports.tables import Submission
from app.reports.verifying import verify
from app.settings import Settings
from app.turn import Known, Turn
from tests.conftest import StandingClock

PLACES = ("A", "B")
"""In each example others stand for them, of which nothing was recorded before: no row is ever deleted."""

PERIODS = ("2022", "2022-Q1", "2022-02", "2022-03", "2023-02")
DAYS = ("2022-01-01", "2022-02", "2023")

counts = st.builds(
    lambda place, period, sessions, replace: SentCount(place, period, sessions, replace=replace),
    st.sampled_from(PLACES),
    st.sampled_from(PERIODS),
    st.integers(0, 40),
    st.sampled_from((True, True, False)),
)
statuses = st.builds(
    lambda place, day, status: SentStatus(place, day, status),
    st.sampled_from(PLACES),
    st.sampled_from(DAYS),
    st.sampled_from(("pilot", "in_use")),
)
posts = st.builds(Sent, st.lists(counts, min_size=1, max_size=2), st.lists(statuses, max_size=2))


class Fails(Exception):
    """What comes after the recording fails, in the same piece of work."""


@dataclass(frozen=True)
class Piece:
    """A post, or the retraction of the figure that its first row is about; perhaps it fails in the end."""

    sent: Sent
    retracts: bool
    fails: bool


pieces = st.builds(
    Piece, posts, retracts=st.sampled_from((False, False, True)), fails=st.sampled_from((False,) * 4 + (True,))
)
turns = st.tuples(st.integers(0, 1), st.lists(pieces, min_size=1, max_size=4), st.sampled_from((True,) * 4 + (False,)))
"""Which of two writers has the turn, what it does in it, and whether that is committed."""


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(Settings(database_url=database_url))
    yield database
    database.dispose()


@pytest.fixture
def caller(database: Database, clock: StandingClock) -> Caller:
    with database.writing() as db:
        at = take_turn(db, clock)
        secret = issue_key(db, name="k", organisation="o", actions=[Action.REPORT], areas=["country"], at=at)
        found = known_key(db, secret)
    assert found
    caller = holder_of(*found).calling(at)
    assert caller
    return caller


def test_what_is_known_is_what_is_recorded(database: Database, caller: Caller, clock: StandingClock) -> None:
    with database.reading() as db:
        codes = itertools.cycle(sorted(municipalities(db)))

    @with_settings(max_examples=80 if is_sqlite(db) else 10, deadline=None)
    @given(st.lists(turns, min_size=1, max_size=5))
    def is_right(taken: list[tuple[int, list[Piece], bool]]) -> None:
        places = {place: next(codes) for place in PLACES}
        writers = [Known("1"), Known("1")]
        for writer, done, committed in taken:
            _take(database, clock, writers[writer], caller, [_at(places, piece) for piece in done], committed=committed)
            for known in writers:
                _assert_right(database, clock, known)

    is_right()
    with database.reading() as db:
        verify(db)


def test_to_make_room_nothing_is_forgotten_of_what_waits_to_be_written(
    database: Database, caller: Caller, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(standing_module, "MOST_KNOWN", 2)
    known = Known("1")
    done = [Piece(Sent([SentCount(place, "2022-02", 7)]), False, False) for place in ("297", "140", "915", "297")]

    for _ in range(2):
        _take(database, clock, known, caller, done, committed=True)
        _assert_right(database, clock, known)
    _take(database, clock, known, caller, [done[1]], committed=True)
    _assert_right(database, clock, known)

    with database.reading() as db:
        created = [receipt.created for receipt in db.exec(select(Submission).order_by(text("id")))]
    assert created == [1, 1, 1, 0, 0, 0, 0, 0, 0]
    assert set(known.ledger["standing"]) == {(DEFAULT_PRACTICE, "140")}


def test_of_very_many_places_nothing_is_known(
    database: Database, caller: Caller, clock: StandingClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = Known("1")
    one = Piece(Sent([SentCount("297", "2022-02", 7)]), False, False)
    every = Piece(Sent([SentCount(place, "2022-02", 8) for place in ("297", "140", "915")]), False, False)
    _take(database, clock, known, caller, [one], committed=True)
    monkeypatch.setattr(standing_module, "MOST_KNOWN", 2)

    _take(database, clock, known, caller, [every], committed=True)

    _assert_right(database, clock, known)
    assert known.ledger["standing"] == {}


def _at(places: dict[str, str], piece: Piece) -> Piece:
    def moved(one: Any) -> Any:
        return one._replace(municipality=places[one.municipality])

    return replace(piece, sent=Sent([*map(moved, piece.sent.counts)], [*map(moved, piece.sent.statuses)]))


def test_what_stands_of_others_is_not_taken_for_what_was_asked(
    database: Database, caller: Caller, clock: StandingClock
) -> None:
    with database.writing() as db:
        define_practice(db, SHIPPED_PRACTICE.model_copy(update={"slug": "kela"}), at=take_turn(db, clock))

    def about(practice: str, place: str) -> Piece:
        status = SentStatus(place, "2022", "pilot", practice=practice)
        return Piece(Sent([SentCount(place, "2022-02", 7, practice=practice)], [status]), False, False)

    _take(database, clock, Known("1"), caller, [about("kela", "140")], committed=True)
    known = Known("1")

    # Of the two practices and the two places, one that was not asked about is found too.
    _take(database, clock, known, caller, [about("kela", "297"), about(DEFAULT_PRACTICE, "140")], committed=True)

    _assert_right(database, clock, known)
    assert set(known.ledger["standing"]) == {("kela", "297"), (DEFAULT_PRACTICE, "140")}


def _take(
    database: Database, clock: StandingClock, known: Known, caller: Caller, done: list[Piece], *, committed: bool
) -> None:
    """Have a turn, as app.web.turns does."""
    with database.turn(known.look) as (connection, found):
        turn = Turn(connection, found, clock, known)
        read_standing(turn.db, turn.begins, [piece.sent for piece in done if not piece.retracts])
        for piece in done:
            with suppress(Problem, Fails):
                _do(turn, caller, piece)
        if committed:
            turn.keep()


def _do(turn: Turn, caller: Caller, piece: Piece) -> None:
    first = piece.sent.counts[0]
    with turn.piece(alone=False) if piece.retracts else turn.addition() as (db, at):
        if piece.retracts:
            place: Any = {"practice": DEFAULT_PRACTICE, "municipality": first.municipality}
            retract(db, **place, period_or_day=first.period, reason="wrong", by=caller, at=at)
        else:
            record(db, piece.sent, by=caller, at=at)
        if piece.fails:
            raise Fails


def _assert_right(database: Database, clock: StandingClock, known: Known) -> None:
    """What the writer knows when its next turn begins is what there is."""
    with database.turn(known.look) as (connection, found):
        turn = Turn(connection, found, clock, known)
        stands: dict[Key, Standing] = known.ledger.get("standing", {})
        for key, standing in stands.items():
            assert _figures(standing) == _figures(standing_module._read(turn.db, {key})[key])
            anew = Figures(map(figure_of, standing.counts.values()))
            assert standing.figures.all == anew.all
            assert _alike(standing.figures) == _alike(anew)
        if "last" in known.ledger:
            last = known.ledger["last"]
            assert (last.submission, last.count, last.status, last.hash) == _last(turn.db)
        turn.keep()


def _figures(standing: Standing) -> Any:
    counts = {(one.id, one.period, one.first_day, one.counted_to, one.sessions) for one in standing.counts.values()}
    return counts, {(one.id, one.day, one.date_precision, one.status) for one in standing.statuses.values()}


def _alike(figures: Figures) -> Any:
    return {kind: alike.figures for kind, alike in figures._alike.items() if alike.figures}


def _last(db: Session) -> Any:
    numbers = "SELECT " + ", ".join(
        f"(SELECT coalesce(max(id), 0) FROM {table})" for table in ("submissions", "count_entries", "status_entries")
    )
    last_hash = "SELECT hash FROM submissions ORDER BY id DESC LIMIT 1"
    connection = db.connection()
    return (*connection.exec_driver_sql(numbers).one(), connection.exec_driver_sql(last_hash).scalar_one())
