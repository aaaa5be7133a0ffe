"""Backing up, restoring and copying between databases: everything arrives as it was, or nothing does."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session
from starlette.testclient import TestClient

from app.access.chain import EMPTY_HASH
from app.access.keys import issue_key
from app.access.models import Action
from app.archive.file import opened_backup, write_backup
from app.archive.manifest import Chain, Manifest, manifest_of
from app.archive.moving import back_up, copy, restore
from app.archive.place import LaterSchema, NotEmpty, NotProved
from app.archive.rows import headings, lines
from app.database import Database
from app.main import create_app
from app.practices.definitions import set_live_from
from app.practices.models import UNTRANSLATED
from app.reports.verifying import Altered
from app.schema import NotMigrated, migrate, newest_revision, require_schema
from app.settings import Settings
from tests.archive.a_life import Answers, Lived, a_lived_database, answers, everything_in
from tests.archive.forging import forge
from tests.conftest import NOW, UNHURRIED, Caller, StandingClock, count, status


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


@pytest.fixture
def elsewhere(empty_database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A place where nothing is, of each kind."""
    url = empty_database_url.replace("empty.db", "elsewhere.db")
    database = Database(Settings(database_url=url))
    yield database
    database.dispose()


def test_every_table_has_a_row_in_what_is_tried_here(lived: Lived) -> None:
    assert [table for table, rows in everything_in(lived.url).items() if not rows] == []
    assert {path: code for path, (code, _, _) in lived.answers.items() if code != 200} == {}
    assert len({content for _, _, content in lived.answers.values()}) > 40


# There and back.


def test_a_restored_backup_answers_every_question_with_the_same_bytes(
    lived: Lived, elsewhere: Database, tmp_path: Path
) -> None:
    file = tmp_path / "b.yhdessa"
    back_up(lived.database, file, at=NOW)

    manifest, sha256 = restore(elsewhere, file)

    require_schema(elsewhere)
    assert answers_of(elsewhere, lived) == lived.answers
    assert content_of(elsewhere) == content_of(lived.database)
    with opened_backup(file) as told:
        assert (told.manifest, told.sha256) == (manifest, sha256)
    assert (manifest.receipts.length, manifest.entries) == (4, 12)


def test_a_copy_into_a_migrated_place_answers_every_question_with_the_same_bytes(
    lived: Lived, elsewhere: Database
) -> None:
    migrate(elsewhere, StandingClock(NOW))

    copy(lived.database, elsewhere, at=NOW)

    assert answers_of(elsewhere, lived) == lived.answers
    assert content_of(elsewhere) == content_of(lived.database)


def test_a_copy_of_a_copy_is_a_copy(original: Path, elsewhere: Database, tmp_path: Path) -> None:
    restore(elsewhere, original)
    third = Database(Settings(database_url=f"sqlite:///{tmp_path / 'deep' / 'down' / 'third.db'}"))

    copy(elsewhere, third, at=NOW)

    assert content_of(third) == content_of(elsewhere)
    third.dispose()


def test_the_next_numbers_hashes_and_retries_are_those_that_the_original_would_give(
    original: Path, lived: Lived, elsewhere: Database, tmp_path: Path
) -> None:
    other = Database(Settings(database_url=f"sqlite:///{tmp_path / 'other.db'}"))
    back_up(lived.database, tmp_path / "b.yhdessa", at=NOW)
    for place in (elsewhere, other):
        restore(place, tmp_path / "b.yhdessa")

    went_on = [go_on(place, lived) for place in (elsewhere, other)]

    assert went_on[0] == went_on[1]
    assert (went_on[0]["receipt"], went_on[0]["organisation"]) == (5, 3)
    assert (went_on[0]["replayed"], went_on[0]["replay"], went_on[0]["other body"]) == ("true", 201, 422)
    other.dispose()


def test_a_place_that_was_filled_refuses_to_change_what_is_append_only(original: Path, elsewhere: Database) -> None:
    restore(elsewhere, original)

    for statement in ("UPDATE count_entries SET sessions = 1", "DELETE FROM submissions", "DELETE FROM audit_lines"):
        with elsewhere.engine.connect() as connection, pytest.raises(DBAPIError, match="never changed or deleted"):
            connection.execute(text(statement))


def test_a_database_in_which_nothing_happened_yet_can_be_moved(database_url: str, elsewhere: Database) -> None:
    fresh = Database(Settings(database_url=database_url))

    copy(fresh, elsewhere, at=NOW)

    assert content_of(elsewhere) == content_of(fresh)
    with elsewhere.writing() as db:
        assert new_organisation(db) == 1
    fresh.dispose()


