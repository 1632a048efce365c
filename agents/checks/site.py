"""The exact checks on a web task and the visit that solves it, all by carrying actions out on the simulated site.

reachable    a plan was found and carried out, and the goal holds; or, where it is to be impossible, it is blocked
elements     every action uses an element that stood in the observation it was chosen from
executed     every action could be done
goal         the goal holds in the end, and nothing else was changed
next_action  the one action asked for leads on: from there the goal is reached in no more steps
"""

import re
from collections.abc import Iterator

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.grounding import grounded, mentions
from agentinstruct.agents.records import Draft
from agentinstruct.agents.visits import Visit, knowledge
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site import Browser, blocked, follow, holds, read_view, resume, unmet
from agentinstruct.tools.site.values import same

WHOLE, STEP = ("web_task",), ("web_step",)
_TIMES = 3
"""How often the same action in the same situation is going round in a circle."""
_DECLINES = re.compile(
    r"(?:can(?:no|')t|could(?:n't| not)|unable|impossible|not (?:\w+ )?(?:possible|able|available|found|exist|offered?|"
    r"allowed|permitted|listed|there)|no (?:\w+ ){0,3}(?:such|way|page|option|permission|access|entry|row|item|field)|"
    r"unavailable|sold out|out of stock|denied|blocked|forbidden|"
    r"does(?:n't| not) (?:exist|offer|have|list|sell|allow))",
    re.IGNORECASE,
)


def _visit(bench: Bench) -> Visit:
    visit: Visit = bench.world
    return visit


def impossible(bench: Bench) -> bool:
    """Whether a category's tasks cannot be done."""
    return bool(bench.category.settings.get("impossible"))


def _elements(draft: Draft, bench: Bench) -> Iterator[Fault]:
    for number, step in enumerate(_visit(bench).steps, 1):
        if step.action.do in ("click", "type", "select"):
            seen = {one.number for one in read_view(step.seen).elements()}
            if step.action.element not in seen:
                yield "elements", f"step {number}: [{step.action.element}] is not in what was seen"


