"""Counts each request as it was answered, under the address that the contract gives it."""

import time

from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.measures.counting import Measures


class MeasuredRequests:
    """Tells of each request by its route, never by what the caller wrote."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures
        self._addresses: dict[int, str | None] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        # What is raised is answered further out, as a fault of ours.
        status_code, problem, replayed = 500, "problem", False

        async def send_seen(message: Message) -> None:
            nonlocal status_code, problem, replayed
            if message["type"] == "http.response.start":
                status_code, problem = message["status"], scope["state"].get("problem")
                replayed = any(name == b"idempotency-replayed" for name, _ in message["headers"])
            await send(message)

        with self.measures.request_under_way():
            try:
                await self.app(scope, receive, send_seen)
            finally:
                self.measures.request_answered(
                    scope["method"],
                    self._address(scope),
                    status_code,
                    seconds=time.perf_counter() - began,
                    problem=problem,
                    replayed=replayed,
                )

    def _address(self, scope: Scope) -> str | None:
        """The address of the route that was found, as the contract writes it; None if none was.

        A route knows only what it was made with; what the routers around it add is known to the application.
        """
        if scope.get("route") is None:
            return None
        if not self._addresses:
            contexts = iter_route_contexts(scope["app"].routes)
            self._addresses = {id(found.original_route): found.path for found in contexts}
        return self._addresses.get(id(scope["route"]))
