"""What repeats a row of another part does not stay in a dataset that is split, whatever form it comes in."""

import json
import subprocess
import sys
from dataclasses import dataclass
from random import Random

import pytest

from agentinstruct.agents.records import Message
from agentinstruct.dataset import leaks
from agentinstruct.dataset.export import export
from agentinstruct.dataset.leaks import find_leaks
from agentinstruct.dataset.options import Options
from agentinstruct.dataset.split import Shares, parts_of
from agentinstruct.run.journal import Journal
from tests.dataset.test_export import lines, record

SPLIT = "train=0.8,validation=0.1,test=0.1"
STARTS = ("bra", "cor", "del", "fen", "gor", "hal", "mir", "sto")
WORDS = [f"{start}{end}" for start in STARTS for end in "abcdefghijkl"]
LAYOUT = "Read what follows with care, think about each of its parts in turn, and then answer in a few plain words:"
"""What many prompts of a skill share is no leak."""


def said(draw, words):
    return " ".join(draw.choices(WORDS, k=words))


def made(number, asked, answered, **more):
    messages = (Message(role="user", content=asked), Message(role="assistant", content=answered))
    return record(number, messages=messages) | {"source": f"{number}.txt"} | more


def clean_rows(count):
    draw = Random(count)
    rows = []
    for number in range(count):
        context = said(draw, 80) if number % 3 == 0 else ""
        asked = f"{LAYOUT}\n{context or said(draw, 30)}\nWhat is the main point of it, in one line?"
        rows.append(made(number, asked, f"The answer is this. {said(draw, 40)}", context=context, accepted=True))
    return rows


def edited(text, every):
    return " ".join(word if place % every else "changed" for place, word in enumerate(text.split(), 1))


def asked_in(row):
    return row["messages"][0]["content"]


FORMS = {
    "verbatim": lambda row: {"messages": row["messages"], "context": row["context"]},
    "lightly edited": lambda row: {
        "messages": [one | {"content": edited(one["content"], 20)} for one in row["messages"]],
        "context": edited(row["context"], 20) if row["context"] in edited(asked_in(row), 20) else "",
    },
    "another format": lambda row: {
        "messages": [
            {"role": "user", "content": f"Here is a question from a quiz. Q: {asked_in(row).upper()} Give reasons."},
            {"role": "assistant", "content": "I would rather hear your own thoughts on this first."},
        ]
    },
    "in an answer": lambda row: {
        "messages": [
            {"role": "user", "content": "Write a question for a quiz, please."},
            {"role": "assistant", "content": f"Gladly. How about this one?\n\n> {asked_in(row)}"},
        ]
    },
}


@pytest.fixture
def exported(tmp_path):
    """The dataset of these rows, split."""

    def write(rows, **options):
        with Journal.open(tmp_path / "run", {}) as journal:
            for number, row in enumerate(rows):
                journal.finish(f"{number:032x}", "reading_comprehension", row["seed_id"], [row], [])
            return export(journal, tmp_path / "out", Options.of(["messages"], SPLIT, **options)).folder

    return write


class Held:
    """Rows as a run gives them."""

    def __init__(self, rows):
        self.rows = rows

    def records(self):
        return iter(self.rows)


def with_planted(rows, form, parts):
    """The rows, and what repeats ten of the test part, in documents that are drawn for training."""
    tested = [row for row in rows if parts.of(row) == "test"][:10]
    assert len(tested) == 10
    planted, number = [], 10_000
    for row in tested:
        new = made(number, "", "") | FORMS[form](row)
        while parts.of(new) != "train":
            number += 1
            new |= {"source": f"{number}.txt", "id": f"{number:032x}"}
        number += 1
        planted.append(new)
    return planted


@pytest.mark.parametrize("form", FORMS)
def test_what_repeats_a_row_of_a_smaller_part_is_found_and_nothing_else(form):
    rows = clean_rows(400)
    parts = parts_of(rows, Shares.parse(SPLIT))
    with find_leaks(Held(rows), parts) as found:
        assert found.ids == set() and found.compared > 300 and found.held_out > 50
    planted = with_planted(rows, form, parts)
    with find_leaks(Held([*planted, *rows]), parts) as found:
        assert found.ids == {row["id"] for row in planted}
        assert {(part, other) for part, other, _ in found.found} == {("train", "test")}


