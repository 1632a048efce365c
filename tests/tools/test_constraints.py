import time
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinstruct.tools.constraints import _RULES, Constraint, Kind, check, faults

SOURCE = (
    "Dr. Smith met Laura at 2:30 p.m. on March 5, 2024. The big car, e.g. a van, cost 1,250 dollars. "
    "Write to laura@example.org or call 555-0134."
)
TWO = "The first paragraph is short.\n\nThe second one is longer. It has two sentences."


def one(source: str, output: str, kind: str, **fields: Any) -> tuple[bool, str]:
    constraint = Constraint.model_validate({"kind": kind, **fields})
    (finding,) = check([constraint], source, output)
    return finding.passed, finding.evidence


def swap(*pairs: tuple[str, str]) -> list[dict[str, str]]:
    return [{"old": old, "new": new} for old, new in pairs]


# kind, fields, source, an output that keeps it, one that breaks it, what the evidence must show
CASES: list[tuple[str, dict[str, Any], str, str, str, str]] = [
    ("case", {"style": "upper"}, "Größe: don't stop.", "GRÖSSE: DON'T STOP.", "GRöSSE: DON'T STOP.", "GRöSSE"),
    ("case", {"style": "lower"}, "The NASA Probe", "the nasa probe", "the NASA probe", "NASA"),
    ("case", {"style": "title"}, "a tale of two cities", "A Tale of Two Cities", "A tale of Two Cities", "tale"),
    ("case", {"style": "title"}, "the iPhone isn't here", "The iPhone Isn't Here", "THE IPHONE ISN'T HERE", "capitals"),
    ("case", {"style": "capitalized"}, "a tale of two", "A Tale Of Two", "A Tale of Two", "of"),
    (
        "case",
        {"style": "sentence"},
        "The WAR began in PARIS",
        "The war began in Paris.",
        "The War Began In Paris.",
        "inner words",
    ),
    ("sentence_starts", {"words": ["B"]}, "x", "But e.g. Bob ran. “Big” ones too.", "Bob ran. It fell.", "It fell"),
    ("sentence_starts", {"words": ["However"]}, "x", "However, it is.", "However it is. Howevers fly.", "Howevers"),
    ("sentence_starts", {"style": "vowel"}, "x", "Élan matters. In time.", "Each one. Then none.", "Then none"),
    ("word_starts", {"words": ["s"]}, "x", "Sam's self-made “soup”.", "Sam sold 12 soups.", "word 3 is “12”"),
    ("word_starts", {"words": ["s", "tr"], "number": 3}, "x", "one two six a be tree", "one two six a be", ""),
    ("forbid_letters", {"words": ["e"]}, "x", "A big dog.", "A café.", "café"),
    ("forbid_words", {"words": ["car", "as well"]}, "x", "A card, a scar.", "It ran as\nwell.", "as well"),
    ("require_words", {"words": ["C++", "rain"], "number": 2}, "x", "C++ rain C++ Rain.", "C++ rain C++", "1 times"),
    ("count", {"words": ["[Note:"], "number": 2}, "x", "a [Note: b] c [Note: d]", "a [Note: b]", "1 times, not 2"),
    (
        "replace_words",
        {"swaps": swap(("car", "automobile"), ("big car", "truck"))},
        "A car met Ann's big car; cars sleep.",
        "An automobile met Ann's truck; cars sleep.",
        "An automobile met Ann's big automobile; cars sleep.",
        "expected “truck cars sleep”",
    ),
    ("replace_words", {"swaps": swap(("fox", "cat"))}, "The fox ran off.", "The cat ran off.", "A cat ran off.", "the"),
    (
        "replace_words",
        {"swaps": swap(("fox", "cat")), "rest": "free"},
        "The fox ran. A fox sat.",
        "A cat slept, a cat!",
        "One cat slept.",
        "less often",
    ),
    ("remove", {"words": ["It\nrained."]}, "He left. It rained. So", "He left. So", "He left. It rained. So", "rained"),
    ("remove", {"words": ["big"]}, "The big red car.", "The red car.", "The car.", "expected “red"),
    ("remove", {"words": ["big"], "rest": "free"}, "The big red car.", "A car.", "A big car.", "big"),
    ("remove", {"style": "digits"}, "On the 3rd, 12 left.", "On the, left.", "On the 3rd, left.", "3rd"),
    ("remove", {"style": "emails"}, "Ask a.b@c.org now.", "Ask now.", "Ask a.b@c.org now.", "a.b@c.org"),
    ("remove", {"style": "brackets"}, "An ion (charged) ran.", "An ion ran.", "An ion (charged) ran.", "(charged)"),
    ("remove", {"style": "urls"}, "See https://a.io/b now.", "See now.", "See www.a.io now.", "www"),
    ("same_words", {}, "One, two: three.", "1. **ONE**\n2. <u>Two</u>\n3. three", "One two, three four", "four"),
    ("contains_source", {}, "It fell. It broke.", "It fell (down). [Note] It broke!", "It fell. It crashed.", "broke"),
    (
        "unchanged_elsewhere",
        {"scope": "paragraph", "position": -1},
        TWO,
        "The first paragraph is short.\n\nNew.",
        "The first one is short.\n\nNew.",
        "found “one",
    ),
    (
        "unchanged_elsewhere",
        {"scope": "sentence", "position": 2},
        "Mr. A. Lee left. He ran. It rained.",
        "Mr. A. Lee left. He fled! Far. It rained.",
        "Mr. A. Lee left. He fled. It snowed.",
        "rained",
    ),
    ("low_overlap", {}, SOURCE, "At half past two the doctor saw her.", SOURCE, "100 %"),
    ("low_overlap", {"number": 60}, "a b c d e f", "a b c d x y", "a b c d e x", "67 %"),
    ("min_words", {"number": 3}, "x", "one two-fold three", "one two-fold – !", "2 words"),
    ("max_words", {"number": 3}, "x", "1. one—two three", "one two three four", "4 words"),
    ("exact_words", {"number": 2}, "x", "don't stop", "do not stop", "3 words"),
    ("min_percent", {"number": 150}, "a b c d", "a b c d e f", "a b c d e", "6 is the limit"),
    ("max_percent", {"number": 50}, "a b c d", "a b", "a b c", "2 is the limit"),
    ("max_sentences", {"number": 2}, "x", "At 3.5 p.m. he left... slowly. Then (etc.) so?", "Yes. No! C?", "C?"),
    ("exact_sentences", {"number": 2}, "x", "“Why?” he asked. Prof. J. R. Doe left.", "He asked.", "1 sentences"),
    ("exact_sentences", {"number": 3}, "x", "# Title\n\n- one\n- two\n1. three", "one two three", "1 sentences"),
    ("exact_paragraphs", {"number": 2}, "x", TWO, "One.\nTwo.\n\nThree.\n\nFour.", "3 paragraphs"),
    ("max_sentence_words", {"number": 4}, "x", "I am here. So are you.", "I am here, so are you.", "6 words"),
    ("max_word_length", {"number": 5}, "x", "well-known dog's", "a hyphen", "hyphen"),
    ("max_syllables", {"number": 2}, "x", "The smaller table moved.", "An elephant.", "elephant"),
    ("starts_with", {"words": ["Dear team"]}, "x", "**Dear  Team**, hi.", "Hello, dear team", "Hello"),
    ("ends_with", {"words": ["Over and out."]}, "x", "So. “over and out”", "Over and out. Bye.", "Bye"),
    (
        "readability_drops",
        {"number": 2},
        "Precipitation considerably exceeded meteorological expectations throughout the agricultural regions.",
        "It rained a lot more on the farms than they had thought.",
        "Precipitation exceeded meteorological expectations throughout agricultural regions.",
        "school grade",
    ),
    ("dates", {"style": "iso"}, "On March 5, 2024 he", "On 2024-03-05 he", "On 5 March 2024 he", "5 March 2024"),
    ("dates", {"style": "iso"}, "On 1st of May 2024", "2024-05-01", "soon", "1st of May"),
    ("dates", {"style": "us"}, "On 2024-03-05 he", "On 3/5/2024 he", "On 05/03/2024 he", "2024-03-05"),
    ("dates", {"style": "eu"}, "On March 5, 2024 he", "On 05.03.2024 he", "On 03/05/2024 he", "March 5"),
    ("dates", {"style": "long"}, "On 03/04/2021 he", "On 3 April 2021 he", "On 3 May 2021 he", "03/04/2021"),
    ("times", {"style": "24h"}, "at 2:30 p.m. or 9am", "at 14:30 or 09:00", "at 14:30 or 9 am", "9 am"),
    ("times", {"style": "24h"}, "at 2:30 p.m.", "at 14:30", "at 02:30", "2:30 p.m."),
    ("dates", {"style": "iso"}, "1 May 2024, 1 May 2024", "2024-05-01 2024-05-01", "2024-05-01", "more often"),
    ("times", {"style": "24h"}, "at 14:30, then 9 am", "at 14:30, then 09:00", "then 09:00", "14:30"),
    ("times", {"style": "24h"}, "9 am or 9 a.m.", "09:00 or 09:00", "09:00", "9 am"),
    ("times", {"style": "24h"}, "at 3:30 in the afternoon", "at 15:30", "at 16:30", "3:30"),
    ("times", {"style": "12h"}, "at 14:30", "at 2.30 PM", "at 14:30", "14:30"),
    ("numbers", {"style": "digits"}, "He saw 5 and six.", "He saw 5, 6 and 10 million; one too.", "5 and six", "six"),
    ("numbers", {"style": "words"}, "He saw 5.", "He saw five.", "He saw 5.", "5"),
    (
        "numbers",
        {"style": "words"},
        "In 1999 25 left.",
        "In nineteen ninety-nine twenty-five left.",
        "Many left.",
        "1999",
    ),
    (
        "numbers",
        {"style": "words"},
        "1,205; 3.5",
        "One thousand two hundred and five; three point five",
        "Two",
        "1,205",
    ),
    ("numbers", {"style": "words"}, "the 21st", "the twenty-first", "the twentieth", "21"),
    (
        "numbers",
        {"style": "digits"},
        "twenty-five of one hundred and five",
        "25 of 105",
        "25 of 100",
        "one hundred five",
    ),
    (
        "numbers",
        {"style": "digits"},
        "In nineteen ninety-nine, ten million",
        "In 1999, 10 million",
        "In 1999",
        "ten mill",
    ),
    ("numbers", {"style": "digits"}, "between five and nine", "between 5 and 9", "between 5 and 8", "“nine”"),
    ("numbers", {"style": "thousands"}, "In 1999 25000 left", "In 1999 25,000 left", "In 1999 25000 left", "25000"),
    ("numbers", {"style": "plain"}, "Some 1,250,000 men", "Some 1250000 men", "Some 1,250,000 men", "1,250,000"),
    ("keep_numbers", {}, "1,250 men in 1812, 3.5 %", "1250, 1812 and 3.5", "1,250 men, 3.5 %", "1812"),
    ("spelling", {"style": "british"}, "the color gray", "the colour grey", "the colour gray", "gray"),
    ("spelling", {"style": "british"}, "its center", "its centre", "its middle", "center"),
    ("spelling", {"style": "american"}, "organise the tyre", "organize the tire", "organise the tire", "organise"),
    ("markup", {"style": "bold", "words": ["ions"]}, "x", "the **ions** a", "the **ions** **a**", "“a” is bold too"),
    ("markup", {"style": "bold"}, "x", "a <b>b</b> c", "a **b c", "not closed"),
    ("markup", {"style": "bold", "number": 2}, "x", "**a** and __b__", "**a** and *b*", "1 pieces"),
    ("markup", {"style": "italic"}, "x", "- **a** *b* snake_case_name", "- **a** b", "0 pieces"),
    ("markup", {"style": "italic", "words": ["b"]}, "x", "a _b_ c", "a _b c", "not closed"),
    ("markup", {"style": "underline", "words": ["cat"]}, "x", "a <u>Cat</u>", "a __cat__", "cat"),
    ("markup", {"style": "strikethrough"}, "x", "a ~~b~~", "a ~~ ~~", "nothing"),
    ("markup", {"style": "code", "words": ["ls"]}, "x", "run `ls`", "run ls", "ls"),
    ("markup", {"style": "bullets", "number": 3}, "x", "- a\n* b\n• c", "- a\n- b", "2 pieces"),
    ("markup", {"style": "numbered"}, "x", "Do:\n1. a\n2. b", "1. a\n3. b", "number 2 is due"),
    ("markup", {"style": "headings", "words": ["Costs"]}, "x", "## Costs\nx", "#Costs\nx", "Costs"),
    ("markup", {"style": "quote"}, "x", "> a", "a > b", "0 pieces"),
    (
        "markup",
        {"style": "table", "words": ["Name"], "number": 2},
        "x",
        "| Name | Age |\n|---|:-:|\n| A | 1 |\n| B | 2 |",
        "| Name | Age |\n|---|---|\n| A | 1 |\n| B |",
        "not 2 cells",
    ),
    (
        "language",
        {"words": ["French"]},
        SOURCE,
        "Le docteur a rencontré Laura dans l'après-midi, près de la grande voiture.",
        "The doctor met Laura in the afternoon, near the big car.",
        "reads as en",
    ),
    (
        "language",
        {"words": ["es"]},
        "The doctor met Laura in the afternoon near the big car, and then they both went home.",
        "El médico encontró a Laura por la tarde. Después se fueron juntos a casa, hablando de la familia.",
        "El médico encontró a Laura por la tarde. Después se fueron juntos a casa, hablando de la familia y de todo. "
        "The doctor met Laura in the afternoon near the big car, and then they both went home.",
        "still in en",
    ),
    (
        "language",
        {"words": ["Chinese"]},
        "The doctor met Laura in the afternoon near the big car, and then they both went home.",
        "医生下午在大汽车附近遇见了劳拉，然后他们俩一起回家去了。",
        "医生。",
        "only 2 words for the original's 17",
    ),
    (
        "two_languages",
        {"words": ["English", "Spanish"]},
        SOURCE,
        "The doctor met Laura yesterday, y después fueron juntos a la casa de sus padres. They talked about the car, "
        "porque el coche era muy grande y muy caro para una familia pequeña.",
        "The doctor met Laura yesterday and they talked about the car for a very long time, since it was expensive.",
        "languages found: en",
    ),
    ("no_pii", {}, SOURCE, "Someone met a friend; write or call.", "A man met Laura.", "Laura"),
    ("no_pii", {}, SOURCE, "Write to l***@example.org.", "Write to laura@example.org.", "laura@example.org"),
    ("no_pii", {"words": ["Smith"]}, SOURCE, "Dr. [NAME]", "Dr. Smith", "Smith"),
    ("no_pii", {}, SOURCE, "Call XXX-XXXX.", "Call 555-0134.", "555-0134"),
    ("only_output", {}, SOURCE, "A man came.", "Here is the rewritten text:\n\nA man came.", "Here is"),
    ("only_output", {}, SOURCE, "Here's the deal: a man came.", '"A man came."', "stands in"),
    ("only_output", {}, SOURCE, "He said: “Let me know.”", "A man.\n\nLet me know if you need any changes!", "closes"),
    ("only_output", {}, "Text: a", "Text: b", "```\nb\n```", "stands in"),
]


