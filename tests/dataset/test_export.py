"""The dataset of a run: the same rows in every format, the same bytes however the run went, whole or not there."""

import json
from hashlib import sha256
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from datasets import load_dataset
from ruamel.yaml import YAML

from agentinstruct.agents.errors import RunError
from agentinstruct.agents.records import Call, Dropped, Message, Record, Verdict, content_id
from agentinstruct.dataset.export import export
from agentinstruct.dataset.options import Options
from agentinstruct.run.journal import Journal

TOOL = {
    "type": "function",
    "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object", "properties": {}}},
}
ARGUMENTS = '{"a": 1, "b": [true, null]}'
ASKED = {"id": "call_1", "type": "function", "function": {"name": "add", "arguments": ARGUMENTS}}
PLAIN = (
    Message(role="system", content="Be brief."),
    Message(role="user", content="Why?\n\tÄ 漢 🙂"),
    Message(role="assistant", content="So."),
)
DIALOGUE = (
    Message(role="user", content="Add."),
    Message(role="assistant", content="", tool_calls=(ASKED,)),
    Message(role="tool", content="3", tool_call_id="call_1", name="add"),
    Message(role="assistant", content="It is 3."),
)


def record(number, split="rc", skill="reading_comprehension", messages=PLAIN, tools=()):
    return Record(
        id=content_id("record", split, number),
        messages=messages,
        tools=tools,
        skill=skill,
        split=split,
        category="literal_comprehension",
        transform="satire",
        form="short",
        seed_id=content_id("seed", number),
        source="a|b.txt",
        start=0,
        end=10,
        licence="CC-BY-4.0 | other\nterms",
        language="en",
        accepted=bool(number % 2),
        verdicts=(Verdict(check="judge", passed=bool(number % 2), kind="model", evidence="…"),),
        calls=(Call(agent="answer", role="answer", prompt="answer.md@0", model="m", key="00", input_tokens=7),),
    ).row()


def drop(number):
    return Dropped(skill="reading_comprehension", seed_id=str(number), stage="verify", reason="judge").model_dump(
        mode="json"
    )


def item(number):
    """One finished work item: its id, and what came of it."""
    rows = [record(number), record(number, "tool_use", "tool_use", DIALOGUE, (TOOL,))]
    return content_id("item", number), rows, [drop(number)]


@pytest.fixture
def make(tmp_path):
    """Export a run whose work items finished in this order."""

    def run(name, numbers):
        with Journal.open(tmp_path / f"{name} run", {}) as journal:
            for number in numbers:
                work, rows, dropped = item(number)
                journal.finish(work, "reading_comprehension", str(number), rows, dropped)
            return export(journal, tmp_path / name)

    return run


@pytest.fixture
def folder(make):
    return make("out", range(6)).folder


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_json_lines_and_parquet_hold_the_same_rows(folder):
    rows = lines(folder / "data" / "rc.jsonl")
    assert pq.read_table(folder / "parquet" / "rc.parquet").to_pylist() == rows
    assert rows[0].keys() == record(0).keys()
    assert {row["id"] for row in rows} == {record(number)["id"] for number in range(6)}


def test_tool_rows_are_the_same_but_for_what_parquet_has_as_text(folder):
    rows = lines(folder / "data" / "tool_use.jsonl")
    table = pq.read_table(folder / "parquet" / "tool_use.parquet").to_pylist()
    assert [json.loads(row["tools"]) for row in table] == [row["tools"] for row in rows] == [[TOOL]] * 6
    for row, flat in zip(rows, table, strict=True):
        short = [{key: value for key, value in message.items() if value is not None} for message in flat["messages"]]
        assert short == row["messages"]
    call = rows[0]["messages"][1]["tool_calls"][0]
    assert call == ASKED
    assert json.loads(call["function"]["arguments"]) == {"a": 1, "b": [True, None]}
    assert rows[0]["messages"][2] == {"role": "tool", "content": "3", "tool_call_id": "call_1", "name": "add"}


