"""What about.html tells of where the figures come from, and how to come back to exactly these."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.pages.figures.phrases import what_is_kept
from app.pages.reading.overview import Overview
from app.pages.reading.sides import WHOLE_COUNTRY, ComparisonView
from app.pages.view import View
from app.pages.wording import Wording
from app.releases.models import ChangedFigures, ChangePublic, ReleasePublic
from app.web.paging import MOST_ROWS


@dataclass(frozen=True, slots=True)
class Source:
    """A release that figures come from: where it is from, and what was said of it. `area` leads to its county."""

    number: int
    area: str
    href: str
    title: str
    said: Sequence[tuple[str, str]]
    """Each with what it is about."""
    published_on: tuple[str, date]
    next_release_on: tuple[str, date] | None
    url: str | None


@dataclass(frozen=True, slots=True)
class Download:
    """The same figures for programs; `name` is what a file of them is called, without its ending."""

    text: str
    name: str
    json: str
    csv: str


@dataclass(frozen=True, slots=True)
class Change:
    """A year of which the release says something else than the one before it."""

    heading: str
    reason: str
    figures: Sequence[str]


@dataclass(frozen=True, slots=True)
class Sibling:
    """A release of the same county; None in `href` if it is the one that is shown."""

    text: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Part:
    """What the templates read; `notices` say that what is shown is not what is latest."""

    notices: Sequence[str]
    latest: str | None
    sources: Sequence[Source]
    downloads: Sequence[Download]
    changes: Sequence[Change]
    siblings: Sequence[Sibling]
    all_siblings: str
    permanent: str
    kept: str
    comparison: str


def about_part(words: Wording, shown: Overview, view: View) -> Part:
    """What the templates read."""
    county = shown.county.code if shown.county else None
    settled = shown.provenance.settled
    only = shown.releases[0].id if county and shown.releases else None
    notices = list(_notices(words, shown, view))
    return Part(
        notices=notices,
        latest=view.elsewhere(release=None, as_of=None, county=county) if notices else None,
        sources=sorted(
            (_source(words, release, shown, view) for release in shown.releases),
            key=lambda source: words.alphabetical(source.area),
        ),
        downloads=list(_downloads(words, shown, view)),
        changes=[_change(words, change) for change in shown.provenance.changes],
        siblings=[_sibling(words, release, shown, view) for release in shown.provenance.siblings],
        all_siblings=view.api("releases", practice=view.practice, county=county),
        permanent=view.href(county=county, release=only, as_of=settled.asked),
        kept=what_is_kept(words, only, settled.day),
        comparison=ComparisonView(
            page="compare",
            language=view.language,
            practices=(view.practice,),
            counties=(county or WHOLE_COUNTRY,),
            as_of=view.as_of,
        ).href(),
    )


def _notices(words: Wording, shown: Overview, view: View) -> Iterable[str]:
    if any(_later(sibling, shown.releases[0]) for sibling in shown.provenance.siblings):
        day = words.day(shown.releases[0].published_on)
        yield words.gettext("This is an earlier release, published on %(day)s. There is a later one.", day=day)
    if view.as_of is not None:
        day = words.day(shown.provenance.settled.day)
        yield words.gettext("What is shown is what was known on %(day)s.", day=day)


def _later(one: ReleasePublic, other: ReleasePublic) -> bool:
    """Whether `one` is what is read instead of `other` once both are there."""
    return (one.published_on, one.id) > (other.published_on, other.id)


def _source(words: Wording, release: ReleasePublic, shown: Overview, view: View) -> Source:
    county = next(one for one in shown.counties if one.code == release.county)
    said = [
        (words.gettext("Source"), release.source),
        (words.gettext("State"), state_in_words(words, release.state)),
        (words.gettext("Origin"), _origin(words, release)),
    ]
    if release.note:
        said.append((words.gettext("Note"), release.note))
    expected = release.next_release_on
    return Source(
        number=release.id,
        area=words.name(county),
        href=view.elsewhere(county=release.county),
        title=release.title,
        said=said,
        published_on=(words.day(release.published_on), release.published_on),
        next_release_on=(words.day(expected), expected) if expected else None,
        url=release.url,
    )


def state_in_words(words: Wording, state: str) -> str:
    """Whether figures are preliminary or final."""
    return words.gettext("final figures") if state == "final" else words.gettext("preliminary figures")


def _origin(words: Wording, release: ReleasePublic) -> str:
    if release.threshold is None:
        return words.gettext("Public elsewhere before, and taken over as it was")
    return words.gettext(
        "Made of what was reported here; fewer than %(number)s sessions of a municipality are protected",
        number=words.number(release.threshold),
    )


def _downloads(words: Wording, shown: Overview, view: View) -> Iterable[Download]:
    county = shown.county.code if shown.county else None
    place = county or WHOLE_COUNTRY
    yield _trend(view, words.gettext("The years of the whole area"), f"{place}-years", by=None)
    if county is None:
        yield _trend(view, words.gettext("The years of each county"), f"{place}-counties", by="county")
    if any(release.municipalities for release in shown.releases):
        yield _trend(
            view, words.gettext("The years of each municipality"), f"{place}-municipalities", by="municipality"
        )
    statuses = {"practice": view.practice, "county": county, "as_of": view.as_of}
    yield Download(
        words.gettext("Statuses of the municipalities, with their days"),
        f"{view.practice}-{place}-statuses",
        view.api("statuses", **statuses, limit=MOST_ROWS),
        view.api("statuses", **statuses, format="csv"),
    )
    for release in shown.releases if county else ():
        figures = f"releases/{release.id}/figures"
        yield Download(
            words.gettext("All that release %(number)s says", number=release.id),
            f"{view.practice}-{place}-release-{release.id}",
            view.api(figures),
            view.api(figures, format="csv"),
        )


def _trend(view: View, text: str, name: str, *, by: str | None) -> Download:
    return Download(text, f"{view.practice}-{name}", view.trend(by=by), view.trend(by=by, format="csv"))


def _change(words: Wording, change: ChangePublic) -> Change:
    kind = words.gettext("correction of an error") if change.kind == "error" else words.gettext("more is known now")
    figures = [
        words.gettext(
            "Sessions before: %(before)s. Now: %(now)s.",
            before=_sessions(words, change.previous),
            now=_sessions(words, change.now),
        ),
        words.gettext(
            "Municipalities before: %(before)s. Now: %(now)s.",
            before=_municipalities(words, change.previous),
            now=_municipalities(words, change.now),
        ),
    ]
    return Change(f"{change.year}, {kind}", change.reason, figures)


def _sessions(words: Wording, said: ChangedFigures) -> str:
    if said.sessions is not None:
        return words.number(said.sessions)
    return {
        "withheld": words.gettext("withheld"),
        "not_reported": words.gettext("not reported"),
        "not_applicable": words.gettext("not applicable"),
        None: words.gettext("not known"),
    }[said.sessions_missing]


def _municipalities(words: Wording, said: ChangedFigures) -> str:
    return words.gettext("not known") if said.municipalities is None else words.number(said.municipalities)


def _sibling(words: Wording, release: ReleasePublic, shown: Overview, view: View) -> Sibling:
    text = f"{words.short_day(release.published_on)}, {state_in_words(words, release.state)}: {release.title}"
    here = release.id == shown.releases[0].id
    return Sibling(text, None if here else view.elsewhere(county=release.county, release=release.id, as_of=None))
