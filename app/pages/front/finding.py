"""What the figures of the years say, in sentences: the finding and no more."""

from collections.abc import Iterator, Sequence
from datetime import date

from app.pages.figures.phrases import misses_reports
from app.pages.reading.standings import ACTIVE, Standing
from app.pages.wording import Wording
from app.trends.models import TrendRow


def latest(rows: Sequence[TrendRow]) -> TrendRow | None:
    """The latest of the years, which ascend, of which anything is told; also if it is that a figure is withheld."""
    return next((row for row in reversed(rows) if row.basis != "none" or row.sessions_missing), None)


def finding(words: Wording, rows: Sequence[TrendRow], standings: Sequence[Standing], *, counted: bool) -> list[str]:
    """The sentences that stand first on the page, about the latest of the years.

    `rows` are those of one area, ascending; `counted` is whether the practice counts its sessions. A year is compared
    with the one before only if both are whole, or over the same days and municipalities.
    """
    row = latest(rows)
    if row is None:
        return [
            words.gettext("No figures of this practice have been published for this area yet."),
            *_standing_now(words, standings),
        ]
    if not row.counties:
        return [_no_sum(words, row)]
    before = next((other for other in rows if other.year == row.year - 1), None)
    whole = row.partial is False and before is not None and before.partial is False
    return [
        _municipalities(words, row),
        *(_change(words, row.change_municipalities) if whole and row.municipalities_in_area != 1 else ()),
        *_counties(words, row),
        *_sessions(words, row, counted=counted),
        *(_change(words, row.change_sessions) if whole and row.change_sessions is not None else _pair(words, row)),
    ]


def like_for_like(words: Wording, row: TrendRow) -> str | None:
    """The sessions of the same municipalities on the same days of two years; None if none can be compared so."""
    if row.comparable_through is None or row.comparable_municipalities is None:
        return None
    return words.ngettext(
        "In the only municipality that can be compared, the number of sessions from the beginning of the year to "
        "%(day)s was %(now)s; in the same days a year before it was %(before)s.",
        "In the %(number)s municipalities that can be compared, the number of sessions from the beginning of the year "
        "to %(day)s was %(now)s; in the same days a year before it was %(before)s.",
        row.comparable_municipalities,
        day=words.day(row.comparable_through),
        now=words.number(row.comparable_sessions or 0),
        before=words.number(row.comparable_previous_sessions or 0),
    )


def pace(words: Wording, row: TrendRow) -> str | None:
    """What a part year would come to in proportion, said to be no more than that; None if it cannot be told."""
    if row.annual_pace is None:
        return None
    return words.gettext(
        "At the same pace, the number of sessions in the whole of %(year)s would come to %(pace)s. This is a plain "
        "proportion that knows no season.",
        year=row.year,
        pace=words.number(row.annual_pace),
    )


def reached_by_all(row: TrendRow) -> date | None:
    """The day to which the sessions of a part year were counted, if all of them were, and none after it.

    Only of one county: in a sum, `through` is the earliest day of several. A county has a pace only if no report is
    missing up to that day and none reaches beyond it.
    """
    exact = row.partial and row.counties == 1 and row.annual_pace is not None
    return row.through if exact else None


def _standing_now(words: Wording, standings: Sequence[Standing]) -> Iterator[str]:
    known = [standing.status for standing in standings if standing.status]
    if known:
        yield words.gettext(
            "By the statuses that are recorded, %(number)s of %(total)s municipalities have it on trial or in use.",
            number=words.number(sum(status in ACTIVE for status in known)),
            total=words.number(len(standings)),
        )


def _no_sum(words: Wording, row: TrendRow) -> str:
    """Of the country, to whose sum no county may contribute."""
    return words.gettext(
        "The sessions of %(year)s are withheld in every county that has published them, so that there is no sum.",
        year=row.year,
    )


