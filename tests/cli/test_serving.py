"""What a worker of `serve` begins with."""

import gc
import logging
from pathlib import Path

import pytest
import structlog

from app.cli.serving import served


def test_what_a_worker_keeps_for_good_is_not_looked_through_for_garbage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("YHDESSA_DATABASE_URL", f"sqlite:///{tmp_path}/none.db")
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)
    level = root.level

    application = served()
    looked_through = len(gc.get_objects())
    kept_for_good = gc.get_freeze_count()

    gc.unfreeze()
    root.setLevel(level)
    structlog.reset_defaults()
    application.state.database.dispose()
    assert kept_for_good > 10 * looked_through
