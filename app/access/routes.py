"""GET /v1/key: what the calling key may do."""

from fastapi import APIRouter

from app.access import examples
from app.access.caller import NotAuthenticated, Reader
from app.access.models import KeyPublic
from app.errors import InvalidParameter, Unavailable, problems
from app.web.answers import documented
from app.web.strict import StrictRoute

router = APIRouter(prefix="/v1", tags=["Keys"], route_class=StrictRoute)


@router.get(
    "/key",
    operation_id="getKey",
    summary="What the calling key may do",
    responses={
        200: documented("The key without its secret", examples.KEY),
        **problems(NotAuthenticated, InvalidParameter, Unavailable),
    },
)
def get_key(caller: Reader) -> KeyPublic:
    """The key's organisation, actions, areas and last moment; a first call to see that a key works."""
    return KeyPublic(
        id=caller.key_id,
        name=caller.key_name,
        organisation=caller.organisation,
        actions=sorted(caller.actions),
        areas=sorted(caller.scope.areas),
        expires_at=caller.expires_at,
    )
