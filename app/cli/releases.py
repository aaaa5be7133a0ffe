"""What counties made public: `release import`, `release publish`."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeElapsedColumn

from app.cli.remote import Ended
from app.cli.telling import Mistake, mistakes_told, print_table, said, tell_error
from app.cli.working import opened, turn
from app.clock import system_clock
from app.database import Database, take_turn
from app.errors import Problem
from app.practices.definitions import DEFAULT_PRACTICE
from app.publishing.answers import ReleaseDraftPublic
from app.publishing.drafts import ask
from app.publishing.models import PublicationIn
from app.publishing.telling import draft_public
from app.publishing.workshop import Workbench
from app.releases.importing import import_release, parse_release
from app.schema import require_schema
from app.settings import Settings, read_settings

commands = typer.Typer(no_args_is_help=True, help="What counties made public")


@commands.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="JSON, or CSV with one line per year; see the README")],
) -> None:
    """Add a release of county totals that is public already."""
    with mistakes_told(), turn() as (db, at):
        release = parse_release(file.read_bytes(), as_csv=file.suffix.lower() == ".csv")
        number = import_release(db, release, at=at)
    said.print(f"release {number} of county {release.county} is public from {release.published_on}")


@commands.command("publish")
def publish(
    county: Annotated[str, typer.Option(help="Code of the county; North Savo is 13")],
    title: Annotated[str, typer.Option(help="What the release is called")],
    source: Annotated[str, typer.Option(help="Who counted, and how")],
    practice: Annotated[str, typer.Option(help="Slug of the practice")] = DEFAULT_PRACTICE,
    state: Annotated[str, typer.Option(help="preliminary or final")] = "preliminary",
    note: Annotated[str | None, typer.Option(help="What else readers should know")] = None,
    url: Annotated[str | None, typer.Option(help="Where more is told")] = None,
    as_of: Annotated[str | None, typer.Option(help="Made of what was recorded up to then; now if left out")] = None,
    next_release_on: Annotated[str | None, typer.Option(help="When the next one is to be expected, a day")] = None,
    municipalities: Annotated[bool, typer.Option("--municipalities", help="Also by municipality and year")] = False,
    quarters: Annotated[bool, typer.Option("--quarters", help="Also the county by quarter")] = False,
    change: Annotated[
        list[str] | None,
        typer.Option(help="Why a year changes, as 2022:revision:One report came late; repeat for several"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be hidden and why, and publish nothing")
    ] = False,
) -> None:
    """Make a release of what is recorded of a county, for everyone and for ever.

    Small figures are hidden, and so is what would let somebody work them out; that is audited before anything is
    published.
    """
    asked = {
        "practice": practice,
        "county": county,
        "as_of": as_of,
        "state": state,
        "title": title,
        "source": source,
        "url": url,
        "note": note,
        "next_release_on": next_release_on,
        "municipalities": municipalities,
        "quarters": quarters,
        "changes": [_change(text) for text in change or ()],
    }
    with mistakes_told(), _interruption_told():
        settings = read_settings()
        publication = PublicationIn.model_validate(asked)
        with opened(settings) as database:
            require_schema(database)
            draft = _prepared(database, settings, publication, dry_run=dry_run)
        _show(draft)


@contextmanager
def _interruption_told() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as interrupt:
        tell_error("interrupted; nothing is published")
        raise typer.Exit(Ended.INTERRUPTED) from interrupt


def _change(text: str) -> dict[str, Any]:
    year, _, rest = text.partition(":")
    kind, _, reason = rest.partition(":")
    if not (year.isascii() and year.isdigit() and reason):
        raise typer.BadParameter(f"{text!r}: write the year, revision or error, and the reason, as 2022:revision:why")
    return {"year": int(year), "kind": kind, "reason": reason}


def _prepared(database: Database, settings: Settings, asked: PublicationIn, *, dry_run: bool) -> ReleaseDraftPublic:
    """The draft in the end, with a bar for who watches."""
    try:
        with database.writing() as db:
            draft = ask(db, asked, by=None, at=take_turn(db, system_clock), dry_run=dry_run, settings=settings)
    except Problem as problem:
        raise Mistake(problem.detail) from problem
    bench = Workbench(database, system_clock, settings)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Bar(*columns, console=said, disable=not said.is_terminal, transient=True) as bar:
        task = bar.add_task("reading", total=None)
        worked = bench.work_on(
            draft.id,
            tell=lambda progress: bar.update(
                task, completed=progress.done, total=progress.total, description=progress.doing
            ),
        )
    if worked.fault:
        said.print(worked.fault, markup=False, soft_wrap=True)
    return draft_public(worked.draft, now=system_clock())


def _show(draft: ReleaseDraftPublic) -> None:
    """Write what is hidden to standard output, and how it ended to people."""
    if draft.reason is not None:
        raise Mistake(f"nothing is published: {draft.reason}")
    assert draft.report
    print_table(
        ("year", "municipalities", "sessions", "reporting", "through"),
        (
            (
                str(year.year),
                _text(year.municipalities),
                "withheld" if year.withheld else _text(year.sessions),
                _text(year.reporting),
                _text(year.through),
            )
            for year in draft.report.preview
        ),
    )
    if draft.report.hidden:
        print_table(
            ("hidden", "period", "why"), ((one.area or "county", one.period, one.why) for one in draft.report.hidden)
        )
    for warning in draft.report.warnings:
        said.print(warning, markup=False, soft_wrap=True)
    if draft.release is None:
        said.print(f"dry run: {_hidden(draft)}; nothing is published")
    else:
        said.print(f"release {draft.release} of county {draft.county} is public; {_hidden(draft)}")


def _hidden(draft: ReleaseDraftPublic) -> str:
    assert draft.report
    number = len(draft.report.hidden)
    return f"{number} figure{'' if number == 1 else 's'} hidden"


def _text(value: object) -> str:
    return "" if value is None else str(value)