def _municipalities(words: Wording, row: TrendRow) -> str:
    number, total = row.municipalities, row.municipalities_in_area
    if number is None:
        return words.gettext(
            "It is not known how many municipalities had the practice on trial or in use in %(year)s.", year=row.year
        )
    # Of municipalities that merged in the course of the year there may be more than at its end.
    if total is None or number > total:
        return words.ngettext(
            "%(number)s municipality had the practice on trial or in use in %(year)s.",
            "%(number)s municipalities had the practice on trial or in use in %(year)s.",
            number,
            year=row.year,
        )
    if number == 0:
        return words.ngettext(
            "The only municipality of the area did not have the practice on trial or in use in %(year)s.",
            "None of the %(number)s municipalities had the practice on trial or in use in %(year)s.",
            total,
            year=row.year,
        )
    if number == total:
        return words.ngettext(
            "The only municipality of the area had the practice on trial or in use in %(year)s.",
            "All %(number)s municipalities had the practice on trial or in use in %(year)s.",
            total,
            year=row.year,
        )
    return words.gettext(
        "%(number)s of %(total)s municipalities had the practice on trial or in use in %(year)s.",
        number=words.number(number),
        total=words.number(total),
        year=row.year,
    )


def _sessions(words: Wording, row: TrendRow, *, counted: bool) -> Iterator[str]:
    if row.sessions is None:
        yield from _no_sessions(words, row, counted=counted)
        return
    until = reached_by_all(row)
    if until is not None:
        yield _sessions_until(words, row.sessions, until)
        return
    yield _sessions_of_year(words, row.sessions)
    if row.partial:
        yield _incomplete(words, row)
    if misses_reports(row):
        yield words.gettext("Some reports are missing.")


def _no_sessions(words: Wording, row: TrendRow, *, counted: bool) -> Iterator[str]:
    if row.sessions_missing == "withheld":
        yield words.gettext("The number of sessions is withheld, so that small numbers cannot be worked out.")
    elif not counted:
        yield words.gettext("Sessions of this practice are not counted.")
    elif row.sessions_missing == "not_reported":
        yield words.gettext("The number of sessions has not been reported.")
    elif row.sessions_missing is None:
        yield words.gettext("The number of sessions is not known.")


def _sessions_until(words: Wording, sessions: int, until: date) -> str:
    day = words.day(until)
    if sessions == 0:
        return words.gettext(
            "No sessions were counted by %(day)s; the figures cover only that part of the year.", day=day
        )
    return words.ngettext(
        "%(number)s session was counted by %(day)s; the figures cover only that part of the year.",
        "%(number)s sessions were counted by %(day)s; the figures cover only that part of the year.",
        sessions,
        day=day,
    )


def _sessions_of_year(words: Wording, sessions: int) -> str:
    if sessions == 0:
        return words.gettext("No sessions were counted.")
    return words.ngettext("%(number)s session was counted.", "%(number)s sessions were counted.", sessions)


def _incomplete(words: Wording, row: TrendRow) -> str:
    if row.through is None or row.through == date(row.year, 12, 31):
        return words.gettext("The figures do not cover the whole year.")
    return words.gettext(
        "All figures reach at least to %(day)s, but not all to the end of the year.", day=words.day(row.through)
    )


def _change(words: Wording, change: int | None) -> Iterator[str]:
    if change is None:
        return
    number = words.number(abs(change))
    if change > 0:
        yield words.gettext("That is %(number)s more than the year before.", number=number)
    elif change < 0:
        yield words.gettext("That is %(number)s fewer than the year before.", number=number)
    else:
        yield words.gettext("That is as many as the year before.")


def _pair(words: Wording, row: TrendRow) -> Iterator[str]:
    compared = like_for_like(words, row)
    if compared is not None:
        yield compared


def _counties(words: Wording, row: TrendRow) -> Iterator[str]:
    if row.counties < row.counties_total:
        yield words.gettext(
            "The figures come from %(number)s of %(total)s wellbeing services counties.",
            number=words.number(row.counties),
            total=words.number(row.counties_total),
        )
