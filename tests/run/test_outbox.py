"""Parcels between the owner and a worker on another machine: when they go, however many workers there are."""

import asyncio
import time

import pytest

from agentinstruct.run.outbox import Turn, pause_of


def test_whoever_waits_ends_when_told_though_something_comes_at_that_moment():
    """A lease that was sent in the turn in which a worker had ended kept its owner from ever ending."""

    async def cancelled():
        turn = Turn(20)
        waiting = asyncio.ensure_future(turn.come())
        await asyncio.sleep(0)
        turn.fill()
        waiting.cancel()
        await waiting

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_what_comes_goes_at_once_but_not_at_once_after_the_last():
    async def times(pause, idle):
        turn, begun, gone = Turn(idle, pause), time.monotonic(), []
        for _ in range(3):
            turn.fill()
            await turn.come()
            gone.append(time.monotonic() - begun)
        await turn.come()
        return [*gone, time.monotonic() - begun]

    first, second, third, empty = asyncio.run(times(0.2, 0.3))
    assert first < second and second - first >= 0.19 and third - second >= 0.19 and empty - third >= 0.29


def test_the_owner_has_as_many_parcels_a_second_from_many_as_from_few():
    assert pause_of(1) == pause_of(3), "a few do not wait for each other"
    assert 32 / pause_of(32) == pytest.approx(8 / pause_of(8))
    assert pause_of(4096) < 1, "a worker that hears nothing for long ends itself"
