"""Cores of puzzles: sampled, proved, said in words that can be read back, and made harder."""

import json
from random import Random

import pytest

from agentinstruct.tools.puzzles import FAMILIES, WORKED, Cast, Core, NoCore, TooFew, Unproved, harder, prove, sample
from agentinstruct.tools.puzzles import procedures as work
from agentinstruct.tools.puzzles.famous import famous
from agentinstruct.tools.puzzles.statements import PHRASES, Grammar, joined, said
from agentinstruct.tools.puzzles.worked import WORDINGS, read, solved, worded
from agentinstruct.tools.solver import Problem, Proof, solve

CAST = Cast.of(
    people=["Ruth", "Anna", "Ben", "Cleo", "Dov", "Ewa", "Finn", "Gus"],
    things=["oak saw", "lamp", "Blue Book", "rope", "net", "bell", "kettle"],
    places=["mill", "Carn Point", "harbour", "dam", "tower"],
    kinds=["bakers", "millers", "early risers", "singers"],
)
ALL = [*FAMILIES, *WORKED]


@pytest.mark.parametrize("family", ALL)
def test_every_core_is_proved_and_the_same_draw_gives_the_same(family: str) -> None:
    for number in range(2):
        core = sample(family, CAST, Random(number))
        assert "answer" in prove(core) or "worked out" in prove(core)
        assert sample(family, CAST, Random(number)) == core
        assert Core.model_validate(json.loads(core.model_dump_json())) == core


@pytest.mark.parametrize("family", FAMILIES)
def test_options_are_distinct_and_the_right_one_moves(family: str) -> None:
    cores = [sample(family, CAST, Random(number)) for number in range(4)]
    if not cores[0].open:
        assert all(len(set(core.options)) == len(core.options) == 5 for core in cores)
        assert len({core.label for core in cores}) > 1


@pytest.mark.parametrize("family", ["grid", "schedule", "liars"])
def test_every_clue_of_a_puzzle_with_one_solution_is_needed(family: str) -> None:
    core = sample(family, CAST, Random(3))
    problem = core.query.problem
    assert len(solve(problem)) == 1
    for rule in core.rules:
        assert len(solve(problem.less(rule.formal))) == 2, rule.text


@pytest.mark.parametrize("family", FAMILIES)
def test_no_single_rule_gives_the_answer_away(family: str) -> None:
    core = sample(family, CAST, Random(5))
    if core.wanted != "must" or family in ("policy", "chain"):
        return
    claim = core.choices[core.right].formal
    for rule in core.rules:
        alone = Problem(variables=core.base.variables, constraints=(*core.base.constraints, rule.formal))
        assert not Proof(alone).entails(claim), rule.text


def test_a_core_with_another_key_is_refused() -> None:
    core = sample("ordering", CAST, Random(1))
    with pytest.raises(Unproved, match="the key is"):
        prove(core.model_copy(update={"right": (core.right + 1) % 5}))
    with pytest.raises(Unproved):
        prove(core.model_copy(update={"rules": core.rules[:1]}))
    grid = sample("grid", CAST, Random(1))
    with pytest.raises(Unproved):
        prove(grid.model_copy(update={"rules": grid.rules[1:]}))
    with pytest.raises(Unproved, match="worked out anew"):
        prove(sample("weighing", CAST, Random(1)).model_copy(update={"key": "99"}))


@pytest.mark.parametrize(
    ("family", "ways"),
    [
        ("ordering", "add_rule conditional_rule local_if swap_modality redundant_rule enlarge_domain"),
        ("hybrid", "add_rule local_if swap_modality redundant_rule"),
        ("chain", "add_rule local_if swap_modality redundant_rule"),
        ("substitution", "add_rule local_if enlarge_domain"),
        ("policy", "add_rule conditional_rule enlarge_domain"),
        ("grid", "misleading_cue add_entity perturb"),
        ("liars", "misleading_cue add_entity perturb"),
        ("pouring", "misleading_cue add_entity perturb"),
        ("crossing", "misleading_cue add_entity perturb"),
    ],
)
def test_cores_are_made_harder_and_proved_again(family: str, ways: str) -> None:
    for way in ways.split():
        made = 0
        for number in range(4):
            core = sample(family, CAST, Random(number))
            if made:
                break
            try:
                changed = harder(core, way, CAST, Random(number))
            except NoCore:
                continue
            assert prove(changed) and changed.plain() != core.plain()
            made += 1
        assert made, way


def test_what_each_way_changes() -> None:
    core = sample("ordering", CAST, Random(2))
    one_more = harder(core, "add_rule", CAST, Random(0))
    assert one_more.rules[: len(core.rules)] == core.rules and len(one_more.rules) == len(core.rules) + 1
    assert harder(core, "local_if", CAST, Random(0)).given != core.given
    assert harder(core, "swap_modality", CAST, Random(0)).wanted != core.wanted
    idle = harder(core, "redundant_rule", CAST, Random(0))
    assert (idle.choices, idle.key, len(idle.rules)) == (core.choices, core.key, len(core.rules) + 1)
    assert len(harder(core, "enlarge_domain", CAST, Random(0)).names) == len(core.names) + 1
    grid = sample("grid", CAST, Random(2))
    assert harder(grid, "perturb", CAST, Random(0)).key != grid.key
    remark = harder(grid, "misleading_cue", CAST, Random(0))
    assert remark.key == grid.key and remark.rules[0].formal == "true"


