"""Releases made of reports: drafts, passed audits, and what they say of municipalities, quarters and changes."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

APPEND_ONLY = {
    "release_audits": ("id",),
    "release_municipality_years": ("release_id", "municipality", "year"),
    "release_quarters": ("release_id", "period"),
    "release_changes": ("release_id", "year"),
}
"""The new tables whose rows are never changed or deleted, each with its primary key."""


def code(length: int) -> sa.types.TypeEngine[str]:
    """The type of columns with codes, sorted by their bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables; every release that is there was imported."""
    op.create_table(
        "release_audits",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("outcome", sa.String(length=6), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("threshold", sa.Integer(), nullable=False),
        sa.Column("tables_found", sa.Integer(), nullable=False),
        sa.CheckConstraint("outcome = 'passed'", name=op.f("ck_release_audits_outcome")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_audits")),
    )
    # SQLite adds no constraint to a table that is there, but it adds a column that comes with one.
    op.execute(
        "ALTER TABLE releases ADD COLUMN origin VARCHAR(9) DEFAULT 'imported' NOT NULL"
        " CONSTRAINT ck_releases_origin CHECK (origin IN ('imported', 'published'))"
    )
    op.execute(
        "ALTER TABLE releases ADD COLUMN audit_id INTEGER"
        " CONSTRAINT fk_releases_audit_id_release_audits REFERENCES release_audits (id)"
        " CONSTRAINT ck_releases_audited CHECK ((origin = 'published') = (audit_id IS NOT NULL))"
    )
    # Each release has an audit of its own.
    op.create_index(op.f("ix_releases_audit_id"), "releases", ["audit_id"], unique=True)
    op.add_column("releases", sa.Column("as_of", UTCDateTime(), nullable=True))
    op.add_column("releases", sa.Column("next_release_on", sa.Date(), nullable=True))
    op.create_table(
        "release_drafts",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("deadline", UTCDateTime(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("key_id", sa.String(), nullable=True),
        sa.Column("practice", code(60), nullable=False),
        sa.Column("county", code(2), nullable=False),
        sa.Column("as_of", UTCDateTime(), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=9), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("report", sa.JSON(), nullable=True),
        sa.Column("audit_id", sa.Integer(), nullable=True),
        sa.Column("release_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "state IN ('preparing', 'ready', 'refused', 'published')", name=op.f("ck_release_drafts_state")
        ),
        sa.CheckConstraint(
            "(state IN ('ready', 'published')) = (audit_id IS NOT NULL)", name=op.f("ck_release_drafts_audited")
        ),
        sa.CheckConstraint("(state = 'published') = (release_id IS NOT NULL)", name=op.f("ck_release_drafts_released")),
        sa.CheckConstraint("(state = 'refused') = (reason IS NOT NULL)", name=op.f("ck_release_drafts_reason")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_release_drafts_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_release_drafts_key_id_keys")),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["release_audits.id"], name=op.f("fk_release_drafts_audit_id_release_audits")
        ),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_drafts_release_id_releases")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_release_drafts")),
    )
    op.create_table(
        "release_municipality_years",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("municipality", code(3), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["release_id"], ["releases.id"], name=op.f("fk_release_municipality_years_release_id_releases")
        ),
        sa.PrimaryKeyConstraint("release_id", "municipality", "year", name=op.f("pk_release_municipality_years")),
    )
    op.create_table(
        "release_quarters",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("period", code(7), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_quarters_release_id_releases")),
        sa.PrimaryKeyConstraint("release_id", "period", name=op.f("pk_release_quarters")),
    )
    op.create_table(
        "release_changes",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("previous_release_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.CheckConstraint("kind IN ('revision', 'error')", name=op.f("ck_release_changes_kind")),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_changes_release_id_releases")),
        sa.ForeignKeyConstraint(
            ["previous_release_id"], ["releases.id"], name=op.f("fk_release_changes_previous_release_id_releases")
        ),
        sa.PrimaryKeyConstraint("release_id", "year", name=op.f("pk_release_changes")),
    )
    if op.get_bind().dialect.name == "sqlite":
        _refuse_changes_in_sqlite()
    else:
        _refuse_changes_in_postgresql()


def _refuse_changes_in_sqlite() -> None:
    # SQLite holds to its foreign keys only where a connection asks for it.
    op.execute(
        "CREATE TRIGGER releases_refuses_unaudited BEFORE INSERT ON releases"
        " WHEN NEW.audit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM release_audits WHERE id = NEW.audit_id)"
        " BEGIN SELECT RAISE(ABORT, 'a release is published with an audit that it passed'); END"
    )
    # INSERT OR REPLACE would also delete the release whose audit it takes.
    op.execute(
        "CREATE TRIGGER releases_refuses_replace_of_audit BEFORE INSERT ON releases"
        " WHEN EXISTS (SELECT 1 FROM releases WHERE audit_id = NEW.audit_id)"
        " BEGIN SELECT RAISE(ABORT, 'rows of releases are never changed or deleted'); END"
    )
    for table, key in APPEND_ONLY.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
        for change in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} {refuse}")
        # INSERT OR REPLACE deletes the row in its way without asking the trigger on DELETE.
        in_the_way = " AND ".join(f"{column} = NEW.{column}" for column in key)
        op.execute(
            f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {in_the_way}) {refuse}"
        )


def _refuse_changes_in_postgresql() -> None:
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Drop what was added; what was published stands as if it had been imported."""
    for table in ("release_changes", "release_quarters", "release_municipality_years", "release_drafts"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER releases_refuses_unaudited")
        op.execute("DROP TRIGGER releases_refuses_replace_of_audit")
    op.drop_index(op.f("ix_releases_audit_id"), "releases")
    # The constraint that names both goes with the first of them.
    for column in ("next_release_on", "as_of", "audit_id", "origin"):
        op.drop_column("releases", column)
    op.drop_table("release_audits")
