"""The audit log; keys that replace others; receipts that say how many rows came to what, and what they take back."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

OUTCOMES = ("created", "corrected", "unchanged", "retracted", "rejected")


def upgrade() -> None:
    """Make the table and the columns, and count the rows of the receipts that are there."""
    op.create_table(
        "audit_lines",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "kind IN ('key_created', 'key_leaked', 'key_revoked', 'key_rotated', 'note_redacted', 'refused')",
            name=op.f("ck_audit_lines_kind"),
        ),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_audit_lines_key_id_keys")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_lines")),
    )
    op.create_index(op.f("ix_audit_lines_key_id"), "audit_lines", ["key_id"])
    # SQLite adds no constraint to a table that is there, but it adds a column that comes with one.
    op.execute(
        "ALTER TABLE keys ADD COLUMN replaced_by VARCHAR CONSTRAINT fk_keys_replaced_by_keys REFERENCES keys (id)"
    )
    op.execute(
        "ALTER TABLE submissions ADD COLUMN retracts INTEGER"
        " CONSTRAINT fk_submissions_retracts_submissions REFERENCES submissions (id)"
    )
    op.create_index(op.f("ix_submissions_retracts"), "submissions", ["retracts"])
    for outcome in OUTCOMES:
        op.add_column("submissions", sa.Column(outcome, sa.Integer(), server_default="0", nullable=False))
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER submissions_refuses_update")
        _count_rows()
        _refuse_in_sqlite("submissions", "UPDATE")
        for change in ("UPDATE", "DELETE"):
            _refuse_in_sqlite("audit_lines", change)
        # INSERT OR REPLACE deletes the row in its way without asking the trigger on DELETE.
        _refuse_in_sqlite("audit_lines", "INSERT", " WHEN EXISTS (SELECT 1 FROM audit_lines WHERE id = NEW.id)")
    else:
        op.execute("ALTER TABLE submissions DISABLE TRIGGER submissions_refuses_change")
        _count_rows()
        op.execute("ALTER TABLE submissions ENABLE TRIGGER submissions_refuses_change")
        op.execute(
            "CREATE TRIGGER audit_lines_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_lines"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def _count_rows() -> None:
    connection = op.get_bind()
    settings = ", ".join(f"{outcome} = :{outcome}" for outcome in OUTCOMES)
    for number in connection.execute(sa.text("SELECT id FROM submissions ORDER BY id")).scalars().all():
        rows = connection.execute(sa.text("SELECT rows FROM submissions WHERE id = :id"), {"id": number}).scalar_one()
        outcomes = Counter(row["outcome"] for row in json.loads(rows))
        counted = {outcome: outcomes[outcome] for outcome in OUTCOMES}
        connection.execute(sa.text(f"UPDATE submissions SET {settings} WHERE id = :id"), {"id": number, **counted})


def _refuse_in_sqlite(table: str, change: str, when: str = "") -> None:
    name = "replace" if change == "INSERT" else change.lower()
    op.execute(
        f"CREATE TRIGGER {table}_refuses_{name} BEFORE {change} ON {table}{when}"
        f" BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
    )


def downgrade() -> None:
    """Drop the table and the columns."""
    op.drop_index(op.f("ix_submissions_retracts"), table_name="submissions")
    for column in (*OUTCOMES, "retracts"):
        op.drop_column("submissions", column)
    op.drop_column("keys", "replaced_by")
    op.drop_index(op.f("ix_audit_lines_key_id"), table_name="audit_lines")
    op.drop_table("audit_lines")
