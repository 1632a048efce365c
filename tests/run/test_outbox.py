"""What the owner and a worker on another machine have to say, until it is fetched."""

import asyncio

import pytest

from agentinstruct.run.outbox import filled


def test_whoever_waits_ends_when_told_though_something_comes_at_that_moment():
    """A lease that was sent in the turn in which a worker had ended kept its owner from ever ending."""

    async def cancelled():
        box = asyncio.Event()
        waiting = asyncio.ensure_future(filled(box, 20))
        await asyncio.sleep(0)
        box.set()
        waiting.cancel()
        await waiting

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(cancelled())


def test_it_says_whether_something_came():
    async def both():
        box = asyncio.Event()
        nothing = await filled(box, 0.01)
        asyncio.get_running_loop().call_soon(box.set)
        return nothing, await filled(box, 20)

    assert asyncio.run(both()) == (False, True)
