"""Exact checks of conversations: turns and roles, how users and assistants sound, and whether answers stand."""

import re
from collections.abc import Iterator, Sequence

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.checks.responses import TRACES
from agentinstruct.agents.checks.talk_cues import (
    ASSISTANT_SPEAK,
    CAVES,
    DISCLAIMER,
    LABEL,
    MARKUP,
    ONE_SENTENCE,
    OWNS_UP,
)
from agentinstruct.agents.forms import FORMS, Talk, read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft
from agentinstruct.agents.talk import FEWEST, MOST, Base, Exchange, exchanges
from agentinstruct.tools.constraints.language import code, detect
from agentinstruct.tools.constraints.text import tokens
from agentinstruct.tools.quotes import contains, overlap

_WORDS = 90
"""The most a user types in a later turn."""
_DENIED = re.compile(r"(?:\b(?:not|if|whether)|n't) (?:\w+ ){0,4}$", re.IGNORECASE)
_GRANTED = re.compile(r"\s*(?:that|about|to)\b.{0,180}?\b(?:but|however|yet|still|though)\b", re.IGNORECASE | re.DOTALL)
_PLAN_WORDS = re.compile(r"\b[a-z]+_(?:correction|early|shift|change|close|constraint|why|case|source)\b")
_LIMITS = {"thanks_close": 80, "clarify": 260, "recap": 260, "topic_shift": 350}
_LONG = 500
_CHANGES_QUESTION = ("change_constraint", "apply_to_my_case", "topic_shift", "thanks_close", "example")
_SURE = 0.5
_TELLING, _LONGER = 24, 200
"""Letters from which on a text's language can be told, at a switch and elsewhere."""


def talk_of(draft: Draft) -> Talk:
    """The plan behind a conversation."""
    form = read_form(draft.item)
    assert isinstance(form, Talk)
    return form


