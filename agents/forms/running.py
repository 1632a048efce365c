"""Python run for a form: what a program prints, or how it crashes; a program that cannot be run spoils its item."""

from agentinstruct.agents.errors import ReplyError
from agentinstruct.tools.sandbox import ExecResult, Limits, SandboxUnavailable, arun_python

_LIMITS = Limits(wall_s=25, cpu_s=4, output_bytes=1 << 14)


async def run(program: str) -> ExecResult:
    """How a program ended.

    Raises:
        ReplyError: it did not end by itself, or nothing here can hold it.
    """
    try:
        result = await arun_python(program, limits=_LIMITS)
    except SandboxUnavailable as error:
        raise ReplyError("sandbox", str(error)) from error
    if result.status not in ("ok", "error"):
        raise ReplyError("unfinished", f"the program ended as {result.status}")
    return result


async def printed(program: str) -> str:
    """What a program prints. Raises ReplyError where it ends in an error, too."""
    result = await run(program)
    if result.status != "ok":
        last = " ".join(result.stderr.strip().splitlines()[-1:])
        raise ReplyError("program", f"the program ends in an error: {last[:200]}")
    return result.stdout


async def crash(program: str) -> str:
    """The traceback in which a program ends. Raises ReplyError where it ends well."""
    lines = (await run(program)).stderr.strip().splitlines()
    if not lines or not lines[0].startswith("Traceback"):
        raise ReplyError("no crash", f"the program does not crash: {' '.join(lines[-1:])[:200]}")
    return "\n".join(lines[-24:])
