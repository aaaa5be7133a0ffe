"""The role under which the public reads in PostgreSQL: what it may read, how it is made, what is said without it."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from starlette.testclient import TestClient

from app.access.caller import AnyReader
from app.archive.moving import back_up, restore
from app.database import Base, Database, NoPublicRole
from app.main import create_app
from app.rights import PUBLIC, rights_problem
from app.schema import NotMigrated, migrate, require_schema, schema_problem
from app.settings import Settings
from app.web.dependencies import ReadDb
from tests.conftest import NOW, UNHURRIED, Caller, StandingClock, postgresql_database

ROLE = "yhdessa_public"
NOT_PUBLIC = Base.metadata.tables.keys() - set(PUBLIC)


@pytest.fixture
def settings(postgresql_server: str, migrated_postgresql: str) -> Iterator[Settings]:
    """Those of a migrated database of PostgreSQL: SQLite has no roles."""
    with postgresql_database(postgresql_server, migrated_postgresql) as url:
        yield Settings(database_url=url, **UNHURRIED)


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    database = Database(settings)
    yield database
    database.dispose()


def run(url: str, *statements: str) -> None:
    """Run what an administrator runs."""
    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def user_of(db: ReadDb) -> list[str]:
    """Who reads, in what kind of transaction."""
    names = ("role", "transaction_isolation", "transaction_read_only", "application_name")
    return [db.execute(text(f"SHOW {name}")).scalar_one() for name in names]


def role_of(connection: Any) -> str:
    """The role that a connection of its own is in; it is closed."""
    with connection:
        role: str = connection.execute("SHOW role").fetchone()[0]
    return role


# What the role may read.


def test_the_public_reads_every_table_that_is_public_and_no_other(database: Database) -> None:
    for name in sorted(Base.metadata.tables):
        with database.reading_in_public() as db:
            if name in PUBLIC:
                db.execute(text(f"SELECT * FROM {name} LIMIT 1"))
                continue
            with pytest.raises(DBAPIError, match=f"permission denied for table {name}"):
                db.execute(text(f"SELECT * FROM {name} LIMIT 1"))

    assert {"count_entries", "notes", "keys", "release_drafts", "remembered_replies"} <= NOT_PUBLIC


def test_of_receipts_the_public_reads_when_they_came_and_nothing_else(database: Database) -> None:
    with database.reading_in_public() as db:
        db.execute(text("SELECT id, recorded_at FROM submissions"))
        with pytest.raises(DBAPIError, match="permission denied for table submissions"):
            db.execute(text("SELECT rows FROM submissions"))


def test_the_public_reads_one_moment_and_writes_nothing(database: Database) -> None:
    with database.reading_in_public() as db:
        assert user_of(db)[:3] == [ROLE, "repeatable read", "on"]
        with pytest.raises(DBAPIError, match="read-only transaction"):
            db.execute(text("UPDATE last_write SET recorded_at = now()"))


def test_whoever_has_the_connection_next_has_its_own_rights(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"pool_size": 1}))
    for _ in range(3):
        with database.reading_in_public() as db, pytest.raises(DBAPIError):
            db.execute(text("SELECT count(*) FROM count_entries"))
        # So often that the driver prepares the statement.
        for _ in range(7):
            with database.reading() as db:
                assert db.execute(text("SELECT count(*) FROM count_entries")).scalar_one() == 0
                assert user_of(db)[:3] == ["none", "repeatable read", "on"]
        with database.writing() as db:
            assert user_of(db)[:3] == ["none", "read committed", "off"]
    database.dispose()


def test_the_look_for_a_new_release_is_made_with_the_rights_of_the_public(database: Database) -> None:
    connections = (database.public_connection_apart(), database.connection_apart())

    assert [role_of(connection) for connection in connections] == [ROLE, "none"]


# Who reads under it.


def test_a_connection_that_cannot_take_the_role_is_closed_and_not_handed_out(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"public_role": "nobody_made_it"}))

    with pytest.raises(database.engine.dialect.loaded_dbapi.Error, match='role "nobody_made_it" does not exist'):
        database.public_connection_apart()
    database.dispose()


def test_a_key_is_what_it_takes_to_read_with_more_rights_and_a_route_that_takes_one(
    app: FastAPI, http: TestClient, north_savo: Caller
) -> None:
    def with_key_if_any(db: ReadDb, caller: AnyReader) -> list[str]:
        return user_of(db)

    # Posted to, since a GET of the application's own would be conditional; it makes no difference to the session.
    app.add_api_route("/any", with_key_if_any, methods=["POST"])
    app.add_api_route("/all", user_of, methods=["POST"])

    def role(path: str, **headers: str) -> str:
        answer: list[str] = http.post(path, headers=headers).json()
        return answer[0]

    assert role("/any") == role("/all") == ROLE
    assert role("/any", **north_savo.headers) == "none"
    assert role("/all", **north_savo.headers) == role("/all", Authorization="Bearer of no key") == ROLE
    assert http.post("/any", headers={"Authorization": "Bearer of no key"}).status_code == 401


def test_a_past_moment_is_read_under_it_as_well(anyone: Caller, clock: StandingClock) -> None:
    clock.advance(days=1)

    assert anyone.get("/v1/releases", as_of="2024-05-15T10:00:00Z").status_code == 200


# How it is made.


@pytest.fixture
def plain(postgresql_server: str) -> Iterator[Settings]:
    """Settings of an empty database whose owner may not make roles, and of a role that is not there."""
    user, role = (f"{kind}_{secrets.token_hex(4)}" for kind in ("user", "role"))
    run(postgresql_server, f"CREATE ROLE {user} LOGIN")
    with postgresql_database(postgresql_server) as url:
        name = make_url(url).database
        run(postgresql_server, f"ALTER DATABASE {name} OWNER TO {user}")
        own = make_url(url).set(username=user, password=None).render_as_string(hide_password=False)
        yield Settings(database_url=own, public_role=role, **UNHURRIED)
    run(postgresql_server, f"DROP ROLE {user}", f"DROP ROLE IF EXISTS {role}")


def test_who_may_not_make_the_role_is_told_what_to_do_and_nothing_is_changed(
    plain: Settings, postgresql_server: str
) -> None:
    database = Database(plain)
    user = make_url(plain.database_url).username

    with pytest.raises(NoPublicRole) as refused:
        migrate(database, StandingClock(NOW))

    assert f"run: CREATE ROLE {plain.public_role} NOLOGIN; GRANT {plain.public_role} TO {user};" in str(refused.value)
    assert inspect(database.engine).get_table_names() == []
    run(postgresql_server, f"CREATE ROLE {plain.public_role} NOLOGIN")
    with pytest.raises(NoPublicRole, match="nothing was changed"):
        migrate(database, StandingClock(NOW))
    run(postgresql_server, f"GRANT {plain.public_role} TO {user}")
    migrate(database, StandingClock(NOW))
    assert schema_problem(database) is None
    with database.reading_in_public() as db:
        assert user_of(db)[0] == plain.public_role
    run(postgresql_server, f"REVOKE {plain.public_role} FROM {user}")
    assert (schema_problem(database) or "").endswith("is not there or not granted; run `yhdessa migrate`")
    database.dispose()


def test_who_may_make_roles_makes_it_and_may_take_it(plain: Settings, postgresql_server: str) -> None:
    run(postgresql_server, f"ALTER ROLE {make_url(plain.database_url).username} CREATEROLE")
    database = Database(plain)

    migrate(database, StandingClock(NOW))
    migrate(database, StandingClock(NOW))

    require_schema(database)
    with database.reading_in_public() as db:
        assert user_of(db)[0] == plain.public_role
    database.dispose()


def test_without_the_name_of_a_role_the_public_reads_with_the_rights_of_the_server(plain: Settings) -> None:
    database = Database(plain.model_copy(update={"public_role": ""}))

    migrate(database, StandingClock(NOW))

    require_schema(database)
    with database.reading_in_public() as db:
        assert user_of(db)[0] == "none"
    assert role_of(database.public_connection_apart()) == "none"
    database.dispose()


def test_what_is_restored_is_read_by_the_public_as_well(
    database: Database, postgresql_server: str, tmp_path: Path
) -> None:
    back_up(database, tmp_path / "backup", at=NOW)

    with postgresql_database(postgresql_server) as url:
        restored = Database(Settings(database_url=url))
        restore(restored, tmp_path / "backup")
        assert schema_problem(restored) is None
        restored.dispose()


# What is said without it.


def test_a_server_neither_starts_nor_is_ready_where_the_role_may_read_too_little_or_too_much(
    settings: Settings, database: Database
) -> None:
    with TestClient(create_app(settings, StandingClock(NOW))) as http:
        for done, undone, problem in (
            ("REVOKE SELECT ON releases FROM {}", "GRANT SELECT ON releases TO {}", "may not read releases; run"),
            (
                "REVOKE USAGE ON SCHEMA public FROM {}, PUBLIC",
                "GRANT USAGE ON SCHEMA public TO {}",
                "may not read count",
            ),
            (
                "GRANT SELECT ON count_entries TO {}",
                "REVOKE SELECT ON count_entries FROM {}",
                "may read count_entries,",
            ),
            ("GRANT SELECT ON notes TO PUBLIC", "REVOKE SELECT ON notes FROM PUBLIC", "may read notes, which is not"),
            (
                "GRANT SELECT (rows) ON submissions TO {}",
                "REVOKE SELECT (rows) ON submissions FROM {}",
                "may read submissions.rows, which is not public; revoke that",
            ),
        ):
            run(settings.database_url, done.format(ROLE))
            found, ready = rights_problem(database) or "", http.get("/readyz")
            with pytest.raises(NotMigrated) as refused:
                require_schema(database)
            run(settings.database_url, undone.format(ROLE))

            assert found.startswith(f"the role {ROLE}, under which the public reads, {problem}")
            assert (ready.status_code, ready.json()["detail"]) == (503, found)
            assert str(refused.value) == found
            assert rights_problem(database) is None


def test_migrating_again_gives_back_what_was_taken_and_refuses_what_is_too_much(database: Database) -> None:
    url = database.settings.database_url
    run(url, f"REVOKE SELECT ON releases FROM {ROLE}", f"REVOKE SELECT ON submissions FROM {ROLE}")
    migrate(database, StandingClock(NOW))
    assert rights_problem(database) is None

    run(url, f"GRANT SELECT ON keys TO {ROLE}")
    with pytest.raises(NoPublicRole, match="may read keys, which is not public"):
        migrate(database, StandingClock(NOW))


def test_the_public_is_told_to_wait_and_a_key_reads_on_while_the_role_is_gone(plain: Settings) -> None:
    migrating = Database(plain.model_copy(update={"public_role": ""}))
    migrate(migrating, StandingClock(NOW))
    migrating.dispose()
    with TestClient(create_app(plain, StandingClock(NOW))) as http:
        answers = [http.get("/v1/releases") for _ in range(30)]

        assert {answer.status_code for answer in answers} == {503}
        assert "run `yhdessa migrate`" in answers[0].json()["detail"]
        assert answers[0].headers["Retry-After"]
        assert http.get("/v1/key", headers={"Authorization": "Bearer of no key"}).status_code == 401
        assert http.get("/v1/releases").status_code == 503


def test_another_mistake_at_the_beginning_is_told_as_what_it_is(settings: Settings) -> None:
    database = Database(settings.model_copy(update={"public_role": "none; SELECT 1 / 0"}))

    with pytest.raises(DBAPIError, match="division by zero"), database.reading_in_public() as db:
        user_of(db)
    database.dispose()