def test_what_is_posted_while_a_backup_is_read_is_not_in_it(
    app: FastAPI, kuopio: Caller, elsewhere: Database, tmp_path: Path
) -> None:
    kuopio.post([count("297", "2022", 5)])
    with app.state.database.reading() as db:
        manifest = manifest_of(db, at=NOW)
        write_backup(tmp_path / "b", manifest, posting_meanwhile(kuopio, lines(db, headings())), force=False)

    restored, _ = restore(elsewhere, tmp_path / "b")

    assert restored.receipts.length == 1
    assert len(kuopio.get("/v1/submissions").json()["rows"]) == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_is_read_in_more_than_one_moment_is_refused(
    app: FastAPI, kuopio: Caller, elsewhere: Database, tmp_path: Path
) -> None:
    kuopio.post([count("297", "2022", 5)])
    with app.state.database.writing() as db:  # Which, unlike `reading`, sees what others commit meanwhile.
        manifest = manifest_of(db, at=NOW)
        write_backup(tmp_path / "b", manifest, posting_meanwhile(kuopio, lines(db, headings())), force=False)

    with pytest.raises(NotProved, match="the rows of each table"):
        restore(elsewhere, tmp_path / "b")


def posting_meanwhile(caller: Caller, given: Iterator[bytes]) -> Iterator[bytes]:
    """The same lines, with a post before the receipts are read."""
    for line in given:
        if line.startswith(b'{"table":"keys"'):
            assert caller.post([count("297", "2023", 5)]).status_code == 201
        yield line


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
    original: Path, elsewhere: Database, held: Callable[[Database], None], said: str
) -> None:
    held(elsewhere)
    before = everything_in(elsewhere.settings.database_url)

    with pytest.raises(NotEmpty) as refused:
        restore(elsewhere, original)

    assert str(refused.value).endswith(f" holds something already ({said}); only an empty place is filled")
    assert everything_in(elsewhere.settings.database_url) == before


def test_of_two_that_fill_one_place_one_does_it_and_the_other_leaves_it(original: Path, tmp_path: Path) -> None:
    first, second = (Database(Settings(database_url=f"sqlite:///{tmp_path / 'elsewhere.db'}")) for _ in range(2))
    refused: list[str] = []

    def fill(place: Database) -> None:
        try:
            restore(place, original)
        except NotEmpty as error:
            refused.append(str(error))

    other = threading.Thread(target=fill, args=(second,))

    def let_the_other_begin(*_: object) -> None:
        other.start()
        # It ends only if nothing keeps the two apart.
        other.join(0.3)

    event.listen(first.engine, "do_connect", let_the_other_begin, once=True)
    fill(first)
    other.join()

    assert [said.partition(" (")[0] for said in refused] == [f"{second.settings.database_url} holds something already"]
    assert (tmp_path / "elsewhere.db").exists()
    require_schema(Database(first.settings))
    for place in (first, second):
        place.dispose()


def test_a_log_without_its_database_is_not_overwritten(original: Path, tmp_path: Path) -> None:
    log = tmp_path / "elsewhere.db-wal"
    log.write_bytes(b"the last posts")
    place = Database(Settings(database_url=f"sqlite:///{tmp_path / 'elsewhere.db'}"))

    with pytest.raises(NotEmpty, match=f"^{log} is there without its database and may hold what was recorded last"):
        restore(place, original)

    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [(log.name, b"the last posts")]


def test_a_full_disk_is_said_as_such_and_leaves_the_place_empty(original: Path, tmp_path: Path) -> None:
    place = Database(Settings(database_url=f"sqlite:///{tmp_path / 'elsewhere.db'}"))
    event.listen(place.engine, "connect", lambda connection, _: connection.execute("PRAGMA max_page_count = 70"))

    with pytest.raises(OperationalError, match="full"):
        restore(place, original)

    assert list(tmp_path.iterdir()) == []


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
    "an entry more": (None, {"entries": 13}, "the number of entries should be 13 and is 12"),
    "another moment": (None, {"recorded_up_to": NOW}, "the moment of the latest write should be"),
    "other counts": (None, {"rows": {"counties": 22}}, "the rows of each table should be"),
    "other figures": (edit(b'"2022-03","2022-03-01"', b'"2022-02","2022-02-01"'), {}, "ck_count_entries|CHECK|entry"),
    "a figure changed": (edit(b',"2022-03-31",7]', b',"2022-03-31",8]'), {}, "receipt 1, or an entry of it"),
    "a note changed": (edit("päätös".encode(), b"p"), {}, "the note beside entry 1 of statuses is not the one"),
    "a county lost": (without(b'["21"'), {}, "the rows of each table should be"),
    "an unknown table": (edit(b'{"table":"notes"', b'{"table":"note"'), {}, "the schema has no table 'note'"),
    "an unknown column": (edit(b'"salt":"text"', b'"pepper":"text"'), {}, "the schema has no table 'notes'"),
    "an unknown kind": (edit(b'"salt":"text"', b'"salt":"words"'), {}, "what should name a table and its columns does"),
    "a heading that is none": (edit(b'{"table":"notes"', b"{"), {}, "what should name a table"),
    "a row before all": (added(b"[1]", after=0), {}, "a row comes before the name of its table"),
    "a row too short": (added(b"[1]", after=1), {}, "a row of counties cannot be read"),
    "a row that is no list": (added(b"7", after=1), {}, "a row of counties cannot be read"),
    "a row that is no JSON": (added(b"[", after=1), {}, "a row of counties cannot be read"),
    "nested too deep": (added(b"[" * 100_000, after=1), {}, "its rows are not those of an archive: maximum recursion"),
    "a figure too large": (edit(b',"2022-03-31",7]', b',"2022-03-31",%d]' % 10**30), {}, "not those of an archive: "),
    "an order by nothing": (edit(b'"key":["list","entry"]', b'"key":["list","x"]'), {}, "not those of an archive: 'x'"),
    "a key of nobody": (without(b'[1,"North Savo"'), {}, "its rows are not those of an archive: .*(FOREIGN|foreign)"),
}


