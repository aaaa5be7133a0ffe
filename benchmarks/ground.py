"""What a run stands on: the workload, and every contender's database with it, made once and copied to be written to."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from benchmarks import ours
from benchmarks.asking import asked
from benchmarks.ours import Filled
from benchmarks.peers import serving
from benchmarks.peers.filling import fill_postgresql, fill_sqlite, keep_log
from benchmarks.servers import Server
from benchmarks.workload import SIZES, Size, Workload

_NOT_OF_THE_ANSWER = {"date", "server", "connection", "transfer-encoding", "x-request-id"}


@dataclass
class Ground:
    """`folder` lies on a disk, else a commit costs nothing; `binaries` is where the peers are installed.

    Each measurement with wrk takes `seconds`. `postgresql` is the address of a server that may get databases, or None.
    """

    size: Size
    folder: Path
    binaries: Path
    seconds: float
    postgresql: str | None
    tell: Callable[[str], None]

    @cached_property
    def workload(self) -> Workload:
        """The figures of this size."""
        return Workload(self.size, ours.known_places())

    @property
    def large(self) -> "Ground":
        """The ground of L, for what has to be asked of a large archive; of S if this only tries the harness."""
        return self if self.size.name == "S" else self.of(SIZES["L"])

    def of(self, size: Size) -> "Ground":
        """The same with another size."""
        folder = self.folder.with_name(size.name)
        folder.mkdir(parents=True, exist_ok=True)
        return replace(self, size=size, folder=folder)

    @property
    def log(self) -> Path:
        """What all servers say."""
        return self.folder / "servers.log"

    @contextmanager
    def ours(
        self, *, empty: bool = False, scratch: bool = False, ready: str = "/livez"
    ) -> Iterator[tuple[Server, Filled]]:
        """Our server on SQLite: on the workload, or on no counts if `empty`; `scratch` is a copy to write to."""
        file = self._kind(empty) / "ours.db"
        key = file.with_name("key.txt")
        if not key.exists():
            self._making(file)
            file.unlink(missing_ok=True)
            key.write_text(ours.fill(f"sqlite:///{file}", self.workload, with_counts=not empty).key)
        filled = Filled(f"sqlite:///{file}", key.read_text())
        if scratch:
            copy = self._copied(file)
            filled = replace(filled, url=f"sqlite:///{copy}")
        with ours.served(filled, log=self.log, ready=ready) as server:
            yield server, filled

    @contextmanager
    def bare(self, url: str, headers: dict[str, str] | None = None) -> Iterator[Server]:
        """The bare application that sends what is answered at `url`, body and headers."""
        answer = asked(url, headers=headers)
        known = [(name.lower(), value) for name, value in answer.headers if name.lower() not in _NOT_OF_THE_ANSWER]
        file = self.folder / "bare.json"
        file.write_text(json.dumps({"headers": known, "body": answer.content.decode()}), encoding="utf-8")
        with serving.bare(self.binaries, file, log=self.log) as server:
            yield server

    @contextmanager
    def tutorial(self, *, empty: bool = False, scratch: bool = False) -> Iterator[Server]:
        """The tutorial version on SQLite."""
        file = self._peers_file(empty=empty, scratch=scratch, of="tutorial")
        with serving.tutorial(self.binaries, f"sqlite:///{file}", log=self.log) as server:
            yield server

    @contextmanager
    def datasette(self, *, empty: bool = False, scratch: bool = False) -> Iterator[Server]:
        """Datasette on SQLite."""
        file = self._peers_file(empty=empty, scratch=scratch, of="datasette")
        if scratch:
            keep_log(file)
        with serving.datasette(self.binaries, file, log=self.log) as server:
            yield server

    @contextmanager
    def pocketbase(self, *, empty: bool = False, scratch: bool = False) -> Iterator[Server]:
        """PocketBase on its folder."""
        folder = self._kind(empty) / "pocketbase"
        if not folder.exists():
            self._making(folder)
            serving.make_pocketbase(self.binaries, folder, self.workload, log=self.log, with_counts=not empty)
        if scratch:
            copy = self.folder / "scratch" / "pocketbase"
            shutil.rmtree(copy, ignore_errors=True)
            folder = Path(shutil.copytree(folder, copy))
        with serving.pocketbase(self.binaries, folder, log=self.log) as server:
            yield server

    @contextmanager
    def on_postgresql(self, *, empty: bool = False) -> Iterator[tuple[Server, Filled, Server]]:
        """Our server and the tutorial version, each on a new PostgreSQL database of its own, with the key of ours."""
        with ExitStack() as stack:
            own = stack.enter_context(self._postgresql_database("bench_ours"))
            theirs = stack.enter_context(self._postgresql_database("bench_tutorial"))
            filled = ours.fill(own, self.workload, with_counts=not empty)
            fill_postgresql(theirs, self.workload, with_counts=not empty)
            driver = theirs.replace("postgresql://", "postgresql+psycopg://", 1)
            server = stack.enter_context(ours.served(filled, log=self.log))
            yield server, filled, stack.enter_context(serving.tutorial(self.binaries, driver, log=self.log))

    def _kind(self, empty: bool) -> Path:
        return self.folder / ("empty" if empty else "filled")

    def _peers_file(self, *, empty: bool, scratch: bool, of: str) -> Path:
        file = self._kind(empty) / "peers.db"
        if not file.exists():
            self._making(file)
            fill_sqlite(file, self.workload, with_counts=not empty)
        return self._copied(file, of=of) if scratch else file

    def _copied(self, file: Path, of: str = "") -> Path:
        copy = self.folder / "scratch" / of / file.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        for end in ("", "-wal", "-shm"):
            copy.with_name(copy.name + end).unlink(missing_ok=True)
        return Path(shutil.copy(file, copy))

    def _making(self, what: Path) -> None:
        what.parent.mkdir(parents=True, exist_ok=True)
        self.tell(f"  making {what.relative_to(self.folder)} with workload {self.size.name} ...")

    @contextmanager
    def _postgresql_database(self, name: str) -> Iterator[str]:
        """The address of a new database, dropped at the end."""
        # The driver is an extra, and not there where SQLite is enough.
        import psycopg

        assert self.postgresql, "rows that need it are left out without it"
        url = _with_database(self.postgresql, name)
        with psycopg.connect(self.postgresql, autocommit=True) as db:
            db.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
            db.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield url
        finally:
            with psycopg.connect(self.postgresql, autocommit=True) as db:
                db.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def _with_database(url: str, name: str) -> str:
    """The address of another database of the same server."""
    front, mark, query = url.partition("?")
    return f"{front.rpartition('/')[0]}/{name}{mark}{query}"
