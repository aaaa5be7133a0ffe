"""What commands share that talk to a server elsewhere; most of it is tested with `submit`."""

import pytest
import typer

from app.cli.remote import answers_told
from app.cli.telling import Mistake
from app.client import Refused, Unanswered

REFUSED = Refused({"status": 403, "title": "Not allowed", "detail": "no", "errors": [{"line": 3, "detail": "[b]"}]})


@pytest.mark.parametrize(
    ("error", "exit_code", "told"),
    [
        (Mistake("no key"), 1, "error: no key\n"),
        (FileNotFoundError(2, "No such file"), 1, "error: [Errno 2] No such file\n"),
        (REFUSED, 3, "error: 403 Not allowed: no\n  line 3: [b]\n"),
        (Unanswered("no answer"), 5, "error: no answer\n"),
    ],
)
def test_each_way_to_fail_has_an_exit_code(
    error: Exception, exit_code: int, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, answers_told():
        raise error

    assert (ended.value.exit_code, capsys.readouterr()) == (exit_code, ("", told))
