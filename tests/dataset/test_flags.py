"""Flags: planted defects of every kind are found under their name; clean rows, some of them close calls, are not."""

import json
from time import process_time

import pytest

from agentinstruct.agents.errors import SetupError
from agentinstruct.dataset.flags import RULES, Choice, Flagged, flag, missing

PARAGRAPH = (
    "The mill stood at the bend of the river, and for two hundred years it ground the corn of four villages. "
    "When the railway came, the farmers sent their grain to town, and the wheel stopped."
)
GERMAN = (
    "Die Mühle stand an der Biegung des Flusses. Als die Eisenbahn kam, schickten die Bauern ihr Korn in die Stadt, "
    "und das Rad blieb stehen."
)
CODE = "```python\ndef add(a, b):\n    return a - b\n```"
FIB = "def fib(n):\n    if n < 2:\n        return n\n    return fib(n - 1) + fib(n - 2)"
CHOICES = "\n(A) iron\n(B) tin\n(C) lead"


def row(prompt, response, **more):
    return {
        "id": "1",
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": response}],
        **more,
    }


def chat(*turns):
    roles = ["user", "assistant"]
    return {"messages": [{"role": roles[at % 2], "content": text} for at, text in enumerate(turns)]}


# Put together here, so that no file holds one.
KEYS = [
    "AKIA" + "Q3EGRZ7T2LPXW5NB",
    "ghp_" + "a8Kd02LmQz7RtYw3Vb6Nc1Xe5Ju9Hs4GfPo7",
    "sk-proj-" + "Zx8Kd02LmQz7RtYw3Vb6Nc1Xe5Ju9Hs4GfPo7",
    "postgres://" + "admin:t7Rq9zLw2@db.internal.net",
]
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEowIBAAKCAQEAv5Z0q8YxJ2wRk3\nabc\n-----END RSA " + "PRIVATE KEY-----"

