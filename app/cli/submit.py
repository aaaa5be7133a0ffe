"""Send a file of figures: `submit`."""

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress as Bar, TextColumn, TimeElapsedColumn

from app.cli.remote import WAIT_SECONDS, Ended, KeyFile, Url, Wait, answers_told, client_from_options
from app.cli.telling import print_table, said, tell_error
from app.client import Client, Refused, Unanswered, place
from app.sending.chunks import XLSX
from app.sending.delivery import Delivery, delivery_of
from app.sending.progress import progress_beside

_ERRORS_TOLD = 20
_TOO_LARGE = 413
_SAVE_AS_CSV = "an Excel file is sent whole; save it as CSV, which is sent in parts"
_FEWER_ROWS = "send fewer rows at once with --chunk-rows"


def submit(
    file: Annotated[
        Path,
        typer.Argument(
            help=".json as the body of POST /v1/submissions, or .ndjson, .jsonl, .csv or .xlsx like its template"
        ),
    ],
    url: Url,
    key_file: KeyFile = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would happen; nothing is recorded")] = False,
    skip_invalid: Annotated[
        bool, typer.Option("--skip-invalid", help="Reject rows that break a rule, record the others")
    ] = False,
    chunk_rows: Annotated[
        int | None, typer.Option(min=1, help="Rows per part of a large file; as many as the server takes if left out")
    ] = None,
    wait: Wait = WAIT_SECONDS,
    progress_file: Annotated[Path | None, typer.Option(help="Where progress is kept; beside FILE if left out")] = None,
) -> None:
    """Send a file of session counts and statuses.

    If it is interrupted, the same command goes on where it stopped.
    A large file is sent in parts, each recorded whole or not at all.
    Nothing is recorded twice: figures that stand already are unchanged.

    The key comes from a file, or from the variable YHDESSA_KEY;
    never from an argument, which others on the machine could see.

    Exit codes:
    0 all is recorded, or unchanged (with warnings or without)
    1 a mistake in a file, key or setting
    2 wrong usage; nothing was sent
    3 the server refused, and what it refused is not recorded
    4 recorded, but some rows were rejected (--skip-invalid)
    5 the server did not answer in time: run the same command later
    130 interrupted: run the same command later
    """
    kept_at = None if dry_run else progress_file or progress_beside(file)
    with answers_told(), client_from_options(url, key_file, wait=wait) as client:
        delivery = delivery_of(file, client, url=url, skip_invalid=skip_invalid, chunk_rows=chunk_rows, kept_at=kept_at)
        if delivery.progress.done:
            _tell(f"going on after part {delivery.progress.done} of {len(delivery.chunks)}")
        _deliver(delivery, client)
    _summarise(delivery)
    raise typer.Exit(Ended.PARTLY_REJECTED if delivery.progress.tally.rejected else Ended.WELL)


def _deliver(delivery: Delivery, client: Client) -> None:
    """Post what is left, with a bar for who watches; ends the command if that does not succeed."""
    columns = TextColumn("Submitting"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        with Bar(*columns, console=said, disable=not said.is_terminal) as bar:
            task = bar.add_task("", total=len(delivery.chunks), completed=delivery.progress.done)
            for progress in delivery.post(client):
                bar.update(task, completed=progress.done)
    except Refused as refused:
        _tell_refusal(refused, delivery)
        raise typer.Exit(Ended.REFUSED) from refused
    except Unanswered as unanswered:
        tell_error(str(unanswered))
        _tell_how_to_go_on(delivery)
        raise typer.Exit(Ended.UNANSWERED) from unanswered
    except KeyboardInterrupt as interrupt:
        tell_error("interrupted")
        _tell_how_to_go_on(delivery)
        raise typer.Exit(Ended.INTERRUPTED) from interrupt


def _summarise(delivery: Delivery) -> None:
    """Write to standard output what became of the rows, and those to look at."""
    tally = delivery.progress.tally
    if delivery.kept_at is None:
        _tell("dry run: nothing is recorded; this is what would happen")
        if len(delivery.chunks) > 1:
            _tell(f"each of the {len(delivery.chunks)} parts was tried without those before it")
    if tally.replayed:
        _tell(f"of {tally.replayed} of {len(delivery.chunks)} parts the answer had been lost; each is recorded once")
    headings = ("created", "corrected", "unchanged", "rejected", "warnings")
    print_table(headings, [[str(getattr(tally, heading)) for heading in headings]])
    if tally.findings:
        print_table(("where", "what", "why"), [(one.place, one.what, one.detail) for one in tally.findings])
        _tell_more(tally.found - len(tally.findings))
    if tally.receipts:
        _tell(f"receipts: {', '.join(map(str, tally.receipts))}")


def _tell_refusal(refused: Refused, delivery: Delivery) -> None:
    """Say what the server refused, where that is in the file, what is recorded all the same, and what to do."""
    problem, tally = refused.problem, delivery.progress.tally
    errors = problem.get("errors") or []
    tell_error(f"{problem.get('status')} {problem.get('title')}" + ("" if errors else f": {problem.get('detail')}"))
    for error in errors[:_ERRORS_TOLD]:
        moved = tally.in_file(error, delivery.next_chunk)
        _tell(f"  {place(moved)}: {moved['detail']}")
    _tell_more(len(errors) - _ERRORS_TOLD)
    if problem.get("status") == _TOO_LARGE:
        _tell(_SAVE_AS_CSV if delivery.next_chunk.content_type == XLSX else _FEWER_ROWS)
    if delivery.kept_at and delivery.progress.done:
        _summarise(delivery)
    _tell(_is_recorded(delivery))
    if delivery.kept_at and delivery.kept_at.exists():
        _tell_how_to_go_on(delivery)
    else:
        _tell("when it is corrected submit it again from the start: what stands already will be unchanged")


def _is_recorded(delivery: Delivery) -> str:
    done, parts = delivery.progress.done, len(delivery.chunks)
    if delivery.kept_at is None or not done:
        return "nothing is recorded"
    return f"recorded are the parts up to {done} of {parts}; part {done + 1} and what follows is not"


def _tell_how_to_go_on(delivery: Delivery) -> None:
    _tell("the same command goes on where it stopped" if delivery.kept_at else "a dry run records nothing")


def _tell_more(more: int) -> None:
    if more > 0:
        _tell(f"and {more} more")


def _tell(words: str) -> None:
    said.print(words, markup=False, soft_wrap=True)
