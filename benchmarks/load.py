"""The load: wrk against one address, and what it says of the answers."""

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

POST_SCRIPT = Path(__file__).with_name("post.lua")
CONNECTIONS = 32

_MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1_000.0, "m": 60_000.0}


class LoadFailed(Exception):
    """The load could not be made, or a contender that must not fail answered with an error."""


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: good answers per second, the latency of half and of 99 % of all, and how many failed."""

    per_second: float
    p50_ms: float
    p99_ms: float
    failed: int


def wrk_there() -> bool:
    """True if wrk is installed."""
    return shutil.which("wrk") is not None


def load(
    url: str,
    *,
    seconds: float,
    connections: int = CONNECTIONS,
    headers: Mapping[str, str] | None = None,
    script: Path | None = None,
    arguments: Sequence[str] = (),
) -> Load:
    """Ask `url` for so many `seconds` over so many `connections` at once.

    Raises:
        LoadFailed: wrk could not run.
    """
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", "--timeout", "30s"]
    for name, value in (headers or {}).items():
        command += ["-H", f"{name}: {value}"]
    command += ["-s", str(script)] if script else []
    command += [url, "--", *arguments] if arguments else [url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise LoadFailed(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return load_in(done.stdout)


def load_in(text: str) -> Load:
    """What wrk printed."""
    took = re.search(r"(\d+) requests in ([\d.]+)(\w+),", text)
    assert took, text
    requests, seconds = int(took[1]), float(took[2]) * _MILLISECONDS[took[3]] / 1_000
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    broken = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", text)
    refused = int(bad[1]) if bad else 0
    lost = sum(int(number) for number in broken.groups()) if broken else 0
    return Load((requests - refused) / seconds, _latency(text, 50), _latency(text, 99), refused + lost)


def _latency(text: str, percent: int) -> float:
    found = re.search(rf"^\s+{percent}%\s+([\d.]+)(us|ms|s|m)\s*$", text, re.MULTILINE)
    assert found, text
    return float(found[1]) * _MILLISECONDS[found[2]]
