"""Keys: how they are made, checked, listed, rotated and revoked.

A key reads `yhdessa_<key id>_<secret><checksum>`: a prefix that scanners for leaked secrets can know, the name of the
key, 32 characters of secret (190 bits), and six of CRC-32, so that a mistyped key is refused without a query.
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from app.access.audit import add_line
from app.access.models import Action, Key, Organisation
from app.access.scope import AREA_PATTERN, Caller, Scope
from app.clock import written
from app.errors import Problem
from app.places.register import counties, municipalities

PREFIX = "yhdessa"
LIFETIME_DAYS = 400
OVERLAP_DAYS = 14
"""How long a key that was rotated stays valid beside the one that replaces it, unless told otherwise."""

MOST_OVERLAP_DAYS = 30

_ID_ALPHABET = string.ascii_lowercase + string.digits
_ALPHABET = string.ascii_letters + string.digits
_KEY_AND_OWNER = select(Key, Organisation).join(Organisation).where(Key.id == bindparam("id"))
_SHAPE = re.compile(rf"({PREFIX}_([a-z0-9]{{8}})_[A-Za-z0-9]{{32}})([A-Za-z0-9]{{6}})", re.ASCII)


class NotAnArea(ValueError):
    """The text names no area, or one that the register does not know."""


class UnknownKey(ValueError):
    """There is no such key."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who calls with a key, if it is valid."""

    caller: Caller
    revoked: bool

    def calling(self, at: datetime) -> Caller | None:
        """Who calls; None if the key has expired by then or was revoked."""
        return None if self.revoked or self.caller.expires_at <= at else self.caller


class CannotRotate(Problem):
    """The key was replaced by another already, or is valid no longer; only a valid key that stands alone is rotated."""

    status_code = 409
    title = "The key cannot be rotated"


def issue_key(
    db: Session,
    *,
    name: str,
    organisation: str,
    actions: Collection[Action],
    areas: Sequence[str],
    at: datetime,
    days: int = LIFETIME_DAYS,
) -> str:
    """A new key in full, which is stored nowhere; makes the organisation if it is new.

    Raises:
        NotAnArea: an area is unknown.
    """
    for area in areas:
        _check_area(db, area)
    owner = db.exec(select(Organisation).where(Organisation.name == organisation)).first()
    if owner is None:
        owner = Organisation(name=organisation, created_at=at)
        db.add(owner)
        db.flush()
    assert owner.id is not None
    secret, key_id = _new_secret()
    key = Key(
        id=key_id,
        organisation_id=owner.id,
        name=name,
        secret_hash=_hash(secret),
        actions=sorted(actions),
        areas=sorted(set(areas)),
        created_at=at,
        expires_at=at + timedelta(days=days),
    )
    db.add(key)
    db.flush()  # The line refers to the key, and without a relationship the session would insert in any order.
    add_line(db, "key_created", key_id=key_id, at=at, actions=" ".join(key.actions), areas=" ".join(key.areas))
    return secret


def rotate_key(db: Session, key_id: str, *, at: datetime, overlap_days: int = OVERLAP_DAYS) -> str:
    """A new key in full that takes the place of the key `key_id`: same owner, name, actions, areas and lifetime.

    The old one stays valid for `overlap_days` (0 to 30), never longer than it was, so that nothing fails meanwhile.

    Raises:
        UnknownKey: there is none with this id.
        CannotRotate: it was replaced already, revoked, or has expired.
    """
    key = _key(db, key_id)
    if key.replaced_by is not None:
        raise CannotRotate(
            f"the key {key_id} was replaced by {key.replaced_by}; rotate that one, or ask the operator if it was lost"
        )
    if key.revoked_at or key.expires_at <= at:
        raise CannotRotate(f"the key {key_id} is valid no longer; ask the operator for a new one")
    secret, new_id = _new_secret()
    lifetime = key.expires_at - key.created_at
    new = {"id": new_id, "secret_hash": _hash(secret), "created_at": at, "expires_at": at + lifetime}
    db.add(Key(**key.model_dump() | new))
    db.flush()
    key.replaced_by, key.expires_at = new_id, min(key.expires_at, at + timedelta(days=overlap_days))
    db.add(key)
    add_line(db, "key_rotated", key_id=key_id, at=at, replaced_by=new_id, valid_until=written(key.expires_at))
    return secret


