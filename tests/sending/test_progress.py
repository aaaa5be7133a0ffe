"""The progress file: whole or not there, and nobody else's business."""

from pathlib import Path

import pytest

from app.sending.progress import (
    Plan,
    Progress,
    UnfinishedBusiness,
    forget_progress,
    keep_progress,
    kept_progress,
    progress_beside,
)
from app.sending.tally import Finding, Tally

PLAN = Plan(sha256="ab", url="https://yhdessa.example", skip_invalid=False, chunk_rows=5, chunk_bytes=100)
BEGUN = Progress(run="cd", plan=PLAN, chunks=3)
FURTHER = BEGUN.model_copy(
    update={"done": 2, "tally": Tally(receipts=[7], created=1, findings=[Finding(place="ä", what="b", detail="c")])}
)


def test_it_lies_beside_the_file() -> None:
    assert progress_beside(Path("folder/figures.csv")) == Path("folder/figures.csv.yhdessa-progress")


def test_what_is_kept_is_found_again_and_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "progress"

    found = [kept_progress(path)]
    for progress in (BEGUN, FURTHER):
        keep_progress(path, progress)
        found.append(kept_progress(path))
    forget_progress(path)
    forget_progress(path)

    assert found == [None, BEGUN, FURTHER]
    assert list(tmp_path.iterdir()) == []


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    keep_progress(tmp_path / "progress", BEGUN)

    assert (tmp_path / "progress").stat().st_mode & 0o777 == 0o600


def test_a_progress_file_that_cannot_be_replaced_stays_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "progress" / "full").mkdir(parents=True)

    with pytest.raises(OSError, match="progress"):
        keep_progress(tmp_path / "progress", BEGUN)

    assert [path.name for path in tmp_path.iterdir()] == ["progress"]


@pytest.mark.parametrize("content", [b"", b"{}", b'{"run": 7}', b"\xff", b'{"later": 1}'])
def test_what_is_no_progress_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "progress").write_bytes(content)

    with pytest.raises(UnfinishedBusiness, match="delete it and start again"):
        kept_progress(tmp_path / "progress")

    assert (tmp_path / "progress").read_bytes() == content


def test_each_chunk_of_each_run_has_an_idempotency_key_of_its_own() -> None:
    assert [progress.idempotency_key for progress in (BEGUN, FURTHER)] == ["cd-1", "cd-3"]