PLANTED = [
    ("refusal", row("Name three rivers.", "I'm sorry, but I can't help with that request.")),
    ("refusal", row("Write a limerick about a cat.", "I cannot assist with this. Please ask something else.")),
    ("as_an_ai", row("Which tea is best?", "As an AI language model, I have no taste, but many people like Assam.")),
    ("as_an_ai", row("Who is the mayor?", "As of my last update it was Maria Lind, but my knowledge cutoff is old.")),
    (
        "disclaimer",
        row("How do I treat a blister?", "Keep it dry and covered. Always consult a qualified doctor first."),
    ),
    ("boilerplate", row("What is 7 times 8?", "Certainly! Here is the answer: 56. I hope this helps!")),
    ("placeholder", row("Introduce the club.", "Welcome to [Your Club Name], founded by rowers in 1911.")),
    ("placeholder", row("Describe the hall.", "Lorem ipsum dolor sit amet, consectetur adipiscing elit.")),
    ("template", row("Summarise {{ passage.text }} in a line.", "It is about mills.")),
    ("template", row("Greet {{ user.name | title }} and {{-other-}}.", "Good morning.")),
    ("template", row("Say what {question} means.", "It means a gap.")),
    ("template", row("Name a metal.", "Iron.<|im_end|>")),
    ("leaked_instructions", row("Name a metal.", "The user wants me to name a metal. Iron.")),
    ("leaked_instructions", row("Name a metal.", "<think>Easy.</think> Iron.")),
    ("leaked_instructions", row("Ask about mills.", "Here is the refined question: which mill stopped first?")),
    ("markup", row("Describe the mill.", "The mill&nbsp;stood at the bend.<br>It stopped.")),
    (
        "echo",
        row(f"Say who owned the mill in this text. {PARAGRAPH}", f"Say who owned the mill in this text. {PARAGRAPH}"),
    ),
    ("empty", row("Name a metal.", "  \n ")),
    ("empty", row("", "Iron.")),
    ("too_short", row("Explain in detail how a water mill works.", "It turns.")),
    (
        "truncated",
        row("Describe the mill.", f"{PARAGRAPH} After the war a baker from the coast bought the house and the"),
    ),
    (
        "truncated",
        row(
            "Describe the mill.", f"{PARAGRAPH} The baker put in an oven, lit it, and sold the first loaves at the chur"
        ),
    ),
    ("loop", row("Describe the mill.", "The wheel turns in the water all day. " * 12)),
    ("loop", row("Describe the mill.", "It stopped." + "a" * 80)),
    ("fence", row("Write code that adds.", "```python\nadd = lambda a, b: a + b\n\nThat is all.")),
    ("broken_json", row("Give name and age as JSON.", '{"name": "Ada", "age": 36')),
    ("mojibake", row("Who wrote it?", "It was RenÃ© who wrote itâ€™s preface.")),
    ("control", row("Who wrote it?", "It was Ren\ufffd who wrote it.")),
    ("order", {"messages": [{"role": "user", "content": "Hello"}, {"role": "user", "content": "Still there?"}]}),
    ("order", {"messages": [{"role": "assistant", "content": "Hello."}, {"role": "user", "content": "Hi."}]}),
    ("repeated_turn", chat("Why did the wheel stop?", "The railway.", "Why did the wheel stop?", "As I said.")),
    ("missing_context", row("According to the passage, why did the wheel stop?", "Because of the railway.")),
    ("missing_context", row("What is the main idea of the article above?", "That railways changed villages.")),
    ("context_mismatch", row(f"As explained in the article, what is added?\n\n```python\n{FIB}\n```", "Two numbers.")),
    ("missing_options", row("Which of the following is the heaviest metal?", "Lead.")),
    ("missing_code", row("What does this function return?", "It returns the sum of both numbers.")),
    ("missing_code", row("Find the bug in the following code and mend it.", "The sign was wrong.")),
    ("contradictory_key", row(f"Which of the following is heaviest?{CHOICES}", "Lead is.\n\nAnswer: B", key="C")),
    ("contradictory_key", row("What is 6 times 7?", "Answer: 44", key="42")),
    ("two_answers", row(f"Which of these is heaviest?{CHOICES}", "Answer: B\n\nNo, lead is heavier.\n\nAnswer: C")),
    ("invalid_option", row(f"Which of the following is heaviest?{CHOICES}", "Answer: F")),
    (
        "language",
        row(
            f"What is told here, and why did it happen? {PARAGRAPH}",
            GERMAN,
        ),
    ),
    (
        "script",
        row(
            "Why did the wheel stop?",
            "The wheel stopped because the farmers 把谷物送到城里 when the railway came to the valley.",
        ),
    ),
    ("script", row("Why did the wheel stop?", "The whee\u0406 stopped, as the fаrmers sold their grain in town.")),
    ("email", row("Who keeps the key?", "Write to jonas.lindqvist@posteo.de, he keeps it.")),
    ("phone", row("Who keeps the key?", "Call the keeper on +49 30 23125 144 before noon.")),
    ("card", row("How was it paid?", "With the card 4539 1488 0343 6467, in two parts.")),
    ("iban", row("Where to?", "To the account DE44 5001 0517 5407 3249 31 of the club.")),
    ("ssn", row("Who is it?", "His social security number is 536-90-4399, they said.")),
    *(("secret", row("How do I log in?", f"Use {key} and it works.")) for key in KEYS),
    ("private_key", row("Show the file.", PEM)),
    ("private_key", row("Show it.", PEM.replace("\nMII", "\nProc-Type: 4,ENCRYPTED\r\nDEK-Info: AES, 09\n\nMII"))),
]