def well_formed(secret: str) -> bool:
    """True if `secret` could be one of our keys: it has the shape of one, and its checksum is right."""
    shape = _SHAPE.fullmatch(secret)
    return shape is not None and _checksum(shape[1]) == shape[3]


def known_key(db: Session, secret: str) -> tuple[Key, Organisation] | None:
    """The key whose secret this is, valid or not, and who holds it; None if it is none of ours."""
    if not well_formed(secret):
        return None
    found = db.exec(_KEY_AND_OWNER, params={"id": secret.split("_")[1]}).first()
    if found is None or not hmac.compare_digest(found[0].secret_hash, _hash(secret)):
        return None
    return found[0], found[1]


def holder_of(key: Key, owner: Organisation) -> Holder:
    """Who calls with `key`, which `owner` holds, as long as it is valid."""
    assert owner.id is not None
    actions = frozenset(Action(action) for action in key.actions)
    scope = Scope(frozenset(key.areas))
    caller = Caller(key.id, key.name, key.expires_at, owner.id, owner.name, actions, scope)
    return Holder(caller, revoked=key.revoked_at is not None)


def revoke_key(db: Session, key_id: str, *, at: datetime) -> None:
    """Make the key refused from the next request on; revoking again keeps the first time.

    Raises:
        UnknownKey: there is none with this id.
    """
    _revoke(db, _key(db, key_id), "key_revoked", at)


def report_leak(db: Session, secret: str, *, at: datetime) -> Key:
    """Revoke the key whose secret was found where it should not be; the key.

    Raises:
        UnknownKey: it is none of ours, as it stands.
    """
    found = known_key(db, secret)
    if found is None:
        raise UnknownKey("this is none of our keys, or not the whole of one; nothing was revoked")
    _revoke(db, found[0], "key_leaked", at)
    return found[0]


def keys_with_owners(db: Session) -> Sequence[tuple[Key, Organisation]]:
    """Every key with its organisation, oldest first."""
    return db.exec(select(Key, Organisation).join(Organisation).order_by(col(Key.created_at), col(Key.id))).all()


def _key(db: Session, key_id: str) -> Key:
    key = db.get(Key, key_id)
    if key is None:
        raise UnknownKey(f"there is no key {key_id}; `yhdessa key list` shows them")
    return key


def _revoke(db: Session, key: Key, kind: str, at: datetime) -> None:
    key.revoked_at = key.revoked_at or at
    db.add(key)
    add_line(db, kind, key_id=key.id, at=at)


def _check_area(db: Session, area: str) -> None:
    if not AREA_PATTERN.fullmatch(area):
        raise NotAnArea(f"{area!r} is not an area; write country, county:13 or municipality:297")
    level, _, code = area.partition(":")
    if level == "county" and code not in counties(db):
        raise NotAnArea(f"there is no county {code}; North Savo is 13")
    if level == "municipality" and code not in municipalities(db, codes=[code]):
        raise NotAnArea(f"there is no municipality {code}")


def _new_secret() -> tuple[str, str]:
    key_id = "".join(secrets.choice(_ID_ALPHABET) for _ in range(8))
    stem = f"{PREFIX}_{key_id}_" + "".join(secrets.choice(_ALPHABET) for _ in range(32))
    return stem + _checksum(stem), key_id


def _checksum(stem: str) -> str:
    """CRC-32 of `stem` in base 62, six characters."""
    number, digits = zlib.crc32(stem.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
