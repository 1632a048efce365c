"""Which seeds get which skills: by their features, by the mix, and every skill before any gets many."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.mix import Mix, weights_of
from agentinstruct.agents.records import Seed
from agentinstruct.agents.routing import affinity, features, routed, suits
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.skill import load_skill, skill_names
from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import execute
from agentinstruct.run.plan import RunConfig

SKILLS = [load_skill(name) for name in skill_names()]
PROSE = "In {n} the mill at Carew ground {n} sacks of corn, because the tide was high. Ruth kept 12 cats. It rained."
FIGURES = "Year 1990: 12, 45, 77.5 and 3 per cent. 1991: 14, 46, 80.1 and 4 per cent of 9,000 tonnes at 5 mills."
RICH = " ".join([FIGURES, *(PROSE.format(n=n) for n in range(8))])
PLAIN = "The mill stands by the river and people like to look at it in the evening when it is quiet."


def prose(count: int) -> list[Seed]:
    return [Seed(text=PROSE.format(n=number)) for number in range(count)]


def chosen(mix: Mix, seeds: list[Seed]) -> list[list[str]]:
    return [[skill.name for skill in mix.take(seed, mix.suitable(seed))] for seed in seeds]


def mixed(mix: str = "released", per_seed: int = 2, run_seed: int = 0) -> Mix:
    return Mix(SKILLS, weights_of(mix, SKILLS), per_seed, run_seed)


def test_features_count_what_a_text_holds() -> None:
    found = features('1. Add 12 eggs.\n2. "Wait a while," said Ruth, because 12 is many.\n| a | b | c |\nget(x) f(y)')
    assert (found["numbers"], found["steps"], found["speech"], found["rows"]) == (3, 2, 1, 1)
    assert found["signatures"] == 2 and found["reasons"] == 1


def test_a_skill_takes_what_holds_its_material() -> None:
    tool_use = load_skill("tool_use")
    assert not suits(tool_use, Seed(text=PLAIN))
    assert suits(tool_use, Seed(text="get_user(id), set_user(id, name) and GET /users list the users."))
    assert suits(tool_use, Seed(text="x = 1", modality="code"))
    for skill in SKILLS:
        assert any(suits(skill, seed) for seed in (Seed(text=RICH), Seed(text="f(x)", modality="code")))
        assert 1 <= affinity(skill, Seed(text=PLAIN)) <= 3


def test_every_skill_gets_a_suitable_seed_before_any_gets_many() -> None:
    seeds = [Seed(text=f"{FIGURES} {FIGURES} Mill {n}. f(a), g(b), h(c). {PROSE.format(n=n)}") for n in range(40)]
    able = [skill.name for skill in SKILLS if suits(skill, seeds[0])]
    rounds = chosen(mixed(), seeds)
    needed = -(-len(able) // 2)
    assert {name for names in rounds[:needed] for name in names} == set(able)
    assert all(len(names) == 2 for names in rounds)


def test_work_depends_on_the_seed_and_not_on_its_neighbours() -> None:
    seeds, warm = prose(60), prose(200)[60:]
    first, second = mixed(), mixed()
    chosen(first, warm)
    chosen(second, warm[::-1])
    assert chosen(first, seeds) == chosen(second, seeds[::-1])[::-1]
    assert chosen(mixed(per_seed=1, run_seed=1), seeds) != chosen(mixed(per_seed=1), seeds)


def test_shares_follow_the_weights() -> None:
    mix = mixed("reading_comprehension=3,text_modification=1", per_seed=1)
    counts = Counter(name for names in chosen(mix, prose(400)) for name in names)
    assert set(counts) == {"reading_comprehension", "text_modification"}
    assert 2 < counts["reading_comprehension"] / counts["text_modification"] < 4.5


def test_all_gives_every_suitable_skill_every_seed() -> None:
    seed = prose(1)[0]
    assert chosen(mixed("all", per_seed=1), [seed]) == [[skill.name for skill in SKILLS if suits(skill, seed)]]


@pytest.mark.parametrize(
    ("mix", "words"),
    [
        ("text_modificatoin=2", "Did you mean 'text_modification'?"),
        ("evne", "Did you mean 'even'?"),
        ("text_modification", "give NAME=SHARE"),
        ("text_modification=many", "give NAME=SHARE"),
        ("text_modification=-1", "give NAME=SHARE"),
        ("text_modification=inf", "give NAME=SHARE"),
    ],
)
def test_a_wrong_mix_is_told(mix: str, words: str) -> None:
    with pytest.raises(SetupError, match=words.replace("?", r"\?")):
        weights_of(mix, SKILLS)


async def test_an_agent_can_be_asked_which_skills_suit() -> None:
    asked = asyncio.Event()

    def route(request: object) -> dict[str, object]:
        asked.set()
        return {"why": "A story.", "skills": ["text_modification", "no such skill"]}

    async with using(Gateway(lambda spec: ScriptedModel({"route": route}))):
        found = await routed(prose(1)[0], SKILLS, "scripted")
    assert asked.is_set() and [skill.name for skill in found] == ["text_modification"]


def test_a_seed_that_no_skill_takes_is_told(tmp_path: Path) -> None:
    names = ("double", "halve", "square", "negate", "round_up", "round_down")
    (tmp_path / "code.py").write_text(
        "\n\n".join(f"def {name}(number):\n    return {name}s[number]\n" for name in names)
    )
    told = Path(__file__).parents[2] / "examples" / "seeds" / "a_story_about_magic.txt"
    paths = (str(tmp_path / "code.py"), str(told))
    for skill, why in (
        ("fermi", "it is code, and they take prose"),
        ("tool_use", "tool_use needs 3 signatures and it has 0"),
    ):
        done = asyncio.run(execute(RunConfig(paths, tmp_path / skill, (skill,), Context(model="scripted"), limit=2)))
        assert done.progress.skipped["suits no skill of this run"] >= 1
        assert why in done.progress.examples["suits no skill of this run"]
