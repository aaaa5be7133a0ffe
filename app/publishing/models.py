"""What is asked for when a county publishes."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from app.periods import FIRST_YEAR, LAST_YEAR
from app.places.models import CountyCode
from app.practices.definitions import DEFAULT_PRACTICE
from app.releases.models import Day, State
from app.reports.models import PracticeSlug
from app.reports.notes import HOLDS_IDENTITY_CODE, holds_personal_identity_code

ChangeKind = Literal["revision", "error"]


def _naming_nobody(text: str) -> str:
    if holds_personal_identity_code(text):
        raise ValueError(HOLDS_IDENTITY_CODE)
    return text


def _one_of_each_year(changes: list["ChangeIn"]) -> list["ChangeIn"]:
    if len({change.year for change in changes}) < len(changes):
        raise ValueError("a year stands there twice")
    return changes


PublicText = Annotated[str, AfterValidator(_naming_nobody)]


class _In(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class ChangeIn(_In):
    """Why the release says something else of a year than the release before it did."""

    year: Annotated[int, Field(ge=FIRST_YEAR, le=LAST_YEAR)]
    kind: Annotated[
        ChangeKind, Field(description="`revision` (tarkentuminen): more is known now; `error` (virhe): it was wrong")
    ]
    reason: Annotated[PublicText, Field(min_length=1, max_length=1000, description="In words for everyone")]


class PublicationIn(_In):
    """A release to be made of what is recorded."""

    practice: PracticeSlug = DEFAULT_PRACTICE
    county: CountyCode
    as_of: Annotated[
        str | None,
        Field(
            max_length=40,
            description="Made of what was recorded up to then: a day (its end in Helsinki) or an RFC 3339 instant; "
            "now if left out",
        ),
    ] = None
    state: Annotated[State, Field(description="`preliminary` (ennakkotieto) or `final` (lopullinen)")]
    title: Annotated[PublicText, Field(min_length=1, max_length=300)]
    source: Annotated[PublicText, Field(min_length=1, max_length=1000, description="Who counted, and how")]
    url: Annotated[str, Field(pattern="^https?://", max_length=1000)] | None = None
    note: Annotated[PublicText, Field(max_length=1000)] | None = None
    next_release_on: Annotated[
        Annotated[Day, Field(strict=False)] | None,
        Field(description="When the next release is to be expected"),
    ] = None
    municipalities: Annotated[
        bool, Field(description="Also the sessions of each municipality and year; most will be withheld")
    ] = False
    quarters: Annotated[bool, Field(description="Also the sessions of the county by quarter")] = False
    changes: Annotated[
        list[ChangeIn],
        AfterValidator(_one_of_each_year),
        Field(
            max_length=100,
            description="Why years change against the release before: needed of every year that was whole in it. What "
            "is said of a year that comes out unchanged is left out",
        ),
    ] = []
