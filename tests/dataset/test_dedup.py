"""Duplicates: what is found and what is not, who stays, an index that is kept, and the same result in every order."""

import random

import pytest

from agentinstruct.agents.errors import RunError
from agentinstruct.dataset.dedup import Deduplicator, deduplicate
from agentinstruct.dataset.dedup_index import DedupIndex
from agentinstruct.dataset.dedup_rows import UNSKETCHED, block
from agentinstruct.tools.embeddings import Hashed

_LIST = (
    "river mill stone bridge harvest railway village winter letter garden copper engine harbour window candle forest "
    "market silver thunder journal teacher mountain orchard lantern velvet compass anchor meadow ribbon saddle"
)
WORDS = _LIST.split()


def words(seed, count):
    return random.Random(seed).choices(WORDS, k=count)


def row(number, prompt, response, **more):
    messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}]
    return {"id": f"{number:08x}".ljust(32, "0"), "messages": messages, **more}


def text(seed, count=60):
    return " ".join(words(seed, count))


def changed(seed, count=60, at=(20, 40)):
    said = words(seed, count)
    for place in at:
        said[place] = "elsewhere"
    return " ".join(said)


def kept(rows, **options):
    left, twins = deduplicate(rows, **options)
    return [int(one["id"][:8], 16) for one in left], {int(t.id[:8], 16): (int(t.twin[:8], 16), t.method) for t in twins}


def test_exact_means_the_same_words_whatever_case_space_quotes_and_system_message():
    again = row(2, f"  {text(1).upper()} “mill”", text(2).replace(" ", "\n"))
    again["messages"].insert(0, {"role": "system", "content": "Be brief."})
    assert kept([row(1, f'{text(1)} "mill"', text(2)), again]) == ([1], {2: (1, "exact")})


def test_near_twins_are_found_and_texts_alike_by_half_are_not():
    rows = [row(1, text(1), text(2)), row(2, changed(1), text(2)), row(3, changed(1, at=range(0, 60, 5)), text(2))]
    left, twins = kept(rows)
    assert left == [1, 3] and twins == {2: (1, "minhash")}


def test_a_short_answer_counts_however_long_the_prompt_is():
    rows = []
    for n in range(1, 40, 2):
        long = " ".join(f"{word}{at * n % 97}" for at, word in enumerate(words(n, 1500)))
        rows += [row(n, long, f"Answer {n}."), row(n + 1, long.replace(" ", " and ", 1), f"Answer {n}.")]
        rows.append(row(n + 1000, f"once {long}", "No, never."))
    twins = kept(rows)[1]
    assert {n: twin for n, (twin, _) in twins.items()} == {n + 1: n for n in range(1, 40, 2)}


def test_questions_about_one_passage_are_not_twins():
    passage = text("passage", 300)
    rows = [row(n, f"{passage}\n\n{text(n, 12)}", text(n + 50, 8), context=passage) for n in range(1, 6)]
    assert kept(rows)[0] == [1, 2, 3, 4, 5]


def test_one_question_about_two_passages_is_not_a_twin():
    question = "What is the main idea of this passage, in one sentence, for somebody who has not read it?"
    rows = [row(n, f"{text(n, 200)}\n\n{question}", "It is about mills.", context=text(n, 200)) for n in (1, 2)]
    assert kept(rows)[0] == [1, 2]


def test_another_key_or_another_answer_makes_another_record():
    long = text(1, 120)
    by_key = [row(1, long, "Answer: B", key="B"), row(2, changed(1, 120), "Answer: B", key="C")]
    by_answer = [row(1, long, "It is true."), row(2, long, "No, never.")]
    assert kept(by_key)[0] == [1, 2] == kept(by_answer)[0]
    assert kept(by_answer, on="prompt")[0] == [1]


def test_the_response_alone_may_be_compared():
    rows = [row(1, text(1), text(9)), row(2, text(2), text(9))]
    assert kept(rows)[0] == [1, 2]
    assert kept(rows, on="response") == ([1], {2: (1, "exact")})


def test_accepted_then_original_then_the_smaller_id_stays():
    same = {"prompt": text(1), "response": text(2)}
    rows = [
        row(1, **same, accepted=False, depth=0),
        row(2, **same, accepted=True, depth=1),
        row(4, **same, accepted=True, depth=0),
        row(3, **same, accepted=True, depth=0),
    ]
    assert kept(rows) == ([3], {1: (3, "exact"), 2: (3, "exact"), 4: (3, "exact")})


def planted():
    rows = []
    for number in range(120):
        rows.append(row(10 * number, text(number), text(-1 - number)))
        if number % 3 == 0:
            rows.append(row(10 * number + 1, changed(number), text(-1 - number)))
        if number % 5 == 0:
            rows.append(row(10 * number + 2, text(number).title(), text(-1 - number)))
    return rows


