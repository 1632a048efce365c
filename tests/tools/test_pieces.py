"""Rules about verse and about the shape of pieces: for each kind an output that keeps it and one that breaks it."""

from typing import Any

import pytest

from agentinstruct.tools.constraints import _RULES, Constraint, check, unsound
from agentinstruct.tools.verse import rhymes, stanzas_of, syllable_range, title_of

HAIKU = "An old silent pond\nA frog jumps into the pond\nSplash! Silence again"
TANKA = f"{HAIKU}\nMoonlight on the water's skin\nmends itself without a sound"
IAMBIC = """The water turns the wheel by day
And carries every grain away
At night the miller shuts the door
And sweeps the moonlight off the floor"""
COUPLETS = f"The Mill\n\n{IAMBIC.replace('At night', chr(10) + 'At night')}"
TROCHAIC = """Tell me not in mournful numbers
Life is but an empty slumber
Tyger tyger burning brightly
In the forest moving lightly"""
SONG = """[Verse 1]
The tide came in

[Chorus]
Turn, wheel, turn

[Verse 2]
The tide went out

[Chorus]
Turn, wheel, turn"""
SCENE = """Title: The Mill

MARA: You are late.
Jonas (sitting down): The ferry was full.
(He takes off his coat.)
**MARA:** It always is."""
SCREEN = """FADE IN:

INT. MILL - NIGHT

Rain on the roof.

MARA
You are late.

EXT. QUAY - DAY

The ferry leaves."""
MAIL = "Subject: Saturday\n\nDear Ms Okafor,\n\nThe mill opens at ten.\n\nWith kind regards,\nJonas"
PLAN = "# Lesson\n\n**Objectives**\nLearn about tides.\n\n## Activities\nBuild a wheel.\n\nAssessment: a short quiz"
SLOGANS = "1. Turn with the tide.\n2. Grain by the moon.\n3. Slow flour, fast water."

# kind, fields, an output that keeps it, one that breaks it, what the evidence must show
CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("acrostic", {"words": ["TIDE"]}, "The wheel\nIs still\nDusk falls\nÉvery evening", "The\nIs\nDusk", "TID"),
    ("min_lines", {"number": 3}, HAIKU, "one\ntwo", "2 lines"),
    ("max_lines", {"number": 3}, HAIKU, TANKA, "5 lines"),
    ("exact_lines", {"number": 4}, COUPLETS, HAIKU, "3 lines"),
    ("exact_stanzas", {"number": 2}, COUPLETS, HAIKU, "1 stanzas"),
    ("lines_per_stanza", {"number": 2}, COUPLETS, "a\nb\n\nc", "stanza 2"),
    ("rhyme", {"words": ["AA"]}, COUPLETS, COUPLETS.replace("away", "along"), "“day” and “along”"),
    ("rhyme", {"words": ["AABB"]}, COUPLETS, HAIKU, "do not fit"),
    ("rhyme", {"words": ["AXA"]}, "the sea\nthe mill\nmemory", "the sea\nthe mill\nthe move", "do not rhyme"),
    ("rhyme", {"words": ["AA"]}, "we love\nabove", "the door\nno door", "door"),
    ("syllables_per_line", {"style": "haiku"}, HAIKU, HAIKU.replace("old ", ""), "4 syllables"),
    ("syllables_per_line", {"style": "tanka"}, TANKA, HAIKU, "3 lines"),
    ("syllables_per_line", {"number": 8}, IAMBIC, HAIKU, "5 syllables"),
    ("meter", {"style": "iambic", "number": 4}, IAMBIC, TROCHAIC, "do not scan"),
    ("meter", {"style": "trochaic", "number": 4}, TROCHAIC, IAMBIC, "do not scan"),
    ("refrain", {"number": 2}, SONG, HAIKU, "stands 1 times"),
    ("refrain", {"words": ["turn, wheel"]}, SONG, HAIKU, "stands 0 times"),
    ("dialogue", {"number": 2}, SCENE, "Mara was late. Jonas sat down.", "no speech"),
    ("dialogue", {"words": ["Mara", "Jonas"]}, SCENE, SCENE.replace("Jonas (", "Ada ("), "“Jonas” does not speak"),
    ("dialogue", {"number": 2}, SCENE, f"{SCENE}\nADA: Hello.", "3 speakers"),
    ("screenplay", {"number": 2}, SCREEN, SCREEN.replace("EXT. QUAY", "At the quay"), "1 sluglines"),
    ("screenplay", {}, SCREEN, "INT. MILL - NIGHT\n\nRain.", "nobody speaks"),
    ("sections", {"words": ["Objectives", "Activities", "Assessment"]}, PLAN, "## Activities\nx", "“Objectives”"),
    ("sections", {"words": ["Activities", "Objectives"]}, "Activities\na\nObjectives\nb", PLAN, "too early"),
    ("letter", {"style": "email", "words": ["Okafor"]}, MAIL, MAIL.removeprefix("Subject: Saturday"), "subject"),
    ("letter", {}, MAIL, MAIL.replace("Dear Ms Okafor,", "Ms Okafor:"), "no salutation"),
    ("letter", {}, "Dear Ada,\n\nIt rained.\n\nYours, Ben", "Dear Ada,\n\nIt rained all day.", "no closing"),
    ("min_characters", {"number": 10}, "Ten letters", "Few", "3 characters"),
    ("max_characters", {"number": 11}, "Ten letters\n", "More letters", "12 characters"),
    ("hashtags", {"number": 2, "words": ["tide"]}, "Turn! #Tide #mill_1", "Turn! #mill #quay", "#tide"),
    ("hashtags", {"number": 2}, "a #b #c", "C# and #1 and https://x.org/#top #only", "1 hashtags"),
    ("exact_items", {"number": 3}, SLOGANS, SLOGANS[:30], "2 entries"),
    ("exact_items", {"number": 2}, "Turn it.\nGrind it.", "Turn it.\nturn it", "twice"),
    ("max_item_words", {"number": 4}, SLOGANS, f"{SLOGANS}\n4. This one is far too long.", "6 words"),
    ("point_of_view", {"style": "first"}, 'I woke. "You slept," she told me.', "She woke. He slept.", "0 of the first"),
    ("point_of_view", {"style": "second"}, "You wake. Your mill is still.", "I wake. You sleep.", "1 of the first"),
    ("point_of_view", {"style": "third"}, 'She woke. "I slept," he said.', "She woke, and I slept.", "1 of the first"),
    (
        "anaphora",
        {"words": ["We will"]},
        "We will dig. We will mill. We will bake.",
        "We will dig. Then rest.",
        "1 sent",
    ),
    ("titled", {}, COUPLETS, HAIKU, "no title"),
]


