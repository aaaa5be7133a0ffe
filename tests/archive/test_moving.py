"""Backing up, restoring and copying between databases: everything arrives as it was, or nothing does."""

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, text
from sqlmodel import Session
from starlette.testclient import TestClient

from app.access.keys import issue_key
from app.access.models import Action
from app.archive.file import opened_backup, write_backup
from app.archive.manifest import manifest_of
from app.archive.moving import back_up, copy, restore
from app.archive.place import NotEmpty, NotProved
from app.archive.rows import headings, lines
from app.database import Database
from app.main import create_app
from app.practices.definitions import set_live_from
from app.reports.verifying import Altered
from app.schema import migrate, require_schema
from app.settings import Settings
from tests.archive.a_life import Answers, answers, empty_place, everything_in, live
from tests.conftest import NOW, UNHURRIED, Caller, StandingClock, count, migrate_fully


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A database of each kind in which something of everything happened; it is only read."""
    with a_lived_database(request.param, request, tmp_path_factory.mktemp("lived")) as lived:
        yield lived


@pytest.fixture(scope="module")
def original(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of such a database."""
    folder = tmp_path_factory.mktemp("original")
    with a_lived_database("sqlite", request, folder) as lived:
        back_up(lived.database, folder / "original.yhdessa", at=NOW)
    return folder / "original.yhdessa"


