"""The sandbox as a LangChain tool that an agent may call while it answers."""

from typing import TYPE_CHECKING

from agentinstruct.tools.sandbox import ExecResult, Limits, SandboxUnavailable, arun_python

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

MAX_CODE = 20_000
MAX_SHOWN = 4_000
_LIMITS = Limits(wall_s=8, cpu_s=6, output_bytes=1 << 16)
_DESCRIPTION = (
    "Run a Python program (standard library only, no network, no files but its own) and get what it prints and the "
    "traceback it ends in, if any. Print what you want to see; nothing is kept from one run to the next."
)


def python_tool() -> "BaseTool":
    """The LangChain tool `run_python(code)`; its reply is bounded, and a failure is said, not raised."""
    from langchain_core.tools import StructuredTool

    async def run_python(code: str) -> str:
        return await run_shown(code)

    return StructuredTool.from_function(coroutine=run_python, name="run_python", description=_DESCRIPTION)


async def run_shown(code: str) -> str:
    """What a model gets to see of a run."""
    if len(code) > MAX_CODE:
        return f"Not run: the program has {len(code)} characters, {MAX_CODE} are allowed."
    try:
        result = await arun_python(code, limits=_LIMITS)
    except SandboxUnavailable as error:
        return f"Not run: {error}"
    return _told(result)


def _told(result: ExecResult) -> str:
    parts = [_cut(result.stdout.rstrip())]
    if result.stderr.strip():
        parts.append(_cut(result.stderr.rstrip()))
    if result.status not in ("ok", "error"):
        parts.append(f"[ended by the sandbox: {result.status}]")
    return "\n".join(filter(None, parts)) or "[nothing was printed]"


def _cut(text: str) -> str:
    if len(text) <= MAX_SHOWN:
        return text
    return f"{text[: MAX_SHOWN // 2]}\n[… {len(text) - MAX_SHOWN} characters …]\n{text[-MAX_SHOWN // 2 :]}"
