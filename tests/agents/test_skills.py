"""The skill folders that ship, and what a wrong one is told."""

import ast
import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agentinstruct.agents import skill as skills
from agentinstruct.agents.errors import PromptError, SkillError
from agentinstruct.agents.forms import FORMS
from agentinstruct.agents.skill import load_skill, prompts_folder, skill_names

ROOT = Path(__file__).parents[2]
NAMES = skill_names()


@pytest.mark.parametrize("name", NAMES)
def test_every_skill_loads_and_hangs_together(name: str) -> None:
    skill = load_skill(name)
    assert skill.prompt("instruct") and skill.prompt("answer") and skill.prompt("judge") and skill.prompt("repair")
    for goal in skill.goals.values():
        assert skill.prompt(f"suggest/{goal.name}", "suggest").front.role == "suggest"
        assert skill.prompt(f"edit/{goal.name}", "edit").front.role == "edit"
        categories = skill.categories.values()
        assert any(goal.fits(form) for c in categories for form in FORMS[c.form].becomes or (c.form,))
    for transform in skill.file.transforms:
        assert any(category.fits(transform) for category in skill.categories.values())
    forms = [FORMS[category.form].becomes or (category.form,) for category in skill.categories.values()]
    assert set(skill.layouts) == {form for some in forms for form in some}, "a layout nobody uses"
    assert len(skill.file.rubric) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_every_layout_shows_what_it_is_given_and_nothing_of_the_key(name: str) -> None:
    shown = {
        "passage": "Bees {{ 7*7 }} dance.",
        "question": "Why [so]?",
        "options": "A. yes\nB. no",
        "demand": "A word.",
    }
    closed = load_skill(name).file.closed_book
    for form, layouts in load_skill(name).layouts.items():
        for layout in layouts:
            text = layout.fill(shown)
            assert shown["question"] in text and "49" not in text
            if form in ("choice", "blank", "pair", "match", "order"):
                assert shown["options"] in text and (closed or shown["passage"] in text)
            assert "None" not in layout.fill({**shown, "options": ""})


@pytest.mark.parametrize(
    ("name", "count"), [("reading_comprehension", 43), ("text_modification", 18), ("tool_use", 13)]
)
def test_the_taxonomies_are_whole(name: str, count: int) -> None:
    categories = load_skill(name).categories
    assert len(categories) == count
    assert len({category.title.casefold() for category in categories.values()}) == count
    assert len({category.brief for category in categories.values()}) == count
    for category in categories.values():
        assert re.fullmatch(r"[a-z][a-z0-9_]*", category.name)
        assert len(category.brief.split()) >= 12
        assert len(category.examples) == len(set(category.examples)) != 1, "one example would set the style"


def test_every_transform_of_reading_comprehension_has_enough_categories() -> None:
    skill = load_skill("reading_comprehension")
    suited = {t: sum(c.fits(t) for c in skill.categories.values()) for t in skill.file.transforms}
    assert {t: n for t, n in suited.items() if n < 6} == {}
    assert len(suited) == 9


def test_folders_graphs_and_langgraph_json_agree() -> None:
    tree = ast.parse((ROOT / "graphs" / "skills.py").read_text())
    wired = {node.targets[0].id: ast.unparse(node.value) for node in tree.body if isinstance(node, ast.Assign)}
    served = json.loads((ROOT / "langgraph.json").read_text())["graphs"]
    for name in NAMES:
        assert name in wired, f'graphs/skills.py: add the line {name} = graph_of("{name}")'
        assert wired[name] == f"graph_of('{name}')", f"graphs/skills.py: {name} loads another skill: {wired[name]}"
        path, described = f"agentinstruct.graphs.skills:{name}", load_skill(name).file.description
        line = f'"{name}": {{"path": "{path}", "description": "… {described} …"}}'
        assert name in served and served[name]["path"] == path, f'langgraph.json: add under "graphs" {line}'
        assert described in served[name]["description"], f"langgraph.json: make it {line}"
    for name, graph in served.items():
        assert "'" not in graph["description"], f"langgraph.json: {name}: an apostrophe ends its line in a Dockerfile"
    assert served.pop("teacher")["path"] == "agentinstruct.graphs.teacher:teacher"
    for name in [*wired, *served]:
        assert name in NAMES, (
            f"prompts/{name}/skill.yaml is missing, though graphs/skills.py or langgraph.json names it"
        )


