"""What a task asks of code besides its tests: things it may not use, a time, several files, tests of its own."""

import ast
from collections.abc import AsyncIterator, Sequence
from secrets import token_hex

from agentinstruct.agents.checks.measured import WAITS, seconds, timing
from agentinstruct.agents.forms.programs import Demand, Tested
from agentinstruct.tools.code import Block, prove
from agentinstruct.tools.code.mutation import check
from agentinstruct.tools.code.reading import entries, imported, tree_of, used
from agentinstruct.tools.sandbox import Limits, arun_python


async def unmet(form: Tested, code: Sequence[Block], *, reference: bool = False) -> AsyncIterator[str]:
    """The demands of an item that code does not meet; files and own tests are not asked of a reference."""
    whole = "\n\n\n".join(block.code for block in code)
    for demand in form.demands:
        if demand.kind == "forbid" and (found := sorted(set(demand.names) & (used(whole) | imported(whole)))):
            yield f"it uses {found[0]}, which is ruled out"
        if demand.kind == "within" and (slow := await _too_slow(form, demand, whole)):
            yield slow
        if demand.kind == "files" and not reference and (fault := await _files_fault(form, demand, code)):
            yield fault
        if demand.kind == "own_tests" and not reference and (fault := await _own_tests_fault(form, code)):
            yield fault


async def _too_slow(form: Tested, demand: Demand, code: str) -> str:
    """Whether the workload takes more of a core than it may; starting the interpreter is not counted."""
    if "sleep" in used(code):
        return WAITS
    mark, most = token_hex(8), max(demand.seconds, 0.2)
    program = timing(f"print({mark!r}, timed({form.joined(code)!r}, {demand.workload!r}))")
    result = await arun_python(program, limits=Limits(wall_s=30, cpu_s=int(most) + 4))
    spent = seconds(result, mark)
    if spent is None:
        return f"the workload does not end within {most:g} s: {result.status} {result.stderr.strip()[-100:]}"
    return "" if spent <= most else f"the workload takes {spent:.1f} s, {most:g} are allowed"


async def _files_fault(form: Tested, demand: Demand, code: Sequence[Block]) -> str:
    """Every file that was asked for is there, under its name, and together they pass."""
    files = {block.name: block.code for block in code if block.name}
    if missing := [name for name in demand.names if name not in files]:
        return f"there is no file {missing[0]}"
    order = [files[name] for name in demand.names]
    modules = {name.removesuffix(".py").replace("/", ".") for name in demand.names}
    return await check(form.joined("\n\n\n".join(_without_imports(text, modules) for text in order)), form.tests)


def _without_imports(code: str, modules: set[str]) -> str:
    """The code without the lines that import one of the files from another: here they are one text."""
    tree = tree_of(code)
    if tree is None:
        return code
    lines = code.splitlines()
    for node in tree.body:
        own = isinstance(node, ast.ImportFrom) and (node.module in modules or bool(node.level))
        if own or (isinstance(node, ast.Import) and {alias.name for alias in node.names} <= modules):
            for place in range(node.lineno - 1, node.end_lineno or node.lineno):
                lines[place] = ""
    return "\n".join(lines)


async def _own_tests_fault(form: Tested, code: Sequence[Block]) -> str:
    """One of the blocks holds tests, which pass on the others and bite; the others pass the item's own tests."""
    tests = [block for block in code if _is_tests(block.code)]
    rest = [block for block in code if block not in tests]
    if not tests or not rest:
        return "there is no block of tests beside the code"
    solution = form.joined("\n\n\n".join(block.code for block in rest))
    if fault := await check(solution, form.tests):
        return fault
    proof = await prove(solution, "\n\n".join(block.code for block in tests), share=0.5)
    return f"its own tests: {proof.fault}" if proof.fault else ""


def _is_tests(code: str) -> bool:
    names = entries(code)
    return bool(names) and all(name.casefold().startswith("test") for name in names) and "assert" in code.casefold()
