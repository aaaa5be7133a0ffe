"""Migrations on both databases: up, no drift, down and up again; what the schema refuses; what ships, as of when."""

import hashlib
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from datetime import datetime, timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from fastapi import FastAPI
from sqlalchemy import Connection, Engine, Inspector, MetaData, Table, create_engine, insert, inspect, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlmodel import col, select
from sqlmodel.sql.sqltypes import UTCDateTime
from starlette.testclient import TestClient

from app.access.keys import issue_key
from app.access.models import Action
from app.clock import BEGINNING
from app.database import Base, Database
from app.main import create_app
from app.places.models import MunicipalityRecord, ResidentsRecord
from app.practices.definitions import SHIPPED_PRACTICE, practices, set_live_from
from app.practices.models import UNTRANSLATED, PracticeRecord
from app.publishing.storing import store_audit
from app.releases.models import ReleaseRecord
from app.releases.reading import content_of
from app.reports.verifying import verify
from app.rights import let_public_read, make_public_role
from app.schema import NotMigrated, migrate
from app.settings import Settings
from tests.conftest import NOW, ROOT, Caller, StandingClock, count, status
from tests.publishing.published import PASSED, publish

MAY_CHANGE = {"keys", "last_write", "notes", "organisations", "release_drafts", "remembered_replies"}
APPEND_ONLY = sorted(Base.metadata.tables.keys() - MAY_CHANGE)


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Database]:
    database = Database(Settings(database_url=empty_database_url))
    yield database
    database.dispose()


@pytest.fixture
def bare(database_url: str) -> Iterator[Engine]:
    """The migrated database through an engine that is not ours: only the database itself can refuse."""
    engine = create_engine(Settings(database_url=database_url).database_url)
    yield engine
    engine.dispose()


def alembic(database: Database, what: Callable[..., Any], *arguments: str) -> None:
    """Run one of Alembic's commands on `database`."""
    config = Config(ROOT / "alembic.ini")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        what(config, *arguments)
        connection.commit()


# The schema.


def test_the_schema_is_the_one_that_the_models_declare(empty: Database) -> None:
    alembic(empty, command.upgrade, "head")
    migrated = schema_of(empty.engine)

    alembic(empty, command.check)
    alembic(empty, command.downgrade, "base")
    Base.metadata.create_all(empty.engine)

    assert schema_of(empty.engine) == migrated


def test_down_leaves_nothing_and_up_again_makes_the_same(empty: Database) -> None:
    alembic(empty, command.upgrade, "head")
    migrated, refusing = schema_of(empty.engine), triggers_and_functions(empty.engine)

    alembic(empty, command.downgrade, "base")
    emptied, refusing_no_more = schema_of(empty.engine), triggers_and_functions(empty.engine)
    alembic(empty, command.upgrade, "head")

    assert (emptied, refusing_no_more) == ({}, [])
    assert schema_of(empty.engine) == migrated
    assert triggers_and_functions(empty.engine) == refusing != []


