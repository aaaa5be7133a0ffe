"""Which tables the public may read in PostgreSQL, under a role of its own that has no other right.

Nobody logs in with the role: the server takes it for the length of a transaction in which the public reads.
"""

from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

from app.database import Database, NoPublicRole, is_sqlite

PUBLIC = (
    "counties",
    "last_write",
    "municipalities",
    "practices",
    "release_audits.id",
    "release_audits.threshold",
    "release_changes",
    "release_municipality_years",
    "release_quarters",
    "release_years",
    "releases",
    "residents",
    "status_entries",
    "submissions.id",
    "submissions.recorded_at",
)
"""Tables, and columns of others. Of what was reported statuses stand there alone, which are public, and when."""

_MAKE = """
DO $make$ BEGIN
    CREATE ROLE {role} NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    -- Somebody else made it for another database of this server meanwhile.
END $make$
"""

# To be a member was enough before version 16.
_TAKEN = text("""
    SELECT pg_has_role(oid, CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END)
    FROM pg_roles WHERE rolname = :role
""")
_READABLE = text("""
    SELECT relname FROM pg_class AS held
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND has_schema_privilege(:role, relnamespace, 'USAGE') AND has_table_privilege(:role, oid, 'SELECT')
    UNION ALL
    SELECT relname || '.' || attname FROM pg_class AS held JOIN pg_attribute ON attrelid = held.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm', 'f')
    AND attnum > 0 AND NOT attisdropped
    AND has_schema_privilege(:role, relnamespace, 'USAGE') AND NOT has_table_privilege(:role, held.oid, 'SELECT')
    AND has_column_privilege(:role, held.oid, attnum, 'SELECT')
""")


def make_public_role(db: Session, role: str) -> None:
    """Make the `role` of the public, unless it is there; an empty one is none, as SQLite has none.

    Raises:
        NoPublicRole: the user of the database may not; its transaction has come to nothing.
    """
    if is_sqlite(db) or not role:
        return
    try:
        if _taken(db.connection(), role) is None:
            db.execute(text(_MAKE.format(role=role)))
        if not _taken(db.connection(), role):
            db.execute(text(f"GRANT {role} TO CURRENT_USER"))
    except ProgrammingError as error:
        user = db.get_bind().engine.url.username
        raise NoPublicRole(
            f"the public reads under the role {role}, which this user of PostgreSQL may not make or take; nothing was"
            f" changed. Let an administrator run: CREATE ROLE {role} NOLOGIN; GRANT {role} TO {user}; (only the latter"
            " where the role is there), and run this command again. YHDESSA_PUBLIC_ROLE names another role; if it is"
            " empty, the public reads with all rights of the server"
        ) from error


def let_public_read(db: Session, role: str) -> None:
    """Let `role` read what is public; doing it again changes nothing.

    Raises:
        NoPublicRole: it still cannot, or it can read more than that.
    """
    if is_sqlite(db) or not role:
        return
    if missing := set(PUBLIC) - _readable(db.connection(), role):
        db.execute(text(f"GRANT USAGE ON SCHEMA {_schema(db)} TO {role}"))
        for table, _, column in sorted(name.partition(".") for name in missing):
            db.execute(text(f"GRANT SELECT {f'({column})' if column else ''} ON {table} TO {role}"))
    if problem := _problem(db.connection(), role):
        raise NoPublicRole(problem)


def rights_problem(database: Database) -> str | None:
    """Why the public cannot read, or could read too much, and what to do about it; None if all is well."""
    role = database.settings.public_role
    if database.engine.dialect.name == "sqlite" or not role:
        return None
    with database.engine.connect() as connection:
        return _problem(connection, role)


def _problem(connection: Connection, role: str) -> str | None:
    what = f"the role {role}, under which the public reads,"
    if not _taken(connection, role):
        return f"{what} is not there or not granted; run `yhdessa migrate`"
    readable = _readable(connection, role)
    if missing := sorted(set(PUBLIC) - readable):
        return f"{what} may not read {', '.join(missing)}; run `yhdessa migrate`"
    if beyond := sorted(readable.difference(PUBLIC)):
        return (
            f"{what} may read {', '.join(beyond)}, which is not public; revoke that, or name a role without other"
            " rights in YHDESSA_PUBLIC_ROLE"
        )
    return None


def _taken(connection: Connection, role: str) -> bool | None:
    """Whether the user of the connection may take the role; None if there is no such role."""
    taken: bool | None = connection.execute(_TAKEN, {"role": role}).scalar_one_or_none()
    return taken


def _readable(connection: Connection, role: str) -> set[str]:
    """The tables that the role may read, and of others the columns."""
    return set(connection.execute(_READABLE, {"role": role}).scalars())


def _schema(db: Session) -> str:
    name: str = db.execute(text("SELECT quote_ident(current_schema())")).scalar_one()
    return name