def test_a_first_tool_record_without_tools_costs_no_column(tmp_path):
    rows = [record(0, "tool_use", "tool_use"), record(1, "tool_use", "tool_use", DIALOGUE, (TOOL,))]
    with Journal.open(tmp_path / "run", {}) as journal:
        journal.finish("ab" * 16, "tool_use", "s", rows, [])
        export(journal, tmp_path / "out")
    table = pq.read_table(tmp_path / "out" / "parquet" / "tool_use.parquet").to_pylist()
    assert [json.loads(row["tools"]) for row in table] == [[], [TOOL]]
    assert table[1]["messages"][1]["tool_calls"] == [ASKED]


def test_datasets_loads_the_folder_by_its_card(folder, tmp_path):
    cache = {"cache_dir": str(tmp_path / "cache")}
    plain = load_dataset(str(folder), **cache)
    assert list(plain) == ["rc"]
    assert plain["rc"].num_rows == 6
    features = plain["rc"].features
    assert "tools" not in features
    assert (features["accepted"].dtype, features["depth"].dtype, features["id"].dtype) == ("bool", "int64", "string")
    assert plain["rc"][0]["messages"] == [message.wire() for message in PLAIN]
    tools = load_dataset(str(folder), "tool_use", **cache)["tool_use"]
    assert tools.num_rows == 6
    assert json.loads(tools[0]["tools"]) == [TOOL]


def test_datasets_loads_the_lines(folder, tmp_path):
    path = str(folder / "data" / "rc.jsonl")
    rows = load_dataset("json", data_files=path, split="train", cache_dir=str(tmp_path / "cache"))
    assert rows.num_rows == 6
    assert rows[0]["messages"][1] == {"role": "user", "content": "Why?\n\tÄ 漢 🙂"}
    assert rows[0]["calls"][0]["input_tokens"] == 7


def test_export_depends_on_what_is_in_a_run_and_not_on_how_it_got_there(make, tmp_path):
    first, shuffled = make("first", range(6)).folder, make("second", [3, 5, 0, 1, 4, 2]).folder
    assert files(first) == files(shuffled)
    with Journal.read(tmp_path / "first run") as journal:
        export(journal, first)
    assert files(first) == files(shuffled)


