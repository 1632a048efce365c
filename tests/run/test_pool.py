"""The pool of a run's workers, whose processes are here played by objects that die when they are told to."""

import asyncio
from collections import Counter

from agentinstruct.agents.records import Seed
from agentinstruct.run.plan import Work
from agentinstruct.run.pool import Pool


class Finished(dict):
    """In the journal's place: rows by work item, and how often each was failed."""

    def __init__(self):
        super().__init__()
        self.failed = Counter()

    def result(self, item):
        return self.get(item)

    def fail(self, item, *told):
        self.failed[item] += 1
        return self.failed[item]


class Playing:
    """A worker that does what a function of the work in its hands makes it do, and then dies."""

    lost = False

    def __init__(self, act):
        self._act = act
        self._given = asyncio.Queue()

    def send(self, message):
        self._given.put_nowait(message["work"]["id"] if "work" in message else None)

    async def messages(self):
        yield {"ready": True}
        while (item := await self._given.get()) and (message := self._act(item)):
            yield message

    def kill(self):
        self._given.put_nowait(None)

    async def ended(self):
        return "ended by signal 9"


async def test_an_item_that_was_never_begun_is_not_blamed_for_a_death_after_another_was_finished():
    journal, outcomes, begun = Finished(), [], Counter()
    rows = {"records": [], "dropped": []}

    def act(item):
        begun[item] += 1
        if len(outcomes) == 0 and sum(begun.values()) == 3:  # alone for the first time: it is kept, and not told
            journal[item] = rows
        if sum(begun.values()) <= 3:
            return None
        return {"outcome": {"id": item, "trouble": "", "spent": "", **rows}}

    async def start(number):
        return Playing(act)

    async def end():
        pass

    pool = Pool(1, 2, journal, start, outcomes.append, lambda *told: None, end)
    seed = Seed(text="Of two items.", source="a.txt")
    for name in ("one", "two"):
        await pool.put(Work(name, "rag", seed))
    async with asyncio.timeout(10):
        await pool.drain()
    await pool.close()
    assert sorted(outcome.work.id for outcome in outcomes) == ["one", "two"]
    assert not any(outcome.aside for outcome in outcomes), journal.failed
