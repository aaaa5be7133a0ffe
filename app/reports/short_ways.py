"""The short ways to posts of few figures: to the arguments that FastAPI would find, if they come as they mostly do."""

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError

from app.access.writing import Arguments, NotPlain, plain_post
from app.reports.models import CountIn, CountPut, StatusIn, StatusPut
from app.reports.receiving import MOST_BYTES_AT_ONCE, TooManyRows, received_json


async def submission_of_few(request: Request) -> Arguments:
    """Of `POST /v1/submissions`."""
    writer, value = await plain_post(request, most_bytes=MOST_BYTES_AT_ONCE)
    try:
        received = received_json(value, request.app.state.settings.max_rows)
    except (TooManyRows, RequestValidationError) as error:
        raise NotPlain from error
    return {"writer": writer, "received": received}


async def one_count(request: Request) -> Arguments:
    """Of `PUT /v1/session-counts/…`."""
    return await _one_figure(request, "count", CountPut, CountIn)


async def one_status(request: Request) -> Arguments:
    """Of `PUT /v1/statuses/…`."""
    return await _one_figure(request, "status", StatusPut, StatusIn)


async def _one_figure(request: Request, name: str, of_body: type[BaseModel], whole: type[BaseModel]) -> Arguments:
    if "if-match" in request.headers:
        raise NotPlain
    writer, value = await plain_post(request, most_bytes=MOST_BYTES_AT_ONCE)
    try:
        figure = of_body.model_validate(value)
        whole(**request.path_params, **figure.model_dump())
    except ValidationError as error:
        raise NotPlain from error
    return {"writer": writer, name: figure, **request.path_params}
