"""What is answered about what is missing, due or doubtful: flat rows, and sums of them for each county."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.monitoring.coverage import Covered, State
from app.reports.doubts import MEANINGS, QualityCode


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class _AboutOne(_Out):
    """What every row says of its municipality."""

    practice: str
    municipality: str
    municipality_name_fi: str
    municipality_name_sv: str
    county: str | None


class CompletenessRow(_AboutOne):
    """A month in which a municipality had the practice on trial or in use on at least one day."""

    month: str
    active_days: int = Field(description="Days of the month on trial or in use, up to the day that is read")
    covered: Covered = Field(description="Whether these days are counted: `whole`, `partly` or `no`")
    covered_by: str | None = Field(description="The period whose count takes them in: `2023-03`, `2023-Q1` or `2023`")
    reported_at: str | None = Field(
        description="Since when they have all been counted; a later correction, or a withdrawal that is made good on "
        "the same day, does not change it. Null unless the month is over and covered whole"
    )
    days_after_end: int | None = Field(
        description="Days in Helsinki from the last day of the month to `reported_at`; `state` says if that is late"
    )
    due_on: date | None = Field(
        description="A day of the month after, the 20th unless the operator set another, also for who reports by "
        "quarter or year; null if the year stays with the county's release, so that no report is asked for"
    )
    state: State = Field(
        description="`on_time` or `late`: reported by that day or after it; `overdue`: that day has passed; `not_due`"
    )


class CompletenessTotal(_Out):
    """How much of what is due a county has reported."""

    county: str | None = Field(description="null for municipalities that belong to no county")
    county_name_fi: str | None
    county_name_sv: str | None
    months_due: int = Field(description="Municipality-months whose due day has passed")
    reported: int = Field(description="Of these, covered whole")
    on_time: int = Field(description="Of these, covered whole by the due day")
    reporting_rate: float | None = Field(description="reported / months_due, 4 decimals; null if nothing was due")
    on_time_rate: float | None = Field(description="on_time / months_due, 4 decimals; null if nothing was due")


class Completeness(_Out):
    """Which months of a year are covered, in the order of municipality codes and months, and sums for each county."""

    as_of: str
    practice: str
    year: int
    due_day: int = Field(description="The day of the following month that a month is due on")
    rows: list[CompletenessRow]
    totals: list[CompletenessTotal]


class DueRow(_AboutOne):
    """A month to count, or a status to confirm."""

    what: Literal["sessions", "status"] = Field(
        description="`sessions`: post the count of `month`; `status`: nothing was said for twelve months, so post the "
        "status of today, the same again or another"
    )
    month: str | None = Field(description="null for a status")
    due_on: date
    overdue: bool = Field(description="True from the day after `due_on`")
    days_overdue: int = Field(description="Days from `due_on` to today; 0 if it is not overdue")


class Due(_Out):
    """What the calling key should post next, oldest first."""

    as_of: str
    practice: str
    rows: list[DueRow]


class QualityRow(_AboutOne):
    """One doubt about one figure or status in force."""

    code: QualityCode = Field(description="; ".join(f"`{code}`: {MEANINGS[code]}" for code in get_args(QualityCode)))
    period: str | None = Field(description="The period of the count; null for a status")
    date: Annotated[date | None, Field(description="The day of the status; null for a count")]
    entry: int = Field(description="The entry that states the figure or status")
    figure: int | None = Field(description="Its sessions; null for a status")
    low: int | None = Field(description="For an `outlier`: the fewest sessions that would not be doubted")
    high: int | None = Field(description="For an `outlier`: the most sessions that would not be doubted")
    detail: str


class Quality(_Out):
    """What is doubted, in the order of municipality codes, then of periods and days."""

    as_of: str
    practice: str
    rows: list[QualityRow]