@pytest.mark.parametrize(("kind", "fields", "source", "good", "bad", "shown"), CASES)
def test_each_kind_tells_good_from_bad_and_shows_where(kind, fields, source, good, bad, shown):
    assert one(source, good, kind, **fields) == (True, "")
    passed, evidence = one(source, bad, kind, **fields)
    assert not passed or not shown
    assert shown in evidence


def test_another_case_keeps_the_words_unless_others_are_asked_for():
    upper, bold = Constraint(kind="case", style="upper"), Constraint(kind="markup", style="bold")
    short = Constraint(kind="max_words", number=3)
    assert [f.passed for f in check([upper, bold], "Rain fell here.", "**SNOW** FELL HERE.")] == [False, True]
    assert [f.passed for f in check([upper, bold], "Rain fell here.", "**RAIN** FELL HERE.")] == [True, True]
    assert [f.passed for f in check([upper, short], "Rain fell here, we saw.", "IT RAINED.")] == [True, True]


def test_another_language_keeps_the_length_unless_a_limit_is_set():
    french, short = Constraint(kind="language", words=("French",)), Constraint(kind="max_words", number=9)
    source = "The doctor met Laura in the afternoon near the big car, and then they both went home. " * 2
    (alone,) = check([french], source, "Le docteur a rencontré Laura.")
    assert (alone.passed, alone.evidence) == (False, "only 5 words for the original's 34")
    assert [f.passed for f in check([french, short], source, "Le docteur a rencontré Laura.")] == [True, True]


