"""A network between a client and a server that loses, delays and turns away what it is told to, request by request."""

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

Fault = Callable[[bytes, Callable[[bytes], bytes]], bytes]
"""What becomes of a request: takes it and the way to the server, gives what the client receives before the end."""


def passed(request: bytes, server: Callable[[bytes], bytes]) -> bytes:
    """Nothing goes wrong."""
    return server(request)


def request_lost(_request: bytes, _server: Callable[[bytes], bytes]) -> bytes:
    """The connection ends before the server has heard anything."""
    return b""


def answer_lost(request: bytes, server: Callable[[bytes], bytes]) -> bytes:
    """The server has done what it was asked, and nobody hears its answer."""
    server(request)
    return b""


def answer_cut(request: bytes, server: Callable[[bytes], bytes]) -> bytes:
    """The connection ends in the midst of the answer."""
    return server(request)[:-20]


def turned_away(status_line: str, *headers: str, body: str = "") -> Fault:
    """Something before the server answers in its place."""
    lines = [f"HTTP/1.1 {status_line}", *headers, f"Content-Length: {len(body)}", "Connection: close", "", body]
    answer = "\r\n".join(lines).encode()
    return lambda _request, _server: answer


class Hold:
    """The answer is held back: `held` is set once the server has given it, and it goes on when `go_on` is set."""

    def __init__(self, *, before_server: bool = False) -> None:
        self.before_server = before_server
        self.held, self.go_on = threading.Event(), threading.Event()

    def __call__(self, request: bytes, server: Callable[[bytes], bytes]) -> bytes:
        answer = b"" if self.before_server else server(request)
        self.held.set()
        self.go_on.wait(30)
        return answer


class FlakyNetwork:
    """Stands at `url` for the server behind it; each request meets the next of `faults`, later ones pass."""

    def __init__(self, upstream: str) -> None:
        address = urlsplit(upstream)
        self.upstream = (address.hostname or "", address.port or 0)
        self.faults: deque[Fault] = deque()
        self.requests: list[bytes] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def keys_sent(self) -> list[str]:
        """The Idempotency-Key of each post so far."""
        return [_header(request, "idempotency-key") for request in self.requests if request.startswith(b"POST")]

    def run(self) -> None:
        """Serve every connection in a thread of its own until the listener is shut."""
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = _whole_request(connection)
            if request:
                self.requests.append(request)
                fault = self.faults.popleft() if self.faults else passed
                connection.sendall(fault(request, self._asked))

    def _asked(self, request: bytes) -> bytes:
        """The server's whole answer to `request`."""
        head, _, body = request.partition(b"\r\n\r\n")
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
        with socket.create_connection(self.upstream) as server:
            server.sendall(b"\r\n".join([*lines, b"Connection: close", b"", body]))
            return b"".join(iter(lambda: server.recv(65_536), b""))


@contextmanager
def flaky_network(upstream: str) -> Iterator[FlakyNetwork]:
    """A network before the server at `upstream`, torn down at the end."""
    network = FlakyNetwork(upstream)
    thread = threading.Thread(target=network.run, daemon=True)
    thread.start()
    yield network
    network.listener.shutdown(socket.SHUT_RDWR)
    network.listener.close()
    thread.join()


def _whole_request(connection: socket.socket) -> bytes:
    """A request with its body; empty if the client went away before."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = connection.recv(65_536)
        if not part:
            return b""
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    missing = int(_header(head, "content-length") or 0) - len(body)
    while missing > 0:
        part = connection.recv(65_536)
        if not part:
            return b""
        received, missing = received + part, missing - len(part)
    return received


def _header(request: bytes, name: str) -> str:
    for line in request.partition(b"\r\n\r\n")[0].split(b"\r\n"):
        named, _, value = line.partition(b":")
        if named.lower() == name.encode():
            return value.strip().decode()
    return ""
