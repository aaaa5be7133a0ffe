"""Answers that are being made: who waits for whom, what is taken as it is, and what only if it still holds."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest

from app.web.underway import Underway


async def good(_one: str) -> bool:
    return True


async def stale(_one: str) -> bool:
    return False


def found(scene: Callable[[Underway[str, str]], Awaitable[Any]]) -> Any:
    """What comes of `scene`."""

    async def played() -> Any:
        return await scene(Underway())

    return asyncio.run(played())


async def waiting(
    underway: Underway[str, str], judge: Callable[[str], Awaitable[bool]] = good
) -> "asyncio.Task[str | None]":
    """Somebody who has begun to wait for the answer `a`."""
    task = asyncio.create_task(underway.of_another("a", judge))
    await asyncio.sleep(0)
    return task


def test_who_asks_alone_makes_it() -> None:
    async def scene(underway: Underway[str, str]) -> Any:
        with underway.making("b"):
            return await underway.of_another("a", good)

    assert found(scene) is None


def test_what_was_begun_before_is_taken_if_it_still_holds() -> None:
    async def scene(underway: Underway[str, str]) -> Any:
        with underway.making("a") as made:
            tasks = [await waiting(underway), await waiting(underway, stale)]
            made("first")
            return [await task for task in tasks]

    assert found(scene) == ["first", None]


def test_what_was_begun_after_somebody_asked_is_taken_as_it_is() -> None:
    async def scene(underway: Underway[str, str]) -> Any:
        with underway.making("a") as made:
            tasks = [await waiting(underway, stale) for _ in range(3)]
            made("first")
        with underway.making("a") as made:
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in tasks)
            made("second")
            return [await task for task in tasks]

    assert found(scene) == ["second"] * 3


def test_of_all_who_find_it_stale_one_makes_it_for_the_others() -> None:
    makers = []

    async def ask(underway: Underway[str, str], name: str) -> str:
        one = await underway.of_another("a", stale)
        if one is not None:
            return one
        with underway.making("a") as made:
            makers.append(name)
            await asyncio.sleep(0.01)
            made(name)
            return name

    async def scene(underway: Underway[str, str]) -> Any:
        return await asyncio.gather(*(ask(underway, name) for name in "pqrs"))

    assert found(scene) == ["p", "q", "q", "q"]
    assert makers == ["p", "q"]


def test_nobody_waits_for_what_is_only_for_one_or_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.underway.MOST_SECONDS", 60)

    async def scene(underway: Underway[str, str]) -> Any:
        with underway.making("a") as made:
            tasks = [await waiting(underway)]
            made(None)
        with suppress(LookupError), underway.making("a"):
            tasks.append(await waiting(underway))
            raise LookupError
        async with asyncio.timeout(5):
            return [await task for task in tasks], await underway.of_another("a", good)

    assert found(scene) == ([None, None], None)


def test_nobody_is_waited_for_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.web.underway.MOST_SECONDS", 0.01)

    async def scene(underway: Underway[str, str]) -> Any:
        with underway.making("a") as made:
            task = await waiting(underway)
            await asyncio.sleep(0.015)
            # Begun before somebody asked, and nobody looks any more whether it holds.
            made("late")
            return await task

    assert found(scene) is None


def test_who_goes_away_takes_it_from_nobody_else() -> None:
    async def scene(underway: Underway[str, str]) -> Any:
        with underway.making("a") as made:
            gone, stays = await waiting(underway), await waiting(underway)
            gone.cancel()
            await asyncio.sleep(0)
            made("first")
            return await stays

    assert found(scene) == "first"


def test_a_second_who_makes_it_does_not_take_the_place_of_the_first() -> None:
    async def scene(underway: Underway[str, str]) -> Any:
        with underway.making("a") as made:
            with underway.making("a") as other:
                other("second")
            task = await waiting(underway)
            made("first")
            return await task

    assert found(scene) == "first"
