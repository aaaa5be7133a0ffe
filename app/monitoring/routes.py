"""GET /v1/completeness, /v1/due and /v1/quality: what is missing, what to post next, and what is doubted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from app.access.caller import Reader
from app.access.models import Action
from app.clock import as_of as moment_asked
from app.errors import parameter_problem, problems
from app.monitoring import examples
from app.monitoring.completeness import completeness_rows, completeness_totals, county_names
from app.monitoring.due import due_rows
from app.monitoring.ground import ground_asked
from app.monitoring.models import Completeness, CompletenessRow, Due, DueRow, Quality, QualityRow
from app.monitoring.quality import quality_rows
from app.periods import FIRST_YEAR, LAST_YEAR
from app.practices.definitions import DEFAULT_PRACTICE
from app.reports.models import PracticeSlug
from app.reports.parameters import READING, CountyAsked, PlacesAsked
from app.settings import Settings
from app.web.answers import Accepted, FormatAsked, documented_table, table_answer, wants_csv
from app.web.dependencies import AsOfMoment, ReadDb, TheClock
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Monitoring"], route_class=StrictRoute)


def due_day_set(request: Request) -> int:
    """The day of the following month that a month is due on."""
    settings: Settings = request.app.state.settings
    return settings.due_day


DueDay = Annotated[int, Depends(due_day_set)]
Practice = Annotated[
    PracticeSlug,
    Query(description="Slug of the practice, as `GET /v1/practices` gives it", examples=[DEFAULT_PRACTICE]),
]


@router.get(
    "/completeness",
    operation_id="getCompleteness",
    summary="Which months are covered, and how late",
    response_model=Completeness,
    responses={
        **documented_table(
            "The months of a year; as CSV its rows alone. An excerpt", CompletenessRow, examples.COMPLETENESS
        ),
        **problems(*READING),
    },
)
def get_completeness(
    db: ReadDb,
    caller: Reader,
    as_of: AsOfMoment,
    due_day: DueDay,
    year: Annotated[
        int, Query(ge=FIRST_YEAR, le=LAST_YEAR, description="The year whose months are shown", examples=[2024])
    ],
    practice: Practice = DEFAULT_PRACTICE,
    county: CountyAsked = None,
    municipality: PlacesAsked = [],  # noqa: B006  # FastAPI copies it
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """For each municipality of the key's scope and each month in which it is active: is that counted, and since when.

    A month is due on the 20th of the month after it, unless the operator set another day, whatever periods a
    municipality reports by: who reports by quarter is late for the first two months of each. The sums per county hold
    what was due before the day that is read. Months of a year that stays with the county's release are never due.
    """
    caller.require(Action.READ)
    if year > as_of.day.year:
        raise parameter_problem("year", f"{year} has not begun; the day that is read is {as_of.day}")
    ground = ground_asked(db, practice=practice, county=county, named=municipality, reader=caller, as_of=as_of)
    rows = completeness_rows(db, ground, year=year, due_day=due_day)
    answer = Completeness(
        as_of=as_of.asked,
        practice=practice,
        year=year,
        due_day=due_day,
        rows=rows,
        totals=completeness_totals(rows, names=county_names(db, ground), day=as_of.day),
    )
    return table_answer(answer, CompletenessRow, rows, as_csv=wants_csv(format, accept))


@router.get(
    "/due",
    operation_id="getDue",
    summary="What the calling key should post next",
    response_model=Due,
    responses={
        **documented_table("What is due, oldest first; an excerpt", DueRow, examples.DUE),
        **problems(*READING),
    },
)
def get_due(
    db: ReadDb,
    caller: Reader,
    clock: TheClock,
    due_day: DueDay,
    practice: Practice = DEFAULT_PRACTICE,
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Months that are over, in which a municipality in the key's scope is active and not all active days are counted.

    Of the last 24 months; of older ones tells `GET /v1/completeness`. Years that stay with the county's release are
    not asked for. A row with `what` = `status` asks to confirm a status of which nothing was heard for twelve months.
    """
    caller.require(Action.REPORT)
    now = moment_asked(None, now=clock())
    ground = ground_asked(db, practice=practice, reader=caller, as_of=now)
    rows = due_rows(db, ground, due_day=due_day)
    answer = Due(as_of=now.asked, practice=practice, rows=rows)
    return table_answer(answer, DueRow, rows, as_csv=wants_csv(format, accept))


@router.get(
    "/quality",
    operation_id="getQuality",
    summary="What is doubted about figures and statuses",
    response_model=Quality,
    responses={
        **documented_table("The doubts about what is in force; an excerpt", QualityRow, examples.QUALITY),
        **problems(*READING),
    },
)
def get_quality(
    db: ReadDb,
    caller: Reader,
    as_of: AsOfMoment,
    practice: Practice = DEFAULT_PRACTICE,
    county: CountyAsked = None,
    municipality: PlacesAsked = [],  # noqa: B006  # FastAPI copies it
    format: FormatAsked = None,
    accept: Accepted = None,
) -> Response:
    """Doubts about what is in force in the key's scope; nothing here was refused, and nothing has to be wrong.

    Counts are held against the municipality's own other months, quarters or years, up to six years away. A figure that
    is right needs nothing; one that is wrong is corrected by posting it again.
    """
    caller.require(Action.READ)
    ground = ground_asked(db, practice=practice, county=county, named=municipality, reader=caller, as_of=as_of)
    rows = quality_rows(db, ground)
    answer = Quality(as_of=as_of.asked, practice=practice, rows=rows)
    return table_answer(answer, QualityRow, rows, as_csv=wants_csv(format, accept))
