"""A network between the application and PostgreSQL that cuts, delays and swallows what it is told to.

It speaks TCP to the application, and to the server whatever the server's URL says: TCP or a unix socket. It reads what
the application says (PostgreSQL's protocol, version 3, without TLS) and so knows a COMMIT when it passes.
"""

import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sqlalchemy.engine import make_url

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER by which closing a socket resets its connection."""


class Fault(StrEnum):
    """What goes wrong in a network; the first five happen to a connection at its COMMIT, the others to all."""

    CUT_BEFORE_COMMIT = "cut before the COMMIT is passed on"
    CUT_AFTER_COMMIT = "cut after the COMMIT was passed on, before its answer"
    RESET_AFTER_COMMIT = "reset after the COMMIT was passed on"
    SWALLOW_COMMIT = "the COMMIT is swallowed, and all after it"
    SWALLOW_ANSWER = "the answer to the COMMIT is swallowed, and all after it"
    FORGED_COMMIT = "the COMMIT is thrown away and acknowledged: no fault of a network but a control of the tests"
    BLACKHOLE = "nothing passes in either direction, and nobody is told"
    DELAY = "everything takes its time"
    RESET = "every connection is reset, new ones too"
    REFUSE = "new connections are refused, the others are cut"


AT_COMMIT = (
    Fault.CUT_BEFORE_COMMIT,
    Fault.CUT_AFTER_COMMIT,
    Fault.RESET_AFTER_COMMIT,
    Fault.SWALLOW_COMMIT,
    Fault.SWALLOW_ANSWER,
)


@dataclass(eq=False)
class Line:
    """One connection of the application: its two ends, and what has befallen it."""

    near: socket.socket
    far: socket.socket
    swallows: set[str] = field(default_factory=set)
    """Which directions lead nowhere: "out" to the server, "back" to the application."""

    def end(self, *, reset: bool = False) -> None:
        if reset:
            self.near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        for end in (self.near, self.far):
            with suppress(OSError):
                if not reset or end is self.far:
                    end.shutdown(socket.SHUT_RDWR)
                else:
                    end.close()


class CutConnections:
    """Stands at `url` for the database at `upstream`; `fault` is what goes wrong from now on, None for nothing.

    A fault at COMMIT befalls the next `commits` ones.
    """

    def __init__(self, upstream: str) -> None:
        url = make_url(upstream)
        folder = url.query.get("host", url.host or "")
        assert isinstance(folder, str)
        self.unix = Path(folder) / f".s.PGSQL.{url.port or 5432}" if folder.startswith("/") else None
        self.address = (folder, url.port or 5432)
        self.fault: Fault | None = None
        self.commits = 0
        self.delay_seconds = 0.0
        self.met: Counter[str] = Counter()
        self.lines: set[Line] = set()
        self.lock = threading.Lock()
        self.listener = self._listening(0)
        self.port: int = self.listener.getsockname()[1]
        query = {"sslmode": "disable", "gssencmode": "disable"}
        own = url.set(drivername="postgresql+psycopg", host="127.0.0.1", port=self.port, query=query)
        self.url = own.render_as_string(hide_password=False)

    def strike(self, fault: Fault, *, commits: int = 1, delay_seconds: float = 0.0) -> None:
        """From now on `fault` happens."""
        with self.lock:
            self.met.clear()
            self.fault, self.commits, self.delay_seconds = fault, commits, delay_seconds
        if fault is Fault.REFUSE:
            # Shut first: closing alone does not wake who waits for a connection.
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
        if fault in (Fault.REFUSE, Fault.RESET):
            self.met[fault] += 1
            self._end_all(reset=fault is Fault.RESET)

    def wait_until_met(self, fault: Fault) -> None:
        """Wait until the fault has befallen somebody."""
        deadline = time.monotonic() + 20
        while not self.met[fault]:
            assert time.monotonic() < deadline, f"nobody met: {fault}"
            time.sleep(0.01)

    def heal(self) -> None:
        """From now on nothing goes wrong; what was swallowed stays so, and its connections lead nowhere for ever."""
        with self.lock:
            was, self.fault = self.fault, None
        if was is Fault.REFUSE:
            self.listener = self._listening(self.port)
            threading.Thread(target=self.run, daemon=True).start()

    def run(self) -> None:
        """Serve every connection until the listener is shut."""
        listener = self.listener
        with suppress(OSError):
            while True:
                near, _ = listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def close(self) -> None:
        """End everything."""
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self._end_all()

    def _listening(self, port: int) -> socket.socket:
        return socket.create_server(("127.0.0.1", port), backlog=512)

    def _end_all(self, *, reset: bool = False) -> None:
        with self.lock:
            lines = list(self.lines)
        for line in lines:
            line.end(reset=reset)

    def _serve(self, near: socket.socket) -> None:
        if self.fault is Fault.RESET:
            near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            near.close()
            return
        far = self._far()
        line = Line(near, far)
        with self.lock:
            self.lines.add(line)
        back = threading.Thread(target=self._pass_back, args=(line,), daemon=True)
        back.start()
        with suppress(OSError):
            self._pass_out(line)
        # Whoever hears nothing does not hear the end either: the server has to find out by itself.
        if "out" not in line.swallows:
            line.end()
        back.join()
        with self.lock:
            self.lines.discard(line)
        near.close()
        far.close()

    def _far(self) -> socket.socket:
        if self.unix is None:
            return socket.create_connection(self.address)
        far = socket.socket(socket.AF_UNIX)
        far.connect(str(self.unix))
        return far

    def _pass_out(self, line: Line) -> None:
        """Pass on, message by message, what the application says."""
        begun = False
        pending = b""
        while part := line.near.recv(65_536):
            self._suffer(line, "out")
            pending += part
            while message := _first_message(pending, begun=begun):
                pending, begun = pending[len(message) :], True
                if message[:1] == b"Q" and message[5:].rstrip(b"\0").strip().upper() == b"COMMIT":
                    self._commit(line, message)
                elif "out" not in line.swallows:
                    line.far.sendall(message)

    def _commit(self, line: Line, message: bytes) -> None:
        with self.lock:
            struck = self.fault in (*AT_COMMIT, Fault.FORGED_COMMIT) and self.commits > 0
            fault = self.fault if struck else None
            self.commits -= struck
        if fault is not None:
            self.met[fault] += 1
        if fault is Fault.SWALLOW_COMMIT:
            line.swallows |= {"out", "back"}
        if fault in (Fault.CUT_AFTER_COMMIT, Fault.RESET_AFTER_COMMIT, Fault.SWALLOW_ANSWER):
            line.swallows.add("back")
        if fault is Fault.CUT_BEFORE_COMMIT:
            line.end()
        elif fault is Fault.FORGED_COMMIT:
            line.swallows.add("back")
            line.far.sendall(_query(b"ROLLBACK"))
            line.near.sendall(_answer(b"C", b"COMMIT\0") + _answer(b"Z", b"I"))
            time.sleep(0.2)
            line.swallows.discard("back")
        elif "out" not in line.swallows:
            line.far.sendall(message)
        if fault in (Fault.CUT_AFTER_COMMIT, Fault.RESET_AFTER_COMMIT):
            # The server has it by now or will have it: a unix socket or a local one loses nothing that was sent.
            time.sleep(0.05)
            line.end(reset=fault is Fault.RESET_AFTER_COMMIT)

    def _pass_back(self, line: Line) -> None:
        with suppress(OSError):
            while part := line.far.recv(65_536):
                self._suffer(line, "back")
                if "back" not in line.swallows:
                    line.near.sendall(part)
        # A connection that swallows does not tell either that the other end has gone.
        if "back" not in line.swallows:
            line.end()

    def _suffer(self, line: Line, direction: str) -> None:
        """What befalls whatever passes."""
        if self.fault is Fault.DELAY:
            self.met[Fault.DELAY] += 1
            time.sleep(self.delay_seconds)
        if self.fault is Fault.BLACKHOLE:
            self.met[Fault.BLACKHOLE] += 1
            line.swallows |= {"out", "back"}


@contextmanager
def cut_connections(upstream: str) -> Iterator[CutConnections]:
    """A network before the database at `upstream`, torn down at the end."""
    network = CutConnections(upstream)
    threading.Thread(target=network.run, daemon=True).start()
    try:
        yield network
    finally:
        network.close()


def _first_message(pending: bytes, *, begun: bool) -> bytes:
    """The first whole message of `pending`; empty if there is none. The one that begins a connection has no kind."""
    kind = 1 if begun else 0
    if len(pending) < kind + 4:
        return b""
    (length,) = struct.unpack_from("!I", pending, kind)
    return pending[: kind + length] if len(pending) >= kind + length else b""


def _query(text: bytes) -> bytes:
    return b"Q" + struct.pack("!I", len(text) + 5) + text + b"\0"


def _answer(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!I", len(content) + 4) + content
