"""What GET /v1/trends answers: flat rows, each complete in itself."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from app.releases.models import State
from app.series.figures import Missing


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class Area(_Out):
    """What the trend is about: the country, a county, or municipalities."""

    type: Literal["country", "county", "municipality", "municipalities"]
    code: str = Field(description="`FI`, a county code, or municipality codes joined by `+`")
    name_fi: str
    name_sv: str
    name_en: str


class ReleaseUsed(_Out):
    """A release that the answer draws on or stands beside."""

    id: int
    county: str
    published_on: date
    state: State
    source: str
    url: str | None
    note: str | None


class TrendRow(_Out):
    """One area and year; null is what its basis cannot say, never zero."""

    practice: str
    area_type: str
    area_code: str
    area_name_fi: str
    release_id: int | None = Field(description="The release that the whole row comes from")
    published_on: date | None = Field(description="When that release was published")
    year: int
    basis: Literal["release", "reports", "none", "mixed"] = Field(
        description="`release`: made public; `reports`: what is recorded; `mixed`: some counties this, some that"
    )
    counties: int = Field(description="Counties that contribute")
    counties_total: int = Field(description="Counties in the area; 22 in the country")
    municipalities_in_area: int | None = Field(
        description="Municipalities of the contributing counties, on the last day"
    )
    municipalities: int | None = Field(description="Those with the practice on trial or in use on at least one day")
    share: float | None = Field(description="municipalities / municipalities_in_area")
    pilot: int | None = Field(description="On trial on the last day")
    in_use: int | None = Field(description="In use on the last day")
    active_at_end: int | None = Field(description="pilot + in_use")
    started: int | None = Field(description="Active for the first time ever")
    resumed: int | None = Field(description="Active on the last day, not at the end of the year before, not started")
    stopped: int | None = Field(description="Active before or started, and no longer active on the last day")
    merged: int | None = Field(description="Active before or started, and no longer in the register on the last day")
    sessions: int | None = Field(
        description="Sum of the counts of the year; null if there is none to tell, and `sessions_missing` says why"
    )
    reporting: int | None = Field(description="Municipalities with a count in the year")
    through: date | None = Field(description="Last day to which all reporting municipalities are complete")
    partial: bool | None = Field(description="True if the figures do not reach to 31 December")
    coverage: float | None = Field(description="Share of active municipality-days, up to `through`, that are counted")
    sessions_per_municipality: float | None = Field(description="sessions / municipalities, of whole years only")
    sessions_per_municipality_year: float | None = Field(
        description="Sessions per year that a municipality was active and counted"
    )
    residents: int | None = Field(description="Residents of municipalities_in_area")
    sessions_per_1000_residents: float | None = Field(description="Of whole years only")
    change_municipalities: int | None = Field(description="Against the year before; null if they do not compare")
    change_sessions: int | None = Field(description="Against the year before; null if one of them is not whole")
    comparable_through: date | None = Field(
        description="To this day of both years the same municipalities are compared"
    )
    comparable_municipalities: int | None = Field(description="How many municipalities are compared")
    comparable_sessions: int | None = Field(description="Their sessions from 1 January to comparable_through")
    comparable_previous_sessions: int | None = Field(description="The same a year earlier")
    annual_pace: float | None = Field(
        description="Of a part year: sessions × days of the year / days to `through`; a proportion that knows no season"
    )
    released_municipalities: int | None = Field(description="Beside live figures: what the latest release says")
    released_sessions: int | None = Field(description="Beside live figures: what the latest release says")
    released_on: date | None = Field(description="When that was published")
    difference_municipalities: int | None = Field(description="Live minus released")
    difference_sessions: int | None = Field(description="Live minus released, if both reach to the same day")
    break_in_series: bool | None = Field(
        description="True if some municipality's counts of the year, with its latest one before, were reported by more "
        "than one organisation, so that a change may come from the reporting; null where there are no reports to tell"
    )
    sessions_missing: Missing | None = Field(
        description="Why `sessions` is null: `withheld` (counted, but to tell would give a small municipality away), "
        "`not_reported` (nothing was counted), `not_applicable` (nobody had the practice on trial or in use); null if "
        "`sessions` is a number, or if nobody says"
    )


class Trend(_Out):
    """The yearly trend of a practice in an area."""

    practice: str
    area: Area
    read: Literal["live", "release"] = Field(
        description="`live` with a key for the whole area, otherwise what is public"
    )
    as_of: str
    releases: list[ReleaseUsed]
    years: list[TrendRow]