CLEAN = [
    row("Name three rivers.", "The Rhine, the Elbe and the Oder."),
    row("What is 6 times 7?", "42", key="42"),
    row("What is 6 times 7?", "Six sevens are 42.\n\nAnswer: 42", key="42"),
    row(
        f"Which of the following is heaviest?{CHOICES}", "Lead has the most protons of the three.\n\nAnswer: C", key="C"
    ),
    row("Which of the following is a fruit: iron, pear, chalk?", "The pear."),
    row(
        f"Read this.\n\n{PARAGRAPH}\n\nAccording to the passage, why did the wheel stop?",
        "The farmers sent their grain to town.",
        context=PARAGRAPH,
    ),
    row(
        f"According to the passage above, why did the wheel stop?\n{PARAGRAPH}",
        "The passage does not say who decided it, only that the farmers sent their grain to town.",
    ),
    row("Write a short article about mills for a school paper.", PARAGRAPH),
    row(
        "Is that stated in the text?\n\n" + PARAGRAPH,
        "No. The text leaves open what the miller thought of it, so I can only say that the wheel stopped.",
    ),
    row(f"What does this function return for 3 and 2?\n\n{CODE}", "It returns 1, because it subtracts."),
    row(
        "Write a function that adds two numbers.",
        "```python\ndef add(a, b):\n    return a + b\n```\n\nIt takes any two numbers.",
    ),
    row("Show a fence inside a list.", "1. First:\n\n   ```sh\n   ls\n   ```\n2. Done."),
    row(
        "Translate into German: the wheel stopped when the railway came to the valley.",
        "Das Rad blieb stehen, als die Eisenbahn in das Tal kam, und keiner der Bauern hat es je wieder drehen sehen.",
    ),
    row("What is the Russian word for peace?", "It is мир, which also means world."),
    row(
        "What does π stand for?",
        "For the ratio of a circle's circumference to its diameter, about 3.14159; α and β are angles.",
    ),
    row("Give name and age as JSON.", '{"name": "Ada", "age": 36}'),
    row("Give two rows as JSON, one a line.", '{"name": "Ada"}\n{"name": "Alan"}'),
    row("Draft a letter template for new members.", "Dear [Your Name],\n\nwelcome to the club.\n\nYours,\n[Name]"),
    row("Write a shell line that prints the home folder.", "Use `echo ${HOME}`:\n\n```sh\necho ${HOME}\n```"),
    row("What does `{{ name }}` do in Jinja?", "It prints the value of `name` at that place."),
    row(
        "Write four lines of verse about a wheel",
        "The wheel went round\nas wheels will do\nit made no sound\nthe water knew",
    ),
    row("Explain why the wheel stopped. Answer with one word only.", "Railway."),
    row("To whom do I write?", "To info@example.com; the number 555-0100 is for examples."),
    row(
        "Give me a test card.",
        "The card 4111 1111 1111 1111 is a test number; 1234 5678 9012 3456 fails its check digit.",
    ),
    row(
        "What is the ISBN, and the time?",
        "978-3-16-148410-0, at 2026-11-26 01:48:23; order 4539148803436468 has no valid check digit.",
    ),
    row("How do I connect?", "With `postgres://user:password@localhost/db`, and a key such as AKIAIOSFODNN7EXAMPLE."),
    row(
        "Should I take legal advice before I sign?",
        "Yes. Please consult a lawyer who knows tenancy law; this is not legal advice.",
    ),
    row(
        "Wer schrieb das Vorwort?",
        "Das Vorwort schrieb René, und zwar im Jahr 1911 – in Göttingen, wo er „Über Mühlen“ lehrte.",
    ),
    row("Who apologises in the scene?", 'The clerk says: "I\'m sorry, but I was late." Nobody answers him.'),
    row("List the steps.", "1. Fill the trough\n2. Open the sluice\n3. Wait until the wheel turns"),
    row(
        "How do the lengths compare?",
        "Oak has 3 letters, elm has 3 letters, ash has 3 letters, willow has 6 letters, and poplar has 6 letters.",
    ),
    chat("Why did the wheel stop?", "The railway came.", "When was that?", "In 1911."),
    {
        "messages": [
            {"role": "user", "content": "Add 1 and 2."},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "add", "arguments": "{}"}}]},
            {"role": "tool", "content": "3"},
            {"role": "assistant", "content": "It is 3."},
        ]
    },
]


