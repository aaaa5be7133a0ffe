"""What a test finds in the database behind the application's back."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from app.database import Base, Database


def stored(app: FastAPI, table_name: str) -> Sequence[dict[str, Any]]:
    """Every row of a table, as columns by name, in the order of its primary key."""
    database: Database = app.state.database
    table = Base.metadata.tables[table_name]
    with database.reading() as db:
        rows = db.connection().execute(table.select().order_by(*table.primary_key))
        return [dict(row._mapping) for row in rows]


def everything(app: FastAPI) -> dict[str, Sequence[dict[str, Any]]]:
    """Every row of every table but the audit log, which also tells of what was refused."""
    return {name: stored(app, name) for name in Base.metadata.tables if name != "audit_lines"}