def test_a_migration_that_fails_halfway_leaves_nothing(empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE status_entries (id INTEGER)"))

    with pytest.raises(DBAPIError, match="already exists"):
        migrate(empty, StandingClock(NOW))

    assert schema_of(empty.engine).keys() == {"status_entries"}


def test_alembic_by_itself_reaches_the_database_of_the_settings(
    empty_database_url: str, empty: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_DATABASE_URL", empty_database_url)
    config = Config(ROOT / "alembic.ini")

    command.upgrade(config, "head")
    command.check(config)

    assert schema_of(empty.engine).keys() == Base.metadata.tables.keys()


def test_migrate_makes_the_folder_of_a_sqlite_file(tmp_path: Path) -> None:
    database = Database(Settings(database_url=f"sqlite:///{tmp_path}/not/yet/there/yhdessa.db"))

    migrate(database, StandingClock(NOW))
    database.dispose()

    assert (tmp_path / "not" / "yet" / "there" / "yhdessa.db").is_file()


def test_a_database_from_a_later_version_is_refused(empty: Database) -> None:
    alembic(empty, command.upgrade, "head")
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(NotMigrated, match="9999"):
        migrate(empty, StandingClock(NOW))


def test_receipts_from_before_are_told_how_many_of_their_rows_came_to_what(empty: Database) -> None:
    alembic(empty, command.upgrade, "0002")
    before = store_receipts_of_0002(empty)

    alembic(empty, command.upgrade, "head")

    names = ("id", "retracts", "created", "corrected", "unchanged", "retracted", "rejected")
    with empty.engine.connect() as connection:
        numbers = [
            tuple(row) for row in connection.execute(text(f"SELECT {', '.join(names)} FROM submissions ORDER BY id"))
        ]
        kept = [row[: len(before[0])] for row in rows_of(connection, "submissions")]
        keys = [tuple(row) for row in connection.execute(text("SELECT id, replaced_by FROM keys"))]
    assert numbers == [
        (1, None, 2, 1, 0, 0, 0),
        (2, None, 0, 0, 1, 0, 0),
        (3, None, 0, 0, 0, 1, 0),
        (4, None, 1, 0, 0, 0, 2),
    ]
    assert kept == before
    assert keys == [("abcd1234", None)]


def test_receipts_from_before_are_as_unchangeable_afterwards_and_the_proof_is_whole(
    empty: Database, empty_database_url: str
) -> None:
    alembic(empty, command.upgrade, "0002")
    before = store_receipts_of_0002(empty)

    migrate(empty, StandingClock(NOW))

    bare = create_engine(Settings(database_url=empty_database_url).database_url)
    attempts = changes_of("submissions", bare.dialect.name)
    got_through = [attempt for attempt in attempts if not refused(bare, attempt)]
    bare.dispose()
    with empty.reading() as db:
        proved = verify(db)
    assert got_through == []
    assert (proved.receipts, proved.receipts_head) == (4, before[-1][-1])


def test_down_to_before_the_audit_log_keeps_the_receipts_as_they_were(empty: Database) -> None:
    alembic(empty, command.upgrade, "0002")
    before, refusing = store_receipts_of_0002(empty), triggers_and_functions(empty.engine)
    alembic(empty, command.upgrade, "head")

    alembic(empty, command.downgrade, "0002")

    with empty.engine.connect() as connection:
        assert rows_of(connection, "submissions") == before
    assert triggers_and_functions(empty.engine) == refusing


# Rows that are never changed.


def test_the_database_refuses_to_change_or_delete_a_row_of_what_is_append_only(
    app: FastAPI, bare: Engine, kuopio: Caller
) -> None:
    fill(app, kuopio)
    with bare.connect() as connection:
        before = {table: rows_of(connection, table) for table in APPEND_ONLY}
    attempts = [attempt for table in APPEND_ONLY for attempt in changes_of(table, bare.dialect.name)]

    got_through = [attempt for attempt in attempts if not refused(bare, attempt)]

    assert all(before.values())
    assert got_through == []
    with bare.connect() as connection:
        assert {table: rows_of(connection, table) for table in APPEND_ONLY} == before


def test_a_note_can_be_erased(bare: Engine, kuopio: Caller) -> None:
    kuopio.post([count("297", "2022-03", 7, note="Anna was ill")])

    with bare.begin() as connection:
        erased = connection.execute(text("DELETE FROM notes")).rowcount

    history = kuopio.get("/v1/session-counts/yhdessa-aika/297/2022-03/history").json()["rows"]
    assert erased == 1
    assert [row["note"] for row in history] == [None]


@pytest.mark.parametrize(
    ("broken", "table", "changed"),
    [
        ("ck_count_entries_sessions", "count_entries", {"sessions": -1}),
        ("ck_count_entries_sessions", "count_entries", {"sessions": 1_000_001}),
        ("ck_count_entries_outcome", "count_entries", {"sessions": None}),
        ("ck_count_entries_outcome", "count_entries", {"outcome": "retracted"}),
        ("ck_count_entries_outcome", "count_entries", {"outcome": "unchanged"}),
        ("ck_count_entries_days", "count_entries", {"counted_to": "2022-02-28"}),
        ("ck_count_entries_days", "count_entries", {"counted_to": "2022-04-01"}),
        ("ck_status_entries_status", "status_entries", {"status": "active"}),
        ("ck_status_entries_date_precision", "status_entries", {"date_precision": "week"}),
        ("ck_status_entries_outcome", "status_entries", {"status": None}),
        ("ck_status_entries_outcome", "status_entries", {"outcome": "superseded"}),
        ("ck_audit_lines_kind", "audit_lines", {"kind": "guessed"}),
        ("ck_releases_state", "releases", {"state": "draft"}),
        ("ck_releases_origin", "releases", {"origin": "heard"}),
        ("ck_releases_audited", "releases", {"origin": "published"}),
        ("ck_releases_audited", "releases", {"audit_id": 2}),
        ("ck_release_audits_outcome", "release_audits", {"outcome": "failed"}),
    ],
)
def test_the_database_refuses_a_row_that_breaks_a_rule(
    app: FastAPI, bare: Engine, kuopio: Caller, broken: str, table: str, changed: dict[str, Any]
) -> None:
    fill(app, kuopio)
    columns = [column.name for column in Base.metadata.tables[table].columns]
    copied = ", ".join(f":{name}" if name in {*changed, "id"} else name for name in columns)
    copy = text(f"INSERT INTO {table} SELECT {copied} FROM {table} WHERE id = 1")
    if bare.dialect.name == "postgresql":
        copy = text(f"INSERT INTO {table} SELECT {typed(copied)} FROM {table} WHERE id = 1")

    with pytest.raises(IntegrityError, match=broken), bare.begin() as connection:
        connection.execute(copy, {"id": 99, **changed})


@pytest.mark.parametrize(("audit", "takes"), [(None, False), (1, False), (2, True), (3, False)])
def test_the_database_takes_a_published_release_only_with_an_audit_of_its_own_that_it_passed(
    app: FastAPI, bare: Engine, kuopio: Caller, audit: int | None, takes: bool
) -> None:
    """Release 2 has audit 1; audit 2 belongs to no release; there is no audit 3."""
    fill(app, kuopio)
    columns = [column.name for column in Base.metadata.tables["releases"].columns]
    copied = ", ".join({"id": "3", "audit_id": "CAST(:audit AS INTEGER)"}.get(name, name) for name in columns)
    copy = text(f"INSERT INTO releases SELECT {copied} FROM releases WHERE id = 2")

    with nullcontext() if takes else pytest.raises(IntegrityError), bare.begin() as connection:
        connection.execute(copy, {"audit": audit})

    with bare.connect() as connection:
        assert len(rows_of(connection, "releases")) == 2 + takes


# What ships.


def test_migrating_again_changes_nothing(database_url: str, bare: Engine) -> None:
    with bare.connect() as connection:
        before = {table: rows_of(connection, table) for table in APPEND_ONLY}

    database = Database(Settings(database_url=database_url))
    migrate(database, StandingClock(NOW + timedelta(days=1)))
    database.dispose()

    with bare.connect() as connection:
        assert {table: rows_of(connection, table) for table in APPEND_ONLY} == before


def test_reference_data_that_ships_later_leaves_the_answers_of_before(
    empty: Database, migrated_sqlite: Path, clock: StandingClock
) -> None:
    alembic(empty, command.upgrade, "head")
    with empty.writing() as db:
        make_public_role(db, empty.settings.public_role)
        let_public_read(db, empty.settings.public_role)
    older = {"213": {"name_fi": "Kankaanniemi", "county": "11"}}
    copy_reference_data(migrated_sqlite, empty, municipalities=older, residents_before=2023)
    server = create_app(empty.settings, clock)
    reader = Caller(TestClient(server), country_key(server))
    reader.post([], [status("213", "2021-03", "pilot")])
    clock.advance(days=1)
    questions: list[tuple[str, dict[str, Any]]] = [
        ("/v1/municipalities", {}),
        ("/v1/counties", {}),
        ("/v1/statuses", {}),
        ("/v1/trends", {"by": "county"}),
        ("/v1/trends", {"municipality": "213"}),
    ]
    before = [reader.get(path, **query).content for path, query in questions]

    clock.advance(days=1)
    migrate(server.state.database, clock)
    clock.advance(days=1)
    as_before = [reader.get(path, as_of="2024-05-16", **query).content for path, query in questions]
    now = [reader.get(path, **query) for path, query in questions]
    server.state.database.dispose()

    assert as_before == before
    assert [found for found in now[0].json()["rows"] if found["code"] == "213"] == [
        {
            "code": "213",
            "name_fi": "Kangasniemi",
            "name_sv": "Kangasniemi",
            "county": "12",
            "region": "10",
            "valid_from": None,
            "valid_to": None,
            "successor": None,
        }
    ]
    assert [row["municipalities"] for row in now[1].json()["rows"] if row["code"] in ("11", "12")] == [9, 12]
    assert now[2].json()["rows"][0]["municipality_name_fi"] == "Kangasniemi"
    assert [row["residents"] for row in now[4].json()["years"]] == [5_230, 5_154, 5_114, 5_114]


def test_reference_data_that_changed_stands_beside_the_old(empty: Database, migrated_sqlite: Path) -> None:
    alembic(empty, command.upgrade, "head")
    copy_reference_data(
        migrated_sqlite, empty, municipalities={"297": {"name_sv": "Kuopio stad"}}, residents_before=2025
    )

    later = NOW + timedelta(days=1)
    migrate(empty, StandingClock(later))

    with empty.reading() as db:
        names = db.exec(select(MunicipalityRecord).where(MunicipalityRecord.code == "297")).all()
        years = db.exec(select(ResidentsRecord).where(ResidentsRecord.code == "297")).all()
    assert {row.recorded_at: row.name_sv for row in names} == {BEGINNING: "Kuopio stad", later: "Kuopio"}
    assert {row.year: row.recorded_at for row in years} == {
        2021: BEGINNING,
        2022: BEGINNING,
        2023: BEGINNING,
        2025: later,
    }


def test_the_practice_that_shipped_is_told_in_three_languages_from_the_migration_on(empty: Database) -> None:
    alembic(empty, command.upgrade, "0004")
    store_practice_of_0004(empty, recorded_at=BEGINNING)

    for day in (0, 1):
        migrate(empty, StandingClock(NOW + timedelta(days=day)))

    with empty.reading() as db:
        before, after = practices(db, NOW - timedelta(days=1)), practices(db, NOW)
        moments = db.exec(select(PracticeRecord.recorded_at).order_by(col(PracticeRecord.recorded_at))).all()
    assert before == {"yhdessa-aika": SHIPPED_PRACTICE.model_copy(update=UNTRANSLATED)}
    assert after == {"yhdessa-aika": SHIPPED_PRACTICE}
    assert moments == [BEGINNING, NOW]


def test_a_practice_that_its_operator_defined_anew_stays_as_it_is_defined(empty: Database) -> None:
    alembic(empty, command.upgrade, "0004")
    store_practice_of_0004(empty, recorded_at=BEGINNING)
    store_practice_of_0004(empty, recorded_at=NOW - timedelta(days=1), contact="The county")

    migrate(empty, StandingClock(NOW))

    with empty.reading() as db:
        assert practices(db) == {
            "yhdessa-aika": SHIPPED_PRACTICE.model_copy(update={**UNTRANSLATED, "contact": "The county"})
        }


def store_practice_of_0004(database: Database, *, recorded_at: datetime, **changed: Any) -> None:
    """Store the practice that ships as 0004 knew it, but for what is `changed`."""
    told = SHIPPED_PRACTICE.model_dump(exclude=set(UNTRANSLATED)) | {"recorded_at": recorded_at, **changed}
    as_it_was = Table("practices", MetaData(), autoload_with=database.engine)
    as_it_was.c.recorded_at.type = UTCDateTime()
    with database.engine.begin() as connection:
        connection.execute(as_it_was.insert(), told)


def store_receipts_of_0002(database: Database) -> list[tuple[Any, ...]]:
    """Store four receipts without entries as 0002 knew them, by plain SQL; these rows."""
    at = "2024-05-15 09:00:00.00000"
    head = "0" * 64
    with database.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO organisations (id, name, created_at) VALUES (1, 'Kuopio', :at)"), {"at": f"{at}0"}
        )
        connection.execute(
            text(
                "INSERT INTO keys (id, organisation_id, name, secret_hash, actions, areas, created_at, expires_at)"
                " VALUES ('abcd1234', 1, 'test', '', '[]', '[]', :at, :at)"
            ),
            {"at": f"{at}0"},
        )
        for number, outcomes in enumerate(
            (
                ("created", "corrected", "created"),
                ("unchanged",),
                ("retracted",),
                ("rejected", "created", "rejected"),
            ),
            1,
        ):
            row: dict[str, Any] = {"list": "counts", "entry": None, "superseded": [], "warnings": [], "errors": []}
            rows = json.dumps([{**row, "index": index, "outcome": outcome} for index, outcome in enumerate(outcomes)])
            content = {
                "id": number,
                "organisation_id": 1,
                "key_id": "abcd1234",
                "recorded_at": f"2024-05-15T09:00:00.00000{number}Z",
                "rows": rows,
                "previous_hash": head,
                "entries": [],
            }
            canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
            previous, head = head, hashlib.sha256(canonical.encode()).hexdigest()
            connection.execute(
                text(
                    "INSERT INTO submissions (id, organisation_id, key_id, recorded_at, rows, previous_hash, hash)"
                    " VALUES (:id, 1, 'abcd1234', :at, :rows, :previous, :hash)"
                ),
                {"id": number, "at": f"{at}{number}", "rows": rows, "previous": previous, "hash": head},
            )
        return rows_of(connection, "submissions")


def schema_of(engine: Engine) -> dict[str, Any]:
    """All that the database knows of each table but Alembic's own, in the database's words."""
    seen = inspect(engine)
    return {
        table: {
            "columns": [{**column, "type": repr(column["type"])} for column in seen.get_columns(table)],
            "primary key": seen.get_pk_constraint(table),
            "foreign keys": foreign_keys(seen, table),
            "unique": by_name(seen.get_unique_constraints(table)),
            "checks": by_name(seen.get_check_constraints(table)),
            "indexes": by_name(seen.get_indexes(table)),
        }
        for table in seen.get_table_names()
        if table != "alembic_version"
    }


def foreign_keys(seen: Inspector, table: str) -> list[Any]:
    """By their columns; without names on SQLite, which tells none of a column that was added with its constraint."""
    nameless = {"name": None} if seen.engine.dialect.name == "sqlite" else {}
    return sorted((one | nameless for one in seen.get_foreign_keys(table)), key=itemgetter("constrained_columns"))


def by_name(things: Any) -> list[Any]:
    return sorted(things, key=lambda thing: str(thing["name"]))


def triggers_and_functions(engine: Engine) -> list[Any]:
    statement = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name"
    if engine.dialect.name == "postgresql":
        statement = (
            "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"
            " UNION SELECT proname, prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace ORDER BY 1"
        )
    with engine.connect() as connection:
        return list(connection.execute(text(statement)))


def fill(app: FastAPI, kuopio: Caller) -> None:
    """Give every table that is append-only a row."""
    assert kuopio.post([count("297", "2022-03", 7)], [status("297", "2022-03", "pilot")]).status_code == 201
    database: Database = app.state.database
    with database.writing() as db:
        set_live_from(db, "yhdessa-aika", "13", 2022, at=NOW)
    why = {"year": 2022, "kind": "revision", "reason": "Counted anew"}
    number = publish(database, StandingClock(NOW), municipalities=True, quarters=True, changes=[why])
    with database.writing() as db:
        content = content_of(db, db.get_one(ReleaseRecord, number))
        assert store_audit(db, content, PASSED, threshold=5, at=NOW) == 2


def changes_of(table: str, dialect: str) -> list[str]:
    """Statements that would change or delete rows of `table`."""
    declared = Base.metadata.tables[table]
    columns = [column.name for column in declared.columns]
    key = ", ".join(column.name for column in declared.primary_key)
    again = f"INSERT INTO {table} SELECT * FROM {table} WHERE true ON CONFLICT ({key}) DO UPDATE SET"
    changes = [
        *(f"UPDATE {table} SET {column} = {column}" for column in columns),
        f"DELETE FROM {table}",
        f"{again} {columns[-1]} = excluded.{columns[-1]}",
    ]
    if dialect == "postgresql":
        return [*changes, f"TRUNCATE {table} CASCADE"]
    if table in ("releases", "submissions"):
        with_other_ids = ", ".join("id + 1000" if column == "id" else column for column in columns)
        changes.append(f"REPLACE INTO {table} SELECT {with_other_ids} FROM {table}")
    return [*changes, f"REPLACE INTO {table} SELECT * FROM {table}"]


def refused(engine: Engine, statement: str) -> bool:
    try:
        with engine.begin() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        return "never changed or deleted" in str(error)
    return False


def typed(selected: str) -> str:
    """`selected` with the types that PostgreSQL cannot guess of a bare parameter."""
    types = {"id": "INTEGER", "audit_id": "INTEGER", "sessions": "INTEGER", "counted_to": "DATE"}
    for name, kind in types.items():
        selected = re.sub(rf":{name}\b", f"CAST(:{name} AS {kind})", selected)
    return selected


def rows_of(connection: Connection, table: str) -> list[tuple[Any, ...]]:
    return sorted((tuple(row) for row in connection.execute(text(f"SELECT * FROM {table}"))), key=repr)


def copy_reference_data(
    shipped: Path, target: Database, *, municipalities: Mapping[str, Mapping[str, Any]], residents_before: int
) -> None:
    """Store what ships as an earlier version knew it: other facts of `municipalities`, fewer years of residents."""
    source = create_engine(f"sqlite:///{shipped}")
    with source.connect() as read, target.writing() as db:
        for table in Base.metadata.sorted_tables:
            rows = [dict(row) for row in read.execute(table.select()).mappings() if table.name != "last_write"]
            if table.name == "municipalities":
                rows = [{**row, **municipalities.get(row["code"], {})} for row in rows]
            if table.name == "residents":
                rows = [row for row in rows if row["year"] < residents_before]
            if rows:
                db.connection().execute(insert(table), rows)
    source.dispose()


def country_key(server: FastAPI) -> str:
    with server.state.database.writing() as db:
        return issue_key(
            db, name="test", organisation="THL", actions=[Action.REPORT, Action.READ], areas=["country"], at=NOW
        )
