"""Practices that are being adopted: `practice add`, `live-from`."""

from typing import Annotated

import typer

from app.cli.telling import mistakes_told, said
from app.cli.working import turn
from app.practices.definitions import define_practice, set_live_from
from app.practices.models import PracticePublic

_IN_FINNISH = "The same in Finnish; what is left out is told in English"
_IN_SWEDISH = "The same in Swedish; what is left out is told in English"

commands = typer.Typer(no_args_is_help=True, help="Practices that are being adopted")


@commands.command("add")
def add_practice(
    slug: Annotated[str, typer.Argument(help="Short name in addresses, as in ohjaus-ja-neuvonta")],
    name_fi: Annotated[str, typer.Option()],
    name_sv: Annotated[str, typer.Option()],
    name_en: Annotated[str, typer.Option()],
    definition: Annotated[str, typer.Option(help="What it is")],
    criteria_pilot: Annotated[str, typer.Option(help="When a municipality has it on trial")],
    criteria_in_use: Annotated[str, typer.Option(help="When a municipality has it in use")],
    contact: Annotated[str, typer.Option(help="Who answers for the definition")],
    counting_rule: Annotated[str, typer.Option(help="What is one session, and in which municipality")] = "",
    counted: Annotated[bool, typer.Option(help="Whether sessions are counted at all")] = True,
    definition_fi: Annotated[str | None, typer.Option(help=_IN_FINNISH)] = None,
    definition_sv: Annotated[str | None, typer.Option(help=_IN_SWEDISH)] = None,
    counting_rule_fi: Annotated[str | None, typer.Option(help=_IN_FINNISH)] = None,
    counting_rule_sv: Annotated[str | None, typer.Option(help=_IN_SWEDISH)] = None,
    criteria_pilot_fi: Annotated[str | None, typer.Option(help=_IN_FINNISH)] = None,
    criteria_pilot_sv: Annotated[str | None, typer.Option(help=_IN_SWEDISH)] = None,
    criteria_in_use_fi: Annotated[str | None, typer.Option(help=_IN_FINNISH)] = None,
    criteria_in_use_sv: Annotated[str | None, typer.Option(help=_IN_SWEDISH)] = None,
    contact_fi: Annotated[str | None, typer.Option(help=_IN_FINNISH)] = None,
    contact_sv: Annotated[str | None, typer.Option(help=_IN_SWEDISH)] = None,
) -> None:
    """Make a practice, or give one a new definition; the earlier definition stays readable with as_of."""
    practice = PracticePublic(
        slug=slug,
        name_fi=name_fi,
        name_sv=name_sv,
        name_en=name_en,
        definition=definition,
        counting_rule=counting_rule,
        criteria_pilot=criteria_pilot,
        criteria_in_use=criteria_in_use,
        contact=contact,
        counted=counted,
        definition_fi=definition_fi,
        definition_sv=definition_sv,
        counting_rule_fi=counting_rule_fi,
        counting_rule_sv=counting_rule_sv,
        criteria_pilot_fi=criteria_pilot_fi,
        criteria_pilot_sv=criteria_pilot_sv,
        criteria_in_use_fi=criteria_in_use_fi,
        criteria_in_use_sv=criteria_in_use_sv,
        contact_fi=contact_fi,
        contact_sv=contact_sv,
    )
    with mistakes_told(), turn() as (db, at):
        define_practice(db, practice, at=at)
    said.print(f"{slug} is recorded")


@commands.command("live-from")
def live_from(
    practice: Annotated[str, typer.Argument(help="Slug of the practice")],
    county: Annotated[str, typer.Argument(help="Code of the county; North Savo is 13")],
    year: Annotated[int, typer.Argument(help="First year for which the county's reports speak")],
) -> None:
    """Let a county's reports speak from a year on, in place of its releases."""
    with mistakes_told(), turn() as (db, at):
        set_live_from(db, practice, county, year, at=at)
    said.print(f"{practice} in county {county} is live from {year}")
