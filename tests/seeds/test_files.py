"""Which files are found, in which order, and what is told when there are none."""

import pytest

from agentinstruct.agents.errors import SeedError
from agentinstruct.seeds import SeedOptions, read_seeds


@pytest.fixture
def tree(tmp_path, tale):
    names = [
        "b.txt",
        "a/x.md",
        "a/deep/y.md",
        "node_modules/m.js",
        ".git/c.txt",
        "env/pyvenv.cfg",
        "env/e.py",
        ".hidden.txt",
    ]
    for name in (*names, "LICENSE.txt", "SOURCES.md", "picture.png"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}: {tale}")
    return tmp_path


def found(tree, *paths):
    items = list(read_seeds([str(path) for path in paths]))
    names = [item.source.removeprefix(f"{tree}/") for item in items]
    return [name for name, item in zip(names, items, strict=True) if not hasattr(item, "reason")], {
        name: item.reason for name, item in zip(names, items, strict=True) if hasattr(item, "reason")
    }


def test_a_folder(tree):
    seeds, skipped = found(tree, tree)
    assert seeds == ["a/deep/y.md", "a/x.md", "b.txt"]
    assert skipped == {"LICENSE.txt": "not material", "SOURCES.md": "not material", "picture.png": "unknown format"}


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("*.txt", ["LICENSE.txt", "b.txt"]),
        ("**/*.md", ["SOURCES.md", "a/x.md", "a/deep/y.md"]),
        ("a/*/y.md", ["a/deep/y.md"]),
        ("[ab]*", ["a/deep/y.md", "a/x.md", "b.txt"]),
    ],
)
def test_patterns(tree, pattern, names):
    assert found(tree, f"{tree}/{pattern}") == (names, {})


def test_relative_patterns(tree, monkeypatch):
    monkeypatch.chdir(tree)
    assert found(tree, "a/*.md")[0] == ["a/x.md"]


def test_a_file_that_is_named_is_read_whatever_its_name(tree, tale):
    (tree / "notes").write_text(tale)
    assert found(tree, tree / "SOURCES.md", tree / "notes")[0] == ["SOURCES.md", "notes"]


def test_the_same_file_by_two_paths_is_read_once(tree):
    assert found(tree, tree / "b.txt", tree / "a" / ".." / "b.txt", tree)[0] == ["b.txt", "a/deep/y.md", "a/x.md"]


@pytest.mark.parametrize(("path", "told"), [("no.txt", "no such file"), ("*.xyz", "matches nothing")])
def test_a_path_that_leads_nowhere_is_told_at_once(tree, path, told):
    with pytest.raises(SeedError, match=told) as error:
        read_seeds([str(tree / "b.txt"), str(tree / path)])
    assert path in str(error.value)


def test_no_paths_and_empty_folders(tmp_path):
    with pytest.raises(SeedError, match="at least one"):
        read_seeds([])
    with pytest.raises(SeedError, match="no files"):
        next(read_seeds([str(tmp_path)]))


def test_lengths_that_contradict_each_other():
    with pytest.raises(ValueError, match="min_chars"):
        SeedOptions(max_chars=100, min_chars=100)
