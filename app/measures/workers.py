"""One answer for all workers of a server: whichever of them is asked, it tells of all.

prometheus_client's way is a folder with a file of counters for each process, which outlive the process. What has to go
with a process, as the connections that it holds, is taken only of those that live.
"""

import atexit
import os
import re
import shutil
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The environment variable by which prometheus_client learns of the folder, when it is imported."""

# Not on a disk: a process that writes to a file which it has mapped into its memory is killed if the disk is full.
_MEMORY = Path("/dev/shm")
_PREFIX = "yhdessa-metrics-"

_NOT_ADDED_UP = {"process_start_time_seconds": max, "process_max_fds": min}


def share_between(workers: int) -> None:
    """Have `workers` processes that are started from now on share what they count; their folder goes when we end."""
    if workers == 1:
        return
    for left in _MEMORY.glob(f"{_PREFIX}*-*"):
        # Nobody tidies up the memory after a server that was killed.
        server = left.name.removeprefix(_PREFIX).partition("-")[0]
        if re.fullmatch("[0-9]{1,9}", server) and not _lives(int(server)):
            shutil.rmtree(left, ignore_errors=True)
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    folder = tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=place)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    os.environ[FOLDER] = folder


def collected(registry: CollectorRegistry) -> Iterable[Metric]:
    """What all workers have counted; without a folder, what is in the `registry` of this process."""
    if FOLDER not in os.environ:
        return registry.collect()
    files = [file for file in _files() if not file.name.startswith("gauge_live") or _lives(_process(file))]
    merged: Callable[[Iterable[str]], Iterable[Metric]] = MultiProcessCollector.merge
    return merged(map(str, files))


def process_metrics() -> Iterator[Metric]:
    """Memory, processor time and open files of the workers that live, added up, as far as the system tells them."""
    families: dict[str, Metric] = {}
    values: dict[str, list[float]] = defaultdict(list)
    for pid in _workers():
        for family in ProcessCollector(pid=lambda pid=pid: pid, registry=None).collect():  # type: ignore[misc]  # mypy cannot infer the lambda
            families[family.name] = family
            values[family.name] += [sample.value for sample in family.samples]
    for name, family in families.items():
        value = _NOT_ADDED_UP.get(family.samples[0].name, sum)(values[name])
        family.samples = [family.samples[0]._replace(value=value)]
        yield family


def worker_count() -> Metric:
    """How many processes answer."""
    return GaugeMetricFamily("yhdessa_workers", "Processes that answer", value=len(_workers()))


def _workers() -> list[int]:
    """The numbers of the processes that count and live."""
    if FOLDER not in os.environ:
        return [os.getpid()]
    return sorted(pid for pid in {_process(file) for file in _files()} if _lives(pid))


def _files() -> list[Path]:
    """The files of counters; one of a process that was killed as it made it is empty, and no file of counters."""
    return [file for file in Path(os.environ[FOLDER]).glob("*.db") if file.stat().st_size]


def _process(file: Path) -> int:
    """Whose file it is: its name is the kind of its content, and the number of the process behind a last _."""
    return int(file.stem.rpartition("_")[2])


def _lives(pid: int) -> bool:
    # On Windows the signal 0 is no question but Ctrl+C.
    return sys.platform == "win32" or _takes_signals(pid)


def _takes_signals(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        # Not permitted is what is somebody else's by now: numbers of dead processes are given away again.
        return False
    return True
