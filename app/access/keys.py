"""Keys: how they are made, checked, listed and revoked.

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
from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from app.access.models import Action, Key, Organisation
from app.access.scope import AREA_PATTERN, Caller, Scope
from app.places.register import counties, municipalities

PREFIX = "yhdessa"
LIFETIME_DAYS = 400

_ID_ALPHABET = string.ascii_lowercase + string.digits
_ALPHABET = string.ascii_letters + string.digits
_SHAPE = re.compile(rf"({PREFIX}_([a-z0-9]{{8}})_[A-Za-z0-9]{{32}})([A-Za-z0-9]{{6}})", re.ASCII)


class NotAnArea(ValueError):
    """The text names no area, or one that the register does not know."""


class UnknownKey(ValueError):
    """There is no key with this id."""


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
    db.add(
        Key(
            id=key_id,
            organisation_id=owner.id,
            name=name,
            secret_hash=_hash(secret),
            actions=sorted(actions),
            areas=sorted(set(areas)),
            created_at=at,
            expires_at=at + timedelta(days=days),
        )
    )
    return secret


def caller_with(db: Session, secret: str, *, at: datetime) -> Caller | None:
    """Who holds the key `secret`; None if it is no key of ours, unknown, expired or revoked."""
    shape = _SHAPE.fullmatch(secret)
    if shape is None or _checksum(shape[1]) != shape[3]:
        return None
    found = db.exec(select(Key, Organisation).join(Organisation).where(Key.id == shape[2])).first()
    if found is None:
        return None
    key, owner = found
    if not hmac.compare_digest(key.secret_hash, _hash(secret)) or key.revoked_at or key.expires_at <= at:
        return None
    assert owner.id is not None
    actions = frozenset(Action(action) for action in key.actions)
    scope = Scope(frozenset(key.areas))
    return Caller(key.id, key.name, key.expires_at, owner.id, owner.name, actions, scope)


def revoke_key(db: Session, key_id: str, *, at: datetime) -> None:
    """Make the key refused from the next request on; revoking again keeps the first time.

    Raises:
        UnknownKey: there is none with this id.
    """
    key = db.get(Key, key_id)
    if key is None:
        raise UnknownKey(f"there is no key {key_id}; `yhdessa key list` shows them")
    key.revoked_at = key.revoked_at or at
    db.add(key)


def keys_with_owners(db: Session) -> Sequence[tuple[Key, Organisation]]:
    """Every key with its organisation, oldest first."""
    return db.exec(select(Key, Organisation).join(Organisation).order_by(col(Key.created_at), col(Key.id))).all()


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
