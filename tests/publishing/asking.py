"""Asking for a release behind the application's back, and preparing it in this very process."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI

from app.database import Database, take_turn
from app.publishing.drafts import ask, finish, task_of
from app.publishing.preparing import Prepared, prepare
from app.publishing.telling import draft_public
from app.releases.models import ReleaseDraft
from app.settings import Settings
from tests.publishing.published import publication

Draft = dict[str, Any]


class Desk:
    """Somebody at the command line of the application's database."""

    def __init__(self, app: FastAPI) -> None:
        self.database: Database = app.state.database
        self.settings: Settings = app.state.settings
        self.clock = app.state.clock

    def ask(self, *, dry_run: bool = False, **asked: Any) -> int:
        """Ask for a release; the number of the draft."""
        with self.database.writing() as db:
            at = take_turn(db, self.clock)
            return ask(db, publication(**asked), by=None, at=at, dry_run=dry_run, settings=self.settings).id

    def prepare(self, draft_id: int) -> tuple[Prepared, int | None]:
        """Prepare it here; with it the number of the latest release that it knows of."""
        with self.database.reading() as db:
            task, latest = task_of(db, db.get_one(ReleaseDraft, draft_id), settings=self.settings)
        return prepare(task, tell=lambda _progress: None), latest

    def finish(self, draft_id: int, prepared: Prepared, latest: int | None) -> Draft:
        """Store what was prepared; the draft then."""
        with self.database.writing() as db:
            at = take_turn(db, self.clock)
            finish(db, draft_id, prepared, latest=latest, settings=self.settings, at=at)
        return self.read(draft_id)

    def publish(self, **asked: Any) -> Draft:
        """All of it, one after the other."""
        draft_id = self.ask(**asked)
        return self.finish(draft_id, *self.prepare(draft_id))

    def read(self, draft_id: int) -> Draft:
        """What is told of the draft."""
        with self.database.reading() as db:
            told = draft_public(db.get_one(ReleaseDraft, draft_id), now=self.clock())
        return told.model_dump(mode="json")

    def write(self, work: Callable[..., Any], **more: Any) -> None:
        """Do `work` in a turn to write."""
        with self.database.writing() as db:
            work(db, **more, at=take_turn(db, self.clock))
