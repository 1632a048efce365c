"""Checks of puzzles: the core is proved, the words say all of it and no more, and read back they give the same key.

unique          the solver proves the core again
names           every name and number of the core is in the words, every rule's names stand together
reformalised    an agent that has not seen the core writes the words in the solver's language, or as a program; solved,
                it must come to the key, and no single sentence may give it away
eliminated      the response deals with every option once and keeps only the one it answers with
not_famous      no well-known puzzle in other clothes
one_answer      a riddle has no other answer as good
"""

import asyncio
import re
from collections.abc import Iterator

from agentinstruct.agents.checks.check import Bench, Check, Opinion, exact, verdicts
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS, read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.puzzle import Case, Deduced, Game, Inference, Puzzle, Riddle, Ruling
from agentinstruct.agents.records import Call, Draft, Verdict
from agentinstruct.agents.replies_puzzle import Formalised, Program, Rivals
from agentinstruct.tools.puzzles import Core, Unproved, prove
from agentinstruct.tools.puzzles.famous import famous
from agentinstruct.tools.quotes import fold, numbers
from agentinstruct.tools.sandbox import arun_python
from agentinstruct.tools.solver import Missing, Problem, Proof, Query, Undecided, reply

CHOSEN = (Game.name, Inference.name, Ruling.name, Case.name)
CORED = (Puzzle.name, *CHOSEN)
LISTED = 2
"""Names that a sentence may have besides those of its rule and still be that rule."""
_TOLD = re.compile(r"\b(?:the (?:answer|solution) (?:is|was)|answer:|solution:|hint:)", re.IGNORECASE)


def _core(draft: Draft) -> Core:
    form = read_form(draft.item)
    assert isinstance(form, Puzzle)
    return form.proved


async def _unique(draft: Draft, bench: Bench) -> Opinion:
    try:
        evidence, passed = await asyncio.to_thread(prove, _core(draft)), True
    except (Unproved, Missing) as error:
        evidence, passed = str(error), False
    return [Verdict(check="unique", passed=passed, kind="run", evidence=evidence)], []


def _names(draft: Draft, bench: Bench) -> Iterator[Fault]:
    core, text = _core(draft), f"{draft.item.question}\n{draft.item.options}"
    folded, said = fold(text), set(numbers(text))
    for name in core.names:
        number = re.fullmatch(r"-?\d+", name)
        if float(name) not in said if number else not _stands(name, folded):
            yield "names", f"the words do not name {name!r}"
    units = [fold(unit) for unit in re.split(r"(?<=[.!?;])\s+|\n+", draft.item.question)]
    spoken = [{name for name in core.names if _stands(name, unit)} for unit in units]
    for rule in core.rules:
        about = {name for name in rule.about if name in core.names}
        # A sentence that lists all the names states no rule.
        if about and not any(about <= said and len(said) <= len(about) + LISTED for said in spoken):
            yield "names", f"no sentence speaks of {' and '.join(rule.about)} together, as the rule does: {rule.text}"
    if told := _TOLD.search(draft.item.question):
        yield "names", f"the words speak of the answer: {told[0]!r}"


def _stands(name: str, folded: str) -> bool:
    bare = re.sub(r"^the ", "", fold(name))
    return re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", folded) is not None


async def _reformalised(draft: Draft, bench: Bench) -> Opinion:
    core = _core(draft)
    found, calls = "", list[Call]()
    for sample in range(2):
        try:
            read = _by_program if core.language == "program" else _by_constraints
            evidence, passed = await read(draft, bench, sample, calls)
            break
        except (ReplyError, ValueError, Undecided, Missing) as error:
            calls += error.calls if isinstance(error, ReplyError) else ()
            evidence, passed = f"{found}{error}"[:400], False
            found = f"{evidence}; "
    return [Verdict(check="reformalised", passed=passed, kind="run", evidence=evidence)], calls


