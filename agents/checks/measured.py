"""Whether code is measurably better than other code: less tangled by its syntax, or faster by what it takes of a core.

Time is the CPU time of the sandboxed process: what else the machine does at that moment is no fault of the code's.
"""

from secrets import token_hex

from agentinstruct.agents.forms.programs import Speedup
from agentinstruct.tools.code.reading import shape_of, used
from agentinstruct.tools.sandbox import ExecResult, Limits, arun_python

FASTER = 2.0
"""A speed-up must be at least this, so that noise cannot be one."""
_LIMITS = Limits(wall_s=60, cpu_s=16)
_TIMING = """
def _timing():
    import sys, time, types
    clock = time.process_time
    try:
        clock()
    except (OSError, RuntimeError):  # WebAssembly has no such clock
        clock = time.perf_counter

    def made(text):
        module = sys.modules['measured'] = types.ModuleType('measured')
        exec(compile(text, 'code.py', 'exec'), module.__dict__)
        return module.__dict__

    def timed(text, workload):
        names, work = made(text), compile(workload, 'workload.py', 'exec')
        begun = clock()
        exec(work, names)
        return clock() - begun

    return timed

def _main():
    timed = _timing()
    {body}

_main()
"""
"""The clock is taken before the code that is measured runs, where that finds it by no name."""
WAITS = "it waits instead of working"


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
    if "sleep" in used(code):
        return WAITS
    mark, both = token_hex(8), (form.given, code)
    # Each time made anew, so that what the first call keeps does not make the second one faster.
    body = (
        f"rounds = [[timed(text, {form.workload!r}) for text in {both!r}] for _ in range(2)]\n"
        f"    before, now = map(min, zip(*rounds))\n    print({mark!r}, before / max(now, 1e-7))"
    )
    program = timing(body)
    result = await arun_python(program, limits=_LIMITS)
    ratio = seconds(result, mark)
    if ratio is None:
        return f"the workload could not be timed: {result.status} {result.stderr.strip()[-120:]}"
    return "" if ratio >= FASTER else f"{ratio:.2f} times as fast as the given code; {FASTER:g} are wanted"


def timing(body: str) -> str:
    """A program that has `timed(code, workload)`: seconds of a core that the workload takes with the code."""
    return _TIMING.replace("{body}", body)


def seconds(result: ExecResult, mark: str) -> float | None:
    """What a run that went to its end printed last, behind its own secret mark; None where it did not."""
    said = result.stdout.split()[-2:]
    if result.status != "ok" or len(said) < 2 or said[0] != mark:
        return None
    return float(said[1])
