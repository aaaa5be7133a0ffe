"""What the demo begins with: a database of its own, with the practices and keys that come before the first report."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from app.access.keys import issue_key
from app.access.models import Action
from app.clock import system_clock
from app.database import Database, take_turn
from app.demo.breakdown import COUNTY, GUIDANCE, KELA, SESSIONS
from app.places.register import counties, municipalities
from app.practices.definitions import DEFAULT_PRACTICE, define_practice, set_live_from
from app.practices.models import PracticePublic
from app.schema import migrate
from app.settings import Settings

_PRACTICES = (
    PracticePublic(
        slug=GUIDANCE,
        name_fi="Ohjaus ja neuvonta",
        name_sv="Handledning och rådgivning",
        name_en="Guidance and counselling",
        definition=(
            "Guidance and counselling for families, on trial in ten municipalities of North Savo from spring 2022. "
            "The source does not name them: which ones they are here is illustrative."
        ),
        counting_rule="",
        criteria_pilot="Illustrative: named professionals try the practice for a limited time.",
        criteria_in_use="Illustrative: the practice is part of the family services for the time being.",
        contact="Nobody: this is demo data",
        counted=False,
    ),
    PracticePublic(
        slug=KELA,
        name_fi="Kelan jalkautuminen",
        name_sv="FPA:s medverkan vid möten",
        name_en="Kela's staff at sessions",
        definition="Staff of Kela, the Social Insurance Institution, join sessions; on trial in Kuopio from 2021.",
        counting_rule="",
        criteria_pilot="Illustrative: Kela and the municipality try it for a limited time.",
        criteria_in_use="Illustrative: Kela's staff come whenever a family names them.",
        contact="Nobody: this is demo data",
        counted=False,
    ),
)


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys in full: that of the county, which reads and publishes; by code those of municipalities, which report."""

    county: str
    municipalities: Mapping[str, str]


def install(settings: Settings, reporters: Collection[str]) -> Keys:
    """Make the database that `settings` name, where the county's reports speak; keys for it and the `reporters`."""
    database = Database(settings)
    migrate(database, system_clock)
    with database.writing() as db:
        at = take_turn(db, system_clock)
        for practice in _PRACTICES:
            define_practice(db, practice, at=at)
        set_live_from(db, DEFAULT_PRACTICE, COUNTY, min(SESSIONS), at=at)
        keys = _keys(db, reporters, at=at)
    database.dispose()
    return keys


def _keys(db: Session, reporters: Collection[str], *, at: datetime) -> Keys:
    county = counties(db)[COUNTY].name_fi
    return Keys(
        county=_key(db, county, f"county:{COUNTY}", Action.READ, Action.PUBLISH, at=at),
        municipalities={
            code: _key(db, place.name_fi, f"municipality:{code}", Action.REPORT, Action.READ, at=at)
            for code, place in municipalities(db, codes=reporters).items()
        },
    )


def _key(db: Session, organisation: str, area: str, *actions: Action, at: datetime) -> str:
    name = f"Demo of {organisation}"
    return issue_key(db, name=name, organisation=organisation, actions=actions, areas=[area], at=at)
