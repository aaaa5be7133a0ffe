"""What stands in the way of comparing figures that stand side by side, in words."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

from app.pages.figures.phrases import counties_in_words, coverage_in_words, misses_reports
from app.pages.reading.sides import Named
from app.pages.wording import Wording
from app.trends.models import TrendRow


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to mind, and each of what it is about."""

    text: str
    about: Sequence[str]


def cautions(words: Wording, sides: Named) -> list[Caution]:
    """All that hold, the gravest first."""
    looked = (look(words, sides) for look in _LOOKS)
    return [caution for caution in looked if caution is not None]


def year_spans(years: Iterable[int]) -> str:
    """`years`, which ascend, as people write them: 2019, 2021–2023."""
    spans = [
        [year for _, year in run]
        for _, run in groupby(enumerate(years), key=lambda numbered: numbered[1] - numbered[0])
    ]
    return ", ".join(str(span[0]) if len(span) == 1 else f"{span[0]}–{span[-1]}" for span in spans)


def _silent(words: Wording, sides: Named) -> Caution | None:
    return _caution(words.gettext("No figures have been published:"), [name for name, side in sides if not side.told])


def _different_practices(words: Wording, sides: Named) -> Caution | None:
    practices = {side.practice.slug: side.practice for _, side in sides}.values()
    if len(practices) < 2:
        return None
    counted, not_counted = words.gettext("counted by its own rule"), words.gettext("sessions are not counted")
    return Caution(
        words.gettext(
            "The practices are different things: what counts as on trial, as in use and as one session is defined for "
            "each of them."
        ),
        [f"{words.name(practice)}: {counted if practice.counted else not_counted}" for practice in practices],
    )


def _different_years(words: Wording, sides: Named) -> Caution | None:
    told = [(name, [row.year for row in side.told]) for name, side in sides if side.told]
    if all(years == told[0][1] for _, years in told):
        return None
    return Caution(
        words.gettext("The figures are about different years. Only years that all of them have can be compared:"),
        [f"{name}: {year_spans(years)}" for name, years in told],
    )


def _part_years(words: Wording, sides: Named) -> Caution | None:
    def reach(row: TrendRow) -> str:
        if row.through is None:
            return words.gettext("there is no day up to which all reports are complete")
        return words.gettext("complete up to %(day)s", day=words.short_day(row.through))

    return _caution(
        words.gettext("Part of a year is not comparable with a whole year. These years are not whole in the figures:"),
        _by_year(sides, lambda row: row.partial is True, reach),
    )


def _missing_reports(words: Wording, sides: Named) -> Caution | None:
    def counted(row: TrendRow) -> str:
        return words.gettext("%(share)s of the days with the practice are counted", share=coverage_in_words(words, row))

    return _caution(
        words.gettext("Reports are missing, so that the real number of sessions may be greater:"),
        _by_year(sides, misses_reports, counted),
    )


def _withheld(words: Wording, sides: Named) -> Caution | None:
    about = _by_year(
        sides, lambda row: row.sessions_missing == "withheld", lambda _: words.gettext("sessions are withheld")
    )
    left_out = words.gettext("left out, since it withholds its sessions")
    about += [
        f"{year}, {name}: {words.name(county)}, {left_out}"
        for name, side in sides
        for year, counties in side.withheld.items()
        for county in counties
    ]
    return _caution(words.gettext("Some figures are withheld to protect small counts:"), about)


def _parts_of_the_country(words: Wording, sides: Named) -> Caution | None:
    about = []
    for name, side in sides:
        told = [row for row in side.told if row.counties < row.counties_total]
        for (some, total), rows in groupby(told, key=lambda row: (row.counties, row.counties_total)):
            counties = counties_in_words(words, some, total)
            about.append(f"{name}: {year_spans(row.year for row in rows)}, {counties}")
    return _caution(
        words.gettext("The figures of the whole country are only of the counties that have published them:"), about
    )


def _country_and_counties(words: Wording, sides: Named) -> Caution | None:
    practices_of_counties = {side.practice.slug for _, side in sides if side.county and side.told}
    overlapping = any(side.practice.slug in practices_of_counties for _, side in sides if not side.county)
    text = words.gettext("The figures of the whole country include those of the counties that stand beside it.")
    return Caution(text, []) if overlapping else None


def _different_registers(words: Wording, sides: Named) -> Caution | None:
    about = []
    for name, side in sides:
        known = [(row.year, row.municipalities_in_area) for row in side.told if row.municipalities_in_area is not None]
        runs = [(whole, [year for year, _ in run]) for whole, run in groupby(known, key=lambda of_year: of_year[1])]
        if len(runs) > 1:
            said = (f"{year_spans(years)}: {words.number(whole)}" for whole, years in runs)
            about.append(f"{name}, {'; '.join(said)}")
    return _caution(
        words.gettext("The number of municipalities of which the share is taken is not the same in all years:"), about
    )


def _different_origins(words: Wording, sides: Named) -> Caution | None:
    if len({release.origin for _, side in sides for release in side.releases}) < 2:
        return None
    return Caution(
        words.gettext(
            "Some figures are totals that were public elsewhere before. Of them it is not known which municipalities "
            "and days were counted:"
        ),
        [name for name, side in sides if any(release.origin == "imported" for release in side.releases)],
    )


def _different_states(words: Wording, sides: Named) -> Caution | None:
    if len({release.state for _, side in sides for release in side.releases}) < 2:
        return None
    return Caution(
        words.gettext("Some figures are final and some are preliminary, which can still change. Preliminary:"),
        [name for name, side in sides if any(release.state == "preliminary" for release in side.releases)],
    )


_LOOKS: Sequence[Callable[[Wording, Named], Caution | None]] = (
    _silent,
    _different_practices,
    _different_years,
    _part_years,
    _withheld,
    _missing_reports,
    _parts_of_the_country,
    _country_and_counties,
    _different_registers,
    _different_origins,
    _different_states,
)


def _caution(text: str, about: Sequence[str]) -> Caution | None:
    """None if it is about nothing."""
    return Caution(text, about) if about else None


def _by_year(sides: Named, meant: Callable[[TrendRow], bool], said: Callable[[TrendRow], str]) -> list[str]:
    """What is `said` of the rows that are `meant`, the latest year first."""
    found = [(row, name) for name, side in sides for row in side.told if meant(row)]
    return [f"{row.year}, {name}: {said(row)}" for row, name in sorted(found, key=lambda one: -one[0].year)]
