"""The client for municipal systems: post and read over HTTPX; imports nothing of the server."""

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import httpx

TIMEOUT_SECONDS = 30.0


class Refused(Exception):
    """The server refused; `problem` is its RFC 9457 document, whose `detail` and `errors` say what would be right."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        where = "".join(
            f"\n  {error.get('pointer') or error.get('parameter')}: {error['detail']}"
            for error in problem.get("errors", ())
        )
        super().__init__(f"{problem.get('status')} {problem.get('title')}: {problem.get('detail')}{where}")
        self.problem = dict(problem)


class Client:
    """A connection to the service with one key, or without one for what is public.

    >>> with Client("https://yhdessa.example", key) as client:
    ...     client.submit(counts=[{"municipality": "297", "period": "2022-03", "sessions": 7}])
    """

    def __init__(self, url: str, key: str | None = None, *, transport: httpx.BaseTransport | None = None) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=TIMEOUT_SECONDS, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def submit(
        self,
        *,
        counts: Sequence[Mapping[str, Any]] = (),
        statuses: Sequence[Mapping[str, Any]] = (),
        skip_invalid: bool = False,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """The receipt of `counts` and `statuses`, rows as the contract of POST /v1/submissions names them.

        Raises:
            Refused: the server refused; nothing was stored.
            httpx.HTTPError: it did not answer; whether it stored is unknown, and posting again is safe.
        """
        query = {"skip_invalid": skip_invalid, "dry_run": dry_run}
        body = {"counts": list(counts), "statuses": list(statuses)}
        return _content(self._http.post("/v1/submissions", json=body, params=query))

    def trend(self, **query: str | int) -> dict[str, Any]:
        """The yearly trend; `query` as in GET /v1/trends, for instance county="13".

        Raises:
            Refused: the server refused.
            httpx.HTTPError: it did not answer.
        """
        return _content(self._http.get("/v1/trends", params=query))

    def due(self, **query: str) -> dict[str, Any]:
        """What the key should post next; `query` as in GET /v1/due, for instance practice="yhdessa-aika".

        Raises:
            Refused: the server refused.
            httpx.HTTPError: it did not answer.
        """
        return _content(self._http.get("/v1/due", params=query))

    def key(self) -> dict[str, Any]:
        """What the key may do, where, and until when.

        Raises:
            Refused: the key is not valid.
            httpx.HTTPError: the server did not answer.
        """
        return _content(self._http.get("/v1/key"))


def _content(answer: httpx.Response) -> dict[str, Any]:
    if answer.is_success:
        content: dict[str, Any] = answer.json()
        return content
    if answer.headers.get("content-type", "").startswith("application/problem+json"):
        raise Refused(answer.json())
    raise Refused({"status": answer.status_code, "title": answer.reason_phrase, "detail": answer.text[:200]})
