"""What is loaded for a command, and when."""

import gc
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from app.cli.__main__ import _COMMANDS, _command, app

RARELY_NEEDED = (
    *("alembic", "babel", "httpx", "jinja2", "mako", "openpyxl"),
    *("app.archive", "app.client", "app.demo", "app.sending"),
)

LOADING = """
import sys
from app.cli.__main__ import _command
assert "fastapi" not in sys.modules
_command("serve")
from app.cli.serving import served
served()
print(*sys.modules)
"""


def test_a_server_starts_without_what_other_commands_need() -> None:
    loading = subprocess.run([sys.executable, "-c", LOADING], capture_output=True, text=True, check=True)

    loaded = loading.stdout.split()
    assert "app.main" in loaded
    assert [name for name in RARELY_NEEDED if name in loaded] == []


@pytest.mark.parametrize("name", _COMMANDS)
def test_every_command_is_found_under_its_name(name: str) -> None:
    assert _command(name).name == name


def test_what_is_no_command_is_told_as_such() -> None:
    told = CliRunner().invoke(app, ["serv"])

    assert told.exit_code == 2
    assert "No such command 'serv'" in told.output


def test_what_was_loaded_for_a_command_is_not_searched_for_garbage() -> None:
    gc.unfreeze()

    _command("serve")

    assert gc.isenabled()
    assert gc.get_freeze_count() > 1_000
