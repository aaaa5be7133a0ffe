"""`audit verify`: every stored row that was edited, deleted, inserted or swapped is found, and the place is named."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select as select
from starlette.testclient import TestClient

from app.access.audit import line_hash
from app.access.keys import revoke_key
from app.access.models import AuditLine
from app.database import Base, Database, StillRead, take_turn
from app.reports.models import ListName
from app.reports.notes import UnknownNote, redact
from app.reports.submissions import content_hash
from app.reports.tables import CountEntry, StatusEntry, Submission
from app.reports.verifying import Altered, Verified, verify
from app.settings import Settings
from tests.conftest import Caller, StandingClock, count, status
from tests.reports.stored import stored

PROVED = ("submissions", "count_entries", "status_entries", "notes", "audit_lines")
COUNTS = "/v1/session-counts/yhdessa-aika"
EMPTY = "0" * 64

Row = tuple[dict[str, Any], list[Any]]
Change = Callable[[Connection], Any]


@pytest.fixture
def archive(app: FastAPI, http: TestClient, clock: StandingClock, kuopio: Caller, north_savo: Caller) -> Database:
    """Six receipts, two of them without entries; notes, one of them redacted; refusals. Nobody is connected to it."""
    kuopio.post(
        [count("297", "2022-01", 7, note="Äyskäri"), count("297", "2022-02", 2, through="2022-02-15")],
        [status("297", "2022", "pilot", note="to be erased")],
    )
    clock.advance(hours=1, microseconds=5)
    kuopio.post([count("297", "2022-01", 7)])
    kuopio.post([count("140", "2022-01", 7)])
    north_savo.post([count("297", "2022", 41, replace=True)], [status("140", "2022-03-15", "in_use", note="board")])
    clock.advance(days=1)
    http.post("/v1/submissions/3/retraction", json={"reason": "Not ours"}, headers=north_savo.headers)
    kuopio.put(f"{COUNTS}/297/2022-01", {"sessions": -1})
    kuopio.put(f"{COUNTS}/297/2022-01", {"sessions": 8, "note": "one was missing"})
    kuopio.post([count("297", "2022-01", 8)])
    database: Database = app.state.database
    with database.writing() as db:
        at = take_turn(db, clock)
        redact(db, "statuses", 1, at=at)
        revoke_key(db, str(kuopio.key).split("_")[1], at=at)
    database.dispose()
    return database


@pytest.fixture
def forger(archive: Database) -> Iterator["Forger"]:
    """Whoever can write into the files or is the superuser: no trigger or key stops them."""
    forger = Forger(archive)
    yield forger
    forger.engine.dispose()


class Forger:
    """Changes the archive behind the application's back, and asks what is found."""

    def __init__(self, archive: Database) -> None:
        self.archive = archive
        url = Settings(database_url=archive.settings.database_url).database_url
        self.engine: Engine = create_engine(url)
        self.sqlite = self.engine.dialect.name == "sqlite"
        with self.engine.begin() as connection:
            if self.sqlite:
                triggers = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars()
                for trigger in triggers.all():
                    connection.execute(text(f"DROP TRIGGER {trigger}"))
            else:
                for table in PROVED:
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
                found = connection.execute(
                    text(
                        "SELECT conrelid::regclass, conname FROM pg_constraint WHERE contype IN ('f', 'c', 'u')"
                        f" AND conrelid::regclass::text IN {PROVED} ORDER BY contype DESC"
                    )
                )
                for table, constraint in found.all():
                    connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {constraint}"))

    @contextmanager
    def forging(self) -> Iterator[Connection]:
        """A connection whose changes are seen by `found` and undone afterwards."""
        with self.engine.connect() as connection:
            if self.sqlite:
                connection.exec_driver_sql("PRAGMA ignore_check_constraints = ON")
                connection.rollback()
            yield connection
            connection.rollback()

    def rows(self, table: str) -> list[Row]:
        """Every row of a table, as columns by name, with the condition that it is this one."""
        declared = Base.metadata.tables[table]
        with self.forging() as connection:
            return [
                (row, [column == row[column.name] for column in declared.primary_key])
                for row in rows_of(connection, table)
            ]

    def found(self, change: Change, heads: Sequence[str] = ()) -> str:
        """What is found after `change`, which is undone then."""
        with self.forging() as connection:
            change(connection)
            return found_by(connection, heads)

    def found_or_impossible(self, change: Change) -> str:
        """The same, unless the database refuses the change."""
        try:
            return self.found(change)
        except DBAPIError:
            return "impossible"


