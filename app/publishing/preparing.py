"""What is done with a release before it can be stored: its small figures are hidden, and then that is audited.

It needs nothing but what it is given. What goes in and what comes out are told as JSON, so that another process can do
it, which knows neither the database nor the settings.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import TypeAdapter

from app.disclosure.protection import CannotProtect, Hidden, Progress, protect
from app.intruder.audit import audit
from app.intruder.verdict import Failure, NotAudited, Verdict
from app.series.content import Content, Statement
from app.solver import NotSolved

_FAILURES_NAMED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A release that is to be, with nothing hidden, and all those before it in the order of their numbers.

    `residents` are by municipality.
    """

    new: Statement
    earlier: Sequence[Statement]
    threshold: int
    residents: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """What may be published, what of it is hidden and why, and the audit that it passed."""

    content: Content
    hidden: Sequence[Hidden]
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One line of who prepares: how far it is, or, as the last line, what came of it.

    `refused` is the reason why nothing did; `fault` where a mistake of ours rose, without its words, which may quote
    figures.
    """

    progress: Progress | None = None
    prepared: Prepared | None = None
    refused: str | None = None
    fault: str | None = None


TASK: TypeAdapter[Task] = TypeAdapter(Task)
SAID: TypeAdapter[Said] = TypeAdapter(Said)


class NotPrepared(Exception):
    """Nothing may be published; the words say why, for those who may publish."""


def prepare(task: Task, *, tell: Callable[[Progress], None]) -> Prepared:
    """What of the new release may be published; how far this has come is told again and again.

    Raises:
        NotPrepared: its small figures cannot be protected, or the audit failed, or could not be finished.
    """
    try:
        protected = protect(task.new, task.earlier, threshold=task.threshold, residents=task.residents, tell=tell)
        verdict = audit(
            protected.content,
            task.new.counts,
            task.earlier,
            threshold=task.threshold,
            tell=lambda done, total: tell(Progress(done, total, "auditing")),
        )
    except CannotProtect as error:
        raise NotPrepared(f"the small figures cannot be protected: {error}") from error
    except (NotAudited, NotSolved) as error:
        raise NotPrepared(f"the audit could not be finished, and without it nothing is published: {error}") from error
    if not verdict.passed:
        raise NotPrepared(_failed(verdict.failures))
    return Prepared(content=protected.content, hidden=protected.hidden, verdict=verdict)


def _failed(failures: Sequence[Failure]) -> str:
    """What the audit found, without the numbers: who may publish need not be one who may read them."""
    named = "; ".join(
        f"{failure.municipality or 'the county'} from {failure.first} to {failure.last}"
        f" (to {failure.attacker or 'everybody'}: {failure.rule})"
        for failure in failures[:_FAILURES_NAMED]
    )
    more = len(failures) - _FAILURES_NAMED
    return f"the audit failed: {named}" + (f" and {more} more" if more > 0 else "")
