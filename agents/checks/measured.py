"""Whether code is measurably better than other code: less tangled by its syntax, or faster by the clock."""

from secrets import token_hex

from agentinstruct.agents.forms.programs import Speedup
from agentinstruct.tools.code.reading import shape_of
from agentinstruct.tools.sandbox import ExecResult, Limits, arun_python

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
    mark = token_hex(8)
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
            f"print({mark!r}, timed({form.given!r}) / max(timed({code!r}), 1e-7))",
        ]
    )
    result = await arun_python(program, limits=_LIMITS)
    ratio = seconds(result, mark)
    if ratio is None:
        return f"the workload could not be timed: {result.status} {result.stderr.strip()[-120:]}"
    return "" if ratio >= FASTER else f"{ratio:.2f} times as fast as the given code; {FASTER:g} are wanted"


def seconds(result: ExecResult, mark: str) -> float | None:
    """What a run that went to its end printed last, behind its own secret mark; None where it did not."""
    said = result.stdout.split()[-2:]
    if result.status != "ok" or len(said) < 2 or said[0] != mark:
        return None
    return float(said[1])
