"""What comes in as a report and goes out again: submissions, receipts, figures and their histories."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.errors import FieldError
from app.periods import DAY_PATTERN, PERIOD_PATTERN, Precision
from app.places.models import MunicipalityCode
from app.practices.definitions import DEFAULT_PRACTICE
from app.practices.models import PRACTICE_LENGTH, PRACTICE_PATTERN
from app.reports.doubts import MEANINGS, ReceiptCode
from app.reports.tables import MAX_SESSIONS

MAX_NOTE = 500

Status = Literal["planned", "pilot", "in_use", "paused", "ended"]
ListName = Literal["counts", "statuses"]
Outcome = Literal["created", "corrected", "unchanged", "retracted", "rejected"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

PracticeSlug = Annotated[str, Field(pattern=PRACTICE_PATTERN, max_length=PRACTICE_LENGTH)]
PeriodText = Annotated[
    str,
    Field(
        pattern=PERIOD_PATTERN,
        description="A year `2022`, quarter `2022-Q1` or month `2022-03`, from 2015 on",
    ),
]
DayText = Annotated[
    str,
    Field(pattern=DAY_PATTERN, description="A day `2022-03-15`, or `2022-03` or `2022` for its first day"),
]
NoteText = Annotated[
    str,
    Field(max_length=MAX_NOTE, description="Free text for key holders, never public; no personal identity codes"),
]
Sessions = Annotated[int, Field(ge=0, le=MAX_SESSIONS, description="Sessions recorded in the period")]
Through = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        description="Last day counted; required while the period is under way",
    ),
]


class _In(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class CountPut(_In):
    """A session count whose municipality, practice and period stand in the address."""

    sessions: Sessions
    through: Through | None = None
    replace: bool = Field(default=False, description="Supersede counts of periods inside or around this one")
    note: NoteText | None = None


class StatusPut(_In):
    """A status whose municipality, practice and day stand in the address."""

    status: Status
    note: NoteText | None = None


class CountIn(CountPut):
    """One session count."""

    municipality: MunicipalityCode
    period: PeriodText
    practice: PracticeSlug = DEFAULT_PRACTICE


class StatusIn(StatusPut):
    """Where a municipality stands from a day on."""

    municipality: MunicipalityCode
    date: DayText
    practice: PracticeSlug = DEFAULT_PRACTICE


class SubmissionIn(_In):
    """Many counts and statuses that are recorded together."""

    counts: list[CountIn] = []
    statuses: list[StatusIn] = []


class PlausibilityWarning(_Out):
    """Something implausible that was recorded all the same."""

    code: ReceiptCode = Field(description="; ".join(f"`{code}`: {MEANINGS[code]}" for code in get_args(ReceiptCode)))
    detail: str


class ReceiptRow(_Out):
    """What became of one row of a submission."""

    list: ListName
    index: int = Field(description="Place of the row in its list, from 0")
    outcome: Outcome
    entry: int | None = Field(description="The entry that now holds; null if rejected or in a dry run")
    superseded: tuple[int, ...] = Field(description="Entries of nested periods that `replace` took the place of")
    warnings: tuple[PlausibilityWarning, ...]
    errors: tuple[FieldError, ...] = Field(description="Why the row was rejected; empty otherwise")


class Receipt(_Out):
    """What became of a submission; the hash covers its content and the receipt before it."""

    id: int | None = Field(description="null in a dry run, which stores nothing")
    received_at: str
    organisation: str
    retracts: int | None = Field(description="The submission that this one takes back, if it does")
    created: int
    corrected: int
    unchanged: int
    retracted: int
    rejected: int
    rows: list[ReceiptRow]
    previous_hash: str | None = Field(description="null in a dry run")
    hash: str | None = Field(description="null in a dry run")


class ReceiptSummary(_Out):
    """A receipt without its rows; the numbers say how many rows came to each outcome."""

    id: int
    received_at: str
    key: str = Field(description="The `id` of the key that posted it")
    retracts: int | None = Field(description="The submission that this one takes back, if it does")
    retracted_by: int | None = Field(description="The submission that took this one back, if one did")
    created: int
    corrected: int
    unchanged: int
    retracted: int
    rejected: int
    previous_hash: str
    hash: str


class Receipts(_Out):
    """A page of receipts, newest first."""

    rows: list[ReceiptSummary]
    next: str | None = Field(description="The `cursor` of the next page; null on the last one")


class RetractionIn(_In):
    """Why a whole submission is taken back."""

    reason: Annotated[NoteText, Field(min_length=1)]


class CountPublic(_Out):
    """The session count that holds for one municipality, practice and period."""

    practice: str
    municipality: str
    municipality_name_fi: str
    municipality_name_sv: str
    reported_as: str = Field(
        description="The code it was reported under; differs after a merger in the current register"
    )
    county: str | None
    period: str
    first_day: date
    last_day: date
    through: date | None = Field(description="Last day counted, if the period was not counted to its end")
    sessions: int
    entry: int
    organisation: str = Field(description="Who reported it")
    recorded_at: str


class Counts(_Out):
    """A page of session counts in the order of practice, code and period."""

    as_of: str
    rows: list[CountPublic]
    next: str | None = Field(description="The `cursor` of the next page; null on the last one")


class StatusPublic(_Out):
    """A status that a municipality has from a day on; public, so without note and reporter."""

    practice: str
    municipality: str
    municipality_name_fi: str
    municipality_name_sv: str
    reported_as: str = Field(
        description="The code it was reported under; differs after a merger in the current register"
    )
    county: str | None
    date: date
    date_precision: Precision = Field(
        description="`month` or `year` if only that much is known; `date` is its first day"
    )
    status: Status
    entry: int
    recorded_at: str


class Statuses(_Out):
    """A page of statuses in the order of practice, code and day."""

    as_of: str
    rows: list[StatusPublic]
    next: str | None = Field(description="The `cursor` of the next page; null on the last one")


class CountHistoryRow(_Out):
    """One entry about a session count; null sessions: it was withdrawn."""

    entry: int
    outcome: Literal["created", "corrected", "retracted", "superseded"]
    sessions: int | None
    through: date | None
    recorded_at: str
    submission: int
    organisation: str
    note: str | None


class CountHistory(_Out):
    """Every entry about one session count, oldest first."""

    as_of: str
    rows: list[CountHistoryRow]


class StatusHistoryRow(_Out):
    """One entry about a status, null if it was withdrawn; reporter and note are null without a key for the area."""

    entry: int
    outcome: Literal["created", "corrected", "retracted", "superseded"]
    status: Status | None
    date_precision: Precision
    recorded_at: str
    submission: int | None
    organisation: str | None
    note: str | None


class StatusHistory(_Out):
    """Every entry about one status, oldest first."""

    as_of: str
    rows: list[StatusHistoryRow]
