"""Replies that are remembered for retries with an Idempotency-Key."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table; its rows are forgotten after 30 days, so it refuses no change."""
    op.create_table(
        "remembered_replies",
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("request_hash", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("status_code", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_remembered_replies_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("organisation_id", "key", name=op.f("pk_remembered_replies")),
    )
    op.create_index(op.f("ix_remembered_replies_recorded_at"), "remembered_replies", ["recorded_at"])


def downgrade() -> None:
    """Drop the table."""
    op.drop_index(op.f("ix_remembered_replies_recorded_at"), table_name="remembered_replies")
    op.drop_table("remembered_replies")