def test_every_kind_has_a_case():
    of_pieces = {kind for kind, rule in _RULES.items() if rule.__module__.endswith((".verse", ".pieces"))}
    assert {case[0] for case in CASES} == set(get_args(Kind)) - of_pieces


@pytest.mark.parametrize(("kind", "fields"), [(case[0], case[1]) for case in CASES])
def test_an_empty_output_keeps_nothing(kind, fields):
    assert one(SOURCE, " \n…", kind, **fields) == (False, "the output is empty")


def test_findings_come_in_order_and_name_their_constraint():
    constraints = [
        Constraint(kind="max_words", number=80),
        Constraint.model_validate({"kind": "replace_words", "swaps": swap(("a", "b")), "rest": "free"}),
        Constraint(kind="case", style="upper", scope="paragraph", position=2),
    ]
    assert [f.constraint for f in check(constraints, TWO, TWO)] == [
        "max_words 80",
        "replace_words a → b",
        "case upper (paragraph 2)",
    ]


def test_a_local_demand_is_about_its_part_only():
    good = "The first paragraph is short.\n\n- THE SECOND ONE\n\n- IS LONG"
    upper = {"style": "upper", "scope": "paragraph", "position": 2}
    assert one(TWO, good, "case", **upper) == (True, "")
    assert one(TWO, TWO.upper(), "case", **upper)[0]
    assert not one(TWO, TWO, "case", **upper)[0]
    assert "no paragraph 2" in one(TWO, "ONE ONLY.", "case", **upper)[1]
    assert one("A. It is. B.", "A. IT WAS. IT IS! B.", "exact_sentences", number=2, scope="sentence", position=2)[0]


