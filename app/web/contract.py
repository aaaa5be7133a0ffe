"""What holds for every call and FastAPI does not know, said in the contract."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from app.errors import InsufficientStorage, ProblemDocument, documented_headers, problems
from app.web.rates import TooManyRequests

_REF = "#/components/schemas/{model}"
_ETAG = {"ETag": "Names this answer; send it back as `If-None-Match` to be told 304 while nothing has changed"}
_OF_A_KEY = {
    "RateLimit-Policy": "What is allowed: to a `key`, `q` requests at once and as many again in each `w` seconds; on "
    "the answer to a wrong key, how many of these its `address` may send",
    "RateLimit": "Under that policy `r` requests are left at once, and one more after `t` seconds",
    "Key-Expires": "When the key ends, an RFC 3339 instant in UTC; only in its last 30 days",
}
# What is refused before the key is looked at.
_BEFORE_THE_KEY = {"413", "415"}


def completed(document: dict[str, Any], *models: type[BaseModel]) -> dict[str, Any]:
    """The OpenAPI `document` that FastAPI wrote, with problems, limits, revalidation and parameters as they are.

    `models` are those that FastAPI does not know of, since a route reads them itself.
    """
    schemas = document["components"]["schemas"]
    everything: list[type[BaseModel]] = [*models, ProblemDocument]
    for model in everything:
        schema = model.model_json_schema(ref_template=_REF)
        schemas.update(schema.pop("$defs", {}), **{model.__name__: schema})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    document["components"]["headers"] = documented_headers(_OF_A_KEY)
    for method, operation in _operations(document):
        for parameter in operation.get("parameters", ()):
            _complete_parameter(parameter)
        if method == "get":
            _add_revalidation(operation["responses"])
        else:
            operation["responses"].update({str(code): told for code, told in problems(InsufficientStorage).items()})
        if "security" in operation:
            _add_limits(operation["responses"])
        operation["responses"] = dict(sorted(operation["responses"].items()))
        for response in operation["responses"].values():
            content = response.get("content", {}).get("application/json", {})
            if "example" in content:
                content["example"] = _whole(content["example"], content["schema"], schemas)
    return document


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in document["paths"].values():
        yield from path.items()


def _complete_parameter(parameter: dict[str, Any]) -> None:
    """A parameter is left out and never null; what its type says of it is said of the parameter."""
    schema = parameter["schema"]
    kinds = [kind for kind in schema.pop("anyOf", [{}]) if kind != {"type": "null"}]
    parameter["schema"] = {**kinds[0], **schema}
    parameter["description"] = parameter["schema"].pop("description", "")


def _add_revalidation(responses: dict[str, Any]) -> None:
    """What app.web.answers.ConditionalAnswers makes of an answer to GET."""
    responses["200"].setdefault("headers", {}).update(documented_headers(_ETAG))
    responses["206"] = {"description": "The one range of bytes that `Range` asks for"}
    responses["304"] = {"description": "Nothing has changed since the answer that `If-None-Match` names; no body"}


def _add_limits(responses: dict[str, Any]) -> None:
    """What app.access.limits makes of and says on answers to a request with a key."""
    responses["429"] = problems(TooManyRequests)[TooManyRequests.status_code]
    for status_code, response in responses.items():
        told = [name for name in _OF_A_KEY if (name, status_code) != ("Key-Expires", "401")]
        if status_code not in _BEFORE_THE_KEY:
            response.setdefault("headers", {}).update({name: {"$ref": f"#/components/headers/{name}"} for name in told})


def _whole(example: Any, schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """`example` with its nulls, which FastAPI drops: every field of `schema` is in an answer."""
    # One that may be null is a choice of two.
    schema = next((kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}), schema)
    schema = schemas.get(schema.get("$ref", "").removeprefix(_REF.format(model="")), schema)
    if isinstance(example, list):
        return [_whole(one, schema["items"], schemas) for one in example]
    if isinstance(example, dict):
        return {name: _whole(example.get(name), inner, schemas) for name, inner in schema["properties"].items()}
    return example
