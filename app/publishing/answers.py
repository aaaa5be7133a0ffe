"""What is told of drafts, to those who may publish in the county."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

DraftState = Literal["preparing", "ready", "refused", "published"]


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class DraftProgress(_Out):
    """How far the preparation is."""

    done: int
    total: int
    doing: str


class HiddenFigure(_Out):
    """A figure that the public will not see."""

    area: str | None = Field(description="Code of the municipality; null is the county")
    period: str = Field(description="As in `2023`, `2023-Q1`, or `2023 to 2023-03-31` for a comparable pair")
    why: Literal["small", "protects others", "hidden before"] = Field(
        description="`small`: below the threshold; `protects others`: else a small one could be worked out; "
        "`hidden before`: an earlier release withheld it"
    )


class Cost(_Out):
    """How many figures are hidden, by the reason."""

    small: int
    protects_others: int
    hidden_before: int


class PreviewYear(_Out):
    """A year of the county as the public will read it."""

    year: int
    municipalities: int | None
    sessions: int | None
    withheld: bool = Field(description="Whether the sessions are withheld; then the county is in no sum of the country")
    reporting: int | None
    through: date | None
    partial: bool | None
    coverage: float | None
    comparable_sessions: int | None
    comparable_previous_sessions: int | None
    carried: bool = Field(description="Whether the year is taken over from the release before")


class DraftReport(_Out):
    """What came of the preparation."""

    threshold: int = Field(description="Counts below it are small")
    tables_found: int = Field(
        description="By how many other tables, each as good an explanation of what is shown, the audit was passed"
    )
    cost: Cost
    hidden: list[HiddenFigure]
    warnings: list[str]
    preview: list[PreviewYear]


class ReleaseDraftPublic(_Out):
    """A release that was asked for, and how far it has come; not public."""

    id: int
    state: DraftState = Field(
        description="`preparing`; `ready`: it could be published, and was not, since it was a dry run; `refused`; "
        "`published`"
    )
    practice: str
    county: str
    title: str
    as_of: str = Field(description="The moment up to which what was recorded counts")
    dry_run: bool
    requested_at: str
    deadline: str = Field(description="If it is not done by then it is refused")
    finished_at: str | None
    progress: DraftProgress | None = Field(description="null unless the process that answers is the one that prepares")
    reason: str | None = Field(description="Why it was refused")
    release: int | None = Field(description="The number of the release, once it is published")
    report: DraftReport | None


class DraftSummary(_Out):
    """A draft without its report."""

    id: int
    state: DraftState
    practice: str
    county: str
    title: str
    as_of: str
    dry_run: bool
    requested_at: str
    finished_at: str | None
    reason: str | None
    release: int | None


class ReleaseDrafts(_Out):
    """A page of drafts, newest first."""

    rows: list[DraftSummary]
    next: str | None = Field(description="The `cursor` of the next page; null on the last one")
