"""Counts each request as it was answered, under the address that the contract gives it."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.measures.counting import Measures


class MeasuredRequests:
    """Tells of each request by its route, never by what the caller wrote."""

    def __init__(self, app: ASGIApp, measures: Measures) -> None:
        self.app = app
        self.measures = measures

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
                    _address(scope),
                    status_code,
                    seconds=time.perf_counter() - began,
                    problem=problem,
                    replayed=replayed,
                )


def _address(scope: Scope) -> str | None:
    """The address of the route that was found, as the contract writes it; None if none was."""
    route = scope.get("route")
    return route.path if route else None
