"""What is read: the public trend, its revalidation, the live trend, and what was known ten years ago."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks.asking import Answer, Refused, asked, our_totals, plain_totals
from benchmarks.contest import BARE, DATASETTE, OURS, POCKETBASE, TUTORIAL, AnswersDiffer, Contender, Figures, Goal, Row
from benchmarks.ground import Ground
from benchmarks.load import load
from benchmarks.peers.serving import COUNTRY_PATHS, COUNTY_PATHS
from benchmarks.servers import Server
from benchmarks.workload import ASKED_COUNTY, LONG_AGO, SIZES, YearTotal

PER_SECOND = "answers/s"
MEDIAN_MS = "median ms"
P99_MS = "p99 ms"
COUNTY = f"/v1/trends?county={ASKED_COUNTY}"
COUNTRY = "/v1/trends"
MUNICIPALITIES = f"{COUNTY}&by=municipality"
THEN = f"{COUNTY}&as_of={LONG_AGO}"

SMALLER = "ours on M"


def asking(
    ground: Ground,
    server: Server,
    path: str,
    totals: Callable[[Answer], list[YearTotal]],
    headers: Mapping[str, str] | None = None,
    *,
    connections: int = 32,
) -> Contender:
    """A contender that is asked for one path over and over."""

    def measured() -> Figures:
        found = load(server.url + path, seconds=ground.seconds, headers=headers, connections=connections)
        if found.failed:
            raise Refused(f"{server.url}{path}: {found.failed} questions were not answered")
        if not found.per_second:
            # Nobody was answered in that time, so that there is no latency either.
            return {PER_SECOND: 0.0}
        return {PER_SECOND: found.per_second, MEDIAN_MS: found.p50_ms, P99_MS: found.p99_ms}

    return Contender(lambda: totals(asked(server.url + path, headers=headers)), measured)


@contextmanager
def public_county(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """One county's release against the same totals counted by the peers."""
    with _readers(ground, COUNTY, COUNTY_PATHS) as contenders:
        yield contenders


