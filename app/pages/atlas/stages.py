"""How far municipalities have come with a practice, as people say it."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from babel.dates import format_date

from app.pages.language import Language
from app.pages.reading.standings import Standing, Step
from app.pages.wording import Wording

UNKNOWN = "unknown"
"""Nothing was published of a municipality."""
COUNTED = "counted"
"""Its county published in how many of its municipalities the practice is, and not in which."""

STAGES = ("in_use", "pilot", "planned", "paused", "ended", COUNTED, UNKNOWN)
"""In the order in which they are listed: the statuses, and what there is to say where none was published."""

_DIGITS = {"year": 4, "month": 7, "day": 10}
_MONTHS: dict[Language, str] = {"fi": "M/y", "sv": "M/y", "en": "MMM y"}


def stage(standing: Standing, counted: Collection[str]) -> str:
    """The one of `STAGES` that a municipality is at; `counted` are the counties that published a number."""
    if standing.status is not None:
        return standing.status
    return COUNTED if standing.place.county in counted else UNKNOWN


def stage_names(words: Wording) -> Mapping[str, str]:
    """By stage what it is called, in the order of `STAGES`."""
    names = (
        words.gettext("in use"),
        words.gettext("on trial"),
        words.gettext("planned"),
        words.gettext("paused"),
        words.gettext("ended"),
        words.gettext("only numbers of the whole county published"),
        words.gettext("not published"),
    )
    return dict(zip(STAGES, names, strict=True))


def stage_numbers(stages: Iterable[str]) -> Mapping[str, int]:
    """How often each of the stages occurs that do, in the order of `STAGES`."""
    numbers = Counter(stages)
    return {kind: numbers[kind] for kind in STAGES if numbers[kind]}


def numbers_listed(words: Wording, stages: Iterable[str]) -> str:
    """The same in words."""
    names = stage_names(words)
    return ", ".join(f"{names[kind]} {words.number(number)}" for kind, number in stage_numbers(stages).items())


def step_day(words: Wording, step: Step) -> str:
    """Since when, as exactly as it is known."""
    if step.precision == "year":
        return str(step.day.year)
    if step.precision == "month":
        return format_date(step.day, _MONTHS[words.language], locale=words.locale)
    return words.short_day(step.day)


def step_value(step: Step) -> str:
    """The same for programs: 2022, 2022-03 or 2022-03-01."""
    return step.day.isoformat()[: _DIGITS[step.precision]]


def told(words: Wording, steps: Sequence[Step]) -> str:
    """The way of a municipality in words, oldest first."""
    names = stage_names(words)
    return ", ".join(f"{step_day(words, step)} {names[step.status]}" for step in steps)
