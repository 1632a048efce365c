"""`clean` and `export --dedup …`: what stays, what went and why, in the files, the counts and the card."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from agentinstruct.agents.records import Message, Record, content_id
from agentinstruct.cli.main import app
from agentinstruct.dataset.rows import read_rows
from agentinstruct.run.journal import Journal

CORN = "the mill at the bend of the river ground the corn of four villages until the railway came to the valley"
WORDS = CORN.split()
QUESTION = "Which of the four villages sent its grain by rail to the mill at the bend of the river?"


def chat(prompt, response):
    return [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]


def said(number):
    return " ".join(WORDS[(number * step) % len(WORDS)] + str(number * step % 7) for step in range(1, 40))


ROWS = [
    {"id": "a1", "messages": chat(said(1), "It stopped."), "accepted": True},
    {"id": "b2", "messages": chat(said(1).upper(), "It stopped."), "accepted": True},
    {"id": "c3", "messages": chat(QUESTION, "Elmley did, as far as anybody knows."), "accepted": True},
    {"id": "d4", "messages": chat(said(2), "As an AI language model, I cannot know."), "accepted": True},
    {"id": "e5", "messages": chat(said(3), "Gone. I hope this helps!"), "accepted": True},
]
OPTIONS = ("--dedup", "--flags", "drop")


def run(*words):
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(row, indent=None, separators=(", ", ":  ")) + "\n" for row in ROWS))
    (tmp_path / "quiz.txt").write_text(QUESTION)
    return path


def test_a_file_is_cleaned_and_says_what_went(data, tmp_path):
    out = tmp_path / "out"
    status, told = run("clean", data, "--to", out, *OPTIONS, "--decontaminate", f"quiz={tmp_path / 'quiz.txt'}")
    assert status == 0 and "5  rows, of which 2 stay" in told and "duplicate: exact 1" in told
    assert [(row["id"], row["flags"]) for row in lines(out / "rows.jsonl")] == [("a1", []), ("e5", ["boilerplate"])]
    assert "these alone take no row away: boilerplate 1 (--flags drop:all)" in told
    why = {row["id"]: row for row in lines(out / "removed.jsonl")}
    assert {name: row["reason"] for name, row in why.items()} == {
        "b2": "duplicate",
        "c3": "contaminated",
        "d4": "flagged",
    }
    assert (why["b2"]["twin"], why["b2"]["method"]) == ("a1", "exact")
    assert why["c3"]["hits"][0]["item_text"] == QUESTION == why["c3"]["hits"][0]["text"]
    assert why["d4"]["flags"] == [{"name": "as_an_ai", "where": "response", "evidence": "As an AI"}]
    stats = json.loads((out / "clean.json").read_text())
    assert (stats["rows"], stats["kept"], sum(stats["removed"].values())) == (5, 2, 3)


def test_rows_without_ids_are_told_by_their_place(tmp_path):
    data, index = tmp_path / "rows.jsonl", tmp_path / "all.dedup"
    rows = [{"messages": chat(said(one), "It stopped.")} for one in (1, 2, 2)]
    data.write_text("".join(json.dumps(row) + "\n" for row in [*rows, ROWS[3] | {"id": None}]))
    for _ in range(2):  # the second time the index knows them
        assert run("clean", data, "--to", tmp_path / "out", *OPTIONS, "--index", index)[0] == 0
        flagged, twin = lines(tmp_path / "out" / "removed.jsonl")
        assert {twin["id"], twin["twin"]} == {"rows.jsonl, 2. row", "rows.jsonl, 3. row"}
        assert flagged["id"] == "rows.jsonl, 4. row"
    assert len(lines(tmp_path / "out" / "rows.jsonl")) == 2 and "place" not in (tmp_path / "out/rows.jsonl").read_text()


def test_lines_stay_as_they_are_when_no_flags_are_looked_for(data, tmp_path):
    assert run("clean", data, "--to", tmp_path / "out", "--dedup")[0] == 0
    before = data.read_text().splitlines()
    assert (tmp_path / "out" / "rows.jsonl").read_text().splitlines() == [line for line in before if '"b2"' not in line]


@pytest.mark.parametrize("earlier", ["", ', "flags": ["x"]'])
def test_flags_are_added_and_no_number_loses_a_digit(tmp_path, earlier):
    data, out = tmp_path / "rows.jsonl", tmp_path / "out"
    row = f'{{"id": {7**40}, "n": -{9**30}, "prompt": "Wohin für 5 €?", "completion": "I hope this helps!"{earlier}}}'
    data.write_text(f"{row} \r\n\n{row.replace('Wohin', 'Wo')}", encoding="utf-8")
    assert run("clean", data, "--to", out, "--flags", "keep")[0] == 0
    rows = lines(out / "rows.jsonl")
    assert [(row["id"], row["n"], row["flags"]) for row in rows] == [(7**40, -(9**30), ["boilerplate"])] * 2
    if not earlier:
        first = (out / "rows.jsonl").read_text(encoding="utf-8").partition("\n")[0]
        assert first == f'{row[:-1]},"flags":["boilerplate"]}}'


def test_parquet_stays_parquet_and_its_schema_stays(data, tmp_path):
    table = pa.Table.from_pylist(ROWS)
    pq.write_table(table, tmp_path / "rows.parquet")
    assert run("clean", tmp_path / "rows.parquet", "--to", tmp_path / "plain", "--dedup")[0] == 0
    plain = pq.read_table(tmp_path / "plain" / "rows.parquet")
    assert plain.schema.equals(table.schema) and plain.column("id").to_pylist() == ["a1", "c3", "d4", "e5"]
    assert run("clean", tmp_path / "rows.parquet", "--to", tmp_path / "out", *OPTIONS)[0] == 0
    assert pq.read_table(tmp_path / "out" / "rows.parquet").column("flags").to_pylist() == [[], [], ["boilerplate"]]


def test_a_second_cleaning_gives_the_same_and_other_folders_are_refused(data, tmp_path):
    out = tmp_path / "out"
    words = ("clean", data, "--to", out, "--dedup", "--index", tmp_path / "all.dedup")
    assert run(*words)[0] == 0
    first = (out / "rows.jsonl").read_bytes(), (out / "removed.jsonl").read_bytes()
    assert run(*words)[0] == 0
    assert ((out / "rows.jsonl").read_bytes(), (out / "removed.jsonl").read_bytes()) == first
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "notes.txt").touch()
    assert "not empty and no cleaned dataset" in run("clean", data, "--to", mine, "--dedup")[1]
    assert "holds the dataset itself" in run("clean", data, "--to", tmp_path, "--dedup")[1]


def test_a_cleaning_leaves_nothing_of_the_one_before(data, tmp_path):
    first, out = tmp_path / "first", tmp_path / "out"
    (first / "data").mkdir(parents=True)
    (first / "data" / "old.jsonl").write_text(json.dumps(ROWS[0]))
    assert run("clean", first, "--to", out, "--flags", "keep")[0] == 0
    assert [row["id"] for row in read_rows(out)] == ["a1"]
    (out / "mine.txt").touch()
    assert run("clean", data, "--to", out, "--flags", "keep")[0] == 0
    assert [row["id"] for row in read_rows(out)] == [row["id"] for row in ROWS]
    assert json.loads((out / "clean.json").read_text())["files"] == ["rows.jsonl"] and (out / "mine.txt").exists()


def test_a_cleaning_that_ended_early_can_be_repeated(data, tmp_path):
    whole, out = data.read_text(), tmp_path / "out"
    data.write_text(whole + "[1]\n")
    assert run("clean", data, "--to", out, "--dedup")[0] == 2
    data.write_text(whole)
    assert run("clean", data, "--to", out, "--dedup")[0] == 0


def test_files_that_unpack_to_one_name_are_all_there(tmp_path):
    folder, out = tmp_path / "set", tmp_path / "out"
    folder.mkdir()
    names = {
        "a.jsonl": "a.jsonl",
        "a.jsonl.gz": "a-3.jsonl",
        "a-2.jsonl": "a-2.jsonl",
        "removed.jsonl.gz": "removed-2.jsonl",
    }
    for row, name in zip(ROWS, names, strict=False):
        line = json.dumps(row).encode()
        (folder / name).write_bytes(gzip.compress(line) if name.endswith(".gz") else line)
    assert run("clean", folder, "--to", out, "--flags", "keep")[0] == 0
    assert sorted(row["id"] for row in read_rows(out)) == [row["id"] for row in ROWS[:4]]
    for before, after in names.items():
        assert [row["id"] for row in read_rows(folder / before)] == [row["id"] for row in read_rows(out / after)]


def test_a_folder_in_the_dataset_and_one_of_an_export_are_refused(data, tmp_path):
    told = " ".join(run("clean", tmp_path, "--to", tmp_path / "clean", "--dedup")[1].split())
    assert "lies in the dataset" in told and not (tmp_path / "clean").exists()
    export = tmp_path / "export"
    export.mkdir()
    (export / "clean.json").write_text('{"rows": 5}')
    assert "no cleaned dataset" in run("clean", data, "--to", export, "--dedup")[1]


def test_an_earlier_dataset_takes_away_what_it_has(data, tmp_path):
    old = tmp_path / "old.jsonl"
    old.write_text(
        json.dumps(
            {
                "conversations": [
                    {"from": "human", "value": said(3)},
                    {"from": "gpt", "value": "Gone. I hope this helps!"},
                ]
            }
        )
    )
    assert run("clean", data, "--to", tmp_path / "out", "--against", old)[0] == 0
    gone = {row["id"]: row["dataset"] for row in lines(tmp_path / "out" / "removed.jsonl")}
    assert gone == {"b2": "", "e5": str(old)}


def test_nothing_is_cleaned_by_meaning_as_well(data, tmp_path):
    data.write_text("")
    status, told = run("clean", data, "--to", tmp_path / "out", "--dedup", "--embeddings", "hash")
    assert status == 0 and "0  rows" in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "nothing to do"),
        (("--flags", "drop:refusals"), "Did you mean refusal"),
        (("--dedup", "--on", "answer"), "--on answer"),
        (("--embeddings", "hash", "--flags", "keep"), "--embeddings hash"),
        (("--dedup", "--embeddings", "mine"), "no embeddings are called"),
        (("--decontaminate", "nowhere.jsonl"), "no such file"),
    ],
)
def test_wrong_options_say_what_to_change(data, tmp_path, words, told):
    status, output = run("clean", data, "--to", tmp_path / "out", *words)
    assert status == 2 and told in " ".join(output.split())


def test_a_line_that_is_no_row_is_named(data, tmp_path):
    data.write_text(data.read_text() + "[1, 2]\n")
    status, output = run("clean", data, "--to", tmp_path / "out", "--dedup")
    assert status == 2 and "rows.jsonl:6: not a JSON object" in output.replace("\n", "")


ODD = [
    {"id": "-5731953262", "depth": -1, "prompt": "Why?", "completion": "So."},
    {"id": ["x"], "depth": "shallow", "prompt": "When?", "completion": "Then.", "seed_id": ["s"]},
    {"id": None, "depth": 1e300, "key": {"a": 1}, "messages": [{"role": "user", "content": "Who?", "tool_calls": "f"}]},
    {"id": "550e8400-e29b-41d4", "text": "A mill."},
    {"id": "0x12", "messages": [{"from": "gpt", "value": "He.", "tool_calls": ["f", {"function": "g"}]}]},
    {"id": "none", "messages": []},
    {"id": "null", "messages": None, "prompt": None, "text": None},
]


def test_odd_rows_are_read_and_empty_chats_are_flagged(data, tmp_path):
    data.write_text("".join(json.dumps(row) + "\n" for row in ODD))
    words = (*OPTIONS, "--decontaminate", f"quiz={tmp_path / 'quiz.txt'}")
    assert run("clean", data, "--to", tmp_path / "out", *words)[0] == 0
    kept = [row["id"] for row in lines(tmp_path / "out" / "rows.jsonl")]
    gone = {str(row["id"]): row["flags"][0]["name"] for row in lines(tmp_path / "out" / "removed.jsonl")}
    assert kept == ["-5731953262", ["x"], "550e8400-e29b-41d4", "0x12"] and gone == {
        "rows.jsonl, 3. row": "empty",
        "none": "empty",
        "null": "empty",
    }
    assert run("clean", data, "--to", tmp_path / "all", "--dedup")[0] == 0
    assert lines(tmp_path / "all" / "rows.jsonl")[:3] == lines(data)[:3]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"id": "x7", "conversation": "Human: hi"}, "id 'x7' has a chat that is text, but not JSON: 'Human: hi'"),
        ({"messages": [["user", "hi"]]}, "a row without id has a chat that is no list of objects"),
        ({"messages": {"role": "user"}}, "no list of objects"),
        ({"id": 1, "words": "hi"}, "the row with id '1' holds no chat; it has id, words"),
    ],
)
def test_a_row_that_cannot_be_read_is_named_with_its_file(data, tmp_path, row, told):
    data.write_text(data.read_text() + json.dumps(row) + "\n")
    other = tmp_path / "other.jsonl"
    other.write_text(json.dumps(ROWS[0]) + "\n")
    for words in ((data, "--dedup"), (data, "--flags", "keep"), (other, "--against", data)):
        status, output = run("clean", *words, "--to", tmp_path / "out")
        shown = "".join(output.split())
        assert status == 2 and "rows.jsonl,6.row:" in shown and told.replace(" ", "") in shown


def record(number, row):
    return Record(
        id=content_id(number),
        messages=tuple(Message(**turn) for turn in row["messages"]),
        **dict.fromkeys(("category", "transform", "form", "seed_id", "source", "licence", "language"), "x"),
        skill="reading_comprehension",
        split="rc",
        start=0,
        end=1,
        accepted=True,
    ).row()


def test_a_run_is_exported_clean_and_the_card_says_so(tmp_path):
    with Journal.open(tmp_path / "run", {}) as journal:
        for number, row in enumerate(ROWS):
            journal.finish(content_id("item", number), "reading_comprehension", str(number), [record(number, row)], [])
    out = tmp_path / "out"
    assert run("export", tmp_path / "run", "--to", out, *OPTIONS)[0] == 0
    rows = lines(out / "data" / "rc.jsonl")
    assert pq.read_table(out / "parquet" / "rc.parquet").to_pylist() == rows
    assert len(rows) == 3 and sorted(name for row in rows for name in row["flags"]) == ["boilerplate"]
    card = (out / "README.md").read_text()
    assert "3 records made by" in card and "Cleaned: 5 records before, 3 after" in card
    assert (
        "| duplicate | 1 | exact 1 |" in card
        and "| as_an_ai | 1 | yes |" in card
        and "| boilerplate | 1 | no |" in card
    )
    manifest = json.loads((out / "manifest.json").read_text())
    assert {"removed.jsonl", "clean.json"} < manifest["files"].keys() and manifest["records"] == {"rc": 3}
    assert run("export", tmp_path / "run", "--to", out)[0] == 0
    assert not (out / "removed.jsonl").exists() and len(lines(out / "data" / "rc.jsonl")) == 5
    assert "flags" not in lines(out / "data" / "rc.jsonl")[0]


@pytest.mark.parametrize("first", [{"licence": "CC-BY-ND-4.0"}, {"accepted": False}])
def test_what_is_not_given_out_takes_nothing_away(tmp_path, first):
    """The first of two that are alike by id would stay, but for its licence; or is not accepted."""
    rows = [record(number, ROWS[0]) for number in (1, 2)]
    rows.sort(key=lambda row: row["id"])
    rows[0] |= first
    with Journal.open(tmp_path / "run", {}) as journal:
        for number, row in enumerate(rows):
            journal.finish(content_id("item", number), "reading_comprehension", str(number), [row], [])
    words = ("--without-licence", "CC-BY-ND-4.0", "--accepted-only", "--dedup")
    assert run("export", tmp_path / "run", "--to", tmp_path / "out", *words)[0] == 0
    assert [row["id"] for row in lines(tmp_path / "out" / "data" / "rc.jsonl")] == [rows[1]["id"]]
    assert "Cleaned: 1 records before, 1 after" in (tmp_path / "out" / "README.md").read_text()


@pytest.mark.parametrize("where", [[], ["--out", "run/../run"]])
def test_a_runs_own_folder_is_not_cleaned_since_the_run_would_undo_it(tmp_path, monkeypatch, where):
    monkeypatch.chdir(tmp_path)
    with Journal.open(tmp_path / "run", {}) as journal:
        journal.finish(content_id("item", 0), "reading_comprehension", "0", [record(0, ROWS[0])], [])
    status, told = run("export", "run", *where, "--dedup")
    assert status == 2 and "--out FOLDER" in told
    assert not (tmp_path / "run" / "data").exists()
