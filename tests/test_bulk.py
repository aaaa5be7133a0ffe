"""Rows in bulk: what was written is what is read, whatever kind of column it stands in, on both databases."""

from datetime import date
from types import SimpleNamespace

import pytest
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from app import bulk
from app.bulk import add_rows
from app.places.models import MunicipalityRecord
from tests.conftest import NOW

ODD = 'ä "x" {1,NULL} \\ % :name ?'


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


def test_rows_come_back_as_they_were_written(db: Session) -> None:
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


def test_no_rows_write_nothing(db: Session) -> None:
    add_rows(db, MunicipalityRecord, [])

    assert not db.exec(select(MunicipalityRecord.code).where(MunicipalityRecord.name_fi == "Uusi")).all()


def test_a_row_that_breaks_a_rule_of_the_database_is_told_as_by_any_statement(db: Session) -> None:
    rows = [municipality("970", "Uusi", ends=None)] * 2

    with pytest.raises(IntegrityError):
        add_rows(db, MunicipalityRecord, rows)