def found_by(connection: Connection, heads: Sequence[str] = ()) -> str:
    """What `verify` says of the database as `connection` sees it."""
    with Session(connection, expire_on_commit=False) as db:
        try:
            verify(db, heads=heads)
        except Altered as altered:
            return str(altered)
    return "nothing"


def sql(statement: str, **values: Any) -> Change:
    """The change that `statement` makes."""
    return lambda connection: connection.execute(text(statement), values)


def rows_of(connection: Connection, table: str) -> list[dict[str, Any]]:
    declared = Base.metadata.tables[table]
    return [dict(row._mapping) for row in connection.execute(declared.select().order_by(*declared.primary_key))]


def places(table: str, row: dict[str, Any]) -> set[str]:
    """The words by which a message may name `row`."""
    if table == "notes":
        return {f"the note beside entry {row['entry']} of {row['list']} "}
    number = row["submission_id"] if table.endswith("_entries") else row["id"]
    kind = "line" if table == "audit_lines" else "receipt"
    return {f"{kind} {number} ", f"{kind} {number}, ", f"entries of {kind} {number}, "}


def another(value: Any, kind: type) -> Any:
    """Something else of the same kind as `value`."""
    if isinstance(value, datetime):
        return value + timedelta(microseconds=7)
    if isinstance(value, date):
        return value + timedelta(days=1)
    if isinstance(value, int) or kind is int:
        return (value or 0) + 1000
    return value[:-1] + chr(ord(value[-1]) ^ 1) if value else "a"


def test_an_archive_that_nobody_touched_is_whole(archive: Database, app: FastAPI) -> None:
    with archive.reading() as db:
        found = verify(db)

    receipts, lines = stored(app, "submissions"), stored(app, "audit_lines")
    assert found == Verified(
        receipts=6, entries=12, lines=len(lines), receipts_head=receipts[-1]["hash"], lines_head=lines[-1]["hash"]
    )
    assert [line["kind"] for line in lines] == [
        "key_created",
        "key_created",
        "refused",
        "refused",
        "note_redacted",
        "key_revoked",
    ]


def test_an_archive_without_receipts_and_lines_is_whole(settings: Settings) -> None:
    database = Database(settings)

    with database.reading() as db:
        found = verify(db, heads=[EMPTY])

    database.dispose()
    assert found == Verified(0, 0, 0, EMPTY, EMPTY)


def test_an_edit_of_any_column_of_any_row_is_found_and_the_place_is_named(forger: Forger) -> None:
    unnoticed, misnamed = [], []
    for table in PROVED:
        for row, is_row in forger.rows(table):
            for column in Base.metadata.tables[table].columns:
                edited = {**row, column.name: another(row[column.name], column.type.python_type)}
                change = update(table, is_row, {column.name: edited[column.name]})
                found = forger.found(change)
                if found == "nothing":
                    unnoticed.append((table, row, column.name))
                elif not any(place in f"{found} " for place in places(table, row) | places(table, edited)):
                    misnamed.append((table, row, column.name, found))

    assert (unnoticed, misnamed) == ([], [])


def test_a_row_that_was_deleted_is_found_and_the_place_is_named(forger: Forger) -> None:
    entry_gone = "receipt {submission_id}, or an entry of it, was altered, deleted or added"
    says = {
        "submissions": "receipt {id} is missing",
        "count_entries": entry_gone,
        "status_entries": entry_gone,
        "notes": "the note beside entry {entry} of {list} is gone, and nobody redacted it",
        "audit_lines": "line {id} of the audit log is missing",
    }

    found = {table: [forger.found(delete(table, is_row)) for _, is_row in forger.rows(table)] for table in PROVED}

    expected = {table: [says[table].format_map(row) for row, _ in forger.rows(table)] for table in PROVED}
    for table in ("submissions", "audit_lines"):
        # Nothing is left that tells of the last one: for that is --head.
        expected[table][-1] = "nothing"
    assert found == expected


