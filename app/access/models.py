"""Organisations and keys as they are stored, and what GET /v1/key answers."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field as Documented
from sqlalchemy import CheckConstraint
from sqlmodel import JSON, Field

from app.database import Base


class Action(StrEnum):
    """What a key may do."""

    REPORT = "report"
    READ = "read"
    PUBLISH = "publish"


class Organisation(Base, table=True):
    """Who holds keys and reports; not the area that a figure is about."""

    __tablename__ = "organisations"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True, max_length=200)
    created_at: datetime


class Key(Base, table=True):
    """A key without its secret: `secret_hash` is the SHA-256 of the whole key in hexadecimal."""

    __tablename__ = "keys"

    id: str = Field(primary_key=True, max_length=8)
    organisation_id: int = Field(foreign_key="organisations.id", index=True)
    name: str = Field(max_length=200)
    secret_hash: str = Field(max_length=64)
    actions: list[str] = Field(sa_type=JSON)
    areas: list[str] = Field(sa_type=JSON)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    replaced_by: str | None = Field(default=None, foreign_key="keys.id")


AUDITED = ("key_created", "key_leaked", "key_revoked", "key_rotated", "note_redacted", "refused")


class AuditLine(Base, table=True):
    """Something that happened to keys or notes, or that was refused to a known key; chained by hash.

    `detail` is JSON: for `refused` the method, the route, the status code and the kind of problem; never a secret, nor
    anything else that the caller wrote, since a line cannot be erased.
    """

    __tablename__ = "audit_lines"
    __table_args__ = (CheckConstraint(f"kind IN ({', '.join(map(repr, AUDITED))})", name="kind"),)

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    recorded_at: datetime
    kind: str = Field(max_length=20)
    key_id: str | None = Field(foreign_key="keys.id", index=True)
    detail: str
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class RememberedReply(Base, table=True):
    """What was answered to a write with an Idempotency-Key; `body` is the text that was sent, to the byte."""

    __tablename__ = "remembered_replies"

    organisation_id: int = Field(primary_key=True, foreign_key="organisations.id")
    key: str = Field(primary_key=True, max_length=255)
    request_hash: str = Field(max_length=64)
    recorded_at: datetime = Field(index=True)
    status_code: int
    headers: dict[str, str] = Field(sa_type=JSON)
    body: str


class KeyPublic(BaseModel):
    """What the calling key may do, where, and until when."""

    model_config = ConfigDict(frozen=True)

    id: str = Documented(description="The middle part of the key; names it in logs and lists without telling it")
    name: str
    organisation: str
    actions: list[Action]
    areas: list[str] = Documented(description="`municipality:297`, `county:13` or `country`")
    expires_at: datetime


class KeyRotated(BaseModel):
    """The key that takes the place of the calling one, in full, this once."""

    model_config = ConfigDict(frozen=True)

    key: str = Documented(description="The new key; only its hash is stored, so it cannot be shown again")
    id: str = Documented(description="The middle part of the new key")
    expires_at: datetime
    replaced: str = Documented(description="The `id` of the calling key")
    replaced_until: datetime = Documented(description="Until then the calling key is valid beside the new one")
