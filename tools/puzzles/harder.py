"""Making a core harder: each way changes one thing of it, keeps the rest, and the result is proved anew."""

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any

from agentinstruct.tools.puzzles import draws, policy
from agentinstruct.tools.puzzles.cast import Cast
from agentinstruct.tools.puzzles.compose import complete
from agentinstruct.tools.puzzles.core import Core, NoCore
from agentinstruct.tools.puzzles.families import FAMILIES, LARGEST, asked, condition, gives_away, open_question
from agentinstruct.tools.puzzles.proving import Unproved, prove
from agentinstruct.tools.puzzles.questions import Asker
from agentinstruct.tools.puzzles.scene import Recipe
from agentinstruct.tools.puzzles.scenes import DAYS, cells, scene
from agentinstruct.tools.puzzles.statements import Statement, joined
from agentinstruct.tools.solver import ProblemError, Wanted

MODES: tuple[Wanted, ...] = ("must", "could", "cannot")
TRIES = 4
REMARKS = (
    "{who} has heard this story before, and {other} tells it wrongly",
    "{who} is {n} years older than {other}",
    "{who} came {n} minutes late that day",
    "{other} owns {n} umbrellas and has lost most of them",
)
"""Things that have nothing to do with the answer, though they sound as if they had."""


def harder(core: Core, way: str, cast: Cast, draw: Random) -> Core:
    """The core changed in this way.

    Raises:
        NoCore: this core cannot be changed so.
    """
    kind = core.recipe["kind"]
    work = (_WORKED if kind == "worked" else _POLICY if kind == "policy" else _RULED).get(way)
    if work is None:
        raise NoCore(f"a {core.family} puzzle cannot be changed this way: {way}")
    for _ in range(TRIES):
        try:
            changed = work(core, cast, draw)
            prove(changed)
        except (NoCore, ProblemError, Unproved) as error:
            problem = str(error)
            continue
        if changed.plain() != core.plain():
            return changed
    raise NoCore(f"no sound {core.family} puzzle was found this way: {way}: {problem}")


def _composer(core: Core, draw: Random) -> Asker:
    return Asker(scene(core.recipe), draw)


def _again(core: Core, composer: Asker, rules: Sequence[Statement], **changes: Any) -> Core:
    """The core with these rules and a new question of the same kind."""
    if core.open:
        return complete(composer.scene, family=core.family, rules=tuple(rules), **open_question(composer, rules))
    wanted = changes.get("wanted", core.wanted)
    return asked(core.family, composer, rules, wanted, changes.get("given", core.given))


def _add_rule(core: Core, cast: Cast, draw: Random) -> Core:
    """One more rule, which excludes something and leaves something open."""
    composer = _composer(core, draw)
    held = [rule.formal for rule in core.rules] + ([core.given.formal] if core.given else [])
    left = composer.start.only(*held)
    for statement in composer.said(FAMILIES[core.family].conditional, 80):
        if 2 <= left.where(statement.formal).bit_count() < len(left.found):
            return _again(core, composer, (*core.rules, statement))
    raise NoCore("no rule can be added")


def _conditional(core: Core, cast: Cast, draw: Random) -> Core:
    """One rule now holds only under a condition."""
    composer = _composer(core, draw)
    plain = [rule for rule in core.rules if rule.phrase]
    if not plain:
        raise NoCore("every rule is conditional already")
    rule = draw.choice(plain)
    for statement in composer.shuffled()[:40]:
        made = joined("if", statement, rule)
        rules = [made if one is rule else one for one in core.rules]
        if not set(statement.about) & set(rule.about) and composer.independent(rules):
            return _again(core, composer, rules)
    raise NoCore("no condition fits")


def _local(core: Core, cast: Cast, draw: Random) -> Core:
    """The question now supposes something."""
    composer = _composer(core, draw)
    return _again(core, composer, core.rules, given=condition(composer, core.rules))


def _swapped(core: Core, cast: Cast, draw: Random) -> Core:
    """Another modality is asked for."""
    if core.wanted not in MODES or core.open:
        raise NoCore("the question is not of what must, could or cannot be")
    others = [mode for mode in MODES if mode != core.wanted]
    return _again(core, _composer(core, draw), core.rules, wanted=draw.choice(others))


def _redundant(core: Core, cast: Cast, draw: Random) -> Core:
    """A rule that follows from the others: nothing changes, but it has to be seen."""
    composer = _composer(core, draw)
    left = composer.start.only(*(rule.formal for rule in core.rules))
    known = {rule.formal for rule in core.rules} | {choice.formal for choice in core.choices}
    for statement in (*composer.shuffled(), *composer.said(1.0, 80)):
        follows = left.where(statement.formal).bit_count() == len(left.found)
        tells = core.open and gives_away(composer, statement, core.choices[core.right].formal)
        if follows and not tells and statement.formal not in known and not composer.obvious(statement, core.rules):
            place = draw.randrange(len(core.rules) + 1)
            rules = (*core.rules[:place], statement, *core.rules[place:])
            return core.model_copy(update={"rules": rules})
    raise NoCore("nothing follows that could be added")