def test_the_order_of_the_rows_makes_no_difference():
    rows = planted()
    left, twins = kept(rows)
    assert left == [10 * number for number in range(120)]
    random.Random(3).shuffle(rows)
    again, same = kept(rows)
    assert (sorted(again), same) == (left, twins)


def test_many_twins_of_one_record_all_go():
    rows = [row(1, text(1), text(2))] + [row(n, changed(1, at=(n % 60, (7 * n) % 60)), text(2)) for n in range(2, 200)]
    left, _ = kept(rows)
    assert left == [1]


def test_a_chain_of_likeness_takes_away_nothing_that_is_like_none_that_stays():
    a, b = words(1, 60), words(1, 60)
    b[10] = b[30] = "elsewhere"
    c = list(b)
    c[20] = c[45] = "nowhere"
    rows = [row(n, " ".join(said), text(2, 20)) for n, said in enumerate((a, b, c), 1)]
    left, twins = kept(rows, similarity=0.8)
    assert left == [1, 3] and twins == {2: (1, "minhash")}


def test_the_twin_that_is_named_is_one_that_stays():
    rows = [row(1, text(1), text(2)), row(2, changed(1), text(2)), row(3, changed(1).upper(), text(2))]
    left, twins = kept(rows)
    assert left == [1] and twins == {2: (1, "minhash"), 3: (1, "exact")}


def test_an_index_is_extended_and_knows_its_own_records_again(tmp_path):
    index = tmp_path / "all.dedup"

    def clean(name, rows):
        with Deduplicator(index, name=name) as dedup:
            for one in rows:
                dedup.add(one)
            found = dedup.resolve()
            return [int(r["id"][:8], 16) for r, stays in zip(rows, found.kept, strict=True) if stays], list(
                found.twins()
            )

    first, second = (
        [row(2, text(1), text(2)), row(3, text(1), text(2))],
        [row(1, changed(1), text(2)), row(4, text(5), text(6))],
    )
    assert clean("first", first)[0] == [2]
    left, twins = clean("second", second)
    assert left == [4] and (twins[0].dataset, int(twins[0].twin[:8], 16), twins[0].method) == ("first", 2, "minhash")
    assert clean("first", first)[0] == [2] and clean("second", second)[0] == [4]
    assert clean("third", first)[0] == []


def test_what_the_index_knows_is_not_sketched_again_and_is_the_same_where_it_comes_once_more(tmp_path):
    index = tmp_path / "all.dedup"
    one, near = row(2, text(1), text(2)), row(4, changed(1), text(2))
    with Deduplicator(index, name="a") as dedup:
        dedup.add(one)
        dedup.resolve()
    with Deduplicator(index, name="a") as dedup:
        fresh, known = block([one, near], "record"), block([one, near], "record", dedup.known)
        assert known.sketches == [UNSKETCHED, fresh.sketches[1]]
        for again in (one, one, near):
            dedup.add(again)
        found = dedup.resolve()
        assert list(found.kept) == [True, False, False]
        assert [twin.method for twin in found.twins()] == ["exact", "minhash"]
    kept = DedupIndex(index, "record")
    assert kept.size == 3, "the first is what was there"
    assert [kept.sketches(number) for number in range(3)] == [fresh.sketches[n] for n in (0, 0, 1)]
    assert [kept.bands(number) for number in range(3)] == [fresh.bands[:, n].tolist() for n in (0, 0, 1)]


def test_what_is_not_resolved_is_not_in_the_index(tmp_path):
    index = tmp_path / "all.dedup"
    with Deduplicator(index, name="a") as dedup:
        dedup.add(row(1, text(1), text(2)))
        dedup._flush()
    with Deduplicator(index, name="b") as dedup:
        dedup.add(row(2, text(1), text(2)))
        assert dedup.resolve().stats["kept"] == 1


def test_an_earlier_dataset_stays_whole_and_takes_away_what_is_new():
    with Deduplicator() as dedup:
        dedup.earlier([row(8, text(1), text(2), accepted=False), row(9, text(1), text(2))], "old")
        dedup.add(row(1, text(1), text(2), accepted=True))
        found = dedup.resolve()
        assert not found.kept.any() and found.stats["earlier"] == 2
        assert [twin.dataset for twin in found.twins()] == ["old"]


def test_twins_by_meaning_are_found_by_their_vectors():
    rows = [
        row(1, "Why did the old mill stop working?", "Because the railway took the grain to town."),
        row(2, "Why did the old mill stop its work?", "Because the railway carried grain to the town."),
        row(3, "Name a metal that floats.", "Lithium floats on oil."),
    ]
    with Deduplicator() as dedup:
        for one in rows:
            dedup.add(one)
        assert dedup.resolve().kept.all()
        found = dedup.means_alike(rows, Hashed().embed, 0.8)
        assert found.kept.tolist() == [True, False, True]
        assert [(twin.method, int(twin.twin[:8], 16)) for twin in found.twins()] == [("embedding", 1)]