async def _by_constraints(draft: Draft, bench: Bench, sample: int, calls: list[Call]) -> tuple[str, bool]:
    agent, item = bench.agent("formalise", Formalised), draft.item
    draw = f"{draft.id}/formalise/{sample}"
    reading, call = await agent(bench.solver, draw, sample=sample, question=item.question, options=item.options)
    calls.append(call)
    said = await asyncio.to_thread(reply, reading.query)
    if FORMS[item.form].agrees(item.key, said) is not True:
        return f"read back, the words come to {said!r}, the key is {item.key!r}", False
    if told := await asyncio.to_thread(_gives_away, reading.query, said):
        return f"one sentence by itself gives the answer away: {told}", False
    return f"read back, the words come to the key {said!r}", True


def _gives_away(query: Query, label: str) -> str:
    """A constraint that settles an open question by itself; empty when there is none."""
    claim = next((choice.claim for choice in query.choices if choice.label == label), "")
    if query.wanted != "must" or not claim:
        return ""
    variables = query.problem.variables
    alone = (Problem(variables=variables, constraints=(one,)) for one in ("true", *query.problem.constraints))
    return next((problem.constraints[0] for problem in alone if Proof(problem).entails(claim)), "")


async def _by_program(draft: Draft, bench: Bench, sample: int, calls: list[Call]) -> tuple[str, bool]:
    agent, item = bench.agent("program", Program), draft.item
    draw = f"{draft.id}/program/{sample}"
    program, call = await agent(bench.solver, draw, sample=sample, question=item.question)
    calls.append(call)
    ran = await arun_python(program.source)
    printed = ran.stdout.strip().splitlines()
    if ran.returncode != 0 or not printed:
        raise Undecided(f"the program printed nothing: {(ran.stderr or 'no output').strip()[-160:]}")
    said = printed[-1].strip()
    passed = FORMS[item.form].agrees(item.key, said) is True
    return f"worked out from the words it is {said[:80]!r}, the key is {item.key!r}", passed


def _eliminated(draft: Draft, bench: Bench) -> Iterator[Fault]:
    said = Deduced.model_validate(draft.said)
    offered = re.findall(r"^([A-J])\. ", draft.item.options, re.MULTILINE)
    labels = [one.label.strip(" .():").upper()[:1] for one in said.options]
    if labels != offered:
        yield "eliminated", f"the options are {', '.join(offered)}; dealt with are {', '.join(labels)}"
    kept = [label for label, one in zip(labels, said.options, strict=True) if one.stands]
    if kept != [said.answer.strip(" .()*")[:1].upper()]:
        yield "eliminated", f"left standing: {', '.join(kept) or 'none'}; answered: {said.answer}"


def _not_famous(draft: Draft, bench: Bench) -> Iterator[Fault]:
    if known := famous(draft.item.question):
        yield "not_famous", f"it is the well-known puzzle of {known}"


async def _one_answer(draft: Draft, bench: Bench) -> Opinion:
    agent, item = bench.agent("rivals", Rivals), draft.item
    try:
        found, call = await agent(bench.judge, draft.id, question=item.question, answer=item.key)
    except ReplyError as error:
        failed = Verdict(check="one_answer", passed=False, kind="model", evidence=f"no judgement: {error}")
        return [failed], list(error.calls)
    good = [rival.answer for rival in found.rivals if rival.as_good]
    evidence = f"as good: {'; '.join(good)}" if good else found.why if not found.intended_fits else ""
    faults = [("one_answer", evidence)] if good or not found.intended_fits else []
    return verdicts("one_answer", faults, "model"), [call]


CHECKS = (
    Check("unique", "The solver proves the core's one answer.", "run", "item", _unique, frozenset(CORED)),
    exact("names", "The words name all that the core has, and give nothing away.", "item", _names, forms=CORED),
    exact("not_famous", "It is no well-known puzzle in other clothes.", "item", _not_famous),
    Check(
        "reformalised",
        "Read back into the solver's language by one who has not seen the core, the words have the same one answer.",
        "model",
        "item",
        _reformalised,
        frozenset(CORED),
    ),
    Check(
        "one_answer", "A riddle has no other answer as good.", "model", "item", _one_answer, frozenset({Riddle.name})
    ),
    exact(
        "eliminated",
        "Every option is dealt with once, and only the answer is left.",
        "response",
        _eliminated,
        forms=CHOSEN,
    ),
)
