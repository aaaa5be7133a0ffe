"""Rows in bulk: what was written is what is read, whatever kind of column it stands in, on both databases."""

from collections.abc import Iterator
from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, col, select

from app import bulk
from app.bulk import add_rows
from app.database import Database, Statement, carry_out, transaction_lost
from app.places.models import MunicipalityRecord
from app.settings import Settings
from tests.conftest import NOW

ODD = 'ä "x" {1,NULL} \\ \\N \t \r\n % :name ?'


def municipality(code: str, name: str, *, ends: date | None) -> SimpleNamespace:
    columns = dict.fromkeys(MunicipalityRecord.model_fields)
    return SimpleNamespace(
        **columns
        | {
            "code": code,
            "name_fi": name,
            "name_sv": name,
            "valid_from": date(2021, 1, 1),
            "valid_to": ends,
            "recorded_at": NOW,
        }
    )


@pytest.mark.measured
@pytest.mark.parametrize("many", [2, 3], ids=["by-copy", "otherwise"])
def test_rows_come_back_as_they_were_written(db: Session, many: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MANY", many)
    rows = [municipality("970", ODD, ends=None), municipality("971", "", ends=date(2024, 2, 29))]

    add_rows(db, MunicipalityRecord, rows)

    stored = db.exec(
        select(MunicipalityRecord).where(col(MunicipalityRecord.code).in_(["970", "971"])).order_by("code")
    ).all()
    assert [(one.code, one.name_fi, one.valid_from, one.valid_to, one.county) for one in stored] == [
        ("970", ODD, date(2021, 1, 1), None, None),
        ("971", "", date(2021, 1, 1), date(2024, 2, 29), None),
    ]
    assert {one.recorded_at for one in stored} == {NOW}


def test_more_rows_than_one_statement_takes_are_all_written(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "ROWS_AT_ONCE", 3)

    add_rows(db, MunicipalityRecord, (municipality(f"97{number}", "Uusi", ends=None) for number in range(7)))

    stored = db.exec(select(MunicipalityRecord.code).where(MunicipalityRecord.name_fi == "Uusi").order_by("code")).all()
    assert stored == [f"97{number}" for number in range(7)]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_sqlite_has_room_for_the_pages_of_many_rows_while_they_are_added(db: Session) -> None:
    def kilobytes() -> int:
        return -int(db.connection().exec_driver_sql("PRAGMA cache_size").scalar_one())

    own = kilobytes()
    with bulk.room_for(db.connection(), bulk.ROWS_AT_ONCE):
        assert kilobytes() == bulk.ROOM_KILOBYTES
    assert kilobytes() == own
    with bulk.room_for(db.connection(), bulk.ROWS_AT_ONCE - 1):
        assert kilobytes() == own


def test_no_rows_write_nothing(db: Session) -> None:
    add_rows(db, MunicipalityRecord, [])

    assert not db.exec(select(MunicipalityRecord.code).where(MunicipalityRecord.name_fi == "Uusi")).all()


@pytest.mark.measured
@pytest.mark.parametrize("many", [2, 3], ids=["by-copy", "otherwise"])
def test_a_row_that_breaks_a_rule_of_the_database_is_told_as_by_any_statement(
    db: Session, many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "MANY", many)
    rows = [municipality("970", "Uusi", ends=None)] * 2

    with pytest.raises(IntegrityError):
        add_rows(db, MunicipalityRecord, rows)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_connection_that_is_cut_while_rows_go_in_is_told_as_lost(db: Session, database_url: str) -> None:
    other = Database(Settings(database_url=database_url))
    process = db.scalar(text("SELECT pg_backend_pid()"))
    copy = "COPY last_write (id, recorded_at) FROM STDIN"

    def statements() -> Iterator[Statement]:
        yield Statement(copy, [], copies=True)
        with other.engine.connect() as executioner:
            assert executioner.scalar(text("SELECT pg_terminate_backend(:process, 5000)"), {"process": process})
        yield Statement(copy, [(2, NOW)], copies=True)

    with pytest.raises(OperationalError) as told:
        carry_out(db.connection(), statements())
    other.dispose()

    assert told.value.connection_invalidated
    assert transaction_lost(told.value)
