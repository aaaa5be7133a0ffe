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
        definition_fi=(
            "Perheiden ohjaus ja neuvonta, kokeilussa kymmenessä Pohjois-Savon kunnassa keväästä 2022 alkaen. Lähde ei "
            "nimeä kuntia: se, mitkä kunnat tässä näkyvät, on esimerkki."
        ),
        definition_sv=(
            "Handledning och rådgivning för familjer, på försök i tio kommuner i Norra Savolax från våren 2022. Källan "
            "nämner inte kommunerna: vilka som visas här är ett exempel."
        ),
        counting_rule_fi="",
        counting_rule_sv="",
        criteria_pilot_fi="Esimerkki: nimetyt ammattilaiset kokeilevat toimintamallia määräajan.",
        criteria_pilot_sv="Exempel: namngivna yrkespersoner prövar verksamhetsmodellen under en begränsad tid.",
        criteria_in_use_fi="Esimerkki: toimintamalli on toistaiseksi osa perheiden palveluja.",
        criteria_in_use_sv="Exempel: verksamhetsmodellen ingår tills vidare i tjänsterna för familjer.",
        contact_fi="Ei kukaan: nämä ovat esittelytietoja",
        contact_sv="Ingen: detta är demonstrationsdata",
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
        definition_fi="Kelan työntekijät osallistuvat tapaamisiin; kokeilussa Kuopiossa vuodesta 2021.",
        definition_sv="FPA:s personal deltar i möten; på försök i Kuopio från 2021.",
        counting_rule_fi="",
        counting_rule_sv="",
        criteria_pilot_fi="Esimerkki: Kela ja kunta kokeilevat sitä määräajan.",
        criteria_pilot_sv="Exempel: FPA och kommunen prövar det under en begränsad tid.",
        criteria_in_use_fi="Esimerkki: Kelan työntekijät tulevat aina, kun perhe nimeää heidät.",
        criteria_in_use_sv="Exempel: FPA:s personal kommer alltid när en familj nämner dem.",
        contact_fi="Ei kukaan: nämä ovat esittelytietoja",
        contact_sv="Ingen: detta är demonstrationsdata",
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