def test_an_unknown_skill_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(SkillError, match=r"no skill 'text_modifications'\. Did you mean 'text_modification'\?"):
        load_skill("text_modifications")
    for name in ("", "shared", "../prompts/tool_use", "/etc"):
        with pytest.raises(SkillError, match="no skill"):
            load_skill(name)


# --- Bad folders --------------------------------------------------------------------------------------------------

SKILL = """title: Sums
description: Small sums.
split: sums
transforms:
  recast: A recast.
goals:
  harder:
    title: Harder
    brief: Make it harder.
layouts:
  short:
    - "{{ question }} {{ passage }}"
checks: [form, judge]
rubric:
  right: It is right.
"""
TAXONOMY = """adding:
  title: Adding
  form: short
  suits: [recast]
  brief: Ask for a sum.
"""
PROMPT = "---\ndescription: A test.\nrole: transform\n---\n# user\nDo it.\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small, right skill `sums` in a prompts folder of its own."""
    (tmp_path / "sums" / "transform").mkdir(parents=True)
    shutil.copytree(prompts_folder() / "shared", tmp_path / "shared")
    (tmp_path / "sums" / "skill.yaml").write_text(SKILL)
    (tmp_path / "sums" / "taxonomy.yaml").write_text(TAXONOMY)
    (tmp_path / "sums" / "transform" / "recast.md").write_text(PROMPT)
    monkeypatch.setattr(skills, "prompts_folder", lambda: tmp_path)
    load_skill.cache_clear()
    yield tmp_path / "sums"
    load_skill.cache_clear()


def test_a_new_skill_is_a_folder_and_nothing_else(folder: Path) -> None:
    skill = load_skill("sums")
    assert skill.layouts["short"][0].fill({"question": "1+1?", "passage": "No.", "options": ""}) == "1+1? No."
    assert skill.prompt("suggest/harder", "solve").name == "shared/solve.md"
    with pytest.raises(SkillError, match=r"prompts/sums: needs instruct\.md"):
        skill.prompt("instruct")


@pytest.mark.parametrize(
    "file", ["sums/skill.yaml", "sums/taxonomy.yaml", "sums/transform/recast.md", "shared/judge.md"]
)
def test_the_fingerprint_of_each_file_follows_its_text(folder: Path, file: str) -> None:
    before = load_skill("sums").fingerprints
    path = folder.parent / file
    path.write_text(
        path.read_text().replace("right", "good") + "\n# \n" * file.endswith("yaml") + "\nMore.\n" * file.endswith("md")
    )
    load_skill.cache_clear()
    after = load_skill("sums").fingerprints
    assert {name for name in after if after[name] != before.get(name)} == {file}
    assert after.keys() == before.keys()