def test_rows_of_one_wording_that_are_not_the_same_item_stay():
    draw, rows = Random(3), []
    for number in range(300):
        asked = f"{LAYOUT} a train leaves at {number} and stops {draw.randrange(90)} times. How late is it?"
        rows.append(made(number, asked, f"It is {number} minutes late.", key=str(number)))
    with find_leaks(Held(rows), parts_of(rows, Shares.parse(SPLIT))) as found:
        assert found.ids == set()


def test_many_copies_on_both_sides_are_found_too():
    rows, copy = clean_rows(300), made(0, said(Random(9), 60), said(Random(10), 60))
    rows += [copy | dict.fromkeys(("id", "source", "seed_id"), f"{number:032x}") for number in range(300)]
    parts = parts_of(rows, Shares.parse(SPLIT))
    with find_leaks(Held(rows), parts) as found:
        copies = {row["id"] for row in rows[300:] if parts.of(row) == "train"}
        assert len(copies) > 200 and copies <= found.ids


@dataclass
class Named:
    """Parts as the rows name them."""

    shares: Shares

    def of(self, row):
        return row["part"]


def leaks_of(rows, shares="train=0.9,test=0.1"):
    """What is found in rows that say which part they are in; each is from a seed of its own unless it names one."""
    rows = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": f"{n} {answered}"}]}
        | {"id": str(n), "seed_id": str(n), "part": part, **more}
        for n, (part, asked, answered, more) in enumerate(rows)
    ]
    with find_leaks(Held(rows), Named(Shares.parse(shares))) as found:
        return [(one["part"], one["repeats"], one["records"]) for one in found.stats()["found"]], len(found.ids)


def others(count, begin="", words=40):
    """Training rows that repeat nothing but how they begin."""
    draw = Random(count)
    return [("train", f"{begin} {said(draw, words)}", said(draw, 30), {}) for _ in range(count)]


def test_one_question_that_is_asked_in_many_training_rows_is_no_template():
    draw, asked = Random(1), said(Random(2), 60)
    copies = [("train", f"Quiz. {edited(asked, 25 + n)}", said(draw, 30), {}) for n in range(50)]
    rows = [("test", asked, said(draw, 30), {})] * 12 + copies + others(100)
    assert leaks_of(rows)[1] == 50


def test_one_passage_with_many_test_rows_is_no_template():
    draw, passage = Random(3), said(Random(4), 200)

    def about_it():
        return f"{passage}\n\n{said(draw, 10)}", said(draw, 30)

    rows = [("test", *about_it(), {"seed_id": "one", "context": passage}) for _ in range(20)]
    rows += [("train", *about_it(), {"context": passage}) for _ in range(3)]
    assert leaks_of([*rows, *others(100)])[1] == 3


def test_a_question_with_a_line_that_it_repeats_is_no_template():
    asked = "Port this to Rust:" + 14 * "\nif the value is none then give the default and go on"
    rows = [("test", asked, said(Random(5), 30), {}), ("train", asked, said(Random(6), 30), {})]
    assert leaks_of([*rows, *others(100)])[1] == 1


@pytest.mark.parametrize("tested", [3, 30])
def test_what_most_of_a_skills_prompts_consist_of_is_a_template(tested):
    layout, draw = said(Random(7), 30), Random(8)
    rows = [("test", f"{layout} {said(draw, 15)}", said(draw, 30), {}) for _ in range(tested)]
    assert leaks_of([*rows, *others(60, layout, 15)])[1] == 0


def test_a_test_row_is_found_behind_many_validation_rows_that_say_the_same():
    asked, answered = said(Random(9), 60), said(Random(10), 30)
    rows = [("validation", asked, answered, {})] * 30 + [("test", asked, answered, {})]
    found, _ = leaks_of(rows + others(30), "train=0.8,validation=0.15,test=0.05")
    assert found == [("validation", "test", 30)]


