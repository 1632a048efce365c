"""Checks of code that run it: tests prove a solution, shown code behaves as told, an answer does what was asked.

Nothing passes because it could not be run: where no sandbox works, the verdict is a failure that says so.
"""

from collections.abc import AsyncIterator, Callable, Iterable
from functools import wraps
from typing import Literal

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, verdicts
from agentinstruct.agents.checks.demands import unmet
from agentinstruct.agents.checks.measured import slower_than, tangled_as
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.on_code import Documentation, SqlQuery, Testing, Translation, Walkthrough
from agentinstruct.agents.forms.programs import Refactor, Speedup, Tested
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.tools.code import (
    Block,
    Proof,
    SqlError,
    blocks,
    language_of,
    prove,
    query_mutants,
    run_query,
)
from agentinstruct.tools.code.mutation import check
from agentinstruct.tools.code.reading import bare_code, undocumented
from agentinstruct.tools.sandbox import SandboxUnavailable, arun_python

Found = str | Proof | None
"""A fault, or a proof whose evidence is kept, or that a check has nothing to do with a draft."""
Finder = Callable[[Draft, Bench], AsyncIterator[Found]]
TESTED = ("program", "completion", "repair", "crash", "refactor", "speedup", "extension", "code_review", "translation")
SHOWN = ("completion", "repair", "crash", "refactor", "speedup", "code_review")


def running(name: str, stage: Literal["item", "response"], proves: str, find: Finder, forms: Iterable[str]) -> Check:
    """A check that runs code; what it finds is a fault, and so is a sandbox that does not work."""

    @wraps(find)
    async def found(draft: Draft, bench: Bench) -> Opinion:
        try:
            said = [one async for one in find(draft, bench)]
        except SandboxUnavailable as error:
            said = [f"nothing was run: {error}"]
        if None in said:
            return NOTHING
        faults = [(name, one[:400]) for one in said if isinstance(one, str)]
        evidence = next((one.evidence for one in said if isinstance(one, Proof)), "")
        if not faults:
            return [Verdict(check=name, passed=True, kind="run", evidence=evidence)], []
        return verdicts(name, faults, "run"), []

    return Check(name, proves, "run", stage, found, frozenset(forms))


def answered_in(draft: Draft, language: str) -> str:
    """The code of this language in a response, all blocks together."""
    return "\n\n\n".join(block.code for block in blocks(draft.response) if block.language == language)


