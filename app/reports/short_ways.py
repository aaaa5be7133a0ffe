"""The short ways to posts of few figures: to the arguments that FastAPI would find, if they come as they mostly do."""

from typing import Any

from fastapi import Request

from app.access.writing import Arguments, Writer, plain_post
from app.reports.models import CountIn, CountPut, StatusIn, StatusPut, SubmissionIn
from app.reports.receiving import MOST_BYTES_AT_ONCE, from_submission

# An error of validation is a ValueError.


async def submission_of_few(request: Request) -> Arguments:
    """Of `POST /v1/submissions`."""
    writer, value = await plain_post(request, most_bytes=MOST_BYTES_AT_ONCE)
    received = from_submission(SubmissionIn.model_validate(value))
    return {"writer": writer, "received": received}


async def one_count(request: Request) -> Arguments:
    """Of `PUT /v1/session-counts/…`."""
    writer, value = await _of_one_figure(request)
    count = CountPut.model_validate(value)
    CountIn(**request.path_params, **count.model_dump())
    return {"writer": writer, "count": count, **request.path_params}


async def one_status(request: Request) -> Arguments:
    """Of `PUT /v1/statuses/…`."""
    writer, value = await _of_one_figure(request)
    status = StatusPut.model_validate(value)
    StatusIn(**request.path_params, **status.model_dump())
    return {"writer": writer, "status": status, **request.path_params}


async def _of_one_figure(request: Request) -> tuple[Writer, Any]:
    if "if-match" in request.headers:
        raise ValueError("a condition")
    return await plain_post(request, most_bytes=MOST_BYTES_AT_ONCE)