def test_a_lower_case_text_still_has_sentences():
    assert one("x", "it rained. we left.", "exact_sentences", number=2)[0]


@pytest.mark.parametrize(
    ("constraint", "said"),
    [
        ({"kind": "case"}, "needs a style"),
        ({"kind": "markup", "style": "iso"}, "needs a style"),
        ({"kind": "max_words"}, "needs a number"),
        ({"kind": "max_words", "number": -4}, "needs a number"),
        ({"kind": "forbid_words", "words": [" "]}, "names no words"),
        ({"kind": "sentence_starts"}, "names no words"),
        ({"kind": "replace_words", "swaps": [{"old": "…", "new": "a"}]}, "no words to replace"),
        ({"kind": "language", "words": ["Klingonese"]}, "not a language"),
        ({"kind": "unchanged_elsewhere"}, "names no place"),
        ({"kind": "case", "style": "upper", "scope": "sentence"}, "names no place"),
        ({"kind": "case", "style": "upper", "scope": "paragraph", "position": 9}, "has no paragraph 9"),
        ({"kind": "remove", "words": ["zebra"]}, "does not stand in the text"),
        ({"kind": "replace_words", "swaps": [{"old": "zebra", "new": "a"}]}, "does not stand in the text"),
        ({"kind": "forbid_letters", "words": ["z"]}, "already is that way"),
        ({"kind": "dates", "style": "iso"}, "already is that way"),
    ],
)
def test_what_cannot_be_asked_of_a_text_is_a_fault(constraint, said):
    (fault,) = faults([Constraint.model_validate(constraint)], "A plain text. Nothing more.")
    assert said in fault


