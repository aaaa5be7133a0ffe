"""The table, for a terminal and as Markdown."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from rich.table import Table

from benchmarks.contest import BARE, DATASETTE, OURS, POCKETBASE, TUTORIAL, Goal, Measured, Row

COLUMNS = (OURS, BARE, TUTORIAL, DATASETTE, POCKETBASE)

METHOD = """\
Every contender is one process on this machine, as is the load; all share its cores. Each row asks everyone once before
it measures, and the run ends if the answers differ. Then it measures in turns (A, B, C, A, B, C, …), after one turn
that does not count (but for what takes long). The table shows medians over the rounds, and each ratio is the median of
the rounds' own ratios. A greater ratio is always better for us: where less of a figure is better, it is theirs to ours.
Only ratios say anything: absolute figures depend on the machine and on who else uses it. All code has been compiled to
bytecode before: pip does that with what it installs, and the bench with what is not installed, ours and the tutorial.

- *bare ASGI*: a Uvicorn application that sends the same bytes and headers and does nothing else: the limit.
- *tutorial*: FastAPI and SQLModel as FastAPI's tutorial teaches them (`benchmarks/peers/tutorial.py`): a session for
  each request, GROUP BY for each question, one row for each POST; for many rows a list in one POST and one transaction.
- *Datasette* 0.65: canned queries as JSON, its CSV stream; inserts through its author's plugin `datasette-insert`,
  which puts rows in with sqlite-utils in Datasette's process, without validation (`/-/insert` belongs to 1.0 alphas).
  It commits every hundred rows, so that a crash leaves half of them; its file has a write-ahead log, without which it
  takes five times as long, and SQLite waits for the disk at each commit.
- *PocketBase*: views over its collections, records over its REST API. It commits without waiting for the disk, so that
  a power cut loses what it acknowledged; it uses all cores.

All peers have an index that fits the question and have analysed their tables (one county is 14 times as fast as
without). They count `municipalities` as those with a count in the year; we answer every other field of the trend
besides. They ask for no key. Our own settings differ from the defaults in limits alone (requests a minute, rows, bytes
and seconds of a submission). Receipts of our workload carry no true hash.

S only tries the harness, M is 309 municipalities × 20 practices × 60 months, L has ten times the practices and ten
corrections of every count of the practice that is asked about, 3.9 M entries. Whatever the size, the as-of read and
the second live read are asked of L.
"""


def table(found: Sequence[tuple[Row, Measured]]) -> Table:
    """The table for a terminal: a line for each goal, with the figures that it compares."""
    shown = Table("row", "figure", "ours", "against", "its figure", "ratio", "goal", "met?")
    for row, measured in found:
        for goal in row.goals:
            against = goal.against or ""
            figures = [_figure(measured, name, goal.figure) for name in (OURS, against)]
            _text, reached, met = _reached(goal, measured)
            shown.add_row(row.name, goal.figure, figures[0], against, figures[1], reached, goal.text, met)
        shown.add_section()
    return shown


def markdown(
    found: Sequence[tuple[Row, Measured]],
    *,
    at: datetime,
    machine: str,
    versions: Sequence[str],
    run: Mapping[str, str],
) -> str:
    """The whole of results.md."""
    head = ["# Results of `make bench`", "", f"{at:%Y-%m-%d %H:%M} UTC, {machine}.", ""]
    about = [*(f"- {line}" for line in versions), *(f"- {name}: {value}" for name, value in run.items()), ""]
    return "\n".join([*head, *about, *_markdown_table(found), "", "## Method", "", METHOD])


def _markdown_table(found: Sequence[tuple[Row, Measured]]) -> Iterator[str]:
    yield f"| what | {' | '.join(COLUMNS)} | ratio or figure | goal | met? |"
    yield "|---" * (len(COLUMNS) + 4) + "|"
    for row, measured in found:
        goals = [_reached(goal, measured) for goal in row.goals]
        columns = ["<br>".join(column) for column in zip(*((r, t, m) for t, r, m in goals), strict=True)]
        cells = [f"{row.what} ({row.figure})", *_cells(row, measured, "<br>"), *(columns or ["", "", ""])]
        yield f"| {' | '.join(cells)} |"


def _cells(row: Row, measured: Measured, line_end: str) -> Iterator[str]:
    """What each contender reached, with the figures beside it; "–" for one that did not take part."""
    for name in COLUMNS:
        main = measured.median(name, row.figure)
        beside = [(figure, measured.median(name, figure)) for figure in row.beside]
        lines = [f"{written(value)} {figure}" for figure, value in beside if value is not None]
        yield "–" if main is None else line_end.join([written(main), *lines])


def _figure(measured: Measured, name: str, figure: str) -> str:
    value = measured.median(name, figure)
    return "" if value is None else written(value)


def _reached(goal: Goal, measured: Measured) -> tuple[str, str, str]:
    """The goal in words, what was reached, and whether that meets it."""
    reached = goal.reached(measured)
    text = f"{goal.text} {goal.against}" if goal.against else f"{goal.figure} {goal.text}"
    if reached is None:
        return text, "–", "not measured"
    return text, f"{written(reached)}{' ×' if goal.against else ''}", "yes" if goal.met(measured) else "no"


def written(value: float) -> str:
    """A figure with three significant digits, or as a whole number."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