def one(output: str, kind: str, fields: dict[str, Any]) -> tuple[bool, str]:
    (finding,) = check([Constraint.model_validate({"kind": kind, **fields})], "the source", output)
    return finding.passed, finding.evidence


@pytest.mark.parametrize("case", CASES, ids=[f"{case[0]}-{i}" for i, case in enumerate(CASES)])
def test_each_kind_keeps_and_breaks(case):
    kind, fields, good, bad, shown = case
    assert one(good, kind, fields) == (True, "")
    passed, evidence = one(bad, kind, fields)
    assert not passed
    assert shown in evidence


def test_every_kind_has_a_case():
    of_pieces = {kind for kind, rule in _RULES.items() if rule.__module__.endswith((".verse", ".pieces"))}
    assert {case[0] for case in CASES} == of_pieces


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({"kind": "acrostic"}, "names no words"),
        ({"kind": "rhyme", "words": ["ABCD"]}, "no rhyme scheme"),
        ({"kind": "rhyme", "words": ["like a limerick"]}, "no rhyme scheme"),
        ({"kind": "syllables_per_line"}, "needs a number"),
        ({"kind": "meter", "style": "iambic"}, "above 0"),
        ({"kind": "meter", "number": 5}, "needs a style"),
        ({"kind": "point_of_view"}, "needs a style"),
        ({"kind": "hashtags"}, "no number"),
        ({"kind": "lines_per_stanza"}, "above 0"),
    ],
)
def test_demands_that_no_text_can_be_held_against(fields, shown):
    assert shown in unsound([Constraint.model_validate(fields)])[0]


def test_limits_that_contradict_each_other():
    both = [Constraint(kind="min_lines", number=9), Constraint(kind="max_lines", number=4)]
    assert unsound(both) == ["at least 9 and at most 4 lines"]


def test_titles_and_labels_are_no_verse():
    assert title_of(COUPLETS) == "The Mill"
    assert title_of("## The Mill\nThe water turns") == "The Mill"
    assert title_of(HAIKU) == ""
    assert [len(stanza) for stanza in stanzas_of(SONG)] == [1, 1, 1, 1]
    assert stanzas_of("> The water  \n> turns\\\n") == [["The water", "turns"]]


@pytest.mark.parametrize(
    ("first", "second", "holds"),
    [
        ("light", "satellite", True),
        ("sea", "memory", True),
        ("fire", "desire", True),
        ("read", "bed", True),
        ("read", "seed", True),
        ("heart's", "parts", True),
        ("zipple", "tipple", True),
        ("blorgdain", "rain", True),
        ("love", "move", False),
        ("orange", "door", False),
        ("day", "Day", False),
    ],
)
def test_rhymes_by_sound(first, second, holds):
    assert rhymes(first, second) is holds


def test_unknown_words_widen_the_count_of_syllables():
    assert syllable_range("A frog jumps into the pond") == (7, 7)
    assert syllable_range("The Quorlax") == (2, 4)


@pytest.mark.parametrize("text", ["\n" * 100_000, "a:" * 50_000, "A" * 100_000, '"' * 100_000])
@pytest.mark.parametrize("kind", ["dialogue", "screenplay", "rhyme", "letter", "sections", "point_of_view", "meter"])
def test_hostile_outputs_are_judged_quickly(text, kind, benchmark_limit=1.0):
    import time

    began = time.process_time()
    fields = {"meter": {"style": "iambic", "number": 5}, "rhyme": {"words": ["AA"]}, "sections": {"words": ["a"]}}
    one(text + "x", kind, {"point_of_view": {"style": "first"}, **fields}.get(kind, fields.get(kind, {})))
    assert time.process_time() - began < benchmark_limit
