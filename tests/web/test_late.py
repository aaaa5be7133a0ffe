"""Routes are taken apart when they are first asked for."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient

from app.web.late import LateRoute


def get_twice(number: int) -> int:
    return 2 * number


def late(**declared: Any) -> LateRoute:
    return LateRoute("/twice/{number}", get_twice, methods=["GET"], **declared)


def taken_apart(route: APIRoute) -> bool:
    return "dependant" in vars(route)


def test_a_route_is_taken_apart_by_the_first_request_for_it() -> None:
    router = APIRouter(route_class=LateRoute)
    router.get("/twice/{number}")(get_twice)
    router.get("/thrice/{number}")(get_twice)
    twice, thrice = router.routes
    assert isinstance(twice, APIRoute)
    assert isinstance(thrice, APIRoute)
    with TestClient(FastAPI(routes=router.routes)) as http:
        assert not taken_apart(twice)

        answer, refused, unknown = http.get("/twice/4"), http.post("/twice/4"), http.get("/fourfold/4")

    assert (answer.json(), refused.status_code, unknown.status_code) == (8, 405, 404)
    assert taken_apart(twice)
    assert not taken_apart(thrice)


def test_a_late_route_is_what_it_would_have_been_at_once() -> None:
    at_once = APIRoute("/twice/{number}", get_twice, methods=["GET"], summary="Twice")

    route = late(summary="Twice")

    assert (route.name, route.summary, route.methods) == (at_once.name, at_once.summary, at_once.methods)
    assert (route.path_regex, route.param_convertors) == (at_once.path_regex, at_once.param_convertors)
    assert [field.name for field in route.dependant.path_params] == ["number"]
    assert vars(route).keys() == vars(at_once).keys()


def test_who_comes_while_a_route_is_taken_apart_waits_for_it() -> None:
    begun, go_on = threading.Event(), threading.Event()
    made: list[APIRoute] = []

    def slow_name(route: APIRoute) -> str:
        made.append(route)
        begun.set()
        go_on.wait(5)
        return "slow"

    route = late(generate_unique_id_function=slow_name)

    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(lambda: route.unique_id)
        begun.wait(5)
        second = threads.submit(lambda: route.app)
        wait([second], timeout=0.05)
        go_on.set()

        assert first.result(5) == "slow"
        assert second.result(5) is route.app
    assert made == [route]


@pytest.mark.parametrize("asking", [lambda route: route.nothing, lambda route: (route.dependant, route.nothing)])
def test_a_late_route_has_nothing_else(asking: Callable[[APIRoute], Any]) -> None:
    with pytest.raises(AttributeError, match="nothing"):
        asking(late())