def test_many_passes_find_and_count_what_one_does(monkeypatch):
    rows = clean_rows(300)
    parts = parts_of(rows, Shares.parse(SPLIT))
    rows += with_planted(rows, "verbatim", parts)
    found = []
    for most, block in ((leaks._MOST_RUNS, leaks._BLOCK), (0, 25), (0, 512)):
        monkeypatch.setattr(leaks, "_MOST_RUNS", most)
        monkeypatch.setattr(leaks, "_BLOCK", block)
        with find_leaks(Held(rows), parts) as one:
            found.append((one.compared, one.held_out, one.ids))
    assert found[0] == found[1] == found[2] and found[0][0] > 200


def test_the_export_leaves_leaks_out_counts_and_lists_them(exported):
    rows = clean_rows(200)
    planted = with_planted(rows, "verbatim", parts_of(rows, Shares.parse(SPLIT)))
    folder = exported([*rows, *planted])
    told = lines(folder / "leaks.jsonl")
    gone = {one["id"] for one in told}
    assert len(gone) >= 10 and {one["repeats_part"] for one in told} <= {"validation", "test"}
    assert all(one["asked"] and one["asked"].split() == one["repeats_asked"].split() for one in told)
    left = {part: lines(folder / "data" / part / "rc.jsonl") for part in ("train", "validation", "test")}
    assert sum(map(len, left.values())) == 210 - len(gone)
    assert not gone & {row["id"] for part in left.values() for row in part}
    prompts = [{asked_in(row) for row in part} for part in left.values()]
    assert not (prompts[0] & prompts[1] or prompts[0] & prompts[2] or prompts[1] & prompts[2])
    card = (folder / "README.md").read_text()
    assert "They were left out: the smallest part is whole, the others lack what repeats a record of a small" in card
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["leaks"]["leaks"] == len(gone) and "leaks.jsonl" in manifest["files"]


def test_what_failed_takes_nothing_away_but_pairs_where_it_is_not_given_out(exported, tmp_path):
    rows = clean_rows(200)
    parts = parts_of(rows, Shares.parse(SPLIT))
    planted = [row | {"accepted": True} for row in with_planted(rows, "verbatim", parts)]
    other = [{"role": "assistant", "content": "I do not know."}]
    failed = [
        row | {"id": f"f{row['id'][1:]}", "messages": [*row["messages"][:-1], *other], "accepted": False}
        for row in planted
    ]
    rows = [row | {"accepted": asked_in(row) not in map(asked_in, planted)} for row in rows]
    exported([*rows, *planted, *failed], accepted_only=True)
    alone = {path.name: path.read_bytes() for path in (tmp_path / "out" / "data").rglob("*.jsonl")}
    with Journal.read(tmp_path / "run") as journal:
        options = Options.of(["messages", "preference"], SPLIT, accepted_only=True)
        done = export(journal, tmp_path / "both", options)
    assert {path.name: path.read_bytes() for path in (done.folder / "data").rglob("*.jsonl")} == alone
    given = {row["id"] for row in lines(done.folder / "data" / "train" / "rc.jsonl")}
    assert {row["id"] for row in planted} <= given
    assert done.formats["preference"].rows.total() == 0


def test_leaks_may_be_kept_and_a_clean_dataset_says_that_it_is(exported, tmp_path):
    rows = clean_rows(200)
    folder = exported(rows)
    assert not (folder / "leaks.jsonl").exists() and "0 of" in (folder / "README.md").read_text()
    planted = with_planted(rows, "verbatim", parts_of(rows, Shares.parse(SPLIT)))
    with Journal.open(tmp_path / "run", {}) as journal:
        for number, row in enumerate(planted, len(rows)):
            journal.finish(f"{number:032x}", "reading_comprehension", row["seed_id"], [row], [])
    command = [sys.executable, "-m", "agentinstruct.cli.main", "export", tmp_path / "run", "--out", folder]
    command += ["--split", SPLIT, "--leaks", "keep"]
    done = subprocess.run([*map(str, command)], check=True, capture_output=True, text=True)
    assert "still in it" in done.stdout
    assert sum(len(lines(path)) for path in folder.glob("data/*/rc.jsonl")) == 210
    assert "still in it" in (folder / "README.md").read_text()
    wrong = subprocess.run([*map(str, command[:-1]), "perhaps"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "--leaks perhaps" in wrong.stderr
