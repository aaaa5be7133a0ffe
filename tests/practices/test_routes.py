"""GET /v1/practices."""

import csv
import io

from fastapi import FastAPI

from app.practices.definitions import define_practice
from tests.conftest import NOW, Caller, StandingClock
from tests.practices.test_definitions import GUIDANCE

YHDESSA_AIKA = {
    "slug": "yhdessa-aika",
    "name_fi": "Yhdessä aika",
    "name_sv": "Yhdessä aika",
    "name_en": "Yhdessä aika",
    "definition": "Family-centre practice: a professional and a family raise a matter, the professional convenes the "
    "people whom the family names, and they meet. One meeting is one session.",
    "counting_rule": "Our proposal, since the published source gives no counting rule; the operator can change it: "
    "each meeting held, also remote, not cancelled ones; counted in the municipality where the family lives.",
    "criteria_pilot": "Our proposal: named professionals try the practice for a limited time.",
    "criteria_in_use": "Our proposal: the practice is part of the family services for the time being.",
    "contact": "The organisation that runs this service",
    "counted": True,
    "definition_fi": (
        "Perhekeskuksen toimintamalli: ammattilainen ja perhe ottavat asian puheeksi, ammattilainen kutsuu koolle "
        "perheen nimeämät ihmiset, ja he kokoontuvat. Yksi kokoontuminen on yksi tapaaminen."
    ),
    "definition_sv": (
        "Familjecentrets verksamhetsmodell: en yrkesperson och en familj tar upp en fråga, yrkespersonen "
        "sammankallar de personer som familjen nämner och de träffas. En sådan träff är ett möte."
    ),
    "counting_rule_fi": (
        "Oma ehdotuksemme, koska julkaistussa lähteessä ei ole laskentasääntöä; palvelun ylläpitäjä voi muuttaa "
        "sitä: jokainen pidetty tapaaminen, myös etänä pidetty, ei peruttuja; lasketaan siihen kuntaan, jossa "
        "perhe asuu."
    ),
    "counting_rule_sv": (
        "Vårt eget förslag, eftersom den publicerade källan inte anger någon räkneregel; den som driver tjänsten "
        "kan ändra det: varje möte som har hållits, även på distans, men inte inställda möten; räknas i den kommun"
        " där familjen bor."
    ),
    "criteria_pilot_fi": "Oma ehdotuksemme: nimetyt ammattilaiset kokeilevat toimintamallia määräajan.",
    "criteria_pilot_sv": (
        "Vårt eget förslag: namngivna yrkespersoner prövar verksamhetsmodellen under en begränsad tid."
    ),
    "criteria_in_use_fi": "Oma ehdotuksemme: toimintamalli on toistaiseksi osa perheiden palveluja.",
    "criteria_in_use_sv": "Vårt eget förslag: verksamhetsmodellen ingår tills vidare i tjänsterna för familjer.",
    "contact_fi": "Tämän palvelun ylläpitäjä",
    "contact_sv": "Den som driver denna tjänst",
}


def test_the_shipped_practice_says_that_its_counting_rule_is_our_proposal(anyone: Caller) -> None:
    assert anyone.get("/v1/practices").json() == {"as_of": "2024-05-15", "rows": [YHDESSA_AIKA]}


def test_practices_are_answered_as_defined_at_the_moment(anyone: Caller, app: FastAPI, clock: StandingClock) -> None:
    renamed = GUIDANCE.model_copy(update={"name_en": "Guidance"})
    with app.state.database.writing() as db:
        define_practice(db, GUIDANCE, at=NOW)
    clock.advance(days=1)
    with app.state.database.writing() as db:
        define_practice(db, renamed, at=clock())

    yesterday = anyone.get("/v1/practices", as_of="2024-05-15").json()
    now = anyone.get("/v1/practices").json()

    assert yesterday == {"as_of": "2024-05-15", "rows": [GUIDANCE.model_dump(), YHDESSA_AIKA]}
    assert now == {"as_of": "2024-05-16", "rows": [renamed.model_dump(), YHDESSA_AIKA]}


def test_csv_says_what_json_says(anyone: Caller) -> None:
    table = anyone.get("/v1/practices", format="csv").text

    assert list(csv.DictReader(io.StringIO(table))) == [{**YHDESSA_AIKA, "counted": "true"}]
