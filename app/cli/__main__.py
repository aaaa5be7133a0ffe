"""The command line `yhdessa`: every command under its name, loaded once it is asked for."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

_COMMANDS = {
    "serve": "serving:serve",
    "demo": "serving:demo",
    "migrate": "serving:migrate",
    "openapi": "serving:write_contract",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "copy": "backup:copy",
    "redact": "audit:redact",
    "audit": "audit:commands",
    "submit": "submit:submit",
    "due": "due:due",
    "key": "keys:commands",
    "practice": "practices:commands",
    "release": "releases:commands",
}
"""Each with the module of this room that it is in, and its name there."""


class _Commands(TyperGroup):
    """Loads a command when it is asked for, since a server needs nothing of what most others do."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name in _COMMANDS and cmd_name not in self.commands:
            self.commands[cmd_name] = _command(cmd_name)
        return super().get_command(ctx, cmd_name)


app = typer.Typer(cls=_Commands, no_args_is_help=True, add_completion=False)


@app.callback(help="Yhdessä aika adoption tracking")
def _yhdessa() -> None:
    pass


def _command(name: str) -> Any:
    module, _, attribute = _COMMANDS[name].partition(":")
    with _nothing_collected():
        found = getattr(import_module(f"app.cli.{module}"), attribute)
    if isinstance(found, typer.Typer):
        command: Any = typer.main.get_group(found)
    else:
        alone = typer.Typer(add_completion=False)
        alone.command()(found)
        command = typer.main.get_command(alone)
    command.name = name
    return command


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Within, what is loaded is not searched for garbage, nor ever again: it stays, and searching it takes a fifth
    of the time to load it, and as long again in the midst of a request.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


if __name__ == "__main__":
    app()
