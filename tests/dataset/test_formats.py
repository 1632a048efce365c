"""The formats of other trainers: what each row becomes, what is left out and named, and that their readers read it."""

import json
import re
from collections import Counter

import pytest
from datasets import load_dataset
from ruamel.yaml import YAML

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.records import Message
from agentinstruct.api.dataset import Dataset
from agentinstruct.dataset.export import export
from agentinstruct.dataset.options import Options
from agentinstruct.run.journal import Journal
from tests.dataset.test_export import DIALOGUE, PLAIN, TOOL, lines, record

ALL = ("messages", "sharegpt", "alpaca", "openai", "trl", "preference")


def call(name, number):
    return {"id": name, "type": "function", "function": {"name": "add", "arguments": json.dumps({"a": number})}}


def said(role, content, **more):
    return Message(role=role, content=content, **more)


PARALLEL = (
    said("system", "Use tools."),
    said("user", "Add twice."),
    said("assistant", "", tool_calls=(call("c1", 1), call("c2", 2))),
    said("tool", "1", tool_call_id="c1", name="add"),
    said("tool", "2", tool_call_id="c2", name="add"),
    said("assistant", "Both done."),
    said("user", "Thanks."),
    said("assistant", "You are welcome."),
)
TALK = (said("user", "Hi."), said("assistant", "Hello."), said("user", "Why?"), said("assistant", "So."))
UNPAIRED = (said("user", "Add."), said("assistant", "", tool_calls=(call("c1", 1),)), said("assistant", "Done."))
LAST = (said("user", "Hi."), said("assistant", "Hello."), said("user", "Bye."))
WORDY = (said("user", "Add."), said("assistant", "I add.", tool_calls=(call("c1", 1),)))
BROKEN = (
    said("user", "Add."),
    said(
        "assistant",
        "",
        tool_calls=({"id": "c", "type": "function", "function": {"name": "add", "arguments": "1, 2"}},),
    ),
)


@pytest.fixture
def make(tmp_path):
    """Export these records in these formats."""

    def run(*rows, formats=ALL, split="", **options):
        with Journal.open(tmp_path / "run", {}) as journal:
            for number, row in enumerate(rows):
                journal.finish(f"{number:032x}", row["skill"], row["seed_id"], [row], [])
            return export(journal, tmp_path / "out", Options.of(formats, split, **options))

    return run


def tool(number, messages):
    return record(number, "tool_use", "tool_use", messages, (TOOL,))


def test_sharegpt_alternates_and_keeps_calls_and_results_together(make):
    done = make(record(1), tool(2, PARALLEL), formats=["sharegpt"])
    plain, tools = lines(done.folder / "sharegpt" / "train.jsonl")
    assert [turn["from"] for turn in plain["conversations"]] == ["system", "human", "gpt"]
    assert plain["tools"] == ""
    turns = tools["conversations"]
    assert [turn["from"] for turn in turns] == [
        "system",
        "human",
        "function_call",
        "observation",
        "gpt",
        "human",
        "gpt",
    ]
    assert json.loads(turns[2]["value"]) == [
        {"name": "add", "arguments": {"a": 1}},
        {"name": "add", "arguments": {"a": 2}},
    ]
    assert turns[3]["value"] == "1\n2"
    assert json.loads(tools["tools"]) == [TOOL]
    assert tools["id"] == tool(2, PARALLEL)["id"]


def test_alpaca_holds_one_turn_and_names_what_it_leaves_out(make):
    done = make(record(1), record(2, messages=TALK), tool(3, DIALOGUE), formats=["alpaca"])
    (row,) = lines(done.folder / "alpaca" / "train.jsonl")
    assert (row["instruction"], row["input"]) == (PLAIN[1].content, "")
    assert (row["output"], row["system"]) == ("So.", "Be brief.")
    assert done.formats["alpaca"].left_out == {"several turns": 1, "tools": 1}
    assert "several turns: 1; tools: 1" in (done.folder / "README.md").read_text()
    manifest = json.loads((done.folder / "manifest.json").read_text())
    assert manifest["formats"]["alpaca"] == {"rows": {"train": 1}, "left_out": {"several turns": 1, "tools": 1}}