@pytest.mark.parametrize("forged", FORGED)
def test_a_forged_backup_is_refused_and_leaves_the_place_empty(
    original: Path, elsewhere: Database, tmp_path: Path, forged: str
) -> None:
    edited, said_otherwise, why = FORGED[forged]
    with opened_backup(original) as source:
        manifest = Manifest.model_validate({**source.manifest.model_dump(), **said_otherwise})
        forge(tmp_path / "forged", manifest, edited(source.lines) if edited else source.lines)

    with pytest.raises((NotProved, Altered), match=why):
        restore(elsewhere, tmp_path / "forged")

    assert everything_in(elsewhere.settings.database_url) == {}
    assert list(tmp_path.glob("elsewhere*")) == []


def test_after_a_refusal_the_place_takes_a_backup_that_is_whole(
    original: Path, elsewhere: Database, tmp_path: Path
) -> None:
    with opened_backup(original) as source:
        forge(tmp_path / "forged", source.manifest, without(b'["21"')(source.lines))

    with pytest.raises(NotProved):
        restore(elsewhere, tmp_path / "forged")
    manifest, _ = restore(elsewhere, original)

    assert manifest.receipts.length == 4


def test_a_place_that_was_migrated_is_still_so_after_a_refusal(
    original: Path, elsewhere: Database, tmp_path: Path
) -> None:
    migrate(elsewhere, StandingClock(NOW))
    before = everything_in(elsewhere.settings.database_url)
    with opened_backup(original) as source:
        forge(tmp_path / "forged", source.manifest, without(b'["21"')(source.lines))

    with pytest.raises(NotProved):
        restore(elsewhere, tmp_path / "forged")

    assert everything_in(elsewhere.settings.database_url) == before


def test_a_backup_of_a_schema_that_comes_later_is_refused(original: Path, elsewhere: Database, tmp_path: Path) -> None:
    with opened_backup(original) as source:
        forge(tmp_path / "later", source.manifest.model_copy(update={"revision": "9999"}), source.lines)

    with pytest.raises(LaterSchema) as refused:
        restore(elsewhere, tmp_path / "later")

    assert str(refused.value) == (
        f"its schema 9999 is not one that this version knows; its own is {newest_revision()}:"
        " install the version that made it, or a later one"
    )
    assert everything_in(elsewhere.settings.database_url) == {}


def test_a_backup_is_held_against_hashes_that_were_kept_elsewhere(original: Path, elsewhere: Database) -> None:
    with pytest.raises(Altered, match="the end was cut off"):
        restore(elsewhere, original, heads=["e" * 64])

    assert everything_in(elsewhere.settings.database_url) == {}
    with opened_backup(original) as told:
        heads = [told.manifest.receipts.head, told.manifest.audit_lines.head, told.sha256]
    assert restore(elsewhere, original, heads=heads)[0].receipts.head == heads[0]


def test_what_was_altered_is_neither_backed_up_nor_copied(original: Path, elsewhere: Database, tmp_path: Path) -> None:
    restore(elsewhere, original)
    alter(elsewhere)
    third = Database(Settings(database_url=f"sqlite:///{tmp_path / 'third.db'}"))

    with pytest.raises(Altered, match="receipt 1"):
        back_up(elsewhere, tmp_path / "b", at=NOW)
    with pytest.raises(Altered, match="receipt 1"):
        copy(elsewhere, third, at=NOW)

    assert {file.name for file in tmp_path.iterdir()} <= {"elsewhere.db", "elsewhere.db-wal", "elsewhere.db-shm"}
    third.dispose()


# Other schemas.


