"""The panel: model checks by agents that have not seen the key, or that judge against it.

solvers             independent solvers answer the item; the majority must be the key
outcome             an unanswerable item is called so by two in three; a flipped key differs from its parent's
one_right_option    every option judged alone; exactly one is right, and it is the key
means_key           a short answer in other words means the same as the key
harder              a refined item against its parent, shown in both orders
judge               the response against the skill's rubric
"""

from collections.abc import Mapping
from typing import Any

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, World, judged
from agentinstruct.agents.checks.responses import answered
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS, Choice, Pair, final_answer, read_form, says_unanswerable
from agentinstruct.agents.records import Call, Draft, Verdict
from agentinstruct.agents.replies import Agreement, Comparison, Judgement, OptionVerdicts, Solution
from agentinstruct.tools.quotes import fold


async def vote(draft: Draft, bench: Bench) -> Opinion:
    """Independent solvers against the key, or against the claim that nothing answers the item."""
    if not FORMS[draft.item.form].definite:
        return NOTHING
    solutions, calls = await solutions_of(draft, bench)
    if draft.outcome == "unanswerable":
        return [_unanswerable(solutions, bench.solvers)], calls
    votes = [await _is_key(draft, solution, bench) for solution in solutions]
    agreeing = sum(same for same, _ in votes)
    calls += [call for _, more in votes for call in more]
    said = "; ".join(f"{s.answer[:60]}{'' if s.answerable else ' (not answerable)'}" for s in solutions)
    evidence = f"{agreeing} of {bench.solvers} solvers gave the key {draft.item.key[:60]!r}: {said}"
    return [judged("solvers", 2 * agreeing > bench.solvers, evidence)], calls


async def solutions_of(
    draft: Draft, bench: Bench, prompt: str = "solve", first: int = 0, **inputs: Any
) -> tuple[list[Solution], list[Call]]:
    """What the solvers make of an item, all told the same; a solver without a usable reply has given no vote.

    Args:
        draft: The item. Its solvers see what `inputs` gives, else passage, question, options and form.
        bench: What there is to ask.
        prompt: The prompt that they are told by.
        first: The number of the first sample: another one asks solvers that have not been asked yet.
        inputs: What they see instead.
    """
    item = draft.item
    agent = bench.agent(prompt, FORMS[item.form].solution)
    shown = inputs or {"passage": draft.passage, "question": item.question, "options": item.options, "form": item.form}

    asked = agent.request(bench.solver, f"{draft.id}/{prompt}", **shown)
    return await agent.several(asked, range(first, first + bench.solvers))


def _unanswerable(solutions: list[Solution], asked: int) -> Verdict:
    denying = sum(not s.answerable or says_unanswerable(s.answer) for s in solutions)
    return judged("outcome", 3 * denying >= 2 * asked, f"{denying} of {asked} solvers found it not answerable")


async def _is_key(draft: Draft, solution: Solution, bench: Bench) -> tuple[bool, list[Call]]:
    if not solution.answerable:
        return draft.item.key == "Not Given", []
    return await same_as_key(draft, solution.answer, bench)


async def same_as_key(draft: Draft, answer: str, bench: Bench) -> tuple[bool, list[Call]]:
    """Whether an answer is the draft's key, in words or in meaning."""
    exact = FORMS[draft.item.form].agrees(draft.item.key, answer)
    if exact is not None:
        return exact, []
    return await means(draft, draft.item.key, answer, bench)


async def means(draft: Draft, first: str, second: str, bench: Bench) -> tuple[bool, list[Call]]:
    """Whether two answers to the draft's question mean the same."""
    agree = bench.agent("agree", Agreement)
    try:
        reply, call = await agree(bench.judge, draft.id, question=draft.item.question, first=first, second=second)
    except ReplyError as error:
        return False, list(error.calls)
    return reply.same, [call]


async def means_key(draft: Draft, bench: Bench) -> Opinion:
    """Whether the response's final answer means the key, where comparing words cannot tell."""
    if not FORMS[draft.item.form].definite or answered(draft) is not None:
        return NOTHING
    final = final_answer(draft.response)
    same, calls = await means(draft, draft.item.key, final, bench)
    return [judged("answered", same, f"{final[:80]!r} against the key {draft.item.key[:80]!r}")], calls


async def flipped(draft: Draft, bench: Bench) -> Opinion:
    """Whether a flipped item's key differs from its parent's verified key."""
    if draft.outcome != "flipped":
        return NOTHING
    parent = bench.parent
    voted = parent and next((v for v in parent.verdicts if v.check == "solvers"), None)
    if not parent or not voted or not voted.passed:
        return [judged("outcome", False, "the parent's own key was not verified")], []
    before, now = _substance(parent), _substance(draft)
    if draft.item.options:
        same, calls = before == now, list[Call]()
    else:
        same, calls = await same_as_key(parent, draft.item.key, bench)
    return [judged("outcome", not same, f"the key was {before[:80]!r}, now {now[:80]!r}")], calls


