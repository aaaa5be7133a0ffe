"""Keys: their shape, what is stored of them, and what a mistyped one costs."""

import base64
import hashlib
import re
import string
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import Engine, event, text
from sqlalchemy.engine import make_url
from sqlmodel import Session, select

from app.access import scope
from app.access.keys import (
    CannotRotate,
    NotAnArea,
    UnknownKey,
    holder_of,
    issue_key,
    keys_with_owners,
    known_key,
    report_leak,
    revoke_key,
    rotate_key,
)
from app.access.models import Action, Key, Organisation
from app.database import Base
from tests.conftest import NOW, Caller, StandingClock, count

ALPHABET = string.digits + string.ascii_letters


def issued(db: Session, *areas: str, organisation: str = "Kuopio", **more: Any) -> str:
    return issue_key(
        db, name="client system", organisation=organisation, actions=[Action.READ], areas=areas, at=NOW, **more
    )


def checksum(stem: str) -> str:
    """CRC-32 of `stem` as six digits of base 62: small letters, capitals, figures."""
    number, digits = zlib.crc32(stem.encode()), string.ascii_letters + string.digits
    return "".join(digits[number // 62**place % 62] for place in reversed(range(6)))


@contextmanager
def counted_statements(engine: Engine) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_a_key_is_a_prefix_that_scanners_know_its_id_a_secret_and_a_checksum(db: Session) -> None:
    keys = {issued(db, "country") for _ in range(20)}

    for key in keys:
        shape = re.fullmatch(r"(yhdessa_([a-z0-9]{8})_[A-Za-z0-9]{32})([A-Za-z0-9]{6})", key)
        assert shape
        assert shape[3] == checksum(shape[1])
    assert len({key.split("_")[1] for key in keys}) == len({key.split("_")[2] for key in keys}) == 20


def test_a_mistyped_key_is_refused_before_any_query(app: FastAPI, kuopio: Caller) -> None:
    assert kuopio.key
    key = kuopio.key
    mistyped = [
        *(key[:place] + ALPHABET[ALPHABET.find(key[place]) - 1] + key[place + 1 :] for place in range(len(key))),
        *(key[:place] + key[place + 1] + key[place] + key[place + 2 :] for place in range(len(key) - 1)),
        *(key[:place] + key[place + 1 :] for place in range(len(key))),
        key + "a",
        key.upper(),
        key.replace("yhdessa", "yhdessä"),
        f"{key}\n{key}",
        "",
    ]

    senders = [basic(kuopio, wrong) for wrong in mistyped if wrong != key]
    with counted_statements(app.state.database.engine) as statements:
        answers = [sender.get("/v1/session-counts") for sender in senders]
        answers += [sender.post([count("297", "2022-03", 7)]) for sender in senders]

    assert {answer.status_code for answer in answers} == {401}
    assert statements == []
    assert len(answers) > 300


def test_a_key_that_could_be_ours_is_looked_up(app: FastAPI, kuopio: Caller) -> None:
    stem = f"yhdessa_{'a' * 8}_{'b' * 32}"

    with counted_statements(app.state.database.engine) as statements:
        answer = basic(kuopio, stem + checksum(stem)).get("/v1/session-counts")

    assert answer.status_code == 401
    assert ["FROM keys" in statement for statement in statements if statement.startswith("SELECT")] == [True]


def test_a_key_is_stored_as_its_hash_alone(
    app: FastAPI, kuopio: Caller, database_url: str, clock: StandingClock
) -> None:
    assert kuopio.key
    assert kuopio.post([count("297", "2022-03", 7)]).status_code == 201
    _, key_id, secret = kuopio.key.split("_")

    with app.state.database.engine.connect() as connection:
        everything = {
            table: repr(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in Base.metadata.tables
        }
        stored = connection.execute(text("SELECT secret_hash FROM keys")).scalar_one()

    parts = {kuopio.key, secret, secret[:32], secret[:16], secret[16:32], secret[:8]}
    assert [(table, part) for table, rows in everything.items() for part in parts if part in rows] == []
    assert [table for table, rows in everything.items() if key_id in rows] == ["keys", "audit_lines", "submissions"]
    assert stored == hashlib.sha256(kuopio.key.encode()).hexdigest()
    if database_url.startswith("sqlite"):
        file = Path(make_url(database_url).database or "")
        kept = b"".join(part.read_bytes() for part in file.parent.iterdir())
        assert key_id.encode() in kept
        assert [part for part in parts if part.encode() in kept] == []


def calling_with(db: Session, key: str, *, at: datetime) -> scope.Caller | None:
    found = known_key(db, key)
    assert found
    return holder_of(*found).calling(at)


def test_a_key_opens_what_it_was_issued_for(db: Session) -> None:
    key = issued(db, "municipality:297", "county:13", "municipality:297", days=30)

    caller = calling_with(db, key, at=NOW)

    assert caller
    assert (caller.key_name, caller.organisation) == ("client system", "Kuopio")
    assert set(caller.actions) == {Action.READ}
    assert set(caller.scope.areas) == {"municipality:297", "county:13"}
    assert caller.expires_at == NOW + timedelta(days=30)


def test_a_key_is_valid_for_400_days_up_to_the_last_microsecond(db: Session) -> None:
    key = issued(db, "country")
    end = NOW + timedelta(days=400)

    assert calling_with(db, key, at=end - timedelta(microseconds=1))
    assert calling_with(db, key, at=end) is None


def test_another_secret_under_a_known_id_opens_nothing(db: Session) -> None:
    stem = issued(db, "country")[: len("yhdessa_") + 9] + "b" * 32

    assert known_key(db, stem + checksum(stem)) is None


def test_an_organisation_is_made_once_and_holds_several_keys(db: Session) -> None:
    for organisation in ("Kuopio", "Iisalmi", "Kuopio"):
        issued(db, "country", organisation=organisation)

    assert db.exec(select(Organisation.name)).all() == ["Kuopio", "Iisalmi"]
    assert sorted(owner.name for _, owner in keys_with_owners(db)) == ["Iisalmi", "Kuopio", "Kuopio"]


def test_keys_are_listed_oldest_first(db: Session) -> None:
    for hours in (3, 1, 2):
        issue_key(
            db,
            name=f"{hours} o'clock",
            organisation="Kuopio",
            actions=[Action.REPORT],
            areas=["country"],
            at=NOW + timedelta(hours=hours),
        )

    assert [key.name for key, _ in keys_with_owners(db)] == ["1 o'clock", "2 o'clock", "3 o'clock"]


def test_an_area_that_there_is_not_is_refused(db: Session) -> None:
    for area, reason in (
        ("Kuopio", "'Kuopio' is not an area; write country, county:13 or municipality:297"),
        ("", "'' is not an area; write country, county:13 or municipality:297"),
        ("municipality:KU297", "'municipality:KU297' is not an area; write country, county:13 or municipality:297"),
        ("county:13 ", "'county:13 ' is not an area; write country, county:13 or municipality:297"),
        ("county:٣٣", "'county:٣٣' is not an area; write country, county:13 or municipality:297"),
        ("county:99", "there is no county 99; North Savo is 13"),
        ("county:91", "there is no county 91; North Savo is 13"),
        ("municipality:999", "there is no municipality 999"),
    ):
        with pytest.raises(NotAnArea) as refused:
            issued(db, "country", area)

        assert str(refused.value) == reason
    assert db.exec(select(Key)).all() == []


def test_a_revoked_key_opens_nothing_and_keeps_the_moment_it_was_revoked(db: Session) -> None:
    key = issued(db, "country")
    key_id = key.split("_")[1]

    revoke_key(db, key_id, at=NOW)
    revoke_key(db, key_id, at=NOW + timedelta(days=1))

    assert calling_with(db, key, at=NOW) is None
    assert db.get_one(Key, key_id).revoked_at == NOW


def test_a_key_that_there_is_not_cannot_be_revoked(db: Session) -> None:
    with pytest.raises(UnknownKey, match=r"^there is no key abcd1234; `yhdessa key list` shows them$"):
        revoke_key(db, "abcd1234", at=NOW)


def test_a_rotated_key_is_replaced_by_one_that_is_like_it(db: Session) -> None:
    old = issued(db, "municipality:297", "county:13", days=100)
    at = NOW + timedelta(days=40)

    new = rotate_key(db, old.split("_")[1], at=at)

    before, after = (db.get_one(Key, key.split("_")[1]) for key in (old, new))
    assert old != new
    assert after.model_dump() == before.model_dump() | {
        "id": new.split("_")[1],
        "secret_hash": hashlib.sha256(new.encode()).hexdigest(),
        "created_at": at,
        "expires_at": at + timedelta(days=100),
        "replaced_by": None,
    }
    assert (before.replaced_by, before.expires_at, before.revoked_at) == (after.id, at + timedelta(days=14), None)
    assert calling_with(db, new, at=at + timedelta(days=100, microseconds=-1))


@pytest.mark.parametrize(
    ("days_left", "overlap_days", "valid_days"), [(400, 14, 14), (400, 0, 0), (400, 30, 30), (5, 14, 5), (14, 30, 14)]
)
def test_the_old_key_stays_valid_beside_the_new_one_and_never_longer_than_it_was(
    db: Session, days_left: int, overlap_days: int, valid_days: int
) -> None:
    old = issued(db, "country", days=500)
    at = NOW + timedelta(days=500 - days_left)

    new = rotate_key(db, old.split("_")[1], at=at, overlap_days=overlap_days)

    end = at + timedelta(days=valid_days)
    assert calling_with(db, old, at=end) is None
    assert calling_with(db, old, at=end - timedelta(microseconds=1))
    assert calling_with(db, new, at=at)


def test_a_key_that_replaces_another_can_be_rotated_in_its_turn(db: Session) -> None:
    first = issued(db, "country", days=50)
    second = rotate_key(db, first.split("_")[1], at=NOW + timedelta(days=10))

    third = rotate_key(db, second.split("_")[1], at=NOW + timedelta(days=20))

    assert db.get_one(Key, third.split("_")[1]).expires_at == NOW + timedelta(days=70)


def test_a_key_that_was_rotated_or_is_valid_no_longer_is_not_rotated(db: Session) -> None:
    rotated, revoked, expired = (issued(db, "country", days=days) for days in (400, 400, 1))
    new_id = rotate_key(db, rotated.split("_")[1], at=NOW).split("_")[1]
    revoke_key(db, revoked.split("_")[1], at=NOW)
    keys, refused = len(db.exec(select(Key)).all()), []

    for key in (rotated, revoked, expired):
        with pytest.raises(CannotRotate) as raised:
            rotate_key(db, key.split("_")[1], at=NOW + timedelta(days=1))
        refused.append(str(raised.value))
    with pytest.raises(UnknownKey, match=r"^there is no key abcd1234; `yhdessa key list` shows them$"):
        rotate_key(db, "abcd1234", at=NOW)

    over = "the key {} is valid no longer; ask the operator for a new one"
    assert refused == [
        f"the key {rotated.split('_')[1]} was replaced by {new_id}; "
        "rotate that one, or ask the operator if it was lost",
        over.format(revoked.split("_")[1]),
        over.format(expired.split("_")[1]),
    ]
    assert len(db.exec(select(Key)).all()) == keys


def test_a_leaked_key_is_revoked_by_its_secret_alone(db: Session) -> None:
    key, other = issued(db, "country"), issued(db, "country")

    leaked = report_leak(db, key, at=NOW)
    again = report_leak(db, key, at=NOW + timedelta(days=1))

    assert (leaked.id, leaked.revoked_at, again.revoked_at) == (key.split("_")[1], NOW, NOW)
    assert calling_with(db, key, at=NOW) is None
    assert calling_with(db, other, at=NOW)


def test_what_is_none_of_our_keys_as_a_whole_revokes_nothing(db: Session) -> None:
    key = issued(db, "country")
    stem = key[: len("yhdessa_") + 9] + "b" * 32

    for found in (key[:-1], key + "a", key.split("_")[1], "", stem + checksum(stem), key.swapcase()):
        with pytest.raises(UnknownKey, match=r"^this is none of our keys, or not the whole of one; nothing was"):
            report_leak(db, found, at=NOW)

    assert calling_with(db, key, at=NOW)


def basic(caller: Caller, key: str) -> Caller:
    """`caller` with another key, sent in a way that takes any text."""
    other = Caller(caller.http, key)
    other.headers = {"Authorization": "Basic " + base64.b64encode(f"me:{key}".encode()).decode()}
    return other
