"""The measures, on rows whose figures are known: what is planted is found, what is even is called even."""

import math
import random
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest

from agentinstruct.agents.records import Call, Dropped, Message, Record, Verdict, content_id
from agentinstruct.dataset.measure import SAMPLE, Measuring, measure
from agentinstruct.dataset.measure_bias import bias
from agentinstruct.dataset.measure_coverage import coverage
from agentinstruct.dataset.measure_depth import TRAITS, Depth, Hardness
from agentinstruct.dataset.measure_diversity import diversity, plane, vendi
from agentinstruct.dataset.measure_figures import BySeed, Figure, chi_square_tail, mean, share
from agentinstruct.dataset.measure_options import Keys
from agentinstruct.dataset.measure_text import distinct, reading_ease, slim
from agentinstruct.report.harder import TITLES, difficulty
from agentinstruct.tools.embeddings import embeddings

SKILL = "fermi"


def embed(texts):
    return embeddings("hash").embed_documents(texts)


def record(number, asked="How many?", answered="Ten.", depth=0, parent="", votes=None, **more):
    verdicts = [Verdict(check="judge", passed=True, kind="model")]
    if votes:
        verdicts.append(
            Verdict(check="solvers", passed=True, kind="model", evidence=f"{votes} solvers gave the key 'x'")
        )
    given = {
        "accepted": True,
        "category": "duration",
        "transform": "scale",
        "source": "a.txt",
        "item": content_id(number),
        "language": "en",
        "seed_id": content_id("seed"),
    }
    return Record(
        id=content_id("record", number),
        messages=(Message(role="user", content=asked), Message(role="assistant", content=answered)),
        skill=SKILL,
        split=SKILL,
        form="estimate",
        start=0,
        end=9,
        licence="MIT",
        depth=depth,
        parent=parent,
        verdicts=tuple(verdicts),
        calls=(call(number),),
        **given | more,
    ).row()


def call(number):
    key = content_id("call", number)
    return Call(
        agent="a", role="answer", prompt="p@0", model="openai:gpt-4o", key=key, input_tokens=90, output_tokens=10
    )


RECORD = record(0)


def drop(stage, reason="judge", **more):
    given = {"skill": SKILL, "seed_id": "s", "category": "duration", "transform": "scale"} | more
    return Dropped(stage=stage, reason=reason, **given).model_dump(mode="json")


def done(records=(), dropped=(), seed="s"):
    return {"item": "i", "skill": SKILL, "seed": seed, "records": list(records), "dropped": list(dropped)}


def measured(*outcomes, skills=(SKILL,), seeds=()):
    return measure(outcomes, skills, embed, "hash", lambda: seeds)


def test_shares_and_tails_are_those_of_the_tables():
    ten = share(8, 10)
    assert (ten.low, ten.high) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert share(0, 0).value is None and share(0, 5).low == 0
    for statistic, freedom in ((3.841, 1), (5.991, 2), (7.815, 3), (9.488, 4), (18.307, 10)):
        assert chi_square_tail(statistic, freedom) == pytest.approx(0.05, abs=1e-4)


def test_an_interval_of_a_mean_holds_it_and_narrows_with_more_values():
    draw = random.Random(1)
    values = [draw.gauss(3, 1) for _ in range(2000)]
    few, many = mean(values[:50]), mean(values)
    assert few.low < 3 < few.high and many.low < 3 < many.high
    assert many.high - many.low < (few.high - few.low) / 3
    assert mean(values) == mean(values) and mean([]).value is None and mean([2.0]).low is None


def graded(draw, seeds, drafts):
    """Drafts of which some seeds pass many and others few: half pass in all."""
    return [[draw.random() < chance for _ in range(drafts)] for chance in draw.choices((0.05, 0.5, 0.95), k=seeds)]


