"""How Alembic reaches the database: through our engine, with the tables of every room."""

from typing import Any, Literal

from alembic import context
from sqlalchemy import Connection
from sqlmodel.sql.sqltypes import AutoString, UTCDateTime

import app.access.models
import app.places.models
import app.practices.models
import app.releases.models
import app.reports.tables  # noqa: F401  # imported for the tables they declare
from app.database import Base, Database
from app.settings import read_settings


def render_item(kind: str, item: Any, autogenerate: Any) -> str | Literal[False]:
    """Write SQLModel's types as something that the migration imports; its own name for them is not."""
    if kind == "type" and isinstance(item, AutoString):
        return f"sa.String(length={item.length})" if item.length else "sa.String()"
    if kind == "type" and isinstance(item, UTCDateTime):
        autogenerate.imports.add("from sqlmodel.sql.sqltypes import UTCDateTime")
        return "UTCDateTime()"
    return False


def run(connection: Connection) -> None:
    """Bring the database behind `connection` to the revision that was asked for, in one transaction."""
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    database = Database(read_settings())
    with database.engine.connect() as own:
        run(own)
    database.dispose()
