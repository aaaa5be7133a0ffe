"""The client for municipal systems: post and read over HTTPX, with retries; imports nothing of the server."""

import json
import random
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

import httpx

TIMEOUT = httpx.Timeout(connect=10.0, read=60.0, write=30.0, pool=10.0)
"""Seconds for one attempt: to connect, and for each silence while the answer is awaited or the body is sent."""

PASSING = frozenset({429, 502, 503, 504, 507})
"""Answers that say: not now."""

_PASSING_ERRORS = (
    httpx.DecodingError,
    httpx.NetworkError,
    httpx.ProxyError,
    httpx.RemoteProtocolError,
    httpx.TimeoutException,
)
_ERRORS_TOLD = 20

_BETWEEN_LOOKS = 0.5
"""Seconds between two looks at a draft."""


class Refused(Exception):
    """The server refused; `problem` is its RFC 9457 document, whose `detail` and `errors` say what would be right."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        errors = problem.get("errors") or ()
        where = "".join(f"\n  {place(error)}: {error.get('detail')}" for error in errors[:_ERRORS_TOLD])
        more = f"\n  and {len(errors) - _ERRORS_TOLD} more" if len(errors) > _ERRORS_TOLD else ""
        super().__init__(_in_words(problem) + where + more)
        self.problem = dict(problem)


class Unanswered(Exception):
    """Nobody said whether the request was carried out; sending the same again later is safe."""


class Answer(dict[str, Any]):
    """What the server answered; `replayed` if it is the answer to an earlier post with the same Idempotency-Key."""

    replayed = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client keeps trying: `attempts` at most, none begun later than `total_seconds` after the first.

    The wait after an attempt is drawn evenly from nothing to `first_wait_seconds`, doubled with every attempt up to
    `longest_wait_seconds` ("full jitter"); a Retry-After of the server comes on top. If the server asks for more time
    than is left, the client gives up at once.
    """

    attempts: int = 8
    total_seconds: float = 120.0
    first_wait_seconds: float = 0.5
    longest_wait_seconds: float = 30.0
    sleep: Callable[[float], None] = time.sleep
    uniform: Callable[[float, float], float] = random.uniform
    monotonic: Callable[[], float] = time.monotonic

    def wait(self, *, failed: int, since: float, asked: float) -> bool:
        """Sleep after the attempt number `failed`, the first of which began at `since`; False if that was the last.

        `asked` is how many seconds the server wants us to stay away.
        """
        left = since + self.total_seconds - self.monotonic()
        if failed >= self.attempts or left <= 0 or asked > left:
            return False
        # The exponent is bounded because a float is.
        longest = min(self.longest_wait_seconds, self.first_wait_seconds * 2.0 ** min(failed - 1, 64))
        self.sleep(min(asked + self.uniform(0.0, longest), left))
        return True