def test_the_last_receipt_is_missed_if_its_entries_are_left(forger: Forger) -> None:
    found = forger.found(sql("DELETE FROM submissions WHERE id > 4"))

    assert found == "there are entries of receipt 5, but no such receipt"


def test_a_row_that_was_inserted_is_found_and_the_place_is_named(forger: Forger) -> None:
    last = {table: forger.rows(table)[-1][0] for table in PROVED}
    altered = "receipt {}, or an entry of it, was altered, deleted or added"

    found = [
        forger.found(insert("submissions", last["submissions"] | {"id": 7, "recorded_at": datetime.now(UTC)})),
        forger.found(insert("submissions", last["submissions"] | {"id": 0, "recorded_at": datetime.now(UTC)})),
        forger.found(insert("count_entries", last["count_entries"] | {"id": 99})),
        forger.found(insert("count_entries", last["count_entries"] | {"id": 99, "submission_id": 2})),
        forger.found(insert("status_entries", last["status_entries"] | {"id": 99, "submission_id": 1})),
        forger.found(insert("status_entries", last["status_entries"] | {"id": 99, "submission_id": 0})),
        forger.found(insert("status_entries", last["status_entries"] | {"id": 99, "submission_id": 7})),
        forger.found(insert("audit_lines", last["audit_lines"] | {"id": 7})),
        forger.found(insert("audit_lines", last["audit_lines"] | {"id": 0})),
        forger.found(insert("notes", last["notes"] | {"list": "counts", "entry": 2})),
        forger.found(insert("notes", last["notes"] | {"list": "counts", "entry": 99})),
        forger.found(insert("notes", last["notes"] | {"list": "releases", "entry": 1})),
    ]

    assert found == [
        "receipt 7 does not follow receipt 6, or what says so was altered",
        "receipt 1 is missing",
        altered.format(5),
        altered.format(2),
        altered.format(1),
        "there are entries of receipt 0, but no such receipt",
        "there are entries of receipt 7, but no such receipt",
        "line 7 of the audit log does not follow line 6",
        "line 1 of the audit log is missing",
        "the note beside entry 2 of counts is not the one it was recorded with",
        "the note beside entry 99 of counts is not the one it was recorded with",
        "there is a note beside entry 1 of 'releases', but no such list",
    ]


def test_two_rows_that_were_swapped_are_found_and_the_place_is_named(forger: Forger) -> None:
    unnoticed, misnamed = [], []
    for table in PROVED:
        for (row, is_row), (other, is_other) in pairwise(forger.rows(table)):
            key = [column.name for column in Base.metadata.tables[table].primary_key]
            found = forger.found(swap(table, (row, is_row), (other, is_other), key))
            if found == "nothing":
                unnoticed.append((table, row, other))
            elif not any(place in f"{found} " for place in places(table, row) | places(table, other)):
                misnamed.append((table, row, other, found))

    assert (unnoticed, misnamed) == ([], [])


@pytest.mark.parametrize("table", ["submissions", "count_entries", "status_entries", "audit_lines"])
def test_what_is_not_of_the_kind_of_its_column_was_altered(forger: Forger, table: str) -> None:
    columns = [column.name for column in Base.metadata.tables[table].columns if not column.primary_key]

    found = {
        (name, value): forger.found_or_impossible(sql(f"UPDATE {table} SET {name} = :value WHERE id = 2", value=value))
        for name in columns
        for value in ("garbage", b"\xff", 1000.5)
    }

    assert {place: said for place, said in found.items() if said == "nothing"} == {}
    # PostgreSQL takes none of it into a column that is not text, SQLite all of it.
    assert ("impossible" in found.values()) != forger.sqlite
    assert any(said.endswith("of the audit log on cannot be read") for said in found.values()) == forger.sqlite


def test_a_forger_who_computes_every_hash_anew_is_found_by_a_head_kept_elsewhere(forger: Forger) -> None:
    with forger.forging() as connection:
        kept = [rows_of(connection, table)[-1]["hash"] for table in ("submissions", "audit_lines")]

    def forge(connection: Connection) -> None:
        connection.execute(text("UPDATE count_entries SET sessions = 8 WHERE id = 1"))
        connection.execute(text("UPDATE audit_lines SET detail = '{}' WHERE id = 3"))
        compute_hashes_anew(connection)

    unseen, seen = forger.found(forge), [forger.found(forge, [head]) for head in kept]
    both = forger.found(forge, kept)

    assert unseen == "nothing"
    assert seen == [f"no receipt and no line has the hash {head}: the end was cut off" for head in kept]
    assert both == f"no receipt and no line has the hash {', '.join(sorted(kept))}: the end was cut off"