def _enlarged(core: Core, cast: Cast, draw: Random) -> Core:
    """One more of everything, the old rules, and as many new ones as that takes."""
    recipe = _larger(core.recipe, cast, draw)
    family, composer = FAMILIES[core.family], Asker(scene(recipe), draw)
    if family.singled:
        rules = composer.solving(() if recipe["kind"] == "liars" else core.rules)
        return complete(composer.scene, family=core.family, rules=tuple(rules), **open_question(composer, rules))
    least, most = family.open
    begun = () if recipe["kind"] == "table" else core.rules
    rules = composer.ruled(len(core.rules) + 1, least, most * 2, family.conditional, begun)
    return _again(core, composer, rules, given=None)


def _larger(recipe: Recipe, cast: Cast, draw: Random) -> dict[str, Any]:
    new = dict(recipe)
    if "columns" in new:
        new["columns"] = [[*column, _another(cast, [column])] for column in new["columns"]]
        size = len(new["columns"][0])
    else:
        new["names"] = [*new["names"], _another(cast, [new["names"], new.get("goods", []), new.get("groups", [])])]
        size = len(new["names"])
    if size > LARGEST[recipe["kind"]]:
        raise NoCore("it is as large as it can be")
    if "slots" in new:
        days = new["slots"][0] in DAYS
        new["slots"] = list(DAYS[:size]) if days else [f"number {i}" for i in range(1, size + 1)]
    return new | cells(size, len(new["goods"]), draw) if "goods" in new else new


def _another(cast: Cast, taken: Sequence[Sequence[str]]) -> str:
    """A further name of the kind that stands in the first list."""
    kinds = (cast.people, cast.things, cast.places, cast.kinds)
    kind = next((kind for kind in kinds if set(taken[0]) <= set(kind)), ())
    free = [name for name in kind if not any(name in names for names in taken)]
    if not free:
        raise NoCore("there is no further name")
    return free[0]


def _other_facts(core: Core, cast: Cast, draw: Random) -> Core:
    """The same setting, other facts: the answer that was right is so no longer."""
    composer = _composer(core, draw)
    rules = composer.solving() if core.open else composer.ruled(len(core.rules), *FAMILIES[core.family].open)
    changed = _again(core, composer, rules)
    if changed.key == core.key:
        raise NoCore("the answer stayed the same")
    return changed


def _remark(core: Core, cast: Cast, draw: Random) -> Core:
    """A remark among the rules that has nothing to do with the answer."""
    who, other = cast.some("people", 2, draw)
    text = draw.choice(REMARKS).format(who=who, other=other, n=draw.randint(2, 9))
    remark = Statement(
        text=text, formal="true", about=tuple(name for name in (who, other) if name in text), phrase="remark"
    )
    if any(rule.phrase == "remark" for rule in core.rules):
        raise NoCore("there is a remark already")
    return core.model_copy(update={"rules": (remark, *core.rules)})


def _worked_larger(core: Core, cast: Cast, draw: Random) -> Core:
    recipe = core.recipe
    return draws.worked(core.family, cast, draw, recipe["level"] + 1, recipe["name"])


def _worked_other(core: Core, cast: Cast, draw: Random) -> Core:
    changed = draws.worked(core.family, cast, draw, core.recipe["level"], core.recipe["name"])
    if changed.key == core.key:
        raise NoCore("the answer stayed the same")
    return changed


def _clause(core: Core, cast: Cast, draw: Random) -> Core:
    """One more clause, before those that there are."""
    clauses, case = _parts(core)
    new = policy.clause(core.recipe["places"], draw, clauses)
    return policy.applied(core.recipe, [new, *clauses], case, draw)


def _exception(core: Core, cast: Cast, draw: Random) -> Core:
    """One clause gets a further condition."""
    clauses, case = _parts(core)
    place = draw.randrange(len(clauses) - 1)
    changed = policy.narrowed(clauses[place], core.recipe["places"], draw)
    return policy.applied(core.recipe, [*clauses[:place], changed, *clauses[place + 1 :]], case, draw)


def _parts(core: Core) -> tuple[list[Statement], list[Statement]]:
    parts = (core.recipe["clauses"], core.recipe["case"])
    clauses, case = ([Statement.model_validate(one) for one in part] for part in parts)
    return clauses, case


Way = Callable[[Core, Cast, Random], Core]
_RULED: Mapping[str, Way] = {
    "add_rule": _add_rule,
    "conditional_rule": _conditional,
    "local_if": _local,
    "swap_modality": _swapped,
    "redundant_rule": _redundant,
    "enlarge_domain": _enlarged,
    "misleading_cue": _remark,
    "add_entity": _enlarged,
    "perturb": _other_facts,
}
_WORKED: Mapping[str, Way] = {
    "misleading_cue": _remark,
    "add_entity": _worked_larger,
    "perturb": _worked_other,
}
_POLICY: Mapping[str, Way] = {
    "add_rule": _clause,
    "conditional_rule": _exception,
    "enlarge_domain": _clause,
}
