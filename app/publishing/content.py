"""What a release is going to say, before anything is hidden: counted as the live trend is, as of a moment."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from app.errors import FieldError, InvalidRequest, pointer
from app.places.register import counties, residents
from app.practices.definitions import live_from, practices
from app.publishing.counts import counts_behind, county_histories
from app.publishing.earlier import latest_release
from app.publishing.models import PublicationIn
from app.publishing.quarters import released_quarters
from app.releases.models import ReleaseRecord
from app.series.content import Content, Statement
from app.series.county_years import CountyYear, county_years
from app.series.facts import County, History, Question
from app.series.figures import Figures, ReleasedYear
from app.series.lives import life_of
from app.series.trend import years_told

_FIGURES = [field.name for field in fields(Figures)]
_NO_PAIR: Mapping[str, Any] = {name: None for name in _FIGURES if name.startswith("comparable_")}


@dataclass(frozen=True, slots=True)
class _Said:
    """What a county, or one of its municipalities, says of the years of `told`, which ascend without a hole."""

    told: range
    years: Sequence[CountyYear]

    def __iter__(self) -> Iterator[tuple[int, CountyYear]]:
        return zip(self.told, self.years, strict=True)

    def by_reports(self) -> frozenset[int]:
        """The years that it states from its reports."""
        return frozenset(year for year, said in self if said.basis == "reports")


def statement(db: Session, asked: PublicationIn, *, moment: datetime, day: date) -> Statement:
    """What the release that is `asked` for says with nothing hidden, of what was recorded up to `moment`.

    No entry may be recorded at or before `moment` any more, so that what the release was made of can be read again;
    `day` is its day in Helsinki. Years that stay with the county's latest release (rule 11) are taken over as they
    stand there; of them nothing is said by municipality or by quarter, since that release says it.

    Raises:
        InvalidRequest: unknown practice or county, a moment before that of the latest release, a next release that is
            not expected after `day`, or nothing to say of any year.
    """
    counted = _is_counted(db, asked, moment)
    latest = latest_release(db, asked.practice, asked.county)
    if latest:
        _check_goes_on(latest.record, moment, day)
    _check_next(asked, day)
    recorded = county_histories(db, asked.practice, asked.county, moment=moment)
    # As it is set now, and not at the moment: what is taken over is decided once, where the releases meet.
    begins = live_from(db, asked.practice).get(asked.county)
    question = Question(
        as_of=day,
        counted=counted,
        residents=residents(db, moment, codes=[history.code for history in recorded]),
        counties_total=1,
        narrowed=False,
        read="live",
    )
    return _statement(asked, County(asked.county, recorded, latest.content if latest else None, begins), question)


def _statement(asked: PublicationIn, county: County, question: Question) -> Statement:
    said = _said(county, question)
    if all(of_year.basis == "none" for of_year in said.years):
        raise _refusal("county", f"nothing is recorded or public of {asked.practice} in county {asked.county}")
    years = said.by_reports()
    counts = counts_behind(county.histories, years)
    content = Content(
        years=_released_years(said),
        municipalities=_municipalities(county.histories, said.told, years, question) if asked.municipalities else {},
        quarters=released_quarters(counts, years, question.as_of) if asked.quarters else {},
    )
    return Statement(content=content, counts=counts)


def _is_counted(db: Session, asked: PublicationIn, moment: datetime) -> bool:
    """Whether sessions of the practice are counted at all; one that is not has statuses to release."""
    known = practices(db, moment, slug=asked.practice)
    if asked.practice not in known:
        raise _refusal("practice", f"there is no practice {asked.practice!r}; GET /v1/practices lists them")
    if asked.county not in counties(db, moment):
        raise _refusal("county", f"there is no county {asked.county}; GET /v1/counties lists them")
    return known[asked.practice].counted


def _check_goes_on(latest: ReleaseRecord, moment: datetime, day: date) -> None:
    """A release that went back behind the one before would take back what is public."""
    known_to = latest.as_of or latest.published_on
    if moment < latest.as_of if latest.as_of else day < latest.published_on:
        raise _refusal("as_of", f"release {latest.id} says already what was known up to {known_to}; go on from there")


def _check_next(asked: PublicationIn, day: date) -> None:
    if asked.next_release_on and asked.next_release_on <= day:
        raise _refusal("next_release_on", f"{asked.next_release_on} is not after {day}")


def _refusal(field: str, detail: str) -> InvalidRequest:
    where = pointer([field])
    return InvalidRequest(f"{where}: {detail}", errors=[FieldError(pointer=where, detail=detail)])


def _said(county: County, question: Question, told: range | None = None) -> _Said:
    lives = [life_of(history, question.as_of) for history in county.histories]
    years = years_told([county], [lives], question) if told is None else told
    return _Said(years, county_years(county, lives, years, question))


def _released_years(said: _Said) -> dict[int, ReleasedYear]:
    """What the county says; the comparable figures only of years whose set is all who reported in both."""
    released, before = {}, Figures()
    for year, now in said:
        released[year] = _released_year(now, before.reporting)
        before = now.figures
    return released


def _released_year(now: CountyYear, reporting_before: int | None) -> ReleasedYear:
    figures = now.figures
    if isinstance(figures, ReleasedYear):
        return replace(figures, carried=True)
    everyone = figures.comparable_municipalities == figures.reporting == reporting_before
    return ReleasedYear(covers=now.basis == "reports", **_facts(figures, without={} if everyone else _NO_PAIR))


def _municipalities(
    recorded: Iterable[History], told: range, years: frozenset[int], question: Question
) -> dict[str, dict[int, ReleasedYear]]:
    """By code and year, of `years`: each municipality in the register, or of which something is reported, by itself."""
    alone = replace(question, narrowed=True)
    by_code = {history.code: _said(County(history.code, [history]), alone, told) for history in recorded}
    released = {
        code: {
            year: ReleasedYear(covers=now.basis == "reports", **_facts(now.figures, without=_NO_PAIR))
            for year, now in said
            if year in years and (now.basis == "reports" or now.figures.municipalities_in_area)
        }
        for code, said in by_code.items()
    }
    return {code: of_years for code, of_years in released.items() if of_years}


def _facts(figures: Figures, *, without: Mapping[str, Any]) -> dict[str, Any]:
    return {name: getattr(figures, name) for name in _FIGURES} | dict(without)