async def _proved(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form = read_form(draft.item)
    if isinstance(form, Testing):
        proof = await prove(form.code, form.tests)
    elif isinstance(form, Translation):
        proof = await prove(form.python, form.tests)
    elif isinstance(form, Tested):
        proof = await prove(form.joined(form.reference), form.tests)
    else:
        return
    yield proof.fault or proof
    if isinstance(form, Tested) and proof.proved:
        async for fault in unmet(form, [Block("python", form.reference)], reference=True):
            yield f"the reference solution: {fault}"


async def _given_behaves(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form = read_form(draft.item)
    if not isinstance(form, Tested):
        return
    fault = await check(form.given, form.tests)
    if form.behaviour == "fails" and not fault:
        yield "the tests pass on the given code, so there is nothing to put right"
    if form.behaviour == "passes" and fault:
        yield f"the given code does not work: {fault}"
    if not fault and isinstance(form, Refactor) and (kept := tangled_as(form.reference, form.given)):
        yield f"the reference is no better: {kept}"
    if not fault and isinstance(form, Speedup) and (slow := await slower_than(form, form.reference)):
        yield f"the reference is no faster: {slow}"


async def _asks_more(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    if bench.parent is None:
        yield None
        return
    form, before = read_form(draft.item), read_form(bench.parent.item)
    if isinstance(form, SqlQuery) and isinstance(before, SqlQuery):
        if _same_rows(form.tables, before.query, form.query):
            yield "the parent's query still gives the rows that are asked for"
        return
    if not isinstance(form, Tested) or not isinstance(before, Tested):
        return
    if await check(form.joined(before.reference), form.tests):
        return
    async for _ in unmet(form, [Block("python", before.reference)]):
        return
    yield "the parent's solution does all that the refined item asks"


def _same_rows(tables: str, query: str, other: str) -> bool:
    try:
        return run_query(tables, other).same(run_query(tables, query))
    except SqlError:
        return False


async def _telling_rows(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form = read_form(draft.item)
    if not isinstance(form, SqlQuery):
        return
    wrong = list(query_mutants(form.query))
    same = [mutant for mutant in wrong if _same_rows(form.tables, mutant, form.query)]
    if same and len(same) * 2 >= len(wrong):
        yield f"{len(same)} of {len(wrong)} wrong queries give the same rows, such as {same[0]!r}"


async def _passes(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form = read_form(draft.item)
    if not isinstance(form, Tested):
        return
    if isinstance(form, Translation) and language_of(form.target) != "python":
        yield None  # it was parsed; there is nothing here to run it with
        return
    code = [block for block in blocks(draft.response) if block.language == "python"]
    if any(demand.kind in ("files", "own_tests") for demand in form.demands):
        async for fault in unmet(form, code):
            yield fault
        return
    if fault := await check(form.joined(_without_repeats(code, form)), form.tests):
        yield fault
        return
    async for fault in unmet(form, code):
        yield fault


def _without_repeats(code: list[Block], form: Tested) -> str:
    """The answer's code: all blocks, unless the last by itself is the whole."""
    whole = [block.code for block in code if not form.given or block.code.strip() != form.given.strip()]
    return "\n\n\n".join(whole)


async def _improved(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form, code = read_form(draft.item), answered_in(draft, "python")
    if isinstance(form, Refactor) and (kept := tangled_as(code, form.given)):
        yield kept
    if isinstance(form, Speedup) and (slow := await slower_than(form, code)):
        yield slow


async def _tests_bite(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form = read_form(draft.item)
    if isinstance(form, Testing):
        proof = await prove(form.code, answered_in(draft, "python"))
        yield proof.fault or proof


async def _same_code(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form, code = read_form(draft.item), answered_in(draft, "python")
    if not isinstance(form, Documentation):
        return
    if bare_code(code) != bare_code(form.code):
        yield "beneath its documentation the code is not what it was"
    if missing := list(undocumented(code)):
        yield f"{missing[0]} is not documented"
    program = f"{code}\n\nimport doctest\nraise SystemExit(doctest.testmod().failed)\n"
    result = await arun_python(program)
    if result.status != "ok":
        yield f"an example in a docstring fails: {(result.stdout or result.stderr).strip()[-200:]}"


async def _rows(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form = read_form(draft.item)
    if not isinstance(form, SqlQuery):
        return
    said = [block.code for block in blocks(draft.response) if block.language == "sql"]
    try:
        given = run_query(form.tables, said[-1] if said else "")
    except SqlError as error:
        yield str(error)
        return
    if not run_query(form.tables, form.query).same(given):
        yield f"the rows differ from those of the reference: {given.table(4)!r}"


async def _examples_hold(draft: Draft, bench: Bench) -> AsyncIterator[Found]:
    form = read_form(draft.item)
    if not isinstance(form, Walkthrough):
        return
    for one in draft.said.get("examples", ()):
        claim = f"assert ({one['expression'].strip('` ')}) == ({one['value'].strip('` ')})"
        result = await arun_python(f"{form.code}\n\n{claim}\n")
        if result.status != "ok":
            last = result.stderr.strip().splitlines()[-1:]
            yield f"{one['expression']!r} does not give {one['value']!r}: {' '.join(last)}"


def _check(name: str, stage: Literal["item", "response"], find: Finder, forms: Iterable[str], proves: str) -> Check:
    return running(name, stage, proves, find, forms)


CHECKS: tuple[Check, ...] = tuple(
    _check(*parts)
    for parts in (
        (
            "proved",
            "item",
            _proved,
            (*TESTED, "testing"),
            "Its tests pass on the reference, and fail on mutants of it.",
        ),
        ("given_behaves", "item", _given_behaves, SHOWN, "The code that is shown fails or passes the tests as told."),
        ("telling_rows", "item", _telling_rows, ("sql_query",), "The rows tell the query from most wrong ones."),
        (
            "asks_more",
            "item",
            _asks_more,
            (*TESTED, "sql_query"),
            "The parent's solution does not meet a refined item.",
        ),
        (
            "passes",
            "response",
            _passes,
            TESTED,
            "The code of the answer passes the item's tests and meets its demands.",
        ),
        ("improved", "response", _improved, ("refactor", "speedup"), "The code is measurably simpler, or faster."),
        ("tests_bite", "response", _tests_bite, ("testing",), "The answer's tests pass on the code, fail on mutants."),
        ("same_code", "response", _same_code, ("documentation",), "Only documentation was added, and examples hold."),
        ("rows", "response", _rows, ("sql_query",), "The answer's query gives the rows of the reference query."),
        ("examples_hold", "response", _examples_hold, ("walkthrough",), "Every worked example gives what is said."),
    )
)