def test_an_end_that_was_cut_off_is_found_by_a_head_kept_elsewhere(forger: Forger) -> None:
    with forger.forging() as connection:
        receipts, lines = [rows_of(connection, table) for table in ("submissions", "audit_lines")]

    def cut(connection: Connection) -> None:
        connection.execute(text("DELETE FROM notes WHERE list = 'counts' AND entry >= 9"))
        for table in ("count_entries", "status_entries"):
            connection.execute(text(f"DELETE FROM {table} WHERE submission_id >= 5"))
        connection.execute(text("DELETE FROM submissions WHERE id >= 5"))
        connection.execute(text("DELETE FROM audit_lines WHERE id >= 6"))

    unseen = forger.found(cut, [receipts[3]["hash"], lines[4]["hash"], EMPTY])
    seen = [forger.found(cut, [receipts[3]["hash"], gone]) for gone in (receipts[4]["hash"], lines[5]["hash"])]

    assert unseen == "nothing"
    assert seen == [
        f"no receipt and no line has the hash {gone}: the end was cut off"
        for gone in (receipts[4]["hash"], lines[5]["hash"])
    ]


def test_every_head_that_was_ever_kept_is_still_in_the_chain(archive: Database, app: FastAPI) -> None:
    heads = [row["hash"] for table in ("submissions", "audit_lines") for row in stored(app, table)]

    with archive.reading() as db:
        found = verify(db, heads=[EMPTY, *heads])

    assert (found.receipts_head, found.lines_head) == (heads[5], heads[-1])


# Redaction.


def test_redacting_every_note_keeps_the_chain_whole_and_leaves_a_line_for_each(
    archive: Database, app: FastAPI, clock: StandingClock
) -> None:
    notes = stored(app, "notes")
    before = [stored(app, table) for table in ("submissions", "count_entries", "status_entries")]

    with archive.writing() as db:
        at = take_turn(db, clock)
        for note in notes:
            redact(db, note["list"], note["entry"], at=at)

    with archive.reading() as db:
        assert verify(db).receipts == 6
    assert stored(app, "notes") == []
    assert [stored(app, table) for table in ("submissions", "count_entries", "status_entries")] == before
    assert [(line["kind"], line["key_id"], line["detail"]) for line in stored(app, "audit_lines")[6:]] == [
        ("note_redacted", None, f'{{"entry": {note["entry"]}, "list": "{note["list"]}"}}') for note in notes
    ]


def test_a_note_that_there_never_was_cannot_be_redacted_and_one_that_was_only_once(
    archive: Database, app: FastAPI, clock: StandingClock
) -> None:
    lines = stored(app, "audit_lines")
    places: list[tuple[ListName, int]] = [("counts", 2), ("counts", 99), ("statuses", 99)]
    refused = []

    with archive.writing() as db:
        at = take_turn(db, clock)
        redact(db, "statuses", 1, at=at)
        for list_name, entry in places:
            with pytest.raises(UnknownNote) as raised:
                redact(db, list_name, entry, at=at)
            refused.append(str(raised.value))

    assert refused == [f"there is no note beside entry {entry} of {list_name}" for list_name, entry in places]
    assert stored(app, "audit_lines") == lines


def test_a_redacted_note_is_not_mistaken_for_the_one_of_the_other_list(forger: Forger) -> None:
    found = forger.found(sql("DELETE FROM notes WHERE list = 'counts' AND entry = 1"))

    assert found == "the note beside entry 1 of counts is gone, and nobody redacted it"


