"""What `from agentinstruct import …` promises: names, types, examples in docstrings, and that it costs nothing."""

import doctest
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import agentinstruct
from agentinstruct.api.options import Options, Settings
from agentinstruct.graphs.state import Context

ROOT = Path(__file__).parents[2]
WITH_EXAMPLES = ["Dataset", "SkillFlow", "agenerate", "astream", "generate", "load_skill", "skills"]


def python(*arguments, **options):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)


@pytest.mark.parametrize("name", WITH_EXAMPLES)
def test_what_the_docstrings_show_is_so(name, monkeypatch):
    monkeypatch.chdir(ROOT)
    found = doctest.DocTestFinder().find(getattr(agentinstruct, name), name, globs={})
    examples = [test for test in found if test.examples]
    assert examples
    runner = doctest.DocTestRunner()
    for test in examples:
        runner.run(test, out=sys.stdout.write)
    assert runner.summarize(verbose=False).failed == 0


def test_every_public_name_is_there_and_documented():
    assert sorted(agentinstruct.__all__) == agentinstruct.__all__
    for name in agentinstruct.__all__:
        assert inspect.getdoc(getattr(agentinstruct, name)), name
    assert set(agentinstruct.__all__) <= set(dir(agentinstruct))
    with pytest.raises(AttributeError, match="no attribute 'generat'"):
        _ = agentinstruct.generat  # type: ignore[attr-defined]


def test_the_options_are_those_of_the_context_and_help_shows_them():
    assert set(Settings.__annotations__) == set(Context.__dataclass_fields__) - {"review"} | {
        "base_url", "context", "timeout_s",
    }  # fmt: skip
    assert set(inspect.signature(agentinstruct.generate).parameters) == {"seeds", *Options.__annotations__}


def test_importing_it_imports_nothing():
    script = "import sys; before = set(sys.modules); import agentinstruct; print(*sorted(set(sys.modules) - before))"
    assert set(python("-c", script).stdout.split()) <= {"agentinstruct", "__future__", "typing"} | set(
        python("-c", "import sys, typing, importlib; print(*sys.modules)").stdout.split()
    )


USER = """
from pathlib import Path
from agentinstruct import Context, Dataset, Record, Seed, SetupError, agenerate, astream, generate, load_skill, skills

def texts(dataset: Dataset) -> list[str]:
    return [record.messages[-1].content for record in dataset if record.accepted]

def main() -> None:
    made: Dataset = generate([Path("docs")], model="scripted", rounds=1, out="runs/x", skills=skills()[:2])
    first: Record = next(iter(made))
    print(first.verdicts[0].check, made.cost, made.summary.calls, texts(made))
    state = load_skill("coding").invoke({"text": "…"}, context=Context(model="scripted"))
    print(state["records"][0].id)

async def more() -> None:
    async for record in astream(Seed(text="…"), judge_model="scripted", progress=lambda live: print(live.done)):
        print(record.id)
    await agenerate(({"text": line} for line in "ab"), budget=5.0)
    await agenerate("docs", round=1)
    await agenerate("docs", verify="sloppy")
"""


def test_a_users_script_is_checked_strictly(tmp_path):
    package = tmp_path / "lib" / "agentinstruct"
    package.parent.mkdir()
    target = Path(agentinstruct.__file__).parent
    package.symlink_to(target)
    if target == ROOT / "agentinstruct":  # an editable install: the folders beside it are its packages
        package.unlink()
        package.mkdir()
        for place in [*target.iterdir(), *(ROOT / name for name in ("agents", "graphs", "prompts", "tools"))]:
            (package / place.name).symlink_to(place)
    script = tmp_path / "script.py"

    script.write_text(USER)
    command = ["-m", "mypy", "--strict", "--follow-imports=silent", script]
    found = python(*command, cwd=tmp_path, env={"MYPYPATH": str(tmp_path / "lib"), "PATH": ""}).stdout
    assert "Found 2 errors" in found and '"round"' in found and '"verify"' in found, found