def documented_faults(line):
    """What OpenAI's guides to fine-tuning and function calling ask of an example, checked one by one."""
    example = json.loads(line)
    if unknown := example.keys() - {"messages", "tools", "parallel_tool_calls"}:
        yield f"unknown keys {unknown}"
    messages = example["messages"]
    if messages[-1]["role"] != "assistant" or not any(message["role"] == "user" for message in messages):
        yield "the last message is not the assistant's"
    if any(message["role"] == "system" for message in messages[1:]):
        yield "a system message that is not the first"
    for message in messages:
        yield from faults_of(message)
    for tool in example.get("tools", []):
        if tool["type"] != "function" or not re.fullmatch(r"[\w-]{1,64}", tool["function"]["name"]):
            yield "a tool's form"
    yield from faults_of_calls(messages, {tool["function"]["name"] for tool in example.get("tools", [])})


def faults_of(message):
    role = message["role"]
    allowed = {"role", "content"} | {"assistant": {"tool_calls"}, "tool": {"tool_call_id"}}.get(role, set())
    if role not in ("system", "user", "assistant", "tool") or message.keys() - allowed:
        yield f"{role}: role or key not known"
    if not (isinstance(message.get("content"), str) and message["content"]) and "tool_calls" not in message:
        yield f"{role}: no content"


def faults_of_calls(messages, offered):
    waiting = set()
    for message in messages:
        if message["role"] == "tool":
            waiting.remove(message["tool_call_id"])
        elif waiting:
            yield "calls without results"
        for one in message.get("tool_calls", []):
            waiting.add(one["id"])
            json.loads(one["function"]["arguments"])
            if one["type"] != "function" or one["function"]["name"] not in offered:
                yield "a call of what is not offered"


def test_openai_takes_every_line(make):
    rows = [record(1), record(2, messages=TALK), tool(3, DIALOGUE), tool(4, PARALLEL), tool(5, UNPAIRED)]
    done = make(*rows, record(6, messages=LAST), record(7, messages=(said("user", " ?"), said("assistant", ""))))
    written = (done.folder / "openai" / "train.jsonl").read_text().splitlines()
    assert len(written) == 4
    assert [fault for line in written for fault in documented_faults(line)] == []
    assert done.formats["openai"].left_out == {
        "a tool call and its result do not belong together": 1,
        "the last word is not the assistant's": 1,
        "a message is empty": 1,
    }
    shown = {len(json.loads(line)["messages"]): json.loads(line) for line in written}
    assert shown[8]["parallel_tool_calls"] is True and shown[4]["tools"] == [TOOL]
    assert "content" not in shown[8]["messages"][2]


@pytest.mark.parametrize("name", ["weather now", "ä", "x" * 65])
def test_a_tool_that_openai_would_refuse_is_left_out(make, name):
    named = json.loads(json.dumps(TOOL).replace('"add"', json.dumps(name)))
    done = make(record(1, "tool_use", "tool_use", DIALOGUE, (named,)), formats=["openai"])
    assert done.formats["openai"].left_out == {"a tool's name has other characters than letters, digits, _ and -": 1}


def test_trl_has_a_row_for_each_turn_of_the_assistants(make):
    done = make(record(1, messages=TALK), tool(2, PARALLEL), formats=["trl"])
    rows = lines(done.folder / "trl" / "train.jsonl")
    assert [len(row["prompt"]) for row in rows] == [1, 3, 2, 5, 7]
    assert all([message["role"] for message in row["completion"]] == ["assistant"] for row in rows)
    assert rows[1]["prompt"][-1] == {"role": "user", "content": "Why?"}
    assert rows[2]["completion"][0]["tool_calls"][1]["function"] == {"name": "add", "arguments": {"a": 2}}
    assert rows[2]["tools"] == [TOOL] and "tools" not in rows[0]


def test_what_no_format_with_objects_can_say_is_named(make):
    done = make(tool(1, WORDY), tool(2, BROKEN), formats=["sharegpt", "trl"])
    assert done.formats["sharegpt"].left_out == {
        "a turn both speaks and calls a tool": 1,
        "the arguments of a call are no JSON object": 1,
    }
    assert done.formats["trl"].left_out == {"the arguments of a call are no JSON object": 1}
    assert done.formats["trl"].rows == {"train": 1}