async def one_right(draft: Draft, bench: Bench) -> Opinion:
    """Whether exactly one option is right, each judged by itself."""
    item = draft.item
    if not issubclass(FORMS[item.form], Choice | Pair) or draft.outcome == "unanswerable":
        return NOTHING
    agent = bench.agent("options", OptionVerdicts)
    inputs: dict[str, Any] = {"passage": draft.passage, "question": item.question, "options": item.options}
    try:
        reply, call = await agent(bench.judge, draft.id, **inputs)
    except ReplyError as error:
        return [judged("one_right_option", False, f"no judgement: {error}")], list(error.calls)
    right = sorted({o.label.strip(" .()").upper()[:1] for o in reply.options if o.correct})
    evidence = f"judged right: {', '.join(right) or 'none'}"
    return [judged("one_right_option", right == [item.key], evidence)], [call]


async def harder(draft: Draft, bench: Bench) -> Opinion:
    """Whether a refined item asks more than its parent, judged twice with the two changing places."""
    if bench.parent is None or draft.outcome != "kept" or not bench.skill.goals[draft.goal].asks_more:
        return NOTHING
    before, now = bench.parent.item.view, draft.item.view
    agent, calls = bench.agent("harder", Comparison), list[Call]()
    for first, second, wanted in ((before, now, "second"), (now, before, "first")):
        try:
            reply, call = await agent(bench.judge, draft.id, first=first, second=second)
        except ReplyError as error:
            return [judged("harder", False, f"no judgement: {error}")], [*calls, *error.calls]
        calls.append(call)
        if reply.harder != wanted:
            evidence = f"as the {wanted} of the two it was not found the harder: {reply.why[:160]}"
            return [judged("harder", False, evidence)], calls
    return [judged("harder", True, "found harder in both orders")], calls


async def graded(draft: Draft, bench: Bench) -> Opinion:
    """The response against the skill's whole rubric: every criterion must be judged, and met."""
    wanted, shown = bench.skill.file.rubric, _judged(draft, bench.world)
    judge = bench.agent("judge", Judgement)
    try:
        reply, call = await judge(bench.judge, draft.id, rubric=dict(wanted), **shown)
    except ReplyError as error:
        return [judged("judge", False, f"no judgement: {error}")], list(error.calls)
    missed = [c for c in reply.criteria if not c.met]
    unjudged = sorted(set(wanted) - {_named(c.criterion, wanted) for c in reply.criteria})
    evidence = "; ".join(f"{c.criterion}: {c.evidence[:160]}" for c in missed)
    evidence = evidence or (f"not judged: {', '.join(unjudged)}" if unjudged else "every criterion met")
    return [judged("judge", not missed and not unjudged, evidence)], [call]


def _judged(draft: Draft, world: World | None) -> Mapping[str, Any]:
    if world is not None:
        return world.judged(draft)
    return {"request": draft.request, "response": draft.response, "reference": reference(draft)}


def reference(draft: Draft) -> str:
    """What a judge may hold a response against: the key, or the points of an essay."""
    points = getattr(read_form(draft.item), "points", ())
    return "\n".join(f"- {point}" for point in points) or draft.item.key


def _named(criterion: str, wanted: Mapping[str, str]) -> str:
    """The rubric's name for what a judge calls a criterion: its name, or its sentence."""
    said = criterion.strip(" *`:.").casefold()
    words = "_".join(said.split())
    if words in wanted:
        return words
    return next((n for n, s in wanted.items() if words.startswith(n) or s.casefold().rstrip(".") in said), words)


def _substance(draft: Draft) -> str:
    """What a key says, without its labels: options are shuffled anew for each draft, so labels do not compare."""
    written = draft.item.written
    if "pairs" in written:
        return "; ".join(sorted(fold(f"{pair['left']} - {pair['right']}") for pair in written["pairs"]))
    if "events" in written:
        return "; ".join(map(fold, written["events"]))
    for name in ("right", "true_statement"):
        if name in written:
            return fold(written[name])
    return draft.item.key


CHECKS = tuple(
    # Two items are compared before anybody is paid to answer, and while both are there.
    Check(name, proves, "model", "item" if name == "harder" else "response", find)
    for name, proves, find in (
        ("means_key", "The final answer means the key, said in other words.", means_key),
        ("solvers", "Most independent solvers, who have not seen the key, come to it.", vote),
        ("outcome", "A flipped item's key differs from its parent's verified key.", flipped),
        ("one_right_option", "Only the key is right when each option is judged alone.", one_right),
        ("harder", "A refined item asks more than its parent, in whichever order they are shown.", harder),
        ("judge", "The response meets every criterion of the skill's rubric.", graded),
    )
)
