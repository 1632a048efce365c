"""The quick reader of YAML says what the careful one says, or leaves it to that one."""

import re
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from agentinstruct.agents.errors import SkillError
from agentinstruct.agents.files import read_yaml
from agentinstruct.agents.quick_yaml import NotPlainError, load
from agentinstruct.agents.skill import prompts_folder

SCALARS = """
012 0x1F 0o17 1_000 yes on off no ~ null Null nULL true True tRue FALSE 1e3 1. .5 +3 -0 .inf -.inf .nan << = 1:30 0.5
00 0 1e 0b1 1.5.2 0.0 07.5 -.5 12:30:45 1e400 0. 5e-3 - 2024-01-01 2024-01-01x 1-2 +.5 1_0.5 -1_0 -012 0x 0o8 e3 .e3
""".split()  # noqa: SIM905
TEXTS = [f"a: {scalar}" for scalar in SCALARS] + [
    "a:",
    'a: "x\\ty"',
    "a: 'it''s'",
    "a: |\n  x\n   y\n",
    "a: >-\n  x\n  y\n",
    "- 1\n- [2, {b: 3}]",
    "x: &a [1]\ny: *a",
    "<<: {a: 1}\nb: 2",
    '1: x\n"1": y',
    "%YAML 1.1\n---\na: yes",
    "---\na: 1\n",
    "a: 1 # note",
]


def careful(text: str) -> object:
    return YAML(typ="safe", pure=True).load(text)


@pytest.mark.parametrize("text", TEXTS)
def test_what_it_reads_it_reads_right(text: str) -> None:
    try:
        value = load(text)
    except NotPlainError:
        return
    assert repr(value) == repr(careful(text))


def front(path: Path) -> str:
    text = path.read_text()
    found = re.match(r"\A---\n(.*?)\n---\n", text, re.DOTALL)
    return found[1] if found else "" if path.suffix == ".md" else text


def test_every_file_that_ships_is_plain_and_read_the_same() -> None:
    files = [path for suffix in ("yaml", "md") for path in sorted(prompts_folder().rglob(f"*.{suffix}"))]
    assert len(files) > 200
    for path in files[::4]:
        assert load(front(path)) == careful(front(path)), path


@pytest.mark.parametrize(
    "text", ["a: 1\na: 2", "a: [1", "a: b: c", "a: @x", "{a: 1, a: 2}", "a: !!python/name:os.system x"]
)
def test_what_is_wrong_is_said_in_the_careful_readers_words(text: str) -> None:
    with pytest.raises(NotPlainError):
        load(text)
    with pytest.raises(SkillError, match=r"x/skill\.yaml: not valid YAML"):
        read_yaml(text, "x/skill.yaml", SkillError)
