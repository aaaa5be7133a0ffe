"""What practices mean, as of when, and from which year a county's reports speak."""

from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from app.clock import BEGINNING
from app.errors import FieldError, InvalidParameter, NotFound
from app.practices.definitions import (
    InvalidDefinition,
    define_practice,
    live_from,
    load_shipped_practice,
    practice_asked,
    practice_at,
    practices,
    set_live_from,
)
from app.practices.models import UNTRANSLATED, PracticePublic
from tests.conftest import NOW

AN_HOUR = timedelta(hours=1)
GUIDANCE = PracticePublic(
    slug="ohjaus-ja-neuvonta",
    name_fi="Ohjaus ja neuvonta",
    name_sv="Handledning och rådgivning",
    name_en="Guidance and counselling",
    definition="Guidance of families with children",
    counting_rule="",
    criteria_pilot="Tried for a limited time",
    criteria_in_use="Part of the services",
    contact="ohjaus@example.fi",
    counted=False,
    **UNTRANSLATED,
)


def test_a_fresh_install_has_one_practice_known_from_the_beginning(db: Session) -> None:
    assert list(practices(db)) == ["yhdessa-aika"]
    assert practices(db, BEGINNING) == practices(db)
    assert load_shipped_practice(db, at=NOW) == 0


def test_a_new_definition_stands_beside_the_old_as_of_its_time(db: Session) -> None:
    counted = GUIDANCE.model_copy(update={"counted": True, "counting_rule": "Each meeting"})
    define_practice(db, GUIDANCE, at=NOW)
    define_practice(db, counted, at=NOW + AN_HOUR)

    assert practices(db, NOW)["ohjaus-ja-neuvonta"] == GUIDANCE
    assert practices(db, NOW + AN_HOUR - timedelta(microseconds=1))["ohjaus-ja-neuvonta"] == GUIDANCE
    assert practices(db, NOW + AN_HOUR)["ohjaus-ja-neuvonta"] == counted
    assert practices(db)["ohjaus-ja-neuvonta"] == counted
    assert list(practices(db)) == ["ohjaus-ja-neuvonta", "yhdessa-aika"]


def test_a_practice_defined_later_is_answered_as_first_defined(db: Session) -> None:
    define_practice(db, GUIDANCE, at=NOW)
    define_practice(db, GUIDANCE.model_copy(update={"contact": "Another"}), at=NOW + AN_HOUR)

    assert practices(db, NOW - AN_HOUR)["ohjaus-ja-neuvonta"] == GUIDANCE


def test_a_slug_is_lower_case_words_joined_by_hyphens(db: Session) -> None:
    for slug in ("", "Yhdessä-aika", "yhdessä-aika", "two words", "-a", "a-", "a--b", "a_b", "a\n", "a" * 61, "٣"):
        with pytest.raises(InvalidDefinition) as refused:
            define_practice(db, GUIDANCE.model_copy(update={"slug": slug}), at=NOW)

        assert str(refused.value) == f"{slug!r}: write lower-case letters, digits and single hyphens"


def test_a_practice_that_is_named_is_found(db: Session) -> None:
    assert practice_asked(db, "yhdessa-aika") == practice_at(db, "yhdessa-aika") == practices(db)["yhdessa-aika"]


def test_a_practice_that_there_is_not_is_refused_or_not_found(db: Session) -> None:
    detail = "there is no practice 'kela'; there are yhdessa-aika"

    with pytest.raises(InvalidParameter) as refused:
        practice_asked(db, "kela")
    with pytest.raises(NotFound) as not_found:
        practice_at(db, "kela")

    assert refused.value.errors == [FieldError(parameter="practice", detail=detail)]
    assert not_found.value.detail == detail


def test_reports_speak_from_the_year_that_was_set_last_up_to_the_moment(db: Session) -> None:
    set_live_from(db, "yhdessa-aika", "13", 2023, at=NOW)
    set_live_from(db, "yhdessa-aika", "11", 2024, at=NOW)
    set_live_from(db, "yhdessa-aika", "13", 2021, at=NOW + AN_HOUR)

    def known(moment: datetime | None) -> dict[str, int]:
        return dict(live_from(db, "yhdessa-aika", moment))

    assert known(NOW - AN_HOUR) == {}
    assert known(NOW) == {"13": 2023, "11": 2024}
    assert known(NOW + AN_HOUR) == known(None) == {"13": 2021, "11": 2024}
    assert live_from(db, "kela-jalkautuminen") == {}


def test_live_from_names_a_practice_a_county_and_a_year_that_there_are(db: Session) -> None:
    for practice, county, year, reason in (
        ("kela", "13", 2021, "there is no practice 'kela'; there are yhdessa-aika"),
        ("yhdessa-aika", "91", 2021, "there is no county '91'; North Savo is 13"),
        ("yhdessa-aika", "13", 2014, "2014: figures are kept from 2015 on"),
        ("yhdessa-aika", "13", 9999, "9999: figures are kept from 2015 on"),
    ):
        with pytest.raises(InvalidDefinition) as refused:
            set_live_from(db, practice, county, year, at=NOW)

        assert str(refused.value) == reason