def test_a_place_of_a_schema_that_comes_later_is_refused(original: Path, elsewhere: Database) -> None:
    with elsewhere.engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('9999')"))

    with pytest.raises(NotMigrated, match=r"^the database is at revision 9999, which only a later version knows"):
        restore(elsewhere, original)

    assert everything_in(elsewhere.settings.database_url) == {"alembic_version": ["('9999',)"]}


def test_a_schema_that_the_models_do_not_tell_whole_is_neither_backed_up_nor_copied(
    original: Path, elsewhere: Database, tmp_path: Path
) -> None:
    restore(elsewhere, original)
    with elsewhere.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NotMigrated) as refused:
        back_up(elsewhere, tmp_path / "b", at=NOW)

    assert str(refused.value) == (
        f"the database is at revision 9999, and this version tells all of {newest_revision()} only:"
        " use the version that migrated it"
    )
    assert not (tmp_path / "b").exists()


def test_a_backup_of_an_older_schema_is_brought_to_the_newest(
    app: FastAPI, kuopio: Caller, elsewhere: Database, tmp_path: Path
) -> None:
    kuopio.post([count("297", "2022-03", 7, note="Anna")])
    before = kuopio.get("/v1/submissions/1").content
    older = [
        heading.model_copy(update={"columns": {name: kind for name, kind in heading.columns.items() if name in known}})
        for heading in headings()
        if (known := heading.columns.keys() - NEW_SINCE_0002) and heading.table not in TABLES_SINCE_0002
    ]
    with app.state.database.reading() as db:
        manifest = manifest_of(db, at=NOW)
        rows = {heading.table: manifest.rows[heading.table] for heading in older}
        nothing = Chain(length=0, head=EMPTY_HASH)
        manifest = manifest.model_copy(update={"revision": "0002", "rows": rows, "audit_lines": nothing})
        write_backup(tmp_path / "older", manifest, lines(db, older), force=False)

    restore(elsewhere, tmp_path / "older")

    require_schema(elsewhere)
    with TestClient(create_app(elsewhere.settings, StandingClock(NOW))) as http:
        assert http.get("/v1/submissions/1", headers=kuopio.headers).content == before


NEW_SINCE_0002 = {
    *("replaced_by", "retracts", "created", "corrected", "unchanged", "retracted", "rejected"),
    *("origin", "audit_id", "as_of", "next_release_on"),
    *UNTRANSLATED,
}
TABLES_SINCE_0002 = {
    "audit_lines",
    "release_audits",
    "release_changes",
    "release_drafts",
    "release_municipality_years",
    "release_quarters",
}


def content_of(database: Database) -> list[bytes]:
    """Every row of every table, as a backup tells it."""
    with database.reading() as db:
        return list(lines(db, headings()))


def answers_of(database: Database, lived: Lived) -> Answers:
    """What a server on `database` answers to the questions that were asked of `lived`."""
    return answers(database.settings.database_url, lived.clock, lived.key, lived.moments)


def go_on(place: Database, lived: Lived) -> dict[str, Any]:
    """What comes of a post, of a retry, of a retry with another body and of a new organisation."""
    headers = {"Authorization": lived.key, "Idempotency-Key": "retry-1"}
    same = {"counts": [count("297", "2022-03", 9)], "statuses": [status("297", "2022-05-06", "in_use")]}
    other = {"counts": [count("297", "2022-03", 10)], "statuses": []}
    new = {"counts": [count("297", "2023", 5)]}
    app = create_app(Settings(database_url=place.settings.database_url, **UNHURRIED), lived.clock)
    with TestClient(app) as http:
        receipt = http.post("/v1/submissions", json=new, headers={"Authorization": lived.key}).json()
        retried, reused = (http.post("/v1/submissions", json=body, headers=headers) for body in (same, other))
        with place.writing() as db:
            organisation = new_organisation(db)
    return {
        "receipt": receipt["id"],
        "told": receipt,
        "replay": retried.status_code,
        "replayed": retried.headers["Idempotency-Replayed"],
        "replayed body": retried.content,
        "other body": reused.status_code,
        "organisation": organisation,
    }


def new_organisation(db: Session) -> int:
    """Make a key of a new organisation; the number that the organisation got."""
    issue_key(db, name="new", organisation="Newcomer", actions=[Action.READ], areas=["country"], at=NOW)
    return int(db.execute(text("SELECT id FROM organisations WHERE name = 'Newcomer'")).scalar_one())


def alter(database: Database) -> None:
    """Change a figure past the database's own refusal."""
    off = "DROP TRIGGER count_entries_refuses_update"
    if database.engine.dialect.name == "postgresql":
        off = "ALTER TABLE count_entries DISABLE TRIGGER ALL"
    with database.engine.begin() as connection:
        connection.execute(text(off))
        connection.execute(text("UPDATE count_entries SET sessions = 70 WHERE id = 1"))
    database.dispose()