@pytest.fixture(params=["sqlite", "postgresql"])
def elsewhere_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a place where nothing is, of each kind."""
    with empty_place(request.param, request, tmp_path) as url:
        yield url


@pytest.fixture
def elsewhere(elsewhere_url: str) -> Iterator[Database]:
    database = Database(Settings(database_url=elsewhere_url))
    yield database
    database.dispose()


def test_every_table_has_a_row_in_what_is_tried_here(lived: Lived) -> None:
    assert [table for table, rows in everything_in(lived.url).items() if not rows] == []
    assert {code for code, _, _ in lived.answers.values()} == {200, 401}
    assert len({content for _, _, content in lived.answers.values()}) > 60


# There and back.


def test_a_restored_backup_answers_every_question_with_the_same_bytes(
    lived: Lived, backup: Path, elsewhere: Database, elsewhere_url: str, clock: StandingClock
) -> None:
    manifest, sha256 = restore(elsewhere, backup)

    require_schema(elsewhere)
    assert answers(elsewhere_url, clock, lived.key, lived.moments) == lived.answers
    assert content_of(elsewhere) == content_of(lived.database)
    with opened_backup(backup) as told:
        assert (told.manifest, told.sha256) == (manifest, sha256)
    assert (manifest.receipts.length, manifest.entries) == (4, 11)


@pytest.mark.parametrize("target_is", ["nothing", "migrated"])
def test_a_copy_answers_every_question_with_the_same_bytes(
    lived: Lived, elsewhere: Database, elsewhere_url: str, clock: StandingClock, target_is: str
) -> None:
    if target_is == "migrated":
        migrate_fully(elsewhere_url)

    copy(lived.database, elsewhere, at=NOW)

    assert answers(elsewhere_url, clock, lived.key, lived.moments) == lived.answers
    assert content_of(elsewhere) == content_of(lived.database)


def test_life_goes_on_alike_in_both_places(
    lived: Lived, elsewhere: Database, elsewhere_url: str, clock: StandingClock
) -> None:
    copy(lived.database, elsewhere, at=NOW)

    went_on = [go_on(url, clock, lived.key) for url in (lived.url, elsewhere_url)]

    assert went_on[0] == went_on[1]
    assert went_on[0][0] == 5


def test_what_refuses_changes_refuses_them_in_the_copy(lived: Lived, elsewhere: Database, elsewhere_url: str) -> None:
    copy(lived.database, elsewhere, at=NOW)

    for statement in ("UPDATE count_entries SET sessions = 1", "DELETE FROM submissions", "DELETE FROM audit_lines"):
        with elsewhere.engine.connect() as connection, pytest.raises(Exception, match="never changed or deleted"):
            connection.execute(text(statement))


def test_a_copy_of_a_copy_is_a_copy(lived: Lived, elsewhere: Database, tmp_path: Path) -> None:
    third = Database(Settings(database_url=f"sqlite:///{tmp_path / 'deep' / 'down' / 'third.db'}"))

    copy(lived.database, elsewhere, at=NOW)
    copy(elsewhere, third, at=NOW)

    assert content_of(third) == content_of(lived.database)
    third.dispose()


def test_a_database_that_has_just_been_migrated_can_be_moved(
    app: FastAPI, elsewhere: Database, elsewhere_url: str
) -> None:
    copy(app.state.database, elsewhere, at=NOW)

    assert content_of(elsewhere) == content_of(app.state.database)
    with elsewhere.writing() as db:
        assert new_organisation(db) == 1


def test_what_is_posted_during_a_backup_is_wholly_in_it_or_not_at_all(
    lived: Lived, elsewhere: Database, north_savo: Caller, tmp_path: Path
) -> None:
    file = tmp_path / "b.yhdessa"
    with lived.database.reading() as db:
        manifest = manifest_of(db, at=NOW)

        def posting_meanwhile() -> Iterator[bytes]:
            for line in lines(db, headings()):
                if b'"submissions"' in line:
                    assert north_savo.post([count("297", "2023", 5)]).status_code == 201
                yield line

        write_backup(file, manifest, posting_meanwhile(), force=False)

    restore(elsewhere, file)

    assert manifest.receipts.length == 4
    with lived.database.reading() as db:
        assert manifest_of(db, at=NOW).receipts.length == 5


# An empty place only.


def put_a_key(database: Database) -> None:
    migrate(database, StandingClock(NOW))
    with database.writing() as db:
        new_organisation(db)


def put_a_foreign_table(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE TABLE invoices (id INTEGER)"))


def put_a_view(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE VIEW invoices AS SELECT 1 AS id"))


def put_a_year(database: Database) -> None:
    migrate(database, StandingClock(NOW))
    with database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2022, at=NOW)


@pytest.mark.parametrize(
    ("held", "said"),
    [
        (put_a_key, "rows in audit_lines"),
        (put_a_foreign_table, "invoices, which is not of this product"),
        (put_a_view, "invoices, which is not of this product"),
        (put_a_year, "rows in live_from"),
    ],
)
def test_a_place_that_holds_anything_is_refused_and_left_as_it_was(
    lived: Lived,
    backup: Path,
    elsewhere: Database,
    elsewhere_url: str,
    held: Callable[[Database], None],
    said: str,
) -> None:
    held(elsewhere)
    before = everything_in(elsewhere_url)

    with pytest.raises(NotEmpty) as restoring:
        restore(elsewhere, backup)
    with pytest.raises(NotEmpty):
        copy(lived.database, elsewhere, at=NOW)

    assert str(restoring.value).endswith(f" holds something already ({said}); only an empty place is filled")
    assert everything_in(elsewhere_url) == before


def test_a_database_is_not_copied_onto_itself(lived: Lived) -> None:
    before = everything_in(lived.url)

    with pytest.raises(NotEmpty, match="rows in audit_lines"):
        copy(lived.database, lived.database, at=NOW)

    assert everything_in(lived.url) == before


# What cannot prove itself.


def edit(old: bytes, new: bytes) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """Replaces `old` by `new` in every line, and fails if there is none."""

    def edited(given: Iterator[bytes]) -> Iterator[bytes]:
        found = False
        for line in given:
            found = found or old in line
            yield line.replace(old, new)
        assert found

    return edited


def without(start: bytes) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    """Leaves out the lines that begin so, of which there is one at least."""

    def left_out(given: Iterator[bytes]) -> Iterator[bytes]:
        kept = list(given)
        assert any(line.startswith(start) for line in kept)
        yield from (line for line in kept if not line.startswith(start))

    return left_out


def added(line: bytes, *, after: int) -> Callable[[Iterator[bytes]], Iterator[bytes]]:
    def with_it(given: Iterator[bytes]) -> Iterator[bytes]:
        kept = list(given)
        yield from [*kept[:after], line, *kept[after:]]

    return with_it


FORGED: dict[str, tuple[Callable[[Iterator[bytes]], Iterator[bytes]] | None, dict[str, Any], str]] = {
    "a receipt fewer": (None, {"receipts": {"length": 3, "head": "0" * 64}}, "the number of receipts should be 3"),
    "another head": (None, {"receipts": {"length": 4, "head": "f" * 64}}, "the hash of the last receipt should be fff"),
    "a line more": (None, {"audit_lines": {"length": 99, "head": "f" * 64}}, "lines in the audit log should be 99"),
    "another line": (None, {"audit_lines": {"length": 9, "head": "f" * 64}}, "the hash of the last line in the audit"),
    "an entry more": (None, {"entries": 12}, "the number of entries should be 12 and is 11"),
    "another moment": (None, {"recorded_up_to": NOW}, "the moment of the latest write should be"),
    "other counts": (None, {"rows": {"counties": 22}}, "the rows of each table should be"),
    "other figures": (edit(b'"2022-03","2022-03-01"', b'"2022-02","2022-02-01"'), {}, "ck_count_entries|CHECK|entry"),
    "a figure changed": (edit(b',"2022-03-31",7]', b',"2022-03-31",8]'), {}, "receipt 1, or an entry of it"),
    "a note changed": (edit("päätös".encode(), b"p"), {}, "the note beside entry 1 of statuses is not the one"),
    "a county lost": (without(b'["22"'), {}, "the rows of each table should be"),
    "an unknown table": (edit(b'{"table":"notes"', b'{"table":"note"'), {}, "the schema has no table 'note'"),
    "an unknown column": (edit(b'"salt":"text"', b'"pepper":"text"'), {}, "the schema has no table 'notes'"),
    "an unknown kind": (edit(b'"salt":"text"', b'"salt":"words"'), {}, "what should name a table and its columns does"),
    "a heading that is none": (edit(b'{"table":"notes"', b"{"), {}, "what should name a table"),
    "a row before all": (added(b"[1]", after=0), {}, "a row comes before the name of its table"),
    "a row too short": (added(b"[1]", after=1), {}, "a row of counties cannot be read"),
    "a row that is no list": (added(b"7", after=1), {}, "a row of counties cannot be read"),
    "a row that is no JSON": (added(b"[", after=1), {}, "a row of counties cannot be read"),
    "a key of nobody": (without(b'[1,"North Savo"'), {}, "its rows are not those of an archive: .*(FOREIGN|foreign)"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_backup_is_refused_and_leaves_the_place_empty(
    lived: Lived, elsewhere: Database, elsewhere_url: str, tmp_path: Path, forged: str
) -> None:
    edited, said_otherwise, why = FORGED[forged]
    original, file = tmp_path / "original.yhdessa", tmp_path / "forged.yhdessa"
    back_up(lived.database, original, at=NOW)
    with opened_backup(original) as source:
        manifest = source.manifest.model_copy(update=said_otherwise)
        manifest = type(manifest).model_validate(manifest.model_dump())
        forge(file, manifest, edited(source.lines) if edited else source.lines)

    with pytest.raises((NotProved, Altered), match=why):
        restore(elsewhere, file)

    assert everything_in(elsewhere_url) in ({}, {"alembic_version": []})
    if elsewhere_url.startswith("sqlite"):
        assert list(tmp_path.glob("elsewhere*")) == []
    restore(elsewhere, original)


def test_a_backup_is_held_against_hashes_that_were_kept_elsewhere(
    lived: Lived, backup: Path, elsewhere: Database, elsewhere_url: str
) -> None:
    with pytest.raises(Altered, match="the end was cut off"):
        restore(elsewhere, backup, heads=["e" * 64])

    assert everything_in(elsewhere_url) == {}
    manifest, _ = restore(elsewhere, backup, heads=[receipt_hash(lived.database, 2)])
    assert manifest.receipts.length == 4


def test_what_was_altered_is_neither_backed_up_nor_copied(
    lived: Lived, elsewhere: Database, elsewhere_url: str, tmp_path: Path
) -> None:
    alter(lived.url)

    with pytest.raises(Altered, match="receipt 1"):
        back_up(lived.database, tmp_path / "b.yhdessa", at=NOW)
    with pytest.raises(Altered, match="receipt 1"):
        copy(lived.database, elsewhere, at=NOW)

    assert list(tmp_path.glob("*yhdessa*")) == []
    assert everything_in(elsewhere_url) == {}


# A backup from before a migration.


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(
    app: FastAPI,
    north_savo: Caller,
    database_url: str,
    elsewhere: Database,
    elsewhere_url: str,
    tmp_path: Path,
    clock: StandingClock,
) -> None:
    north_savo.post([count("297", "2022-03", 7, note="Anna")], [])
    asked = [datetime.fromisoformat("2024-05-15T09:00:00+00:00")]
    key = north_savo.headers["Authorization"]
    before = answers(database_url, clock, key, asked)
    file = tmp_path / "older.yhdessa"
    database: Database = app.state.database
    with database.reading() as db:
        as_now = manifest_of(db, at=NOW)
    older = {
        heading.table: [name for name in heading.columns if name not in LATER]
        for heading in headings()
        if heading.table != "audit_lines"
    }
    with_less = [
        heading.model_copy(update={"columns": {name: heading.columns[name] for name in older[heading.table]}})
        for heading in headings()
        if heading.table in older
    ]
    manifest = as_now.model_copy(
        update={
            "revision": "0002",
            "rows": {name: length for name, length in as_now.rows.items() if name in older},
            "audit_lines": as_now.audit_lines.model_copy(update={"length": 0, "head": "0" * 64}),
        }
    )
    with database.reading() as db:
        write_backup(file, manifest, lines(db, with_less), force=False)

    restore(elsewhere, file)

    require_schema(elsewhere)
    assert answers(elsewhere_url, clock, key, asked) == before


LATER = {"replaced_by", "retracts", "created", "corrected", "unchanged", "retracted", "rejected"}


def forge(file: Path, manifest: Any, given: Iterator[bytes]) -> None:
    """Write a backup whose every hash is right, of lines that may be no archive."""
    packed = zlib.compressobj(wbits=31)
    whole = b"".join(line + b"\n" for line in given)
    data = f"yhdessa-backup 1 {manifest.model_dump_json()}\n".encode() + packed.compress(whole) + packed.flush()
    data += f"\nsha256 {hashlib.sha256(whole).hexdigest()} ".encode()
    file.write_bytes(data + f"{hashlib.sha256(data).hexdigest()}\n".encode())


def content_of(database: Database) -> list[bytes]:
    """Every row of every table, as a backup tells it."""
    with database.reading() as db:
        return list(lines(db, headings()))


def go_on(url: str, clock: StandingClock, key: str) -> tuple[Any, ...]:
    """What comes of posting, of a retry, of a wrong retry and of a new organisation."""
    app = create_app(Settings(database_url=url, **UNHURRIED), clock)
    headers = {"Authorization": key}
    same = {
        "counts": [count("297", "2022-03", 9)],
        "statuses": [{"municipality": "297", "date": "2022-05-06", "status": "in_use"}],
    }
    with TestClient(app, headers=headers) as http:
        receipt = http.post("/v1/submissions", json={"counts": [count("297", "2023", 5)]}).json()
        retried = http.post("/v1/submissions", json=same, headers={"Idempotency-Key": "retry-1"})
        other = http.post("/v1/submissions", json={"counts": []}, headers={"Idempotency-Key": "retry-1"})
        with app.state.database.writing() as db:
            organisation = new_organisation(db)
    told = (receipt["id"], receipt, retried.content, retried.headers["Idempotency-Replayed"], other.content)
    return (*told, organisation)


def new_organisation(db: Session) -> int:
    """Make a key of a new organisation; the number that the organisation got."""
    issue_key(db, name="new", organisation="Newcomer", actions=[Action.READ], areas=["country"], at=NOW)
    return int(db.execute(text("SELECT id FROM organisations WHERE name = 'Newcomer'")).scalar_one())


def receipt_hash(database: Database, number: int) -> str:
    with database.reading() as db:
        return str(db.execute(text("SELECT hash FROM submissions WHERE id = :id"), {"id": number}).scalar_one())


def alter(url: str) -> None:
    """Change a figure past the database's own refusal."""
    engine = create_engine(Settings(database_url=url).database_url)
    off = "DROP TRIGGER count_entries_refuses_update"
    if engine.dialect.name == "postgresql":
        off = "ALTER TABLE count_entries DISABLE TRIGGER ALL"
    with engine.begin() as connection:
        connection.execute(text(off))
        connection.execute(text("UPDATE count_entries SET sessions = 70 WHERE id = 1"))
    engine.dispose()
