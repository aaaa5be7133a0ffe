"""Which municipalities and counties there are on which day, and how many residents they have."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta

import pytest
from sqlalchemy import event
from sqlmodel import Session

from app.clock import BEGINNING
from app.database import Database, settle
from app.errors import FieldError, InvalidParameter, NotFound
from app.places.models import MunicipalityRecord
from app.places.reference import load_reference_data, reference_data_loaded
from app.places.register import (
    County,
    Municipality,
    counties,
    county_named,
    municipalities,
    municipalities_named,
    municipality_at,
    municipality_code,
    residents,
)
from app.settings import Settings
from tests.conftest import NOW

KUOPIO = Municipality("297", "Kuopio", "Kuopio", "13", "11", None, None, None)
PERTUNMAA = Municipality("588", "Pertunmaa", "Pertunmaa", "12", "10", None, date(2024, 12, 31), "507")
HONKAJOKI = Municipality("099", "Honkajoki", "Honkajoki", None, "04", None, date(2020, 12, 31), "214")
NEWTOWN = Municipality("998", "Uusikunta", "Nykommun", "13", "11", date(2023, 1, 1), None, None)


@pytest.fixture
def db(settings: Settings) -> Iterator[Session]:
    database = Database(settings)
    with database.reading() as db:
        yield db
    database.dispose()


@pytest.mark.parametrize(
    ("place", "day", "there"),
    [
        (KUOPIO, date(2015, 1, 1), True),
        (KUOPIO, date(2030, 1, 1), True),
        (PERTUNMAA, date(2024, 12, 31), True),
        (PERTUNMAA, date(2025, 1, 1), False),
        (HONKAJOKI, date(2020, 12, 31), False),
        (HONKAJOKI, date(2015, 1, 1), False),
        (NEWTOWN, date(2022, 12, 31), False),
        (NEWTOWN, date(2023, 1, 1), True),
    ],
)
def test_a_municipality_is_in_the_register_of_the_day_and_before_2021_of_the_first(
    place: Municipality, day: date, there: bool
) -> None:
    assert place.in_register(day) is there


def test_it_is_in_the_register_from_the_first_day_that_it_is_in_it() -> None:
    assert KUOPIO.in_register_from == date.min
    assert PERTUNMAA.in_register_from == date.min
    assert NEWTOWN.in_register_from == date(2023, 1, 1)
    assert HONKAJOKI.in_register_from == date.max


@pytest.mark.parametrize("text", ["297", "KU297"])
def test_a_code_may_carry_ku_in_front(text: str) -> None:
    assert municipality_code(text) == "297"


def test_municipalities_are_by_code_in_the_order_of_codes_with_the_merged_ones(db: Session) -> None:
    found = municipalities(db)

    assert len(found) == 310
    assert list(found) == sorted(found)
    assert [found[code] for code in ("297", "588", "099")] == [KUOPIO, PERTUNMAA, HONKAJOKI]


def test_municipalities_can_be_those_asked_for_or_of_a_county(db: Session) -> None:
    assert municipalities(db, codes=["588", "297", "999"]) == {"297": KUOPIO, "588": PERTUNMAA}
    assert municipalities(db, codes=[]) == {}
    assert len(municipalities(db, county="12")) == 12
    assert municipalities(db, codes=["588", "297"], county="13") == {"297": KUOPIO}


def test_what_ships_is_known_from_the_beginning_and_not_before(db: Session) -> None:
    before = BEGINNING - timedelta(microseconds=1)

    assert len(municipalities(db, BEGINNING)) == 310
    assert len(counties(db, BEGINNING)) == 22
    assert residents(db, BEGINNING, codes=["297"]) == residents(db, codes=["297"])
    assert (municipalities(db, before), counties(db, before), residents(db, before)) == ({}, {}, {})


def test_counties_are_the_21_and_helsinki(db: Session) -> None:
    found = counties(db)

    assert list(found) == [*(f"{number:02}" for number in range(1, 22)), "90"]
    assert found["13"] == County(
        "13",
        "Pohjois-Savon hyvinvointialue",
        "Norra Savolax välfärdsområde",
        "North Savo wellbeing services county",
        "county",
    )
    assert found["90"] == County("90", "Helsingin kaupunki", "Helsingfors stad", "City of Helsinki", "city")


def test_residents_are_by_year_and_municipality(db: Session) -> None:
    assert residents(db, codes=["297", "588"]) == {
        2021: {"297": 121_543, "588": 1_644},
        2022: {"297": 122_594, "588": 1_600},
        2023: {"297": 124_021, "588": 1_577},
        2025: {"297": 126_572},
    }


def test_residents_add_up_to_those_of_finland(db: Session) -> None:
    everywhere = {year: sum(known.values()) for year, known in residents(db).items()}

    assert {year: everywhere[year] for year in (2021, 2022, 2023)} == {
        2021: 5_548_241,
        2022: 5_563_970,
        2023: 5_603_851,
    }


def test_what_a_parameter_names_is_found(db: Session) -> None:
    assert county_named(db, "13").name_en == "North Savo wellbeing services county"
    assert municipalities_named(db, ["KU588", "297", "588"]) == {"297": KUOPIO, "588": PERTUNMAA}
    assert municipality_at(db, "KU297") == KUOPIO


def test_a_parameter_that_names_no_county_is_refused(db: Session) -> None:
    with pytest.raises(InvalidParameter) as refused:
        county_named(db, "91")

    detail = "there is no county 91; GET /v1/counties lists them (North Savo is 13)"
    assert refused.value.errors == [FieldError(parameter="county", detail=detail)]


def test_a_parameter_that_names_no_municipality_is_refused(db: Session) -> None:
    with pytest.raises(InvalidParameter) as refused:
        municipalities_named(db, ["297", "KU999", "000"])

    detail = "there is no municipality 000, 999; GET /v1/municipalities lists them"
    assert refused.value.errors == [FieldError(parameter="municipality", detail=detail)]


def test_an_address_that_names_no_municipality_is_not_found(db: Session) -> None:
    with pytest.raises(NotFound, match=r"^there is no municipality 999; GET /v1/municipalities lists them$"):
        municipality_at(db, "KU999")


def test_loading_again_stores_nothing(settings: Settings) -> None:
    database = Database(settings)

    with database.writing() as db:
        added = load_reference_data(db, at=NOW)
        loaded = reference_data_loaded(db)
    database.dispose()

    assert (added, loaded) == (0, True)


def test_what_is_kept_of_the_registers_grows_with_them_and_forgets_what_was_undone(settings: Settings) -> None:
    database = Database(settings)
    known: dict[str, bool] = {}

    def look(when: str, db: Session) -> None:
        known[when] = "998" in municipalities(db)
        known[f"{when}, as of before"] = "998" in municipalities(db, NOW - timedelta(days=1))

    with database.reading() as db:
        look("at first", db)
    with suppress(ZeroDivisionError), database.writing() as db:
        db.add(new_town())
        look("in the same transaction", db)
        raise ZeroDivisionError
    with database.reading() as db:
        look("undone", db)
    with database.writing() as db:
        db.add(new_town())
    with database.reading() as db:
        look("done", db)
    database.dispose()

    assert [when for when, seen in known.items() if seen] == ["in the same transaction", "done"]


def test_a_reading_asks_once_how_large_the_registers_are_and_anew_once_it_has_let_go(settings: Settings) -> None:
    database = Database(settings)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))

    def looks(db: Session) -> int:
        asked.clear()
        municipalities(db)
        counties(db)
        residents(db)
        return sum("count(" in statement for statement in asked)

    with database.reading() as db:
        found = [looks(db), looks(db)]
        settle(db, NOW + timedelta(days=1))
        found.append(looks(db))
    with database.writing() as db:
        found.append(looks(db))
    database.dispose()

    assert found == [1, 0, 1, 3]


def new_town() -> MunicipalityRecord:
    """A town that becomes known now."""
    return MunicipalityRecord(
        code="998",
        recorded_at=NOW,
        name_fi="Uusikunta",
        name_sv="Nykommun",
        county="13",
        region="11",
        valid_from=date(2023, 1, 1),
        valid_to=None,
        successor=None,
    )
