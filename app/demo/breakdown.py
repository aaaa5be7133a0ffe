"""An illustrative breakdown of what North Savo published: which municipality could have held how many sessions when.

The county published totals per year; their split by municipality and month was never published. What stands here adds
up to these totals and is otherwise made up.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import accumulate, pairwise
from typing import Any, NamedTuple

COUNTY = "13"
KUOPIO = "297"
LAST_DAY = date(2023, 3, 27)
LAST_MONTH = "2023-03"
NOTE = "Illustrative: the real split is unknown"

GUIDANCE = "ohjaus-ja-neuvonta"
KELA = "kela-jalkautuminen"

SESSIONS = {2021: 94, 2022: 105, 2023: 23}

RELEASE: Mapping[str, Any] = {
    "county": COUNTY,
    "state": "preliminary",
    "title": "Yhdessä aika in the municipalities of North Savo",
    "source": "The demo's reports",
    "note": NOTE,
    "municipalities": True,
}
"""What the county asks for when it publishes, as POST /v1/releases takes it."""


class _Adoption(NamedTuple):
    """From which months a municipality has the practice on trial and in use, and its weight among the others."""

    municipality: str
    pilot: str
    in_use: str | None
    weight: int


_ADOPTIONS = (
    _Adoption(KUOPIO, "2021-01", "2021-09", 12),
    _Adoption("749", "2021-02", "2022-01", 5),
    _Adoption("140", "2021-02", "2022-03", 5),
    _Adoption("915", "2021-03", "2022-08", 5),
    _Adoption("420", "2021-03", "2022-09", 3),
    _Adoption("778", "2021-04", None, 3),
    _Adoption("402", "2021-04", "2023-01", 3),
    _Adoption("263", "2021-05", None, 3),
    _Adoption("762", "2022-03", None, 2),
    _Adoption("595", "2022-04", "2023-02", 2),
    _Adoption("171", "2022-08", None, 2),
    _Adoption("925", "2022-09", None, 2),
    _Adoption("857", "2022-10", None, 2),
    _Adoption("204", "2022-11", None, 2),
    _Adoption("239", "2023-01", None, 2),
)

# The weights of January to December: hardly a session is held while families are on holiday.
_SEASON = (4, 5, 6, 5, 5, 2, 0, 3, 5, 6, 6, 3)

# Ten municipalities in spring 2022: the source names neither them nor the day.
_GUIDANCE_MUNICIPALITIES = ("140", "171", "263", KUOPIO, "420", "686", "749", "778", "915", "921")
_GUIDANCE_BEGINS = "2022-03"
_KELA_BEGINS = "2021"


@dataclass(frozen=True, slots=True)
class Report:
    """What one municipality posts about one month; its rows are those of POST /v1/submissions."""

    month: str
    municipality: str
    counts: list[Mapping[str, Any]] = field(default_factory=list)
    statuses: list[Mapping[str, Any]] = field(default_factory=list)


def breakdown() -> Sequence[Report]:
    """Every report up to 27 March 2023, by month and then by municipality.

    A municipality that has the practice reports each month, also one without a session.
    """
    reports: dict[tuple[str, str], Report] = {}
    for row in _counts():
        key = row["period"], row["municipality"]
        reports.setdefault(key, Report(*key)).counts.append(row)
    for row in _statuses():
        key = row["date"], row["municipality"]
        reports.setdefault(key, Report(*key)).statuses.append(row)
    return [reports[key] for key in sorted(reports)]


def correction() -> Mapping[str, Any]:
    """The body with which Kuopio corrects its count of the last month: one session more."""
    latest = [row for row in _counts() if row["municipality"] == KUOPIO][-1]
    return {"sessions": latest["sessions"] + 1, "through": latest["through"], "note": NOTE}


def _counts() -> Iterator[Mapping[str, Any]]:
    """Each year's sessions over its months of trial and use, by weight and season, rounded so that none is lost."""
    for year, sessions in SESSIONS.items():
        cells = [(adoption, month) for adoption in _ADOPTIONS for month in _months(year) if adoption.pilot <= month]
        ends = list(accumulate(adoption.weight * _SEASON[int(month[5:]) - 1] for adoption, month in cells))
        held = [0, *(sessions * end // ends[-1] for end in ends)]
        for (adoption, month), (before, after) in zip(cells, pairwise(held), strict=True):
            yield _count(adoption.municipality, month, after - before)


def _months(year: int) -> list[str]:
    """The months of `year` that had begun on the last day."""
    months = (f"{year}-{month:02}" for month in range(1, 13))
    return [month for month in months if month <= LAST_MONTH]


def _count(municipality: str, month: str, sessions: int) -> Mapping[str, Any]:
    part = {"through": LAST_DAY.isoformat()} if month == LAST_MONTH else {}
    return {"municipality": municipality, "period": month, "sessions": sessions, "note": NOTE, **part}


def _statuses() -> Iterator[Mapping[str, Any]]:
    for adoption in _ADOPTIONS:
        yield _status(adoption.municipality, adoption.pilot, "pilot")
        if adoption.in_use:
            yield _status(adoption.municipality, adoption.in_use, "in_use")
    yield _status(KUOPIO, _KELA_BEGINS, "pilot", practice=KELA)
    for municipality in _GUIDANCE_MUNICIPALITIES:
        yield _status(municipality, _GUIDANCE_BEGINS, "pilot", practice=GUIDANCE)


def _status(municipality: str, day: str, status: str, **practice: str) -> Mapping[str, Any]:
    return {"municipality": municipality, "date": day, "status": status, "note": NOTE, **practice}