def test_the_manifest_counts_and_seals_every_file(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["records"] == {"rc": 6, "tool_use": 6}
    assert manifest["dropped"] == 6 == len(lines(folder / "dropped.jsonl"))
    found = files(folder)
    assert manifest["files"].keys() == found.keys() - {"manifest.json"}
    for name, file in manifest["files"].items():
        assert file == {"bytes": len(found[name]), "sha256": sha256(found[name]).hexdigest()}


class Stops:
    """A run whose disk fails while it is read."""

    def __init__(self, rows, folder):
        self.rows, self.folder = rows, folder

    def records(self):
        yield from self.rows
        raise OSError("the disk is gone")

    def dropped(self):
        return iter([drop(1)])


def test_an_interrupted_export_leaves_no_half_file(folder, tmp_path):
    with pytest.raises(OSError, match="the disk is gone"):
        export(Stops([record(1), record(2)], tmp_path / "run"), tmp_path / "new")
    assert not (tmp_path / "new" / "data" / "rc.jsonl").exists()
    assert not list((tmp_path / "new").rglob("[!.]*.parquet"))
    assert not (tmp_path / "new" / "manifest.json").exists()
    before = (folder / "data" / "rc.jsonl").read_bytes()
    with pytest.raises(OSError, match="the disk is gone"):
        export(Stops([record(1)], tmp_path / "run"), folder)
    assert (folder / "data" / "rc.jsonl").read_bytes() == before
    with Journal.open(tmp_path / "run", {}) as journal:
        export(journal, folder)
        export(journal, tmp_path / "new")
    assert not list(folder.rglob("*.partial")) and not list((tmp_path / "new").rglob("*.partial"))


def test_a_second_export_takes_away_its_old_splits_and_nothing_of_yours(folder, tmp_path):
    mine = folder / "data" / "mine.jsonl"
    mine.write_text("{}\n")
    with Journal.open(tmp_path / "run", {}) as journal:
        journal.finish(content_id(1), "reading_comprehension", "s", [record(1)], [])
        export(journal, folder)
    assert sorted(path.name for path in folder.glob("*/*")) == ["mine.jsonl", "rc.jsonl", "rc.parquet"]


class Breaks(Stops):
    """A run whose disk fails when its records are in their files."""

    def records(self):
        return iter(self.rows)

    def dropped(self):
        raise OSError("the disk is gone")


def test_an_export_takes_away_what_one_that_was_stopped_had_written_already(folder, tmp_path):
    rows = [record(number) | {"source": f"{number}.txt"} for number in range(1, 15)]
    mine = folder / "data" / "test" / "mine.jsonl"
    mine.parent.mkdir()
    mine.write_text("{}\n")
    for place in (folder, tmp_path / "new"):
        with pytest.raises(OSError, match="the disk is gone"):
            export(Breaks(rows, tmp_path / "run"), place, Options.of(["messages", "trl"], "train=0.5,test=0.5"))
        assert (place / "data" / "test" / "rc.jsonl").exists() and (place / "trl" / "test.jsonl").exists()
        with Journal.open(tmp_path / f"{place.name} of", {}) as journal:
            journal.finish(content_id(1), "reading_comprehension", "s", rows, [])
            export(journal, place, Options())
        there = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
        ours = {"data/rc.jsonl", "parquet/rc.parquet", "dropped.jsonl", "README.md", "manifest.json"}
        assert there - {"data/test/mine.jsonl"} == ours
    assert mine.exists()


def test_an_empty_run_exports_cleanly(make):
    done = make("empty", [])
    assert (sum(done.rows.values()), done.dropped) == (0, 0)
    assert (done.folder / "dropped.jsonl").read_bytes() == b""
    assert json.loads((done.folder / "manifest.json").read_text())["records"] == {}
    assert "0 records" in (done.folder / "README.md").read_text()


@pytest.mark.parametrize("numbers", [range(6), []])
def test_the_cards_front_matter_is_yaml(make, numbers):
    folder: Path = make("out", numbers).folder
    _, front, body = (folder / "README.md").read_text().split("---\n", 2)
    card = YAML(typ="safe").load(front)
    assert "agentinstruct" in card["tags"]
    configs = {config["config_name"]: config["data_files"] for config in card.get("configs", [])}
    if numbers:
        assert configs == {
            "default": [{"split": "rc", "path": "parquet/rc.parquet"}],
            "tool_use": [{"split": "tool_use", "path": "parquet/tool_use.parquet"}],
        }
        assert "| CC-BY-4.0 / other terms | 12 |" in body
        assert "12 records" in body and "6 of which passed" in body
    assert body.lstrip().startswith("# ")


@pytest.mark.parametrize("name", ["README.md", "manifest.json", "dropped.jsonl", "data/mine.jsonl", "notes"])
def test_a_folder_that_holds_something_else_is_refused_untouched(tmp_path, name):
    mine = tmp_path / "mine" / name
    mine.parent.mkdir(parents=True)
    mine.write_text('{"files": ["mine"]}')
    with Journal.open(tmp_path / "run", {}) as journal, pytest.raises(RunError, match="not empty and no dataset"):
        export(journal, tmp_path / "mine")
    assert mine.read_text() == '{"files": ["mine"]}'
    assert [path for path in (tmp_path / "mine").rglob("*") if path.is_file()] == [mine]


def test_the_folder_of_another_run_is_refused(tmp_path):
    Journal.open(tmp_path / "other", {}).close()
    before = files(tmp_path / "other")
    with Journal.open(tmp_path / "run", {}) as journal, pytest.raises(RunError, match="another run"):
        export(journal, tmp_path / "other")
    assert files(tmp_path / "other") == before
