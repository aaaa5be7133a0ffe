"""What commands share that talk to a server elsewhere: its address, the key, and how they end."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.cli.telling import Mistake, mistakes_told, said, tell_error
from app.client import Client, Patience, Refused, Unanswered

KEY_VARIABLE = "YHDESSA_KEY"
WAIT_SECONDS = 120.0
"""How long a command keeps trying unless told otherwise."""

_AT_HOME = ("localhost", "127.0.0.1", "::1")
# The waits grow to half a minute, so that time ends the trying and not this.
_ATTEMPTS = 10_000

Url = Annotated[str, typer.Option("--url", envvar="YHDESSA_URL", help="Where the service is, as https://host")]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file", envvar="YHDESSA_KEY_FILE", help=f"File that holds the key; without one ${KEY_VARIABLE} is the key"
    ),
]
Wait = Annotated[float, typer.Option("--wait", min=0, help="Seconds to keep trying while the server does not answer")]


class Ended(IntEnum):
    """How a command ended, if not with a mistake (1) or by wrong usage (2)."""

    WELL = 0
    REFUSED = 3
    PARTLY_REJECTED = 4
    UNANSWERED = 5
    INTERRUPTED = 130


@contextmanager
def client_from_options(url: str, key_file: Path | None, *, wait: float = WAIT_SECONDS) -> Iterator[Client]:
    """A client of the server at `url` with the key from `key_file`, or from the environment.

    Raises:
        Mistake: that is no address, or there is no key.
        OSError: the file cannot be read.
    """
    address = _address(url)
    key = _key(key_file)
    if address.scheme == "http" and address.host not in _AT_HOME:
        said.print("warning: over http:// others can read the key on its way; use https://", soft_wrap=True)
    with Client(url, key, patience=Patience(attempts=_ATTEMPTS, total_seconds=wait)) as client:
        yield client


@contextmanager
def answers_told() -> Iterator[None]:
    """Say in a few words that the server refused or did not answer, and every mistake; end with its exit code."""
    with mistakes_told():
        try:
            yield
        except Refused as refused:
            tell_error(str(refused))
            raise typer.Exit(Ended.REFUSED) from refused
        except Unanswered as unanswered:
            tell_error(str(unanswered))
            raise typer.Exit(Ended.UNANSWERED) from unanswered


def _address(url: str) -> httpx.URL:
    try:
        address = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise Mistake(f"--url: {error}") from error
    if address.userinfo or address.query or address.fragment:
        # It would stand in the list of processes and in the progress file.
        raise Mistake("--url: give the bare address, without a user, a password or a query")
    if address.scheme not in ("http", "https") or not address.host:
        raise Mistake(f"--url: {url!r} must start with https:// or http:// and name a host")
    return address


def _key(file: Path | None) -> str:
    """The key in `file`, or else in the environment; it is never said what was found instead."""
    if file is None:
        found, where = os.environ.get(KEY_VARIABLE, ""), KEY_VARIABLE
        if not found:
            raise Mistake(f"no key: name a file that holds it with --key-file, or set {KEY_VARIABLE}")
    else:
        found, where = file.read_bytes().decode("utf-8-sig", errors="replace"), str(file)
        _warn_if_others_read(file)
    key = found.strip()
    if not re.fullmatch("[!-~]+", key):
        raise Mistake(f"{where} must hold a key and nothing else")
    return key


def _warn_if_others_read(file: Path) -> None:
    if os.name == "posix" and file.stat().st_mode & 0o077:
        said.print(
            f"warning: others than you can read {file}; `chmod 600` keeps the key yours", markup=False, soft_wrap=True
        )