@contextmanager
def public_country(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """The sum of 21 counties' releases against the same totals counted by the peers."""
    with _readers(ground, COUNTRY, COUNTRY_PATHS) as contenders:
        yield contenders


@contextmanager
def public_municipalities(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """The table of a county's municipalities and years out of its release, against the same bytes."""
    with ground.ours() as (server, _filled), ground.bare(server.url + MUNICIPALITIES) as bare:
        ours = asking(ground, server, MUNICIPALITIES, _summed)
        yield {
            OURS: replace(ours, answer=_right(ours, _county_totals(ground))),
            BARE: asking(ground, bare, MUNICIPALITIES, _summed),
        }


@contextmanager
def not_modified(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """Asking whether the county's trend changed, against a bare 304."""
    with ground.ours() as (server, _filled), ground.bare(server.url + COUNTY) as bare:
        tag = dict(asked(server.url + COUNTY).headers)["etag"]
        headers = {"If-None-Match": tag}
        yield {
            name: replace(asking(ground, one, COUNTY, our_totals, headers), answer=_unchanged(one, headers))
            for name, one in ((OURS, server), (BARE, bare))
        }


@contextmanager
def live_county(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """What is recorded now, read with a key; the peers know no keys and answer everyone."""
    with _readers(ground, COUNTY, COUNTY_PATHS, with_key=True) as contenders:
        yield contenders


@contextmanager
def live_anew(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """The same as recorded up to yesterday, which is all of it: of such an answer nothing is kept."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with _readers(ground, f"{COUNTY}&as_of={yesterday}", COUNTY_PATHS, with_key=True) as contenders:
        yield contenders


@contextmanager
def live_growth(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """The same on L beside M: what ten times the practices and ten corrections cost. The answers differ by design."""
    ground, smaller = ground.large, ground.of(SIZES["M"])
    with ground.ours() as (server, filled), smaller.ours() as (other, other_filled):
        ours = asking(ground, server, COUNTY, our_totals, filled.headers)
        theirs = asking(ground, other, COUNTY, our_totals, other_filled.headers)
        # Each answers its own right, and that it did is what both have in common.
        yield {
            OURS: replace(ours, answer=lambda: _right(ours, _county_totals(ground))() is not None),
            SMALLER: replace(theirs, answer=lambda: _right(theirs, _county_totals(smaller))() is not None),
        }


@contextmanager
def as_of(ground: Ground) -> Iterator[Mapping[str, Contender]]:
    """One county as it was known ten years ago in an archive of L; no peer can be asked this."""
    ground = ground.large
    with ground.ours() as (server, filled):
        right = ground.workload.totals(ground.workload.places_of(ASKED_COUNTY), on=LONG_AGO)
        ours = asking(ground, server, THEN, our_totals, filled.headers, connections=1)
        yield {OURS: replace(ours, answer=_right(ours, right))}


@contextmanager
def _readers(
    ground: Ground, path: str, peers: Mapping[str, str], *, with_key: bool = False
) -> Iterator[Mapping[str, Contender]]:
    """Ours, the limit, and every peer; what the formula says is compared with too."""
    with ExitStack() as stack:
        server, filled = stack.enter_context(ground.ours())
        headers = dict(filled.headers) if with_key else {}
        bare = stack.enter_context(ground.bare(server.url + path, headers))
        tutorial = stack.enter_context(ground.tutorial())
        datasette = stack.enter_context(ground.datasette())
        pocketbase = stack.enter_context(ground.pocketbase())
        ours = asking(ground, server, path, our_totals, headers)
        workload = ground.workload
        right = workload.totals(workload.released_places) if path == COUNTRY else _county_totals(ground)
        yield {
            OURS: replace(ours, answer=_right(ours, right)),
            BARE: asking(ground, bare, path, our_totals, headers),
            TUTORIAL: asking(ground, tutorial, peers["tutorial"], plain_totals),
            DATASETTE: asking(ground, datasette, peers["datasette"], plain_totals),
            POCKETBASE: asking(ground, pocketbase, peers["pocketbase"], plain_totals),
        }


def _summed(answer: Answer) -> list[YearTotal]:
    """The totals of a table by municipality; with the workload's counts nothing in it is withheld."""
    totals: dict[int, YearTotal] = {}
    for one in our_totals(answer):
        before = totals.get(one.year, YearTotal(one.year, 0, 0))
        totals[one.year] = YearTotal(
            one.year, before.sessions + one.sessions, before.municipalities + one.municipalities
        )
    return [totals[year] for year in sorted(totals)]


def _county_totals(ground: Ground) -> list[YearTotal]:
    """What the formula says of the county that is asked about."""
    return ground.workload.totals(ground.workload.places_of(ASKED_COUNTY))


def _right(contender: Contender, right: list[YearTotal]) -> Callable[[], list[YearTotal]]:
    """The answer of `contender`, which has to be the `right` one."""

    def answer() -> list[YearTotal]:
        if (found := contender.answer()) != right:
            raise AnswersDiffer(f"{found} was answered where the formula says {right}")
        return right

    return answer


def _unchanged(server: Server, headers: Mapping[str, str]) -> Callable[[], Any]:
    def answer() -> Any:
        found = asked(server.url + COUNTY, headers=headers)
        return found.status_code, found.content, dict(found.headers)["etag"]

    return answer


LIVE_GOALS = (Goal(PER_SECOND, 4, TUTORIAL), Goal(PER_SECOND, 4, DATASETTE), Goal(PER_SECOND, 4, POCKETBASE))

ROWS = (
    Row(
        name="public-county",
        what="public trend read, one county",
        figure=PER_SECOND,
        contenders=public_county,
        goals=(
            Goal(PER_SECOND, 0.7, BARE),
            Goal(PER_SECOND, 25, TUTORIAL),
            Goal(PER_SECOND, 10, DATASETTE),
            Goal(PER_SECOND, 10, POCKETBASE),
        ),
    ),
    Row(
        name="public-country",
        what="public trend read, the whole country out of 21 counties' releases",
        figure=PER_SECOND,
        contenders=public_country,
        goals=(
            Goal(PER_SECOND, 0.7, BARE),
            Goal(PER_SECOND, 100, TUTORIAL),
            Goal(PER_SECOND, 100, DATASETTE),
            Goal(PER_SECOND, 100, POCKETBASE),
        ),
    ),
    Row(
        name="public-table",
        what="public trend read, one county by municipality",
        figure=PER_SECOND,
        contenders=public_municipalities,
        goals=(Goal(PER_SECOND, 0.7, BARE),),
    ),
    Row(
        name="not-modified",
        what="304 revalidation",
        figure=PER_SECOND,
        contenders=not_modified,
        goals=(Goal(PER_SECOND, 0.65, BARE),),
    ),
    Row(
        name="live-county",
        what="live trend read with a key, one county, given again after a look that nothing was recorded since",
        figure=PER_SECOND,
        contenders=live_county,
        goals=LIVE_GOALS,
    ),
    Row(
        name="live-anew",
        what="the same read from the ledger and counted for each answer",
        figure=PER_SECOND,
        contenders=live_anew,
        goals=LIVE_GOALS,
    ),
    Row(
        name="live-growth",
        what="the first of these on L, ours on M beside it: at most 1.5 × slower",
        figure=PER_SECOND,
        contenders=live_growth,
        goals=(Goal(PER_SECOND, 1 / 1.5, SMALLER),),
        sizes=("M", "L"),
    ),
    Row(
        name="as-of",
        what="as-of read of one county, 10 years back in a ledger of L, 1 connection",
        figure=MEDIAN_MS,
        contenders=as_of,
        goals=(Goal(MEDIAN_MS, 50, less_is_better=True),),
        beside=(P99_MS,),
    ),
)
