from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from suzani.infra.lane import Lane, Waiting
from suzani.kernel import Busy, Unavailable

Batch = Sequence[Waiting[str, str]]


class Recorder:
    """Handles batches by shouting, each when it is let through."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.go = asyncio.Event()

    async def __call__(self, batch: Batch, let_next: Callable[[], None]) -> None:
        self.batches.append([one.asked for one in batch])
        await self.go.wait()
        for one in batch:
            if one.asked == "bad":
                raise ValueError("bad")
            one.succeed(one.asked.upper())


def lane(handle: Recorder, waiting: int = 10) -> Lane[str, str]:
    return Lane(handle, lambda asked: asked if asked.startswith("k") else None, batch=3, waiting=waiting)


async def test_what_waits_during_a_batch_is_the_next_batch() -> None:
    handle = Recorder()
    queue = lane(handle)
    first = queue.put(["a"])
    await asyncio.sleep(0)
    rest = queue.put(["b", "c", "d", "e"])
    handle.go.set()
    assert await asyncio.gather(*first, *rest) == ["A", "B", "C", "D", "E"]
    assert handle.batches == [["a"], ["b", "c", "d"], ["e"]]
    await queue.close()


async def test_one_name_comes_once_in_a_batch_and_in_order() -> None:
    handle = Recorder()
    handle.go.set()
    queue = lane(handle)
    await asyncio.gather(*queue.put(["k1", "a", "k1", "b"]))
    assert handle.batches == [["k1", "a"], ["k1", "b"]]
    await queue.close()


async def test_the_next_batch_may_begin_before_the_first_ends_but_not_with_its_names() -> None:
    batches: list[list[str]] = []
    ends = [asyncio.Event(), asyncio.Event()]

    async def handle(batch: Batch, let_next: Callable[[], None]) -> None:
        batches.append([one.asked for one in batch])
        let_next()
        await ends[min(len(batches), 2) - 1].wait()
        for one in batch:
            one.succeed(one.asked.upper())

    queue = Lane(handle, lambda asked: asked if asked.startswith("k") else None, batch=3, waiting=10)
    first = queue.put(["a", "k1"])
    await asyncio.sleep(0.01)
    second = queue.put(["b", "k1"])
    await asyncio.sleep(0.01)
    assert batches == [["a", "k1"], ["b"]]
    ends[1].set()
    assert await second[0] == "B"
    assert batches == [["a", "k1"], ["b"]]
    ends[0].set()
    assert await asyncio.gather(*first, second[1]) == ["A", "K1", "K1"]
    assert batches == [["a", "k1"], ["b"], ["k1"]]
    await queue.close()


async def test_too_many_are_told_when_to_come_again() -> None:
    queue = lane(Recorder(), waiting=2)
    waiting = queue.put(["a", "b"])
    with pytest.raises(Busy) as raised:
        queue.put(["c"])
    assert raised.value.retry_after_seconds > 0
    await queue.close()
    for error in await asyncio.gather(*waiting, return_exceptions=True):
        assert isinstance(error, Unavailable)
    with pytest.raises(Unavailable):
        queue.put(["d"])


async def test_an_error_fails_what_was_not_answered_and_the_lane_goes_on() -> None:
    handle = Recorder()
    handle.go.set()
    queue = lane(handle)
    found = await asyncio.gather(*queue.put(["a", "bad", "b"]), return_exceptions=True)
    assert found[0] == "A"
    assert [type(error) for error in found[1:]] == [ValueError, ValueError]
    assert await queue.put(["c"])[0] == "C"
    await queue.close()


async def test_who_no_longer_waits_is_left_out() -> None:
    handle = Recorder()
    queue = lane(handle)
    gone, there = queue.put(["a", "b"])
    gone.cancel()
    handle.go.set()
    assert await there == "B"
    assert handle.batches == [["b"]]
    await queue.close()