@pytest.mark.measured
def test_erased_text_and_its_salt_are_nowhere_in_the_files(
    app: FastAPI, clock: StandingClock, kuopio: Caller, database_url: str
) -> None:
    for year in range(2015, 2024):
        months = [count("297", f"{year}-{month:02}", 1, note=f"{'n' * month * 40} {year}") for month in range(1, 13)]
        kuopio.post(months)
    kuopio.put(f"{COUNTS}/297/2019-07", {"sessions": 2, "note": "Anna Virtanen was ill"})
    kuopio.post([count("297", "2024-01", 1, note="n" * 500)])
    database: Database = app.state.database
    salt = stored(app, "notes")[108]["salt"]

    def kept() -> list[bool]:
        held = b"".join(file.read_bytes() for file in files_of(database_url))
        return [word.encode() in held for word in ("Anna Virtanen", salt, "nnnn 2019")]

    before = kept()
    with database.writing() as db:
        redact(db, "counts", 109, at=take_turn(db, clock))
    database.erase_deleted()

    assert len(stored(app, "notes")) == 109
    if database_url.startswith("sqlite"):
        assert before == [True, True, True]
        assert kept() == [False, False, True]


def test_while_somebody_reads_an_older_state_erasing_says_that_it_is_not_done(
    archive: Database, app: FastAPI, clock: StandingClock
) -> None:
    impatient = Database(archive.settings.model_copy(update={"lock_timeout_seconds": 0.1}))
    sqlite = archive.engine.dialect.name == "sqlite"

    with archive.reading() as reader:
        reader.exec(select(Submission)).first()
        with impatient.writing() as db:
            redact(db, "counts", 1, at=take_turn(db, clock))
        with pytest.raises(StillRead, match="repeat this later") if sqlite else nullcontext():
            impatient.erase_deleted()
    left = [file.name for file in files_of(archive.settings.database_url) if "Äyskäri".encode() in file.read_bytes()]
    impatient.erase_deleted()
    impatient.dispose()

    assert left == (["test.db"] if sqlite else [])
    assert [file for file in files_of(archive.settings.database_url) if "Äyskäri".encode() in file.read_bytes()] == []


def test_the_archive_is_never_held_in_memory_as_a_whole(archive: Database) -> None:
    at_once = {}

    def note(asked: Any) -> None:
        at_once[str(asked.statement)] = asked.execution_options.get("yield_per")

    with archive.reading() as db:
        event.listen(db, "do_orm_execute", note)
        verify(db)

    assert (len(at_once), set(at_once.values())) == (9, {10, 1_000})


def files_of(database_url: str) -> Sequence[Path]:
    """The files of a SQLite database; none of a PostgreSQL one."""
    if not database_url.startswith("sqlite"):
        return []
    return list(Path(make_url(database_url).database or "").parent.glob("test.db*"))


def update(table: str, is_row: list[Any], values: Mapping[str, Any]) -> Change:
    statement = Base.metadata.tables[table].update().where(*is_row).values(values)
    return lambda connection: connection.execute(statement)


def delete(table: str, is_row: list[Any]) -> Change:
    statement = Base.metadata.tables[table].delete().where(*is_row)
    return lambda connection: connection.execute(statement)


def insert(table: str, values: Mapping[str, Any]) -> Change:
    statement = Base.metadata.tables[table].insert().values(values)
    return lambda connection: connection.execute(statement)


def swap(table: str, one: Row, other: Row, key: Sequence[str]) -> Change:
    """Give each row what the other says, under its own key; at no moment two rows say the same."""

    def change(connection: Connection) -> None:
        declared = Base.metadata.tables[table]
        connection.execute(declared.delete().where(*other[1]))
        for row, says in ((one, other), (other, one)):
            content = {name: value for name, value in says[0].items() if name not in key}
            if row is one:
                connection.execute(declared.update().where(*one[1]).values(content))
            else:
                connection.execute(declared.insert().values({**other[0], **content}))

    return change


def compute_hashes_anew(connection: Connection) -> None:
    """Make both chains fit what is stored, as only somebody with the source could."""
    with Session(connection) as db:
        head = EMPTY
        for receipt in db.exec(select(Submission).order_by(col(Submission.id))):
            own = [
                *db.exec(select(CountEntry).where(CountEntry.submission_id == receipt.id).order_by(col(CountEntry.id))),
                *db.exec(
                    select(StatusEntry).where(StatusEntry.submission_id == receipt.id).order_by(col(StatusEntry.id))
                ),
            ]
            receipt.previous_hash = head
            receipt.hash = head = content_hash(receipt, own)
        head = EMPTY
        for line in db.exec(select(AuditLine).order_by(col(AuditLine.id))):
            line.previous_hash = head
            line.hash = head = line_hash(line)
        db.flush()
