"""A file on its way to the server, chunk by chunk, each under an Idempotency-Key that a later run knows again."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from app.client import Client, Refused
from app.sending.chunks import Chunk, Limits, chunks_of, content_type_of
from app.sending.progress import Plan, Progress, UnfinishedBusiness, forget_progress, keep_progress, kept_progress

USUAL_LIMITS = Limits(rows=5_000, size_bytes=1_000_000)
"""What a chunk may hold if the server does not say what it takes."""

_ABOUT_THE_CONTENT = (403, 409, 413, 415, 422)


@dataclass(slots=True)
class Delivery:
    """The chunks of a file, how far they have come, and where that is kept; nowhere in a dry run."""

    chunks: list[Chunk]
    progress: Progress
    kept_at: Path | None

    @property
    def next_chunk(self) -> Chunk:
        """The chunk that has no receipt yet."""
        return self.chunks[self.progress.done]

    def post(self, client: Client) -> Iterator[Progress]:
        """Post the chunks that have no receipt yet, one after the other; yields after each.

        If the server refuses what a chunk holds, the progress is forgotten: the file will be another one then, and
        what is recorded already will be answered as unchanged.

        Raises:
            Refused: the server refused the next chunk; nothing of it was stored.
            Unanswered: whether the next chunk was stored is unknown; the same delivery can go on later.
            OSError: the progress cannot be kept.
        """
        self._keep()
        while self.progress.done < len(self.chunks):
            self._post_next(client)
            self._keep()
            yield self.progress
        self._forget()

    def _post_next(self, client: Client) -> None:
        try:
            receipt = client.submit_content(
                self.next_chunk.content,
                self.next_chunk.content_type,
                skip_invalid=self.progress.plan.skip_invalid,
                dry_run=self.kept_at is None,
                idempotency_key=self.progress.idempotency_key,
            )
        except Refused as refused:
            if refused.problem.get("status") in _ABOUT_THE_CONTENT:
                self._forget()
            raise
        tally = self.progress.tally.with_receipt(receipt, self.next_chunk, replayed=receipt.replayed)
        self.progress = self.progress.model_copy(update={"done": self.progress.done + 1, "tally": tally})

    def _keep(self) -> None:
        if self.kept_at:
            keep_progress(self.kept_at, self.progress)

    def _forget(self) -> None:
        if self.kept_at:
            forget_progress(self.kept_at)


def delivery_of(
    file: Path, client: Client, *, url: str, skip_invalid: bool, chunk_rows: int | None, kept_at: Path | None
) -> Delivery:
    """The delivery of `file` to `url`, going on from the progress at `kept_at`; a dry run without that.

    A chunk has `chunk_rows` at most, else as many rows as the server at the other end of `client` says it takes.

    Raises:
        UnknownKind: this kind of file cannot be submitted.
        UnfinishedBusiness: the progress at `kept_at` is of another content, address or option, and has begun.
        Unanswered: the server did not answer.
        OSError: a file cannot be read.
    """
    content_type = content_type_of(file)
    content = file.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    progress = kept_progress(kept_at) if kept_at else None
    if progress:
        differing = _differing(progress.plan, sha256=sha256, url=url, skip_invalid=skip_invalid, rows=chunk_rows)
        if differing and 0 < progress.done < progress.chunks:
            raise UnfinishedBusiness(_unfinished(file, kept_at, progress, differing))
        # One that has no receipt yet, or all of them, holds nothing up: to post again is safe.
        progress = None if differing else progress
    if progress:
        plan = progress.plan
    else:
        limits = Limits(chunk_rows, USUAL_LIMITS.size_bytes) if chunk_rows else _limits_of(client)
        rows, size = limits.rows, limits.size_bytes
        plan = Plan(sha256=sha256, url=url, skip_invalid=skip_invalid, chunk_rows=rows, chunk_bytes=size)
    chunks = chunks_of(content, content_type, Limits(plan.chunk_rows, plan.chunk_bytes))
    progress = progress or Progress(run=uuid4().hex, plan=plan, chunks=len(chunks))
    return Delivery(chunks, progress, kept_at)


def _limits_of(client: Client) -> Limits:
    """What the server says it takes at once."""
    try:
        said = client.read("/v1/config").get("limits")
    except Refused:
        return USUAL_LIMITS
    given = said if isinstance(said, dict) else {}
    return Limits(
        rows=_positive(given.get("max_rows"), USUAL_LIMITS.rows),
        size_bytes=_positive(given.get("max_body_bytes"), USUAL_LIMITS.size_bytes),
    )


def _positive(given: object, otherwise: int) -> int:
    return given if isinstance(given, int) and given > 0 else otherwise


def _differing(plan: Plan, *, sha256: str, url: str, skip_invalid: bool, rows: int | None) -> list[str]:
    """What is not as in `plan`, in words."""
    compared = {
        "the content of the file": plan.sha256 == sha256,
        "--url": plan.url == url,
        "--skip-invalid": plan.skip_invalid == skip_invalid,
        "--chunk-rows": rows in (None, plan.chunk_rows),
    }
    return [name for name, same in compared.items() if not same]


def _unfinished(file: Path, kept_at: Path | None, kept: Progress, differing: list[str]) -> str:
    return (
        f"{file.name} was begun and not finished ({kept.done} of {kept.chunks} parts are recorded at {kept.plan.url}), "
        f"and now there is another: {', '.join(differing)}. Finish it first, with everything as it was; or delete "
        f"{kept_at} and submit from the start: what is recorded already will be answered as unchanged"
    )