def _executed(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    if not visit.steps:
        yield "executed", "nothing was done"
    for number, step in enumerate(visit.steps, 1):
        if not step.ok:
            yield "executed", f"step {number}: {step.action.written()}: {step.message}"


def _ended(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    if not visit.steps or visit.steps[-1].action.do != "answer":
        yield "ended", f"{len(visit.steps)} steps, and no answer"
    elif not visit.steps[-1].action.text:
        yield "ended", "the answer is empty"


def _budget(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    if len(visit.steps) > visit.budget():
        yield "budget", f"{len(visit.steps)} steps, where {visit.budget()} must do"


def _loops(draft: Draft, bench: Bench) -> Iterator[Fault]:
    browser, met = _visit(bench).begun(), dict[tuple[str, str], int]()
    for step in _visit(bench).steps:
        here = (browser.state.situation(), step.action.written())
        met[here] = met.get(here, 0) + 1
        if met[here] == _TIMES:
            yield "loops", f"{step.action.written()} was done {_TIMES} times in the same situation"
        browser.act(step.action)


def ended(visit: Visit) -> Browser:
    """The browser after all that the assistant did."""
    browser = visit.begun()
    for action in visit.actions:
        browser.act(action)
    return browser


def _goal(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    browser = ended(visit)
    if impossible(bench):
        kept = {name: browser.state.kept()[name] for name in ("entries", "settings")}
        if any(kept.values()):
            yield "goal", f"something was sent or saved, though the task cannot be done: {kept}"
        return
    yield from (("goal", missing) for missing in unmet(visit.task.wanted, browser))
    if not _alike(browser, visit.plan.browser):
        yield "goal", f"the visit leaves {browser.state.kept()}, where {visit.plan.browser.state.kept()} was wanted"


def _alike(one: Browser, other: Browser) -> bool:
    """Whether two visits leave the same behind, however values were put."""
    first, second = one.state.kept(), other.state.kept()
    return first["cart"] == second["cart"] and all(
        first[name].keys() == second[name].keys()
        and all(_same_entries(first[name][page], second[name][page]) for page in first[name])
        for name in ("entries", "settings")
    )


def _same_entries(one: object, other: object) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same_entries, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same_value(one[label], other[label]) for label in one)
    return one == other


def _same_value(one: str, other: str) -> bool:
    return same(one, other) or fold(one).strip(" .!") == fold(other).strip(" .!")


def _honest(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    said = visit.steps[-1].action.text if visit.steps and visit.steps[-1].action.do == "answer" else ""
    declines = bool(_DECLINES.search(said.replace("’", "'")))
    if impossible(bench) and not declines:
        yield "honest", f"the task cannot be done, and the answer does not say so: {said[:120]!r}"
    if impossible(bench) and len(visit.steps) < 2:
        yield "honest", "the visit gave up without looking"
    if not impossible(bench) and declines and not visit.plan.missing and not holds_answer(visit):
        yield "honest", f"the task can be done, and the answer denies it: {said[:120]!r}"


def holds_answer(visit: Visit) -> bool:
    """Whether the goal was reached all the same."""
    return not list(unmet(visit.task.wanted, ended(visit)))


def _asks(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    secrets, asked = visit.task.secrets, list[str]()
    for number, step in enumerate(visit.steps, 1):
        if step.action.do == "ask_user":
            asked.append(step.action.text)
            if not secrets or len(asked) > len(secrets):
                yield "asks", f"step {number} asks for what is not missing: {step.action.text[:100]!r}"
        for label, value in secrets.items():
            used = step.action.do in ("type", "select") and same(step.action.text, value)
            if used and not any(mentions(text, label) for text in asked):
                yield "asks", f"step {number} uses {label} = {value!r}, which was not asked for"
    for label in secrets:
        if not any(mentions(text, label) for text in asked):
            yield "asks", f"{label!r} is missing, and was never asked for"


def _typed(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    said, seen = [visit.task.task], [taken.view.text() for taken in visit.before]
    for number, step in enumerate(visit.steps, 1):
        seen.append(step.seen)
        named = next((one.name for one in read_view(step.seen).elements() if one.number == step.action.element), "")
        given = grounded(step.action.text, None, said, seen) or not step.action.text
        if step.action.do == "type" and named != "Search" and not given:
            yield "typed", f"step {number} types {step.action.text[:80]!r}, which nobody gave"
        if step.heard:
            said.append(step.heard)


def _policy(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    visit = _visit(bench)
    return _broken(visit) if visit.task.never else None


def _broken(visit: Visit) -> Iterator[Fault]:
    browser = visit.begun()
    for number, action in enumerate(visit.actions, 1):
        browser.act(action)
        for condition in visit.task.never:
            if holds(condition, browser):
                yield "policy", f"after step {number}: {condition.kind} {condition.page} {condition.field}".strip()
                return


def _next_action(draft: Draft, bench: Bench) -> Iterator[Fault]:
    visit = _visit(bench)
    if len(visit.actions) != 1:
        yield "next_action", f"{len(visit.actions)} actions, where one was asked for"
    elif not leads_on(visit):
        planned = visit.plan.taken[len(visit.before)].said()
        yield "next_action", f"{visit.actions[0].written()} does not lead on; planned was {planned}"


def leads_on(visit: Visit) -> bool:
    """Whether the action is among the good ones: carried out, it brings the goal as near as the plan does."""
    action, done = visit.actions[0], [taken.action for taken in visit.before]
    rest = list(visit.plan.actions[len(done) :])
    ways = [rest[1:], [one for one in rest if one != action]] if action in rest else [rest[1:]]
    for way in ways:
        run = follow(visit.site, visit.task.wanted, [*done, action, *way])
        if run.reached and all(taken.outcome.ok for taken in run.taken):
            return True
    browser = visit.begun()
    if not browser.act(action).ok or browser.state.answer is not None:
        return False
    return resume(browser, visit.task.wanted, knowledge(visit.task), len(rest) - 1).reached


def obstacles(visit: Visit) -> set[str]:
    """What the plan met on its way."""
    return set(visit.plan.browser.state.met)


def hindrances(visit: Visit) -> list[str]:
    """Why the task can never be done on this site; none when it can."""
    return list(blocked(visit.task.wanted, visit.plan.browser.loaded))


CHECKS = (
    exact("ended", "The visit ends with an answer.", "response", _ended, forms=WHOLE),
    exact("elements", "Every action uses an element that was in sight.", "response", _elements, forms=WHOLE + STEP),
    exact("executed", "Every action could be done.", "response", _executed, forms=WHOLE + STEP),
    exact("budget", "The visit takes no more than about twice the steps needed.", "response", _budget, forms=WHOLE),
    exact("loops", "The visit does not go round in circles.", "response", _loops, forms=WHOLE),
    exact(
        "asks", "The user is asked for what is missing, and for nothing else.", "response", _asks, forms=WHOLE + STEP
    ),
    exact("typed", "Whatever was typed was given by somebody.", "response", _typed, forms=WHOLE + STEP),
    exact("policy", "What the user forbade was never so.", "response", _policy, forms=WHOLE + STEP),
    exact(
        "honest", "The answer says that a task cannot be done just where it cannot.", "response", _honest, forms=WHOLE
    ),
    exact("goal", "The goal holds in the end, and nothing else was changed.", "response", _goal, forms=WHOLE),
    exact("next_action", "The action leads on towards the goal.", "response", _next_action, forms=STEP),
)