def change(file: str, old: str, new: str) -> Callable[[Path], None]:
    def apply(folder: Path) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return apply


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (change("skill.yaml", "checks:", "chekcs:"), ["skill.yaml", "'chekcs'", "Did you mean 'checks'?"]),
        (change("skill.yaml", "brief:", "breif:"), ["skill.yaml", "'goals.harder.breif'", "Did you mean 'brief'?"]),
        (change("skill.yaml", "title: Harder", "title: x\n    outcome: fliped"), ["goals.harder.outcome", "'flipped'"]),
        (change("skill.yaml", "title: Harder", "title: Harder\n    forms: [shrot]"), ["goals.harder.forms", "'short'"]),
        (change("skill.yaml", "form, judge", "form, jugde"), ["skill.yaml: checks: 'jugde'", "Did you mean 'judge'?"]),
        (change("skill.yaml", "title: Sums", "modalities: [proes]\ntitle: Sums"), ["modalities", "'prose'"]),
        (change("skill.yaml", "title: Sums\n", ""), ["skill.yaml", "title", "required"]),
        (change("skill.yaml", "split: sums", "split: sums\nsplit: more"), ["skill.yaml", "not valid YAML", "split"]),
        (change("skill.yaml", "split: sums", "split: !!python/object/apply:os.system [ls]"), ["not valid YAML"]),
        (change("skill.yaml", "[form, judge]", "[form, judge"), ["sums/skill.yaml", "not valid YAML", "line"]),
        (change("skill.yaml", SKILL, ""), ["sums/skill.yaml", "whole file"]),
        (change("skill.yaml", "{{ passage", "{{ pasage"), ["skill.yaml: layouts.short", "'pasage'", "'passage'"]),
        (change("skill.yaml", "{{ passage", "{{ passage.x("), ["skill.yaml: layouts.short", "line 1"]),
        (change("skill.yaml", "{{ question }} ", ""), ["skill.yaml: layouts.short", "{{ question }}"]),
        (change("skill.yaml", "\n    - \"{{ question }} {{ passage }}\"", " []"), ["skill.yaml: layouts.short", "one"]),
        (change("skill.yaml", "  short:", "  shorts:"), ["skill.yaml: layouts.shorts", "Did you mean 'short'?"]),
        (change("skill.yaml", "  recast:", "  recats:"), ["transform 'recats'", "sums/transform/recats.md"]),
        (change("taxonomy.yaml", "form: short", "form: shrot"), ["taxonomy.yaml", "adding.form", "mean 'short'?"]),
        (change("taxonomy.yaml", "form: short", "form: choice"), ["skill.yaml", "layouts", "'choice'", "adding"]),
        (change("taxonomy.yaml", "[recast]", "[recats]"), ["taxonomy.yaml", "adding.suits", "Did you mean 'recast'?"]),
        (change("taxonomy.yaml", "brief:", "breif:"), ["taxonomy.yaml: adding", "'breif'", "Did you mean 'brief'?"]),
        (change("taxonomy.yaml", "  brief", "  requires: [{kin: count}]\n  brief"), ["'requires.0.kin'", "'kind'"]),
        (change("taxonomy.yaml", TAXONOMY, "adding: short"), ["taxonomy.yaml: adding", "whole file"]),
        (change("taxonomy.yaml", TAXONOMY, TAXONOMY * 2), ["taxonomy.yaml", "not valid YAML", "adding"]),
        (change("taxonomy.yaml", TAXONOMY, "[]"), ["sums/taxonomy.yaml", "must map"]),
        (lambda folder: (folder / "taxonomy.yaml").unlink(), ["taxonomy.yaml", "cannot be read"]),
    ],
)  # fmt: skip
def test_a_wrong_folder_is_refused_with_file_key_and_nearest(
    folder: Path, spoil: Callable[[Path], None], words: list[str]
) -> None:
    load_skill("sums")
    load_skill.cache_clear()
    spoil(folder)
    with pytest.raises(SkillError) as caught:
        load_skill("sums")
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_a_wrong_prompt_in_a_folder_is_named_with_its_skill(folder: Path) -> None:
    (folder / "transform" / "recast.md").write_text(PROMPT.replace("role: transform", "role: transfrom"))
    with pytest.raises(PromptError, match=r"sums/transform/recast\.md: role"):
        load_skill("sums")


def test_every_form_has_a_skill_that_uses_it() -> None:
    used = {category.form for name in NAMES for category in load_skill(name).categories.values()}
    assert used | {form for name in used for form in FORMS[name].becomes} == set(FORMS)
