"""What is written: one figure at a time by one poster and by 32, a thousand at once, and everything at once."""

import itertools
import json
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from benchmarks import ours
from benchmarks.asking import Answer, asked, our_totals, plain_totals
from benchmarks.contest import (
    DATASETTE,
    OURS,
    POCKETBASE,
    TUTORIAL,
    AnswersDiffer,
    Contender,
    Figures,
    Goal,
    Row,
)
from benchmarks.ground import Ground
from benchmarks.load import CONNECTIONS, POST_SCRIPT, load
from benchmarks.peers.serving import COUNTY_PATHS
from benchmarks.rows.reading import COUNTY, P99_MS
from benchmarks.servers import Server
from benchmarks.workload import ASKED_COUNTY, ASKED_PRACTICE, Count, Workload, YearTotal

PER_SECOND = "posts/s"
FAILED = "failed"
MS = "ms"
SECONDS = "s"
PEAK = "MB at most"

DIFFERENT_POSTS = 20_000
ROWS_AT_ONCE = 1_000
TIMES_EACH = 7
FIRST_POSTED_YEAR, POSTED_YEARS = 2021, 3
"""Figures are posted for years after those of the workload, in which all its municipalities still are."""


@dataclass(frozen=True, slots=True)
class Poster:
    """How one contender takes figures and is asked for the county's totals."""

    server: Server
    one_path: str
    many_path: str
    one: Callable[[Count], Any]
    many: Callable[[list[Count]], Any]
    totals_path: str
    totals: Callable[[Answer], list[YearTotal]]
    headers: Mapping[str, str] = field(default_factory=dict)

    def post_one(self, count: Count) -> None:
        """Post one figure."""
        asked(self.server.url + self.one_path, body=self.one(count), headers=self.headers)

    def post_many(self, counts: list[Count]) -> float:
        """Post figures in one request; the milliseconds that it took, without making the body."""
        body = json.dumps(self.many(counts)).encode()
        return asked(self.server.url + self.many_path, body=body, headers=self.headers).seconds * 1_000

    def county_totals(self) -> list[YearTotal]:
        """The totals of the county, the posted years among them."""
        return self.totals(asked(self.server.url + self.totals_path, headers=self.headers))


def our_poster(server: Server, headers: Mapping[str, str]) -> Poster:
    """Ours."""
    path = "/v1/submissions"
    return Poster(server, path, path, lambda one: ours.submission([one]), ours.submission, COUNTY, our_totals, headers)


def peer_poster(name: str, server: Server) -> Poster:
    """A peer's; PocketBase takes no list."""
    one_path, many_path = _PEER_PATHS[name]
    return Poster(server, one_path, many_path, Count._asdict, _as_objects, COUNTY_PATHS[name.lower()], plain_totals)


_PEER_PATHS = {
    TUTORIAL: ("/counts/", "/counts/many/"),
    DATASETTE: ("/peers/add?_json=1", "/-/insert/peers/sessioncount?pk=id"),
    POCKETBASE: ("/api/collections/counts/records", ""),
}


@contextmanager
def single_posts(ground: Ground, *, connections: int) -> Iterator[Mapping[str, Contender]]:
    """One figure in each post, SQLite in everyone."""
    with _on_sqlite(ground, empty=False) as posters:
        yield {name: _posting(ground, name, poster, connections) for name, poster in posters.items()}


@contextmanager
def single_posts_on_postgresql(ground: Ground, *, connections: int) -> Iterator[Mapping[str, Contender]]:
    """The same on PostgreSQL, where there are only we and the tutorial."""
    with _on_postgresql(ground, empty=False) as posters:
        yield {name: _posting(ground, name, poster, connections) for name, poster in posters.items()}


