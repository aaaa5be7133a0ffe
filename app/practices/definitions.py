"""Which practices there are, what they mean, and from which year a county's reports speak."""

import re
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from app.clock import BEGINNING
from app.errors import NotFound, parameter_problem
from app.periods import FIRST_YEAR, LAST_YEAR
from app.places.register import counties
from app.practices.models import (
    PRACTICE_LENGTH,
    PRACTICE_PATTERN,
    UNTRANSLATED,
    LiveFromRecord,
    PracticePublic,
    PracticeRecord,
)

DEFAULT_PRACTICE = "yhdessa-aika"

SHIPPED_PRACTICE = PracticePublic(
    slug=DEFAULT_PRACTICE,
    name_fi="Yhdessä aika",
    name_sv="Yhdessä aika",
    name_en="Yhdessä aika",
    definition=(
        "Family-centre practice: a professional and a family raise a matter, the professional convenes the people "
        "whom the family names, and they meet. One meeting is one session."
    ),
    counting_rule=(
        "Our proposal, since the published source gives no counting rule; the operator can change it: each meeting "
        "held, also remote, not cancelled ones; counted in the municipality where the family lives."
    ),
    criteria_pilot="Our proposal: named professionals try the practice for a limited time.",
    criteria_in_use="Our proposal: the practice is part of the family services for the time being.",
    contact="The organisation that runs this service",
    counted=True,
    definition_fi=(
        "Perhekeskuksen toimintamalli: ammattilainen ja perhe ottavat asian puheeksi, ammattilainen kutsuu koolle "
        "perheen nimeämät ihmiset, ja he kokoontuvat. Yksi kokoontuminen on yksi tapaaminen."
    ),
    definition_sv=(
        "Familjecentrets verksamhetsmodell: en yrkesperson och en familj tar upp en fråga, yrkespersonen sammankallar "
        "de personer som familjen nämner och de träffas. En sådan träff är ett möte."
    ),
    counting_rule_fi=(
        "Oma ehdotuksemme, koska julkaistussa lähteessä ei ole laskentasääntöä; palvelun ylläpitäjä voi muuttaa sitä: "
        "jokainen pidetty tapaaminen, myös etänä pidetty, ei peruttuja; lasketaan siihen kuntaan, jossa perhe asuu."
    ),
    counting_rule_sv=(
        "Vårt eget förslag, eftersom den publicerade källan inte anger någon räkneregel; den som driver tjänsten kan "
        "ändra det: varje möte som har hållits, även på distans, men inte inställda möten; räknas i den kommun där "
        "familjen bor."
    ),
    criteria_pilot_fi="Oma ehdotuksemme: nimetyt ammattilaiset kokeilevat toimintamallia määräajan.",
    criteria_pilot_sv="Vårt eget förslag: namngivna yrkespersoner prövar verksamhetsmodellen under en begränsad tid.",
    criteria_in_use_fi="Oma ehdotuksemme: toimintamalli on toistaiseksi osa perheiden palveluja.",
    criteria_in_use_sv="Vårt eget förslag: verksamhetsmodellen ingår tills vidare i tjänsterna för familjer.",
    contact_fi="Tämän palvelun ylläpitäjä",
    contact_sv="Den som driver denna tjänst",
)

_SHIPPED_IN_ENGLISH = SHIPPED_PRACTICE.model_copy(update=UNTRANSLATED)
"""As it shipped before it was told in Finnish and Swedish."""

# Putting statements together takes longer than asking them.
_DEFINED = select(PracticeRecord).order_by(col(PracticeRecord.slug), col(PracticeRecord.recorded_at))
_DEFINED_ONE = _DEFINED.where(PracticeRecord.slug == bindparam("slug"))
_LIVE_FROM = (
    select(LiveFromRecord.county, LiveFromRecord.year, LiveFromRecord.recorded_at)
    .where(LiveFromRecord.practice == bindparam("practice"))
    .order_by(col(LiveFromRecord.recorded_at))
)


class InvalidDefinition(ValueError):
    """A definition, or a year, that cannot be recorded."""


def practices(db: Session, moment: datetime | None = None, *, slug: str | None = None) -> dict[str, PracticePublic]:
    """By slug, in their order: every practice, or the one named, as defined at `moment` (None is now).

    A practice that was defined later is answered as it was first defined: nobody could have asked before.
    """
    known: dict[str, PracticePublic] = {}
    for row in db.exec(_DEFINED) if slug is None else db.exec(_DEFINED_ONE, params={"slug": slug}):
        if row.slug not in known or moment is None or row.recorded_at <= moment:
            known[row.slug] = PracticePublic.model_validate(row)
    return known


def practice_asked(db: Session, slug: str, moment: datetime | None = None) -> PracticePublic:
    """The practice that a query parameter names.

    Raises:
        InvalidParameter: there is none.
    """
    known = practices(db, moment, slug=slug)
    if slug not in known:
        raise parameter_problem("practice", _unknown(db, slug, moment))
    return known[slug]


def practice_at(db: Session, slug: str, moment: datetime | None = None) -> PracticePublic:
    """The practice that an address names.

    Raises:
        NotFound: there is none.
    """
    known = practices(db, moment, slug=slug)
    if slug not in known:
        raise NotFound(_unknown(db, slug, moment))
    return known[slug]


def live_from(db: Session, practice: str, moment: datetime | None = None) -> Mapping[str, int]:
    """By county: the first year for which its reports speak, as set at `moment` (None is now)."""
    begins = db.exec(_LIVE_FROM, params={"practice": practice})
    return {county: year for county, year, at in begins if moment is None or at <= moment}


def define_practice(db: Session, definition: PracticePublic, *, at: datetime) -> None:
    """Record a practice, or a new definition of it.

    Raises:
        InvalidDefinition: the slug is not lower-case words joined by hyphens.
    """
    if len(definition.slug) > PRACTICE_LENGTH or not re.fullmatch(PRACTICE_PATTERN, definition.slug, re.ASCII):
        raise InvalidDefinition(f"{definition.slug!r}: write lower-case letters, digits and single hyphens")
    db.add(PracticeRecord(recorded_at=at, **definition.model_dump()))


def set_live_from(db: Session, practice: str, county: str, year: int, *, at: datetime) -> None:
    """Record that the reports of `county` speak from `year` on.

    Raises:
        InvalidDefinition: practice or county are unknown, or the year is before 2015.
    """
    if practice not in practices(db):
        raise InvalidDefinition(f"there is no practice {practice!r}; there are {', '.join(practices(db))}")
    if county not in counties(db):
        raise InvalidDefinition(f"there is no county {county!r}; North Savo is 13")
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise InvalidDefinition(f"{year}: figures are kept from {FIRST_YEAR} on")
    db.add(LiveFromRecord(practice=practice, county=county, year=year, recorded_at=at))


def load_shipped_practice(db: Session, *, at: datetime) -> int:
    """Store the practice that ships, unless it is there; how many rows were stored.

    Where it stands as it shipped in English alone, it is told in Finnish and Swedish as well from `at` on.
    """
    known = practices(db).get(DEFAULT_PRACTICE)
    if known not in (None, _SHIPPED_IN_ENGLISH):
        return 0
    define_practice(db, SHIPPED_PRACTICE, at=at if known else BEGINNING)
    return 1


def _unknown(db: Session, slug: str, moment: datetime | None) -> str:
    return f"there is no practice {slug!r}; there are {', '.join(practices(db, moment))}"
