"""GET /v1/practices: what is being adopted and what its words mean, open to everyone."""

from fastapi import APIRouter, Response

from app.errors import InvalidParameter, Unavailable, problems
from app.practices.definitions import SHIPPED_PRACTICE, practices
from app.practices.models import PracticePublic, Practices
from app.web.answers import Accepted, FormatAsked, documented_table, table_answer, wants_csv
from app.web.dependencies import AsOfMoment, ReadDb
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Registers"], route_class=StrictRoute)

_EXAMPLE = {"as_of": "2025-07-01", "rows": [SHIPPED_PRACTICE.model_dump()]}


@router.get(
    "/practices",
    operation_id="listPractices",
    summary="The practices and their definitions",
    response_model=Practices,
    responses={
        **documented_table("All practices, in the order of their slugs", PracticePublic, _EXAMPLE),
        **problems(InvalidParameter, Unavailable),
    },
)
def list_practices(db: ReadDb, as_of: AsOfMoment, format: FormatAsked = None, accept: Accepted = None) -> Response:
    """Every practice with its definition, its counting rule and its criteria for pilot and in use."""
    rows = list(practices(db, as_of.moment).values())
    return table_answer(Practices(as_of=as_of.asked, rows=rows), PracticePublic, rows, as_csv=wants_csv(format, accept))
