"""Whether code is measurably better than other code: less tangled by its syntax, or faster by the clock."""

from agentinstruct.agents.forms.programs import Speedup
from agentinstruct.tools.code.reading import shape_of
from agentinstruct.tools.sandbox import Limits, arun_python

FASTER = 2.0
"""A speed-up must be at least this, so that noise cannot be one."""
_LIMITS = Limits(wall_s=20, cpu_s=16)


def tangled_as(code: str, before: str) -> str:
    """Why code is no simpler than before; empty when some measure fell and none rose by much."""
    now, then = shape_of(code), shape_of(before)
    if not now.better(then):
        return f"no measure fell: nesting {now.nesting}, longest {now.longest}, branches {now.branches}"
    if now.nesting > then.nesting or now.branches > then.branches:
        return f"more tangled: nesting {then.nesting} → {now.nesting}, branches {then.branches} → {now.branches}"
    return ""


async def slower_than(form: Speedup, code: str) -> str:
    """Why code is not faster than what was given; both are timed on the workload in one and the same run."""
    program = "\n".join(
        [
            "import time",
            "def timed(text):",
            "    names = {'__name__': 'timed'}",
            "    exec(compile(text, 'code.py', 'exec'), names)",
            "    best = None",
            "    for _ in range(2):",
            "        started = time.perf_counter()",
            f"        exec(compile({form.workload!r}, 'workload.py', 'exec'), names)",
            "        spent = time.perf_counter() - started",
            "        best = spent if best is None else min(best, spent)",
            "    return best",
            f"print(timed({form.given!r}) / max(timed({code!r}), 1e-7))",
        ]
    )
    result = await arun_python(program, limits=_LIMITS)
    try:
        ratio = float(result.stdout.split()[-1])
    except (IndexError, ValueError):
        return f"the workload could not be timed: {result.status} {result.stderr.strip()[-120:]}"
    return "" if ratio >= FASTER else f"{ratio:.2f} times as fast as the given code; {FASTER:g} are wanted"