def test_puzzles_of_one_form_with_other_numbers_are_no_twins_by_meaning():
    asked = "{} walks {} paces to the left, then {} on, then turns right. How far from the start is he?"
    rows = [
        row(1, asked.format("Finn", 6, 7), "He adds up the paces and finds 15."),
        row(2, asked.format("Finn", 4, 9), "He adds up the paces and finds 11."),
        row(
            3,
            "How far from the start is Finn, who walks 6 paces to the left, then 7 on?",
            "The paces add up: it is 15.",
        ),
        row(4, "Name a metal that floats.", "Lithium floats on oil."),
        row(5, "Which metal floats? Name one.", "On oil, lithium floats."),
    ]
    with Deduplicator() as dedup:
        for one in rows:
            dedup.add(one)
        assert dedup.resolve().kept.all()
        found = dedup.means_alike(rows, lambda texts: [[1.0, float("metal" in text)] for text in texts])
        assert found.kept.tolist() == [True, True, False, True, False]
        assert [int(twin.twin[:8], 16) for twin in found.twins()] == [1, 4]


def in_two_wordings(one, other):
    """Whether they are twins by meaning to an embedder that tells nothing apart."""
    rows = [row(1, one, ""), row(2, other, "")]
    with Deduplicator() as dedup:
        for each in rows:
            dedup.add(each)
        assert dedup.resolve().kept.all()
        return dedup.means_alike(rows, lambda texts: [[1.0, 0.0] for _ in texts]).kept.tolist() == [True, False]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Why do ships wait outside the harbour?", "Outside of the port, what are ships waiting for?"),
        ("船在港口外面等待，因为港口结冰了。", "因为港口结了冰，船只在港口外等待"),
        ("जहाज बंदरगाह के बाहर क्यों रुकते हैं?", "बंदरगाह के बाहर जहाज क्यों रुके रहते हैं"),
        ("لماذا تنتظر السفن خارج الميناء؟", "لماذا السفن تنتظر خارج ميناء المدينة"),
        ("Warum warten die Schiffe vor dem Hafen im Winter?", "Weshalb bleiben Boote bei Frost vor dem Kai im Meer?"),
        ("1. Boil the water.\n2. Add the tea to it.", "1) Boil the water,\n2) Add tea to the water"),
        ("- “Boil the water.”\n- Add the tea to it.", "* Boil water first\n* Add some tea to the water"),
    ],
)
def test_wordings_agree_in_any_script_and_layout(one, other):
    assert in_two_wordings(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Where does the sister of Anna and Ben live?", "Where does the sister of Cleo and Dan live, then?"),
        ("港口外面有7艘船在等待。", "港口外面有9艘船在等待吗？"),
        ("Was ist 3 + 4, und wie rechnet man das?", "Was ist 3 * 5, und wie rechnet man das?"),
        ("What is the sum if 5 € are added?", "What is the sum if 5 $ are added to it?"),
    ],
)
def test_other_names_numbers_and_signs_make_another_record(one, other):
    assert not in_two_wordings(one, other)


@pytest.mark.parametrize("rows", [[], [row(1, text(1, 400), text(2))]])
def test_where_nothing_is_short_enough_to_be_embedded_there_are_no_twins_by_meaning(rows):
    with Deduplicator() as dedup:
        for one in rows:
            dedup.add(one)
        dedup.resolve()
        assert dedup.means_alike(rows, Hashed().embed).stats["kept"] == len(rows)


@pytest.mark.parametrize(("embedder", "width"), [("mine", 3), ("another", 2)])
def test_an_index_is_of_use_to_one_embedder_only(tmp_path, embedder, width):
    def clean(number, embedder, width):
        rows = [row(number, f"Question {number}?", f"Answer {number}.")]
        with Deduplicator(tmp_path / "a.dedup", name=str(number)) as dedup:
            dedup.add(rows[0])
            dedup.resolve()
            return dedup.means_alike(rows, lambda texts: [[1.0] * width for _ in texts], embedder=embedder).stats

    assert clean(1, "mine", 2)["kept"] == clean(2, "mine", 2)["kept"] == 1
    with pytest.raises(RunError, match=f"a.dedup: holds vectors by mine 2, .*those by {embedder} {width} "):
        clean(3, embedder, width)
    assert clean(3, "mine", 2)["kept"] == 1


def test_a_file_that_is_no_index_is_refused(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("not an index" * 100)
    with pytest.raises(RunError, match="cannot be used"):
        Deduplicator(path)


def test_an_index_of_other_settings_is_refused(tmp_path):
    with Deduplicator(tmp_path / "a.dedup") as dedup:
        dedup.add(row(1, "a", "b"))
        dedup.resolve()
    with pytest.raises(RunError, match="made with other settings"):
        DedupIndex(tmp_path / "a.dedup", "prompt")