@pytest.mark.parametrize(("seeds", "drafts"), [(12, 10), (40, 20)])
def test_intervals_hold_where_drafts_of_a_seed_are_alike_and_those_of_independent_drafts_do_not(seeds, drafts):
    draw, rounds = random.Random(7), 250
    held = Counter()
    for _ in range(rounds):
        found = graded(draw, seeds, drafts)
        hits, measuring = sum(map(sum, found)), Measuring()
        for number, passed in enumerate(found):
            rows = [drop("verify", seed_id=str(number))] * passed.count(False)
            records = [RECORD | {"seed_id": str(number)}] * passed.count(True)
            measuring.counted.add(done(records, rows, str(number)))
        lengths = [(10.0 + 90 * one, str(at)) for at, passed in enumerate(found) for one in passed]
        of_texts, alone = mean(*zip(*lengths, strict=True)), mean([length for length, _ in lengths])
        of_drafts, naive = measuring.counted.total.passed, share(hits, seeds * drafts)
        assert of_drafts.value == naive.value
        held["drafts"] += of_drafts.low <= 0.5 <= of_drafts.high
        held["texts"] += of_texts.low <= 55 <= of_texts.high
        held["naive"] += naive.low <= 0.5 <= naive.high
        held["alone"] += alone.low <= 55 <= alone.high
    assert min(held["drafts"], held["texts"]) >= 0.9 * rounds
    assert max(held["naive"], held["alone"]) <= 0.7 * rounds


def test_with_independent_drafts_the_interval_is_that_of_independent_drafts():
    draw, by_seed = random.Random(5), BySeed()
    passed = [draw.random() < 0.3 for _ in range(4000)]
    for number, one in enumerate(passed):
        by_seed.add(str(number), one)
    ours, naive = by_seed.share(), share(sum(passed), len(passed))
    assert ours.high - ours.low == pytest.approx(naive.high - naive.low, rel=0.15)
    assert (ours.value, ours.of) == (naive.value, naive.of)


def test_what_one_seed_gave_says_little_of_others():
    one, three = BySeed(), BySeed()
    for _ in range(20):
        one.add("a", 1)
        for seed in "abc":
            three.add(seed, 0)
    assert one.share().low < 0.25 and one.ratio().low is None
    assert three.share().value == 0 and 0.5 < three.share().high < 0.75
    assert BySeed().share().value is None and BySeed().ratio().value is None


def test_every_draft_is_a_record_or_lost_at_a_stage():
    lost = [
        drop("instruct", "form"),
        drop("edit/complicate", "changed"),
        drop("verify"),
        drop("suggest"),
        drop("transform"),
    ]
    found = measured(done([record(1), record(2, accepted=False)], lost)).counted
    total = found.total
    assert total.steps() == [
        ("drafts", 5), ("instruct", 4), ("edit", 3), ("answer", 3), ("verify", 2), ("accepted", 1)
    ]  # fmt: skip
    assert (total.passed.value, total.declined, total.unsuggested) == (0.2, 1, 1)
    assert found.reasons[SKILL, "instruct", "form"] == 1
    assert found.checks[SKILL, "judge", "model"].asked == 2


def test_what_was_never_drawn_is_named():
    rows = done(
        [record(1)], [drop("verify", category="what_if_everyone"), drop("verify", category="of_another_version")]
    )
    found = measured(rows, skills=(SKILL, "rag", "no_such_skill")).coverage
    assert len(found[SKILL].never) == 11 and "what_if_everyone" not in found[SKILL].never
    assert (found[SKILL].covered.value, found[SKILL].covered.of) == (pytest.approx(1 / 13), 13)
    assert [cell.name for cell in found[SKILL].categories if not cell.known] == ["of_another_version"]
    assert len(found["rag"].never) == 14 and found["rag"].covered.value == 0
    assert found["no_such_skill"].known is False
    asked = coverage(measured(rows).counted, [SKILL, "rag"], ["duration", "cost"])
    assert (asked[SKILL].never, asked[SKILL].covered.of, asked["rag"].covered.of) == (["cost"], 2, 14)


def family(number, before, now):
    """An item and its refinement, with the votes of three solvers."""
    seed = content_id(number)
    parent = record(
        f"{number} parent", votes=f"{before} of 3", asked="How many pianos are there in town?", seed_id=seed
    )
    asked = "How many pianos are there in town? You must give exactly one number, and only in thousands."
    return done(
        [
            parent,
            record(f"{number} child", votes=f"{now} of 3", depth=1, parent=parent["id"], asked=asked, seed_id=seed),
        ],
        seed=seed,
    )


