"""What is served besides: everything as CSV, and the first answer after a start."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from benchmarks.asking import Answer, asked, our_totals, plain_totals
from benchmarks.contest import DATASETTE, OURS, POCKETBASE, TUTORIAL, Contender, Figures, Goal, Row
from benchmarks.ground import Ground
from benchmarks.peers.serving import COUNTY_PATHS
from benchmarks.rows.reading import COUNTY
from benchmarks.servers import Server
from benchmarks.workload import YearTotal

PER_SECOND = "rows/s"
FIRST_BYTE = "ms to first byte"
GROWN = "MB grown by at most"
MS = "ms"
MEMORY = "MB"

OUR_EXPORT = "/v1/session-counts?format=csv"
DATASETTE_EXPORT = "/peers/sessioncount.csv?_stream=on&_size=max"
FLAT_MEGABYTES = 10
"""By so much the memory may grow and still be called flat."""


@contextmanager
def export(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """All counts as CSV, once each time."""
    with ground.ours() as (server, filled), ground.datasette() as datasette:
        yield {
            OURS: _exporting(ground, server, OUR_EXPORT, filled.headers),
            DATASETTE: _exporting(ground, datasette, DATASETTE_EXPORT, {}),
        }


@contextmanager
def start(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """From the start of the process to the answer about one county."""

    @contextmanager
    def ours_started() -> Iterator[Server]:
        with ground.ours(ready=COUNTY) as (server, _filled):
            yield server

    yield {
        OURS: _starting(ours_started, COUNTY, our_totals),
        TUTORIAL: _starting(ground.tutorial, COUNTY_PATHS["tutorial"], plain_totals),
        DATASETTE: _starting(ground.datasette, COUNTY_PATHS["datasette"], plain_totals),
        POCKETBASE: _starting(ground.pocketbase, COUNTY_PATHS["pocketbase"], plain_totals),
    }


def _exporting(ground: Ground, server: Server, path: str, headers: Mapping[str, str]) -> Contender:
    def answer() -> Any:
        lines = csv.DictReader(io.StringIO(asked(server.url + path, headers=headers).content.decode("utf-8-sig")))
        sessions = [int(line["sessions"]) for line in lines]
        return {"rows": len(sessions), "sessions": sum(sessions)}

    def measured() -> Figures:
        server.forget_peak()
        before = server.memory_megabytes
        found = asked(server.url + path, headers=headers)
        return {
            PER_SECOND: found.content.count(b"\n") / found.seconds,
            FIRST_BYTE: found.first_byte_seconds * 1_000,
            GROWN: server.peak_megabytes - before,
        }

    return Contender(answer, measured)


def _starting(
    started: Callable[[], AbstractContextManager[Server]], path: str, totals: Callable[[Answer], list[YearTotal]]
) -> Contender:
    def answer() -> list[YearTotal]:
        with started() as server:
            return totals(asked(server.url + path))

    def measured() -> Figures:
        with started() as server:
            return {MS: server.first_answer_seconds * 1_000, MEMORY: server.memory_megabytes}

    return Contender(answer, measured)


ROWS = (
    Row(
        name="export",
        what="CSV export of everything",
        figure=PER_SECOND,
        contenders=export,
        goals=(
            Goal(PER_SECOND, 6, DATASETTE),
            Goal(FIRST_BYTE, 10, less_is_better=True),
            Goal(GROWN, FLAT_MEGABYTES, less_is_better=True),
        ),
        beside=(FIRST_BYTE, GROWN),
        sizes=("S", "M"),
    ),
    Row(
        name="start",
        what="start to first answer (at most 1.3 × as long as Datasette), and memory after it",
        figure=MS,
        contenders=start,
        goals=(Goal(MS, 1 / 1.3, DATASETTE, less_is_better=True), Goal(MEMORY, 110, less_is_better=True)),
        beside=(MEMORY,),
    ),
)
