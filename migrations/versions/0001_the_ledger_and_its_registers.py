"""The ledger, the registers, keys and releases; and the database's own refusal to change them."""

import sqlalchemy as sa
from alembic import op
from sqlmodel.sql.sqltypes import UTCDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


APPEND_ONLY = {
    "submissions": (("id",), ("recorded_at",)),
    "count_entries": (("id",),),
    "status_entries": (("id",),),
    "counties": (("code", "recorded_at"),),
    "municipalities": (("code", "recorded_at"),),
    "residents": (("code", "year", "recorded_at"),),
    "practices": (("slug", "recorded_at"),),
    "live_from": (("practice", "county", "recorded_at"),),
    "releases": (("id",),),
    "release_years": (("release_id", "year"),),
}
"""The tables whose rows are never changed or deleted, each with its unique keys."""


def code(length: int) -> sa.types.TypeEngine[str]:
    """The type of columns with codes, sorted by their bytes on both databases."""
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def upgrade() -> None:
    """Make the tables and their triggers."""
    op.create_table(
        "counties",
        sa.Column("code", code(2), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("name_fi", sa.String(), nullable=False),
        sa.Column("name_sv", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("code", "recorded_at", name=op.f("pk_counties")),
    )
    op.create_table(
        "last_write",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_last_write")),
    )
    op.create_table(
        "live_from",
        sa.Column("practice", code(60), nullable=False),
        sa.Column("county", code(2), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("practice", "county", "recorded_at", name=op.f("pk_live_from")),
    )
    op.create_table(
        "municipalities",
        sa.Column("code", code(3), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("name_fi", sa.String(), nullable=False),
        sa.Column("name_sv", sa.String(), nullable=False),
        sa.Column("county", code(2), nullable=True),
        sa.Column("region", code(2), nullable=True),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("successor", code(3), nullable=True),
        sa.PrimaryKeyConstraint("code", "recorded_at", name=op.f("pk_municipalities")),
    )
    op.create_index(op.f("ix_municipalities_county"), "municipalities", ["county"], unique=False)
    op.create_table(
        "notes",
        sa.Column("list", sa.String(length=8), nullable=False),
        sa.Column("entry", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("salt", sa.String(length=32), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("list", "entry", name=op.f("pk_notes")),
    )
    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("name", name=op.f("uq_organisations_name")),
    )
    op.create_table(
        "practices",
        sa.Column("slug", code(60), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("name_fi", sa.String(), nullable=False),
        sa.Column("name_sv", sa.String(), nullable=False),
        sa.Column("name_en", sa.String(), nullable=False),
        sa.Column("definition", sa.String(), nullable=False),
        sa.Column("counting_rule", sa.String(), nullable=False),
        sa.Column("criteria_pilot", sa.String(), nullable=False),
        sa.Column("criteria_in_use", sa.String(), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("slug", "recorded_at", name=op.f("pk_practices")),
    )
    op.create_table(
        "releases",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("practice", code(60), nullable=False),
        sa.Column("county", code(2), nullable=False),
        sa.Column("published_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=11), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("state IN ('preliminary', 'final')", name=op.f("ck_releases_state")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_releases")),
    )
    op.create_index(op.f("ix_releases_practice"), "releases", ["practice"], unique=False)
    op.create_table(
        "residents",
        sa.Column("code", code(3), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("residents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("code", "year", "recorded_at", name=op.f("pk_residents")),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(length=8), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("actions", sa.JSON(), nullable=False),
        sa.Column("areas", sa.JSON(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("expires_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_keys_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
    )
    op.create_index(op.f("ix_keys_organisation_id"), "keys", ["organisation_id"], unique=False)
    op.create_table(
        "release_years",
        sa.Column("release_id", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["release_id"], ["releases.id"], name=op.f("fk_release_years_release_id_releases")),
        sa.PrimaryKeyConstraint("release_id", "year", name=op.f("pk_release_years")),
    )
    op.create_table(
        "submissions",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("key_id", sa.String(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("rows", sa.String(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["key_id"], ["keys.id"], name=op.f("fk_submissions_key_id_keys")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_submissions_organisation_id_organisations"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submissions")),
        sa.UniqueConstraint("recorded_at", name=op.f("uq_submissions_recorded_at")),
    )
    op.create_index(op.f("ix_submissions_organisation_id"), "submissions", ["organisation_id"], unique=False)
    op.create_table(
        "count_entries",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("practice", code(60), nullable=False),
        sa.Column("municipality", code(3), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("note_hash", sa.String(length=64), nullable=True),
        sa.Column("period", code(7), nullable=False),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("counted_to", sa.Date(), nullable=False),
        sa.Column("sessions", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(sessions IS NOT NULL AND outcome IN ('created', 'corrected'))"
            " OR (sessions IS NULL AND outcome IN ('retracted', 'superseded'))",
            name=op.f("ck_count_entries_outcome"),
        ),
        sa.CheckConstraint("first_day <= counted_to AND counted_to <= last_day", name=op.f("ck_count_entries_days")),
        sa.CheckConstraint("sessions BETWEEN 0 AND 1000000", name=op.f("ck_count_entries_sessions")),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_count_entries_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_count_entries_submission_id_submissions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_count_entries")),
    )
    op.create_index(
        "ix_count_entries_key",
        "count_entries",
        ["practice", "municipality", "period", "id", "recorded_at"],
        unique=False,
    )
    op.create_index(op.f("ix_count_entries_submission_id"), "count_entries", ["submission_id"], unique=False)
    op.create_table(
        "status_entries",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("submission_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.Column("practice", code(60), nullable=False),
        sa.Column("municipality", code(3), nullable=False),
        sa.Column("outcome", sa.String(length=10), nullable=False),
        sa.Column("note_hash", sa.String(length=64), nullable=True),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("date_precision", sa.String(length=5), nullable=False),
        sa.Column("status", sa.String(length=7), nullable=True),
        sa.CheckConstraint(
            "(status IS NOT NULL AND outcome IN ('created', 'corrected'))"
            " OR (status IS NULL AND outcome IN ('retracted', 'superseded'))",
            name=op.f("ck_status_entries_outcome"),
        ),
        sa.CheckConstraint("date_precision IN ('day', 'month', 'year')", name=op.f("ck_status_entries_date_precision")),
        sa.CheckConstraint(
            "status IN ('planned', 'pilot', 'in_use', 'paused', 'ended')",
            name=op.f("ck_status_entries_status"),
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisations.id"],
            name=op.f("fk_status_entries_organisation_id_organisations"),
        ),
        sa.ForeignKeyConstraint(
            ["submission_id"], ["submissions.id"], name=op.f("fk_status_entries_submission_id_submissions")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_status_entries")),
    )
    op.create_index(
        "ix_status_entries_key",
        "status_entries",
        ["practice", "municipality", "day", "id", "recorded_at"],
        unique=False,
    )
    op.create_index(op.f("ix_status_entries_submission_id"), "status_entries", ["submission_id"], unique=False)
    op.execute("INSERT INTO last_write (id, recorded_at) VALUES (1, '2000-01-01 00:00:00.000000')")
    if op.get_bind().dialect.name == "sqlite":
        _refuse_changes_in_sqlite()
    else:
        _refuse_changes_in_postgresql()


def _refuse_changes_in_sqlite() -> None:
    for table, keys in APPEND_ONLY.items():
        refuse = f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or deleted'); END"
        for change in ("UPDATE", "DELETE"):
            op.execute(f"CREATE TRIGGER {table}_refuses_{change.lower()} BEFORE {change} ON {table} {refuse}")
        # INSERT OR REPLACE deletes the row in its way without asking the trigger on DELETE.
        in_the_way = " OR ".join(" AND ".join(f"{column} = NEW.{column}" for column in key) for key in keys)
        op.execute(
            f"CREATE TRIGGER {table}_refuses_replace BEFORE INSERT ON {table}"
            f" WHEN EXISTS (SELECT 1 FROM {table} WHERE {in_the_way}) {refuse}"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'rows of % are never changed or deleted', TG_TABLE_NAME; END $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
            " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )


def downgrade() -> None:
    """Drop everything, the ledger included."""
    op.drop_index(op.f("ix_status_entries_submission_id"), table_name="status_entries")
    op.drop_index("ix_status_entries_key", table_name="status_entries")
    op.drop_table("status_entries")
    op.drop_index(op.f("ix_count_entries_submission_id"), table_name="count_entries")
    op.drop_index("ix_count_entries_key", table_name="count_entries")
    op.drop_table("count_entries")
    op.drop_index(op.f("ix_submissions_organisation_id"), table_name="submissions")
    op.drop_table("submissions")
    op.drop_table("release_years")
    op.drop_index(op.f("ix_keys_organisation_id"), table_name="keys")
    op.drop_table("keys")
    op.drop_table("residents")
    op.drop_index(op.f("ix_releases_practice"), table_name="releases")
    op.drop_table("releases")
    op.drop_table("practices")
    op.drop_table("organisations")
    op.drop_table("notes")
    op.drop_index(op.f("ix_municipalities_county"), table_name="municipalities")
    op.drop_table("municipalities")
    op.drop_table("live_from")
    op.drop_table("last_write")
    op.drop_table("counties")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