def _planned(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """The plan is built around its category's act, and has what its goal asks for."""
    turns = talk_of(draft).turns
    if bench.category.name not in {turn.act for turn in turns}:
        yield "planned", f"no turn does what the conversation is about: {bench.category.name}"
    places = list(enumerate(turns, 2))
    wanted = {
        "long_range": any(turn.refers_to and place - turn.refers_to > 2 for place, turn in places),
        "changed_mind": any(turn.undoes and turn.refers_to for turn in turns),
        "contradiction": any(turn.undoes and turn.refers_to for turn in turns),
        "emotional_tone": sum(bool(turn.mood.strip()) for turn in turns) > 1,
        "language_switch": any(turn.language.strip() for turn in turns),
    }
    if not wanted.get(draft.goal, True):
        yield "planned", f"nothing in the plan serves the goal {draft.goal}"


def _turns(draft: Draft, bench: Bench) -> Iterator[Fault]:
    roles = [m.role for m in draft.messages if m.role != "system"]
    users = roles.count("user")
    if any(m.role == "system" for m in draft.messages[1:]) or roles != ["user", "assistant"] * users:
        yield "turns", f"user and assistant do not take turns: {', '.join(roles)[:120]}"
    planned = len(talk_of(draft).turns) + 1
    if not FEWEST <= users <= MOST or users != planned:
        yield "turns", f"{users} turns of the user, {planned} planned, {FEWEST} to {MOST} allowed"
    if any(not m.content.strip() for m in draft.messages):
        yield "turns", "a turn is empty"


def _user_like(draft: Draft, bench: Bench) -> Iterator[Fault]:
    said = [m.content for m in draft.messages if m.role == "user"]
    for place, text in enumerate(said[1:], 2):
        if fault := _unlike_a_user(text):
            yield "user_like", f"turn {place}: {fault}"
        if " ".join(tokens(text)) in {" ".join(tokens(earlier)) for earlier in said[: place - 1]}:
            yield "user_like", f"turn {place} has been said before"


def _unlike_a_user(text: str) -> str:
    words = len(text.split())
    if words > _WORDS:
        return f"{words} words"
    for what, pattern in (
        ("an assistant's words", ASSISTANT_SPEAK),
        ("markup", MARKUP),
        ("a label", LABEL),
        ("the plan's words", _PLAN_WORDS),
    ):
        if found := pattern.search(text.replace("’", "'")):
            return f"{what}: {found[0].strip()[:60]!r}"
    return ""


def _no_disclaimer(draft: Draft, bench: Bench) -> Iterator[Fault]:
    for place, one in enumerate(exchanges(draft), 2):
        text = one.assistant.replace("’", "'")
        if found := DISCLAIMER.search(text) or TRACES.search(text) or LABEL.match(text):
            yield "no_disclaimer", f"reply {place}: {found[0]!r}"


def _adapts(draft: Draft, bench: Bench) -> Iterator[Fault]:
    held, lengths = exchanges(draft), [len(one.assistant.split()) for one in exchanges(draft)]
    for place, (one, length) in enumerate(zip(held, lengths, strict=True), 2):
        limit = 60 if ONE_SENTENCE.search(one.user) else _LIMITS.get(one.planned.act, _LONG)
        if length > limit:
            yield "adapts", f"reply {place} has {length} words, where {limit} suit {one.planned.act}"
    if len(lengths) > 3 and max(lengths) < 1.3 * min(lengths):
        yield "adapts", f"all replies are of one length: {lengths}"


def _languages(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """Planned languages are spoken, and elsewhere a longer reply is in the language the user otherwise types."""
    held = exchanges(draft)
    home = detect(" ".join(one.user for one in held if not one.planned.language))[0]
    for place, one in enumerate(held, 2):
        wanted, least = (code(one.planned.language), _TELLING) if one.planned.language else (home, _LONGER)
        for who, text in (("user", one.user), ("assistant", one.assistant)):
            found, sure = detect(text)
            if sum(map(str.isalpha, text)) >= least and sure > _SURE and found != wanted:
                yield "languages", f"turn {place}: the {who} writes {found}, not {wanted}"


def _consistent(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    base = talk_of(draft).base
    if not base.key:
        return None
    return _wavering(base, exchanges(draft))


def _wavering(base: Base, held: Sequence[Exchange]) -> Iterator[Fault]:
    """A reply that leaves the first question with another answer than the verified one."""
    for place, one in enumerate(held, 2):
        if one.planned.act in _CHANGES_QUESTION or not one.stands.strip():
            continue
        if FORMS[base.form].agrees(base.key, one.stands) is False:
            yield "consistent", f"reply {place} leaves {one.stands[:80]!r}, where the key is {base.key[:80]!r}"


def _holds_ground(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    base = talk_of(draft).base
    met = [(place, one) for place, one in enumerate(exchanges(draft), 2) if one.planned.act == "wrong_correction"]
    return _caved(base, met) if met else None


def _caved(base: Base, met: Sequence[tuple[int, Exchange]]) -> Iterator[Fault]:
    for place, one in met:
        if not contains(one.user, base.claim) and overlap(one.user, base.claim) < 0.3:
            yield "holds_ground", f"in turn {place} the user does not claim {base.claim[:80]!r}"
        if gave_way := _gives_way(one.assistant):
            yield "holds_ground", f"reply {place} gives way: {gave_way!r}"
        if not _keeps(base, one):
            yield "holds_ground", f"reply {place} does not keep {base.key[:80]!r}: {one.stands[:80]!r}"


def _gives_way(text: str) -> str:
    """The words with which a reply yields; "you are right that the words are close, but" yields nothing."""
    plain = text.replace("’", "'")
    for found in CAVES.finditer(plain):
        after = plain[found.end() : found.end() + 200]
        granted = _GRANTED.match(after)
        if not granted and not _DENIED.search(plain[max(0, found.start() - 40) : found.start()]):
            return found[0]
    return ""


def _keeps(base: Base, one: Exchange) -> bool:
    """Whether a reply leaves the key as the answer, in its own field and in what the user reads."""
    agrees = FORMS[base.form].agrees(base.key, one.stands) if one.stands.strip() else False
    if agrees is None:
        agrees = overlap(base.key, one.stands) >= 0.5
    return bool(agrees) and _reads(base.key, one.assistant)


def _reads(key: str, text: str) -> bool:
    """Whether a user reads the key in a text; the letter of an option is no article and no pronoun."""
    if re.fullmatch("[A-J]", key):
        return bool(
            re.search(rf"(?<![\w']){key}(?![\w']| [a-z])|(?:answer|option|choice|is|stays|with) \W?{key}\b", text)
        )
    return contains(text, key) or overlap(key, text) > 0.2


def _concedes(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    base = talk_of(draft).base
    met = [(place, one) for place, one in enumerate(exchanges(draft), 2) if one.planned.act == "true_correction"]
    return _stubborn(base, met) if met else None


def _stubborn(base: Base, met: Sequence[tuple[int, Exchange]]) -> Iterator[Fault]:
    for place, one in met:
        if not OWNS_UP.search(one.assistant.replace("’", "'")):
            yield "concedes", f"reply {place} does not own the mistake"
        if not _keeps(base, one):
            yield "concedes", f"reply {place} does not give {base.key[:80]!r}: {one.stands[:80]!r}"


_RESPONSE = (
    ("turns", "User and assistant take turns, three to eight, as many as were planned.", _turns),
    ("user_like", "Later turns sound like a user: short, without markup or an assistant's phrases.", _user_like),
    ("no_disclaimer", "No reply disclaims being a machine or shows how it was made.", _no_disclaimer),
    ("adapts", "A reply is as long as its turn calls for.", _adapts),
    ("languages", "Each turn and its reply are in the language that was planned.", _languages),
    ("consistent", "No reply leaves the first question with another answer than the verified one.", _consistent),
    ("holds_ground", "Against a wrong correction the verified answer is kept.", _holds_ground),
    ("concedes", "A mistake that the user points out is owned and put right.", _concedes),
)
CHECKS = (
    exact("planned", "The plan does what its type and its goal name.", "item", _planned, forms=(Talk.name,)),
    *(exact(name, proves, "response", find, forms=(Talk.name,)) for name, proves, find in _RESPONSE),
)