def test_datasets_loads_every_format_by_its_name(make, tmp_path):
    rows = [tool(n, (PARALLEL, DIALOGUE)[n % 2]) for n in range(4)] + [record(n) for n in range(10, 14)]
    edited = record(20) | {"review": {"action": "edit", "original": [*[m.wire() for m in PLAIN[:2]], SAD]}}
    done = make(*rows, edited)
    counts = {}
    cache = {"cache_dir": str(tmp_path / "cache")}
    for name in ("sharegpt", "alpaca", "openai", "trl", "preference"):
        table = load_dataset("json", data_files=str(done.folder / name / "train.jsonl"), split="train", **cache)
        counts[name] = table.num_rows
        if name == "trl":
            first = next(row for row in table if row["completion"][0].get("tool_calls"))
            assert first["tools"] == [TOOL]
            assert json.dumps(first["completion"]) == json.dumps(lines_of(done, "trl", first["id"])["completion"])
    assert counts == {"sharegpt": 9, "alpaca": 5, "openai": 9, "trl": 2 * 2 + 2 * 3 + 5, "preference": 1}
    assert load_dataset(str(done.folder), **cache)["rc"].num_rows == 5


SAD = {"role": "assistant", "content": "No idea."}


def test_datasets_loads_formats_by_name_where_they_stand_alone(make, tmp_path):
    done = make(
        *(record(n) for n in range(40)), formats=["sharegpt", "alpaca"], split="train=0.8,test=0.2", leaks="keep"
    )
    for name in ("sharegpt", "alpaca"):
        loaded = load_dataset(str(done.folder), name, cache_dir=str(tmp_path / "cache"))
        assert list(loaded) == ["train", "test"]
        assert sum(part.num_rows for part in loaded.values()) == 40


def lines_of(done, form, name):
    return next(row for row in lines(done.folder / form / "train.jsonl") if row["id"] == name)


def test_an_edit_of_a_person_is_a_pair(make):
    talk = [message.wire() for message in TALK]
    original = [talk[0], SAD, *talk[2:]]
    edited = record(1, messages=TALK) | {"review": {"action": "edit", "reason": "curt", "original": original}}
    reworded = record(2) | {"review": {"action": "edit", "original": [{"role": "user", "content": "Who?"}, SAD]}}
    accepted = record(3) | {"review": {"action": "accept", "original": []}}
    done = make(edited, reworded, accepted, formats=["preference"])
    (pair,) = lines(done.folder / "preference" / "train.jsonl")
    assert (pair["by"], pair["reason"]) == ("review", "curt")
    assert (pair["prompt"], pair["chosen"], pair["rejected"]) == ([talk[0]], [talk[1]], [SAD])


def test_two_answers_to_one_prompt_are_a_pair_when_their_verdicts_differ(make):
    wrong = (*PLAIN[:2], said("assistant", "No idea."))
    worse = (*PLAIN[:2], said("assistant", "None."))
    rows = [record(2, messages=wrong), record(1), record(4, messages=worse), record(6), record(8, messages=TALK)]
    done = make(*rows, formats=["preference"])
    pairs = lines(done.folder / "preference" / "train.jsonl")
    # Record 6 is rejected too, with the very words that were accepted: nothing can be learnt from that.
    assert {pair["rejected"][0]["content"] for pair in pairs} == {"No idea.", "None."}
    assert {pair["chosen"][0]["content"] for pair in pairs} == {"So."}
    assert {(pair["by"], pair["reason"]) for pair in pairs} == {("verdict", "judge")}
    assert all(pair["prompt"] == [message.wire() for message in PLAIN[:2]] for pair in pairs)


def test_what_failed_is_rejected_in_pairs_and_given_out_nowhere_else(make):
    wrong = record(2, messages=(*PLAIN[:2], said("assistant", "No idea.")))
    done = make(wrong, record(1), formats=["messages", "trl", "preference"], accepted_only=True)
    assert done.rows == {"rc": 1} and done.formats["trl"].rows == {"train": 1}
    assert [row["id"] for row in lines(done.folder / "data" / "rc.jsonl")] == [record(1)["id"]]
    (pair,) = lines(done.folder / "preference" / "train.jsonl")
    assert pair["rejected"][0]["content"] == "No idea."