@pytest.mark.parametrize(("name", "planted"), PLANTED, ids=[f"{n}-{at}" for at, (n, _) in enumerate(PLANTED)])
def test_a_planted_defect_is_flagged_by_its_name(name, planted):
    assert name in {one.name for one in flag(planted)}


@pytest.mark.parametrize("clean", CLEAN, ids=range(len(CLEAN)))
def test_a_clean_row_has_no_flag(clean):
    assert flag(clean) == []


def test_every_rule_is_planted_but_the_word_list():
    assert not missing()
    assert set(RULES) - {name for name, _ in PLANTED} == {"toxicity"}


def test_the_word_list_is_that_of_a_package():
    from badwords import ProfanityFilter

    words = ProfanityFilter()
    words.init(languages=["en"])
    word = next(word for word in ("damn", "crap", "arse", "bastard") if words.contains_word(word))
    assert [one.name for one in flag(row("What did he say?", f"He said {word} and left the room."))] == ["toxicity"]


@pytest.mark.parametrize(
    "planted", [planted for name, planted in PLANTED if name in ("secret", "email", "card", "iban")]
)
def test_evidence_does_not_repeat_what_must_not_be_told(planted):
    text = planted["messages"][-1]["content"]
    for one in flag(planted):
        shown = one.evidence.partition("…")[0]
        assert len(shown) == 3 and shown in text


def took(prompt):
    begun = process_time()
    flag(row(f"What does this code do? {prompt}", "Nothing."))
    return process_time() - begun


@pytest.mark.parametrize(
    "make",
    [
        lambda size: PEM[:31] + "\n" + "a: " * size + "!",
        lambda size: (PEM[:31] + "\na: ") * size,
        lambda size: "{{a|" * size,
        lambda size: "{{a|" + " " * size,
        lambda size: "\n" + " " * size,
        lambda size: "\n" + "\t; " * size,
    ],
)
def test_text_made_to_be_slow_takes_time_in_proportion_to_its_length(make):
    took(make(10))  # what is loaded once
    assert took(make(40_000)) < 20 * max(took(make(5_000)), 0.02)  # 8 is in proportion, 64 is its square


def test_what_is_dropped_is_chosen_by_name():
    refused, polite = PLANTED[0][1], row("What is 7 times 8?", "56. I hope this helps!")
    usual = Choice.of("drop")
    assert usual.taken(flag(refused)) and not usual.taken(flag(polite))
    assert Choice.of("drop:all").taken(flag(polite)) and not Choice.of("keep").taken(flag(refused))
    assert Choice.of("drop:boilerplate").drops == {"boilerplate"}


@pytest.mark.parametrize(
    ("text", "words"),
    [("drop:refusals", "Did you mean refusal"), ("throw", "write keep, drop"), ("keep:email", "write keep")],
)
def test_a_wrong_choice_says_what_to_write(text, words):
    with pytest.raises(SetupError, match=words):
        Choice.of(text)


def test_flags_are_counted_by_rows():
    counts = Flagged()
    for _, planted in PLANTED[:3]:
        counts.add(flag(planted))
    counts.add([])
    assert counts.stats() == {"rows": 4, "flagged": 3, "flags": {"as_an_ai": 1, "refusal": 2}, "not_looked_for": {}}


def test_other_shapes_of_rows_are_read_alike():
    said = "As an AI language model, I cannot taste tea."
    shapes = [
        {"conversations": [{"from": "human", "value": "Which tea?"}, {"from": "gpt", "value": said}]},
        {"instruction": "Which tea?", "input": "", "output": said},
        {"prompt": "Which tea?", "completion": said},
        {"messages": json.dumps([{"role": "user", "content": "Which tea?"}, {"role": "assistant", "content": said}])},
        {
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "Which tea?"}]},
                {"role": "assistant", "content": said},
            ]
        },
    ]
    assert [[one.name for one in flag(shape)] for shape in shapes] == [["as_an_ai"]] * 5