def test_refinement_that_makes_items_harder_is_seen_and_such_that_does_not_is_not():
    harder = measured(*(family(n, 3, 1 + n % 2) for n in range(40))).hardness
    assert harder.changes["accuracy"].value == pytest.approx(0.5) and harder.changes["accuracy"].low > 0.4
    assert [one.depth for one in harder.depths] == [0, 1]
    assert harder.depths[0].accuracy.value == 1 and harder.depths[1].accuracy.value == pytest.approx(0.5)
    assert harder.changes["demands"].value == 3 and harder.changes["asked_words"].value > 5
    alike = measured(*(family(n, 2 + n % 2, 2 + (n // 2) % 2) for n in range(40))).hardness
    assert alike.changes["accuracy"].low < 0 < alike.changes["accuracy"].high


def test_a_skill_counts_by_its_items_though_a_large_one_is_sampled_more_thinly():
    few = [family(f"few {n}", 3, 1) for n in range(20)]
    for outcome in few:
        parent, child = outcome["records"]
        parent["skill"] = child["skill"] = "rag"
        child["messages"][0]["content"] = "Why? " * 107
    found = measured(*(family(n, 3, 1) for n in range(480)), *few, skills=(SKILL, "rag")).hardness
    assert found.changes["asked_words"].of == 120
    assert found.changes["asked_words"].value == pytest.approx((480 * 10 + 20 * 100) / 500)
    assert found.depths[1].traits["asked_words"].value == pytest.approx((480 * 17 + 20 * 107) / 500)


def test_a_dropped_draft_counts_at_the_depth_of_what_it_would_have_refined():
    parent = record(1, depth=1, parent=content_id("gone"))
    dropped = [
        drop("verify", draft_id="a", parent=parent["id"]),
        drop("verify", draft_id="b", parent="a"),
        drop("edit"),
    ]
    depths = {one.depth: one.drafts for one in measured(done([parent], dropped)).hardness.depths}
    assert depths == {0: 1, 1: 1, 2: 1, 3: 1}


def test_voters_that_always_agree_and_voters_that_toss_coins():
    draw = random.Random(2)
    agreed = measured(*(done([record(n, votes=f"{3 * (n % 2)} of 3")]) for n in range(60))).agreement[0]
    assert agreed.unanimous.value == 1 and agreed.kappa == pytest.approx(1)
    tossed = [sum(draw.random() < 0.5 for _ in range(3)) for _ in range(400)]
    coins = measured(*(done([record(n, votes=f"{k} of 3")]) for n, k in enumerate(tossed))).agreement[0]
    assert abs(coins.kappa) < 0.1 and coins.unanimous.value == pytest.approx(0.25, abs=0.07)


@pytest.mark.parametrize(
    "evidence", ["4 of 3 solvers", "1 of 0 solvers", "said 3 of 3 solvers", "most of 3 extractors"]
)
def test_evidence_that_only_looks_like_votes_is_none(evidence):
    row = record(1)
    row["verdicts"].append({"check": "solvers", "passed": True, "kind": "model", "evidence": evidence})
    assert measured(done([row])).agreement == []


def choice(key, options=4, style="ABCDEFGH", **more):
    listed = "\n".join(f"{style[at]}. option {at}" for at in range(options))
    given = {"key": key, "messages": [{"role": "user", "content": f"Which?\n{listed}"}]} | more
    return {"parent": "", "skill": SKILL, "seed_id": "s", **given}


def balances(rows):
    keys = Keys()
    for at, row in enumerate(rows):
        keys.add({"id": content_id("choice", at), **row})
    return keys.balances()


def test_keys_that_lean_to_one_place_are_told_from_even_ones():
    (even,) = balances(choice("ABCD"[at % 4]) for at in range(80))
    (leaning,) = balances(choice("ABCD"[at % 4 if at % 3 else 2]) for at in range(80))
    assert even.places == (20, 20, 20, 20) and even.p == 1
    assert leaning.p < 0.01 and leaning.enough
    assert not balances([choice("Paris"), choice("F"), choice("A, B"), choice("A", messages=[])])


def test_refinements_of_one_item_are_no_further_draws():
    families = [("ABCD"[at % 4], 5 * (at < 4 and at % 4 == 2), str(at // 3)) for at in range(20)]
    rows = []
    for at, (key, refined, seed) in enumerate(families):
        parents = [f"{at}/{depth}" for depth in range(refined + 1)]
        for depth, (name, parent) in enumerate(zip(parents, ["", *parents], strict=False)):
            rows.append(choice(key, id=name, parent=parent, depth=depth, seed_id=seed))
    assert balances(rows)[0].places == (5, 5, 5, 5)
    orphans = [row for row in rows if row["id"] != "2/0"]
    assert balances(orphans)[0].places == (5, 5, 5, 5), "an original that was dropped still holds its family together"


def test_a_vendi_score_counts_what_differs():
    assert vendi(np.ones((5, 1))) == pytest.approx(1)
    assert vendi(np.eye(7)) == pytest.approx(7)
    assert vendi(np.repeat(np.eye(3), 4, axis=0)) == pytest.approx(3)
    same = measured(done([record(n, asked="How many pianos are tuned here each year?") for n in range(20)]))
    words = ["pear", "harbour", "violin", "granite", "ledger", "mosque", "tunnel", "falcon", "pepper", "comet"]
    other = measured(done([record(n, asked=" ".join(words[n : n + 1] * 3)) for n in range(10)]))
    assert same.diversity[SKILL].vendi.value == pytest.approx(1, abs=0.01) and same.diversity[SKILL].near.value == 1
    assert other.diversity[SKILL].vendi.value > 7 and other.diversity[SKILL].near.value == 0


def test_the_interval_of_a_likeness_of_pairs_holds_that_of_all_there_could_be():
    draw = np.random.default_rng(1)

    def vectors(count):
        found = draw.normal(size=(count, 16)) * draw.uniform(0.3, 1.2, (count, 1)) + 0.5
        return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)

    true = float(np.linalg.norm(vectors(200_000).mean(0)) ** 2)
    texts = [slim(record(number, seed_id=content_id(number))) for number in range(60)]
    found = [diversity(texts, vectors(60)).similarity for _ in range(150)]
    assert sum(one.low <= true <= one.high for one in found) >= 132


def test_a_change_whose_interval_ends_at_nothing_is_not_beyond_chance():
    changes = {name: Figure(None) for name in TITLES}
    changes |= {"accuracy": Figure(-0.04, -0.1, 0.0, 50), "demands": Figure(2, 1, 3, 50)}
    depths = tuple(Depth(n, 9, share(9, 9), Figure(None), dict.fromkeys(TRAITS, Figure(None))) for n in (0, 1))
    page = str(difficulty(SimpleNamespace(measures=SimpleNamespace(hardness=Hardness(depths, changes, Figure(None))))))
    told = {title: page.partition(TITLES[title])[2].partition("</tr>")[0] for title in ("accuracy", "demands")}
    assert ">no<" in told["accuracy"] and ">yes<" in told["demands"]


def test_likeness_within_a_family_is_told_from_that_of_strangers():
    words = ["pear", "harbour", "violin", "granite", "ledger", "mosque", "tunnel", "falcon", "pepper", "comet"]
    families = [
        record((n, k), asked=word * 5, seed_id=content_id(word)) for n, word in enumerate(words) for k in (0, 1)
    ]
    strangers = [record(n, asked="How many pianos are tuned?", seed_id=content_id(n)) for n in range(20)]
    apart, alike = (measured(done(rows)).diversity[SKILL] for rows in (families, strangers))
    assert (apart.near.value, apart.far.value) == (1, 0)
    assert (alike.near.value, alike.far.value) == (1, 1)


def test_the_map_keeps_groups_apart():
    draw = np.random.default_rng(0)
    left, right = draw.normal(0, 0.05, (30, 40)), draw.normal(0, 0.05, (30, 40))
    left[:, 0] += 1
    right[:, 1] += 1
    flat = plane(np.vstack([left, right]).astype(np.float32))
    assert ((flat >= 0) & (flat <= 1)).all()
    assert abs(flat[:30, 0].mean() - flat[30:, 0].mean()) > 0.5


def test_items_that_ask_the_same_word_for_word_are_counted():
    rows = [record(n, item=content_id(n % 3)) for n in range(5)]
    assert measured(done(rows)).counted.repeated == 2


def test_readability_and_different_words_go_the_right_way():
    easy = "The cat sat on the mat. The dog ran to the gate. It was a warm day."
    hard = "Notwithstanding epistemological reservations, institutional methodologies necessitate reconsideration."
    assert reading_ease(easy) > 90 and reading_ease(hard + " " + hard) < 0 and reading_ease("Too short.") is None
    assert distinct(["a b c d", "e f g h"], 2) == (1.0, 6)
    assert distinct(["a b a b a b"], 2)[0] == pytest.approx(2 / 5)


def test_the_passage_is_no_part_of_what_is_asked():
    passage = "The harbour froze on 4 January and forty ships waited outside until the ice broke in March."
    found = measured(done([record(1, asked=f"{passage}\n\nWhen did it freeze?", context=passage)]))
    assert found.texts[SKILL].traits["asked_words"].value == 4
    assert found.texts[SKILL].traits["context_words"].value == 17
    assert found.texts[SKILL].traits["asked_tokens"].value in (None, 5)


def test_groups_that_the_records_add_are_seen():
    seeds = [f"Robert met Charles in France. He was {n} years old." for n in range(30)]
    records = [f"Mary met Linda in Kenya. She was {n} years old and it was a wonderful, happy day." for n in range(30)]
    audit = bias(seeds, records)
    found = {(one.kind, one.group): one for one in audit.mentions}
    assert found["first names", "women"].unlike and found["first names", "women"].records.value == 1
    assert found["pronouns", "he"].seeds.value == 1 and found["pronouns", "he"].records.value == 0
    assert found["regions", "Africa"].unlike and found["regions", "Europe"].unlike
    assert {name: (a, b) for name, a, b in audit.countries} == {"France": (30, 0), "Kenya": (0, 30)}
    if audit.sentiment:
        assert found["pronouns", "she"].record_sentiment.low > 0.5
    same = bias(seeds, seeds)
    assert not any(one.unlike for one in same.mentions)


def test_words_that_only_look_like_countries_or_names_are_none():
    audit = bias([], ["A turkey and the polish on china; will mark may hope. MARY'S and mary and marys."])
    assert audit.mentions == () and audit.countries == ()


def test_names_with_their_ends_and_countries_of_several_words_are_found():
    audit = bias([], ["Mary’s brother went from the United States to South Africa, then New Zealand. British food."])
    assert {name for name, _, _ in audit.countries} == {"United States", "South Africa", "New Zealand", "Britain"}
    assert {(one.kind, one.group) for one in audit.mentions} >= {("first names", "women"), ("regions", "Oceania")}


def test_cost_counts_each_call_once_and_drops_too():
    shared = record(1) | {"calls": record(9)["calls"]}
    found = measured(done([shared, record(9)], [drop("verify", calls=(call(3),))]))
    (spent,) = found.counted.purse.values()
    assert (spent.calls, spent.read, spent.written) == (2, 180, 20)


def test_samples_do_not_depend_on_the_order_and_memory_holds_no_more_than_them():
    outcomes = [done([record(n, asked=f"How many of number {n}?")]) for n in range(3 * SAMPLE)]
    first, shuffled = Measuring(), Measuring()
    for one in outcomes:
        first.add(one)
    for one in random.Random(3).sample(outcomes, len(outcomes)):
        shuffled.add(one)
    assert len(first.sample) == SAMPLE and first.sample.seen == 3 * SAMPLE
    assert list(first.sample.members()) == list(shuffled.sample.members())
    again = [one.result([SKILL], embed, "hash", []).diversity for one in (first, shuffled)]
    assert again[0] == again[1] and again[0][SKILL].sampled == SAMPLE


def test_nothing_at_all_is_measured_without_complaint():
    found = measured(skills=())
    assert found.sampled == 0 and found.map == [] and found.hardness.depths == ()
    assert found.counted.total.passed.value is None and not found.diversity


def test_strange_rows_are_measured_too():
    rows = [
        record(1, asked="", answered=""),
        record(2, asked="\x00\ud800 漢字", language=""),
        record(3, asked="x" * 10**5),
    ]
    found = measured(done(rows))
    assert found.sampled == 3
    assert all(math.isfinite(found.texts[SKILL].traits[trait].value or 0) for trait in TRAITS)