class Client:
    """A connection to the service with one key, or without one for what is public.

    >>> with Client("https://yhdessa.example", key) as client:
    ...     client.submit(counts=[{"municipality": "297", "period": "2022-03", "sessions": 7}])

    What fails for the moment (no connection, a timeout, 429, 502, 503, 504, 507) is tried again as `patience` says, the
    same bytes each time. A post and all its retries share one Idempotency-Key, so that it is recorded once.

    Raises:
        ValueError: `key` is no word of printable ASCII, so it is no key.
    """

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        patience: Patience | None = None,
        timeout: httpx.Timeout = TIMEOUT,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        if key and not re.fullmatch("[!-~]+", key):
            # HTTPX would refuse it with a message that shows it.
            raise ValueError("the key holds a space or something else that is in no key")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)
        self._patience = patience or Patience()

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
        idempotency_key: str | None = None,
    ) -> Answer:
        """The receipt of `counts` and `statuses`, rows as the contract of POST /v1/submissions names them.

        Without an `idempotency_key` the post gets one of its own. Give yours if you keep it until you have the
        receipt: then the post is recorded once even if your process dies on the way.

        Raises:
            Refused: the server refused; nothing was stored.
            Unanswered: whether it stored is unknown, and posting again is safe.
        """
        body = json.dumps({"counts": list(counts), "statuses": list(statuses)}, separators=(",", ":")).encode()
        return self.submit_content(
            body, "application/json", skip_invalid=skip_invalid, dry_run=dry_run, idempotency_key=idempotency_key
        )

    def submit_content(
        self,
        content: bytes,
        content_type: str,
        *,
        skip_invalid: bool = False,
        dry_run: bool = False,
        idempotency_key: str | None = None,
    ) -> Answer:
        """The receipt of `content`, a file of one of the kinds that POST /v1/submissions takes; else as `submit`.

        Raises:
            Refused: the server refused; nothing was stored.
            Unanswered: whether it stored is unknown, and posting again is safe.
        """
        headers = {"Content-Type": content_type, "Idempotency-Key": idempotency_key or str(uuid4())}
        query = {"skip_invalid": skip_invalid, "dry_run": dry_run}
        request = self._http.build_request("POST", "/v1/submissions", content=content, params=query, headers=headers)
        return self._answer(request)

    def receipt(self, submission: int) -> Answer:
        """The receipt of one of the own submissions again.

        Raises:
            Refused: there is none with this id.
            Unanswered: the server did not answer.
        """
        return self.read(f"/v1/submissions/{submission}")

    def publish(
        self,
        release: Mapping[str, Any],
        *,
        dry_run: bool = False,
        idempotency_key: str | None = None,
        seconds: float = 900.0,
    ) -> Answer:
        """The draft of a `release`, fields as in POST /v1/releases, once it is published, ready or refused.

        What it is `ready` for after a dry run is known by then: its `report` says what would be hidden and why.

        Raises:
            Refused: the server refused; nothing is prepared.
            Unanswered: it did not answer, or was not done after so many `seconds`; `draft` may tell later.
        """
        body = json.dumps(release, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json", "Idempotency-Key": idempotency_key or str(uuid4())}
        query = {"dry_run": dry_run}
        draft = self._answer(
            self._http.build_request("POST", "/v1/releases", content=body, params=query, headers=headers)
        )
        since = self._patience.monotonic()
        while draft["state"] == "preparing":
            if self._patience.monotonic() - since > seconds:
                raise Unanswered(f"draft {draft['id']} is still being prepared after {seconds:.0f} seconds")
            self._patience.sleep(_BETWEEN_LOOKS)
            draft = self.draft(draft["id"])
        return draft

    def draft(self, number: int) -> Answer:
        """How far the draft of a release has come.

        Raises:
            Refused: there is none with this number that the key may see.
            Unanswered: the server did not answer.
        """
        return self.read(f"/v1/release-drafts/{number}")

    def trend(self, **query: str | int) -> Answer:
        """The yearly trend; `query` as in GET /v1/trends, for instance county="13".

        Raises:
            Refused: the server refused.
            Unanswered: it did not answer.
        """
        return self.read("/v1/trends", **query)

    def due(self, **query: str) -> Answer:
        """What the key should post next; `query` as in GET /v1/due, for instance practice="yhdessa-aika".

        Raises:
            Refused: the server refused.
            Unanswered: it did not answer.
        """
        return self.read("/v1/due", **query)

    def key(self) -> Answer:
        """What the key may do, where, and until when.

        Raises:
            Refused: the key is not valid.
            Unanswered: the server did not answer.
        """
        return self.read("/v1/key")

    def read(self, path: str, **query: str | int) -> Answer:
        """What GET answers at `path` of the contract, for instance "/v1/statuses".

        Raises:
            Refused: the server refused.
            Unanswered: it did not answer.
        """
        return self._answer(self._http.build_request("GET", path, params=query))

    def _answer(self, request: httpx.Request) -> Answer:
        """The answer to `request`, sent until there is one or patience ends."""
        since, attempt = self._patience.monotonic(), 0
        while True:
            attempt += 1
            asked, cause = 0.0, None
            try:
                response = self._http.send(request)
            except _PASSING_ERRORS as error:
                words, cause = f"no answer from {request.url.host}: {error or type(error).__name__}", error
            else:
                if response.status_code not in PASSING:
                    return _content(response)
                words, asked = _in_words(_problem(response)), _seconds_asked(response)
            if not self._patience.wait(failed=attempt, since=since, asked=asked):
                break
        tried = f"tried {attempt} times" if attempt > 1 else "tried once"
        asked_in_words = f"; it asks to wait {asked:.0f} seconds" if asked else ""
        raise Unanswered(f"{words} ({tried}{asked_in_words})") from cause


def place(error: Mapping[str, Any]) -> str:
    """Where an entry of a problem's `errors` says it is: line and column of a file, else pointer or parameter."""
    steps = [f"{name} {error[name]}" for name in ("line", "column") if error.get(name) is not None]
    return ", ".join(steps) or error.get("pointer") or error.get("parameter") or "the body"


def _content(response: httpx.Response) -> Answer:
    """What `response` says, if it is the service's own and not that of something in between.

    Raises:
        Refused: it is a refusal.
        Unanswered: it is a fault of the server, or nothing of ours.
    """
    if response.is_server_error:
        raise Unanswered(_in_words(_problem(response)))
    if not response.is_success:
        raise Refused(_problem(response))
    try:
        answer = Answer(response.json())
    except (TypeError, ValueError) as error:
        raise Unanswered(f"{response.status_code}, but not from the service: {response.text[:200]}") from error
    answer.replayed = response.headers.get("idempotency-replayed") == "true"
    return answer


def _problem(response: httpx.Response) -> dict[str, Any]:
    """The problem document of a refusal, made up from its words if something in between gave another."""
    if response.headers.get("content-type", "").startswith("application/problem+json"):
        try:
            return _with_our_errors(dict(response.json()))
        except (TypeError, ValueError):
            pass
    elsewhere = f"the service is at {response.headers['location']}" if response.has_redirect_location else ""
    detail = elsewhere or response.text[:200]
    return {"status": response.status_code, "title": response.reason_phrase, "detail": detail}


def _with_our_errors(problem: dict[str, Any]) -> dict[str, Any]:
    """`problem` without `errors` that are not in our shape, which others who write such documents are free to use."""
    errors = problem.get("errors", [])
    ours = isinstance(errors, list) and all(isinstance(error, dict) and "detail" in error for error in errors)
    return problem if ours else {**problem, "errors": []}


def _in_words(problem: Mapping[str, Any]) -> str:
    return f"{problem.get('status')} {problem.get('title')}: {problem.get('detail')}"


def _seconds_asked(response: httpx.Response) -> float:
    """The seconds that a Retry-After header asks for; 0 if there is none, or none that can be read."""
    asked = response.headers.get("retry-after", "").strip()
    if re.fullmatch("[0-9]+", asked):
        return float(asked)
    # By the server's own clock if it tells it: ours may be wrong.
    now = _moment(response.headers.get("date", "")) or datetime.now(UTC)
    then = _moment(asked) or now
    return max((then - now).total_seconds(), 0.0)


def _moment(http_date: str) -> datetime | None:
    try:
        return parsedate_to_datetime(http_date).replace(tzinfo=UTC)
    except (OverflowError, ValueError):
        return None
