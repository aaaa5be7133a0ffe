"""The progress file beside a file that is being sent: what a later run must know to go on where this one stopped."""

import os
from contextlib import suppress
from pathlib import Path
from tempfile import mkstemp

from pydantic import BaseModel, ConfigDict, ValidationError

from app.sending.tally import Tally

SUFFIX = ".yhdessa-progress"


class UnfinishedBusiness(Exception):
    """There is a progress file that does not belong to what is to be sent."""


class Plan(BaseModel):
    """What is sent, where, and how it is cut: with the same plan the same chunks are posted under the same keys."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    sha256: str
    url: str
    skip_invalid: bool
    chunk_rows: int
    chunk_bytes: int


class Progress(BaseModel):
    """How far a run has come: `done` of its `chunks` have a receipt."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid")

    run: str
    plan: Plan
    chunks: int
    done: int = 0
    tally: Tally = Tally()

    @property
    def idempotency_key(self) -> str:
        """The Idempotency-Key of the chunk that is next."""
        return f"{self.run}-{self.done + 1}"


def progress_beside(file: Path) -> Path:
    """Where the progress of `file` is kept unless told otherwise."""
    return file.with_name(file.name + SUFFIX)


def kept_progress(path: Path) -> Progress | None:
    """The progress kept at `path`, None if there is none.

    Raises:
        UnfinishedBusiness: there is something else at `path`.
        OSError: it cannot be read.
    """
    try:
        return Progress.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise UnfinishedBusiness(
            f"{path} holds no progress that this version can go on from; delete it and start again: "
            "what is recorded already will be answered as unchanged"
        ) from error


def keep_progress(path: Path, progress: Progress) -> None:
    """Write `progress` to `path` so that after a crash either the old or the new one is there, whole.

    Raises:
        OSError: it cannot be written.
    """
    descriptor, new = mkstemp(dir=path.parent, prefix=path.name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(progress.model_dump_json(indent=1).encode())
            file.flush()
            os.fsync(file.fileno())
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink()
        raise
    _make_durable(path.parent)


def forget_progress(path: Path) -> None:
    """Remove the progress file, if it is there."""
    path.unlink(missing_ok=True)


def _make_durable(folder: Path) -> None:
    """Make a rename in `folder` outlive a power cut, where the system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
