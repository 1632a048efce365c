"""Whether code is measurably better than other code: less tangled by its syntax, or faster by what it takes of a core.

Time is the CPU time of the sandboxed process: what else the machine does at that moment is no fault of the code's.
"""

from secrets import token_hex

from agentinstruct.agents.forms.programs import Speedup
from agentinstruct.tools.code.reading import shape_of
from agentinstruct.tools.sandbox import ExecResult, Limits, arun_python

FASTER = 2.0
"""A speed-up must be at least this, so that noise cannot be one."""
_LIMITS = Limits(wall_s=60, cpu_s=16)
CLOCK = """
def _clock():
    import time
    try:
        return time.process_time()
    except (OSError, RuntimeError):  # WebAssembly has no such clock
        return time.perf_counter()
"""
"""Defined before the code that is measured."""


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
            CLOCK,
            "def _timed(names):",
            "    started = _clock()",
            f"    exec(compile({form.workload!r}, 'workload.py', 'exec'), names)",
            "    return _clock() - started",
            "def _names(text):",
            "    names = {'__name__': 'timed'}",
            "    exec(compile(text, 'code.py', 'exec'), names)",
            "    return names",
            f"_two = _names({form.given!r}), _names({code!r})",
            "_before, _now = map(min, zip(*[[_timed(one) for one in _two] for _ in range(2)]))",  # by turns
            f"print({mark!r}, _before / max(_now, 1e-7))",
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