def test_a_run_without_pairs_has_no_file_of_them(make):
    done = make(record(1), record(3), formats=["preference"])
    assert done.formats["preference"].rows.total() == 0
    assert not (done.folder / "preference").exists()


def test_llama_factory_and_axolotl_find_the_files(make):
    done = make(
        *(record(n) for n in range(40)),
        formats=["sharegpt", "alpaca", "openai"],
        split="train=0.8,test=0.2",
        leaks="keep",
    )
    info = json.loads((done.folder / "dataset_info.json").read_text())
    assert info.keys() == {f"{form}_{part}" for form in ("sharegpt", "alpaca") for part in ("train", "test")}
    for entry in info.values():
        row = lines(done.folder / entry["file_name"])[0]
        assert set(entry["columns"].values()) <= row.keys()
        if tags := entry.get("tags"):
            assert {turn[tags["role_tag"]] for turn in row["conversations"]} <= set(tags.values())
    sections = list(YAML(typ="safe").load_all((done.folder / "axolotl.yaml").read_text()))
    assert Counter(key for section in sections for key in section) == {"datasets": 3, "test_datasets": 3}
    for section in sections:
        ((entry,),) = section.values()
        row = lines(done.folder / entry["path"])[0]
        field = entry.get("field_messages") or entry["type"]["field_instruction"]
        assert field in row


def test_the_folder_is_written_again_as_it_was_and_old_formats_go(make, tmp_path):
    first = make(record(1), formats=["messages", "sharegpt"])
    before = (first.folder / "manifest.json").read_bytes()
    with Journal.read(tmp_path / "run") as journal:
        export(journal, first.folder)
        assert (first.folder / "manifest.json").read_bytes() == before
        export(journal, first.folder, Options())
    assert not (first.folder / "sharegpt" / "train.jsonl").exists()
    assert not (first.folder / "dataset_info.json").exists()
    assert (first.folder / "data" / "rc.jsonl").exists()


def test_only_what_was_asked_for_is_given_out(make):
    free = record(1) | {"licence": "MIT"}
    done = make(record(2), record(3), free, accepted_only=True, without_licences=("MIT",))
    assert [row["id"] for row in lines(done.folder / "data" / "rc.jsonl")] == [record(3)["id"]]
    assert "MIT" not in done.licences
    assert "license: other" in (done.folder / "README.md").read_text()


def test_large_splits_have_parquet_files_of_bounded_size(make, tmp_path):
    done = make(*(record(n) for n in range(7)), formats=["messages"], shard_rows=3)
    names = sorted(path.name for path in (done.folder / "parquet").iterdir())
    assert names == [f"rc-0000{n}-of-00003.parquet" for n in range(3)]
    table = load_dataset(str(done.folder), cache_dir=str(tmp_path / "cache"))["rc"]
    assert table["id"][:] == [row["id"] for row in lines(done.folder / "data" / "rc.jsonl")]


def test_a_runs_own_folder_keeps_its_records_in_any_layout(tmp_path):
    rows = [record(n) | {"source": f"{n}.txt"} for n in range(30)]
    with Journal.open(tmp_path / "run", {}) as journal:
        journal.finish("ab" * 16, "rc", "s", rows, [])
        export(journal, tmp_path / "run", Options.of(["trl"], "train=0.8,test=0.2", shard_rows=10))
    read = Dataset(tmp_path / "run")
    assert len(read) == 30
    assert {row["id"] for row in read.rows()} == {row["id"] for row in rows}
    assert sorted(read.to_datasets()["rc"]["id"]) == sorted(row["id"] for row in rows)
    assert (tmp_path / "run" / "trl" / "train.jsonl").exists()


@pytest.mark.parametrize(
    ("formats", "split", "said"),
    [
        (["sharegtp"], "", "sharegpt"),
        (["messages"], "train=0.9,test=0.2", "add up to 1"),
        (["messages"], "train", "add up to 1"),
        (["messages"], "train=0.5,train=0.5", "add up to 1"),
        (["messages"], "../x=1", "add up to 1"),
    ],
)
def test_wrong_options_are_refused_with_what_to_write(formats, split, said):
    with pytest.raises(SetupError, match=said):
        Options.of(formats, split)