@contextmanager
def thousand_rows(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """A thousand figures in each request, one request after the other, SQLite in everyone."""
    with _on_sqlite(ground, empty=True) as posters:
        del posters[POCKETBASE]
        yield {name: _submitting(ground.workload, poster) for name, poster in posters.items()}


@contextmanager
def thousand_rows_on_postgresql(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """The same on PostgreSQL."""
    with _on_postgresql(ground, empty=True) as posters:
        yield {name: _submitting(ground.workload, poster) for name, poster in posters.items()}


@contextmanager
def everything(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """All figures of the workload in one request, ours as CSV, into an empty database that is new each time."""

    @contextmanager
    def ours_alone() -> Iterator[Poster]:
        with ground.ours(empty=True, scratch=True) as (server, filled):
            yield our_poster(server, filled.headers)

    @contextmanager
    def peer_alone(name: str, serving: Callable[..., AbstractContextManager[Server]]) -> Iterator[Poster]:
        with serving(empty=True, scratch=True) as server:
            yield peer_poster(name, server)

    yield {
        OURS: _all_at_once(ground, ours_alone),
        TUTORIAL: _all_at_once(ground, partial(peer_alone, TUTORIAL, ground.tutorial)),
        DATASETTE: _all_at_once(ground, partial(peer_alone, DATASETTE, ground.datasette)),
    }


@contextmanager
def everything_on_postgresql(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """The same on PostgreSQL."""

    @contextmanager
    def alone(name: str) -> Iterator[Poster]:
        with _on_postgresql(ground, empty=True) as posters:
            yield posters[name]

    yield {name: _all_at_once(ground, partial(alone, name)) for name in (OURS, TUTORIAL)}


@contextmanager
def _on_sqlite(ground: Ground, *, empty: bool) -> Iterator[dict[str, Poster]]:
    with ExitStack() as stack:
        server, filled = stack.enter_context(ground.ours(empty=empty, scratch=True))
        yield {
            OURS: our_poster(server, filled.headers),
            TUTORIAL: peer_poster(TUTORIAL, stack.enter_context(ground.tutorial(empty=empty, scratch=True))),
            DATASETTE: peer_poster(DATASETTE, stack.enter_context(ground.datasette(empty=empty, scratch=True))),
            POCKETBASE: peer_poster(POCKETBASE, stack.enter_context(ground.pocketbase(empty=empty, scratch=True))),
        }


@contextmanager
def _on_postgresql(ground: Ground, *, empty: bool) -> Iterator[dict[str, Poster]]:
    with ground.on_postgresql(empty=empty) as (server, filled, tutorial):
        yield {OURS: our_poster(server, filled.headers), TUTORIAL: peer_poster(TUTORIAL, tutorial)}


def _posting(ground: Ground, name: str, poster: Poster, connections: int) -> Contender:
    """Post one known figure and ask what comes of it; then post many, each for itself."""

    def answer() -> list[YearTotal]:
        poster.post_one(next(_posted(ground.workload)))
        return poster.county_totals()

    lines = ground.folder / "posts.txt"

    def measured() -> Figures:
        with lines.open("w", encoding="utf-8") as file:
            for count in itertools.islice(_posted(ground.workload), DIFFERENT_POSTS):
                file.write(f"{poster.one_path}\t{json.dumps(poster.one(count))}\n")
        found = load(
            poster.server.url,
            seconds=ground.seconds,
            connections=connections,
            headers={**poster.headers, "Content-Type": "application/json"},
            script=POST_SCRIPT,
            arguments=["POST", str(lines)],
        )
        if found.failed and name == OURS:
            raise AnswersDiffer(f"{found.failed} of our posts failed")
        return {PER_SECOND: found.per_second, P99_MS: found.p99_ms, FAILED: found.failed}

    return Contender(answer, measured)


def _submitting(workload: Workload, poster: Poster) -> Contender:
    """Post a thousand known figures and ask what comes of them; then post others, a thousand each time."""
    posted = _posted(workload)

    def thousand() -> list[Count]:
        return list(itertools.islice(posted, ROWS_AT_ONCE))

    def answer() -> list[YearTotal]:
        poster.post_many(thousand())
        return poster.county_totals()

    return Contender(answer, lambda: {MS: statistics.median(poster.post_many(thousand()) for _ in range(TIMES_EACH))})


def _all_at_once(ground: Ground, alone: Callable[[], AbstractContextManager[Poster]]) -> Contender:
    """Post one month and ask what comes of it; then, each time to a server of its own, everything, and look again."""
    workload = ground.workload

    def answer() -> list[YearTotal]:
        with alone() as poster:
            _send(poster, list(workload.month_of_counts(0, workload.practices)))
            return poster.county_totals()

    def measured() -> Figures:
        counts = list(workload.counts_in_force())
        right = workload.totals(workload.places_of(ASKED_COUNTY))
        with alone() as poster:
            poster.server.forget_peak()
            seconds = _send(poster, counts)
            figures = {SECONDS: seconds, PEAK: poster.server.peak_megabytes}
            if (found := poster.county_totals()) != right:
                raise AnswersDiffer(f"after posting everything {found} was answered, where {right} is right")
        return figures

    return Contender(answer, measured)


def _send(poster: Poster, counts: list[Count]) -> float:
    """Post figures in one request, to us as CSV; the seconds that it took, without making the body."""
    if not poster.headers:
        return poster.post_many(counts) / 1_000
    body = ours.submission_csv(counts)
    url = poster.server.url + poster.many_path
    return asked(url, body=body, headers=poster.headers, content_type="text/csv").seconds


def _posted(workload: Workload) -> Iterator[Count]:
    """Endlessly many figures, the same for every contender, no two of a thousand about the same."""
    codes = [place.code for place in [*workload.places_of(ASKED_COUNTY), *workload.places]]
    places = list(dict.fromkeys(codes))
    months = [(FIRST_POSTED_YEAR + month // 12, month % 12 + 1) for month in range(POSTED_YEARS * 12)]
    keys = itertools.cycle((code, month) for month in months for code in places)
    for number, (code, (year, month)) in enumerate(keys):
        # 7919 is a prime, so that a figure is another one whenever its turn comes again.
        yield Count(ASKED_PRACTICE, code, year, month, number * 7919 % 1_000)


def _as_objects(counts: Iterable[Count]) -> list[dict[str, Any]]:
    return [count._asdict() for count in counts]


ROWS = (
    *(
        Row(
            name=f"post-{posters}{name}",
            what=f"one durable single-figure post, {posters} poster{'s' if posters > 1 else ''}, {database}",
            figure=PER_SECOND,
            contenders=partial(contenders, connections=posters),
            goals=goals,
            beside=(P99_MS, FAILED),
            needs_postgresql=bool(name),
            sizes=("S", "M"),
        )
        for posters, name, database, contenders, goals in (
            (1, "", "SQLite", single_posts, (Goal(PER_SECOND, 2.3, TUTORIAL),)),
            (1, "-postgresql", "PostgreSQL", single_posts_on_postgresql, (Goal(PER_SECOND, 3, TUTORIAL),)),
            (
                CONNECTIONS,
                "",
                "SQLite",
                single_posts,
                (
                    Goal(PER_SECOND, 6, TUTORIAL),
                    Goal(PER_SECOND, 1, POCKETBASE),
                    Goal(P99_MS, 20, less_is_better=True),
                ),
            ),
            (
                CONNECTIONS,
                "-postgresql",
                "PostgreSQL",
                single_posts_on_postgresql,
                (Goal(PER_SECOND, 6, TUTORIAL), Goal(P99_MS, 20, less_is_better=True)),
            ),
        )
    ),
    Row(
        name="thousand",
        what="1,000-row submission, SQLite",
        figure=MS,
        contenders=thousand_rows,
        goals=(Goal(MS, 1.2, DATASETTE, less_is_better=True), Goal(MS, 8, TUTORIAL, less_is_better=True)),
        sizes=("S", "M"),
    ),
    Row(
        name="thousand-postgresql",
        what="1,000-row submission, PostgreSQL",
        figure=MS,
        contenders=thousand_rows_on_postgresql,
        goals=(Goal(MS, 8, TUTORIAL, less_is_better=True),),
        needs_postgresql=True,
        sizes=("S", "M"),
    ),
    Row(
        name="everything",
        what="everything in one submission (M: 371,000 rows), CSV with us and JSON with the peers, SQLite",
        figure=SECONDS,
        contenders=everything,
        goals=(
            Goal(SECONDS, 4, DATASETTE, less_is_better=True),
            Goal(SECONDS, 15, TUTORIAL, less_is_better=True),
            Goal(PEAK, 200, less_is_better=True),
        ),
        beside=(PEAK,),
        rounds=3,
        sizes=("S", "M"),
    ),
    Row(
        name="everything-postgresql",
        what="the same, PostgreSQL",
        figure=SECONDS,
        contenders=everything_on_postgresql,
        goals=(Goal(SECONDS, 15, TUTORIAL, less_is_better=True), Goal(PEAK, 200, less_is_better=True)),
        beside=(PEAK,),
        rounds=3,
        needs_postgresql=True,
        sizes=("S", "M"),
    ),
)