def test_a_malformed_constraint_never_passes():
    assert one(SOURCE, "Anything.", "replace_words") == (False, "replace_words names no words to replace")


def test_contradictions_are_faults():
    low, high = Constraint(kind="min_words", number=90), Constraint(kind="max_words", number=80)
    need, ban = Constraint(kind="require_words", words=("Car",)), Constraint(kind="forbid_words", words=("car",))
    assert "at least 90 and at most 80 words" in faults([low, high], SOURCE)
    assert "“car” is both required and forbidden" in faults([need, ban], SOURCE)


def test_a_sensible_set_has_no_faults():
    asked = [
        Constraint(kind="remove", style="emails", rest="free"),
        Constraint(kind="dates", style="iso"),
        Constraint(kind="max_words", number=40),
        Constraint(kind="only_output"),
    ]
    assert faults(asked, SOURCE) == []


def test_the_schema_is_flat_and_described():
    fields = Constraint.model_json_schema()["properties"]
    assert all("description" in field for field in fields.values())
    assert (
        "additionalProperties" not in Constraint.model_json_schema()
        or not Constraint.model_json_schema()["additionalProperties"]
    )


HOSTILE = ["aaaaaaaaaa", "word ", ". ", "a@", '"', "**", "<b>", "1-", "(", "\n", "\x0b\n", "e.g. "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_megabyte_takes_seconds_for_all_kinds(piece):
    """CPU seconds for all kinds together, 0.1–1.3 each; a quadratic rule alone would take hours."""
    output = (piece * (1_000_000 // len(piece) + 1))[:1_000_000] + "x"
    first = {(kind, fields.get("style")): {"kind": kind, **fields} for kind, fields, *_ in reversed(CASES)}
    constraints = [Constraint.model_validate(fields) for fields in first.values()]
    start = time.process_time()
    check(constraints, SOURCE, output)
    assert time.process_time() - start < 20


PIECES = st.lists(
    st.sampled_from(
        [*HOSTILE, "A", "zebra ", "3:15 pm", "2024-02-30", "31/31/2020", "May 5, 2020", "\ud800", "İ", "ß", "# "]
    )
    | st.text(max_size=8)
).map("".join)
WORDS = st.lists(st.text(max_size=4), max_size=3)
CONSTRAINTS = st.fixed_dictionaries(
    {"kind": st.sampled_from(get_args(Kind))},
    optional={
        "words": WORDS,
        "swaps": st.lists(st.fixed_dictionaries({"old": st.text(max_size=4), "new": st.text(max_size=4)}), max_size=2),
        "number": st.integers(-3, 10**6),
        "style": st.sampled_from(get_args(Constraint.model_fields["style"].annotation)),
        "rest": st.sampled_from(["unchanged", "free"]),
        "scope": st.sampled_from(["text", "paragraph", "sentence"]),
        "position": st.integers(-4, 4),
    },
).map(Constraint.model_validate)
FITTING = st.sampled_from([Constraint.model_validate({"kind": kind, **fields}) for kind, fields, *_ in CASES])


@settings(max_examples=200, deadline=None)
@given(st.lists(CONSTRAINTS | FITTING, min_size=1, max_size=4), PIECES, PIECES)
def test_check_and_faults_never_raise(constraints, source, output):
    findings = check(constraints, source, output)
    assert [f.constraint for f in findings] == [str(c) for c in constraints]
    assert all(f.passed != bool(f.evidence) for f in findings)
    assert all(isinstance(fault, str) for fault in faults(constraints, source))
