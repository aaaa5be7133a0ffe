"""Routes that FastAPI takes apart when they are first asked for, and not when the server starts."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from fastapi.routing import APIRoute
from starlette.routing import compile_path

_TAKING_APART = threading.RLock()


class LateRoute(APIRoute):
    """A route of which all is known at first that a request is matched by: its path and its methods.

    What FastAPI makes of its parameters and models takes a millisecond or two for each route, all of them together a
    tenth of the time in which a server starts. Whoever asks for anything of that waits for it to be made.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **declared: Any) -> None:
        self._taken_apart = partial(super().__init__, path, endpoint, **declared)
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self.methods = set(declared["methods"])

    def __getattr__(self, name: str) -> Any:
        """What is not there before the route is taken apart, once, whichever thread comes first."""
        with _TAKING_APART:
            if take_apart := self.__dict__.pop("_taken_apart", None):
                take_apart()
        return self.__getattribute__(name)
