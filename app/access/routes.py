"""The calling key under /v1: what it may do, and its rotation."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.access import examples
from app.access.caller import NotAuthenticated, Reader
from app.access.keys import MOST_OVERLAP_DAYS, OVERLAP_DAYS, CannotRotate, rotate_key
from app.access.models import Key, KeyPublic, KeyRotated
from app.access.replies import Turn
from app.access.writing import TheWriter, WritingRoute
from app.errors import InvalidParameter, Unavailable, problems
from app.web.answers import documented, json_answer
from app.web.turns import ALONE

router = APIRouter(prefix="/v1", tags=["Keys"], route_class=WritingRoute)


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


@router.post(
    "/key/rotation",
    operation_id="rotateKey",
    summary="Replace the calling key by a new one",
    status_code=201,
    response_model=KeyRotated,
    responses={
        201: documented("The new key, this once", examples.KEY_ROTATED),
        **problems(NotAuthenticated, CannotRotate, InvalidParameter, Unavailable),
    },
)
async def post_key_rotation(
    writer: TheWriter,
    overlap_days: Annotated[
        int,
        Query(ge=0, le=MOST_OVERLAP_DAYS, description="Days that the calling key stays valid", examples=[14]),
    ] = OVERLAP_DAYS,
) -> Response:
    """A new key with the same organisation, actions, areas and lifetime; the calling one stays valid for some days.

    A key is rotated once. Since the answer holds a secret it is not remembered for the `Idempotency-Key`: if it is
    lost, rotating again is 409, and the operator makes a new key.
    """

    def rotated(turn: Turn) -> Response:
        secret = rotate_key(turn.db, turn.caller.key_id, at=turn.at, overlap_days=overlap_days)
        old = turn.db.get_one(Key, turn.caller.key_id)
        new = turn.db.get_one(Key, old.replaced_by)
        answer = KeyRotated(
            key=secret, id=new.id, expires_at=new.expires_at, replaced=old.id, replaced_until=old.expires_at
        )
        return json_answer(answer, status_code=201, headers={"Cache-Control": "no-store"})

    return await writer.once(rotated, rows=ALONE, remember=False, action=None)
