"""Code that was asked to be fast is timed by what it takes of a core, and cannot talk its way past the clock."""

import pytest

from agentinstruct.agents.checks.demands import unmet
from agentinstruct.agents.checks.measured import WAITS, slower_than
from agentinstruct.agents.forms.programs import Demand, Program, Speedup
from agentinstruct.tools.code import Block

GIVEN = "def total(n):\n    return sum(i * i for i in range(n))"
WITHIN = Demand(kind="within", names=(), workload="total(3)", seconds=0.3)


async def faults(code: str) -> list[str]:
    form = Program.model_construct(tests="assert total(1) == 0", demanded=(WITHIN,))
    return [fault async for fault in unmet(form, [Block("", code)])]


@pytest.mark.parametrize(
    "code",
    [
        "from __future__ import annotations\ndef total(n: int):\n    return n",
        "_clock = timed = 0.0\ndef total(n):\n    return n",
    ],
)
async def test_good_code_passes_whatever_it_calls_its_own_things(code: str) -> None:
    assert await faults(code) == []


async def test_slow_code_fails_and_cannot_stop_the_clock() -> None:
    busy = "def total(n):\n    return sum(range(5 * 10**7))"
    forged = "import time\ntime.process_time = time.perf_counter = lambda: 0.0\ndef _clock():\n    return 0.0\n"
    for code in (busy, forged + busy):
        assert "0.3 are allowed" in (await faults(code))[0]


async def test_waiting_is_not_free() -> None:
    assert await faults("import time\ndef total(n):\n    time.sleep(2)") == [WAITS]


async def test_a_speed_up_is_one_on_the_first_call() -> None:
    form = Speedup.model_construct(code=GIVEN, workload="total(400_000)")
    assert await slower_than(form, "def total(n):\n    return (n - 1) * n * (2 * n - 1) // 6") == ""
    assert "times as fast" in await slower_than(form, GIVEN)
    kept = f"from functools import lru_cache\n@lru_cache\n{GIVEN}"
    assert "times as fast" in await slower_than(form, kept)