def test_ways_that_do_not_apply_are_refused() -> None:
    with pytest.raises(NoCore, match="cannot be changed"):
        harder(sample("policy", CAST, Random(1)), "swap_modality", CAST, Random(1))
    with pytest.raises(NoCore):
        harder(sample("substitution", CAST, Random(1)), "swap_modality", CAST, Random(1))
    with pytest.raises(TooFew):
        sample("grid", Cast.of(people=["Ruth"], things=[], places=[], kinds=[]), Random(1))


def test_a_cast_takes_only_names_that_can_stand_in_a_sentence() -> None:
    cast = Cast.of(
        people=["Ruth", "ruth", "Ruth Ames", "a, b", "Tom and Ann", "{{ x }}", "", "x" * 50, "Ben"],
        things=["oak saw", "The lamp", "Excalibur"],
    )
    assert cast.people == ("Ruth", "Ben")
    assert Cast.of(people=["the cook", "José", "昨日", "Zoë"]).people == ("the cook", "José", "Zoë")
    assert cast.things == ("the oak saw", "the lamp", "Excalibur")


@pytest.mark.parametrize("phrase", PHRASES)
def test_what_is_said_can_be_read_back(phrase: str) -> None:
    slots, groups = ("Monday", "Tuesday"), ("the red hut", "the mill")
    names = {"a": "the oak saw", "b": "Ruth", "c": "Ben", "d": "Carn Point", "n": 1, "m": 2, "g": "the mill"}
    names |= {"k": 7, "o": "granted with a deposit"}
    used = {key: value for key, value in names.items() if f"{{{key}}}" in PHRASES[phrase][0]}
    statement = said(phrase, slots, **used)
    grammar = Grammar(("the oak saw", "Ruth", "Ben", "Carn Point"), slots, groups)
    assert grammar.read(statement.sentence) == statement.formal
    other = said("before", a="Ben", b="Ruth")
    for how in ("if", "iff", "either", "and"):
        both = joined(how, statement, other)
        assert grammar.read(both.sentence) == both.formal
    assert grammar.read("Ruth dislikes Ben.") is None


@pytest.mark.parametrize("name", WORDINGS)
def test_worked_puzzles_are_read_back_from_their_words(name: str) -> None:
    family = next(family for family, names in WORKED.items() if name in names)
    for number in range(40):
        core = sample(family, CAST, Random(number))
        if core.recipe["name"] == name:
            text = f"Hello. {' '.join(core.setting)}\n\n{core.question}"
            found = read(text)
            assert found and found[0] == name and solved(*found) == core.key
            assert worded(name, core.recipe["slots"])
            return
    raise AssertionError(f"{name} was never drawn")


def test_procedures_know_what_is_known() -> None:
    assert work.pouring([8, 5, 3], [8, 0, 0], 4) == "6"
    assert work.pouring([8, 4, 2], [8, 0, 0], 3) == "impossible"
    assert [work.weighing(n, n) for n in (3, 9, 10, 27)] == ["1", "2", "3", "3"]
    assert work.weighing(9, 1) == "4"
    assert work.ferry(["wolf", "goat", "cabbage"], [["wolf", "goat"], ["goat", "cabbage"]], 1) == "7"
    assert work.torch([1, 2, 5, 10]) == "17"
    assert work.sequence([1, 1, 2, 3, 5, 8]) == "13"
    assert work.sequence([1, 2, 4]) == "not decided"
    assert work.cipher(["CAT", "DBU"], "EPH") == "DOG"
    assert work.cipher(["CAT", "TAC"], "GOD") == "DOG"
    assert work.anagram("TAC", ["DOG", "CAT"]) == "CAT"
    assert work.snail(10, 3, 2) == "8"
    assert (work.cuts(5, 4), work.posts(20, 5, False), work.posts(20, 5, True)) == ("16", "5", "4")
    assert work.strokes(6, 5, 12) == "11"
    assert work.heads(10, 28, 2, 4) == "4"
    assert work.remain(17, 9, 0) == "9"
    assert work.walk([["right", "3"], ["left", "4"]], "north") == "4 north and 3 east"
    assert work.doors(3, 1) == "2/3"
    assert work.boxes([[1, 1], [1, 0], [0, 0]]) == "2/3"
    assert work.at_least(2, 1, 2) == "1/3"
    assert work.pairs(2, 2) == "1/3"
    assert work.tested(1, 100, 100, 0) == "1"


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("A man must take a wolf, a goat and a cabbage across a river.", "the wolf, the goat and the cabbage"),
        ("There are three doors; behind one is a car, behind the others goats.", "Monty Hall as everyone tells it"),
        ("The more you take, the more you leave behind. What am I?", "the footsteps"),
        ("In a lake, a patch of lilies doubles every day.", "the lily pads"),
        ("Ruth has jugs of 7, 4 and 3 litres.", ""),
        ("A keeper lets forty turtles into a corridor.", ""),
    ],
)
def test_famous_puzzles_are_known_by_their_fingerprints(text: str, known: str) -> None:
    assert famous(text) == known
