"""Rules about the shape of written pieces: scenes, letters, sections, posts, lists, and whose eyes it is seen with."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from agentinstruct.tools.constraints.rules import Constraint
from agentinstruct.tools.constraints.text import Text, excerpt, plain, tokens
from agentinstruct.tools.verse import title_of

_SPEAKER = re.compile(
    r"[ \t]*(?:\*\*|__)?([A-Z][\w.'’ -]{0,30}?)(?: ?\([^()\n]{1,60}\))?(?:\*\*|__)?[ \t]*:(?:\*\*|__)?[ \t]*(\S.*)"
)
_STAGE = re.compile(r"[ \t]*[*_]*[(\[].*[)\]][*_.]*[ \t]*|[ \t]*#{1,6} .*|[ \t]*(?:INT|EXT)\b.*|[ \t]*[-*_]{3,}[ \t]*")
_SLUG = re.compile(r"(?m)^[ \t*#_]*(?:INT|EXT|INT\.?/EXT|I/E)\.?[ /][^\n]{2,}")
_CUE = re.compile(r"(?m)^[ \t*]*([A-Z][A-Z .'’-]{1,30}?)(?: ?\([^()\n]{1,40}\))?[ \t*]*\n[ \t]*\S")
_NOT_A_CUE = re.compile(r"(?:INT|EXT|FADE|CUT|TITLE|THE END|END|DISSOLVE)\b")
_HASHTAG = re.compile(r"(?<![\w&/])#(?=\w*[^\W\d_])\w+")
_SALUTATION = re.compile(
    r"(?:dear|hello|hi|hey|good (?:morning|afternoon|evening)|greetings|to)\b[^\n]{0,60}", re.IGNORECASE
)
_CLOSING = re.compile(
    r"(?:yours|your (?:\w+ ){0,3}\w+,|sincerely|faithfully|regards|best|love|warmly|respectfully|cordially|cheers|"
    r"always|with (?:\w+ ){0,3}(?:regards|wishes|love|thanks|gratitude|respect|affection)|thank(?:s| you)|take care|"
    r"until (?:then|soon|we))\b",
    re.IGNORECASE,
)
_ITEM = re.compile(r"[ \t]*(?:[-*+•‣–]|\d{1,3}[.)])[ \t]+(\S.*)")
_QUOTED = re.compile(r'"[^"\n]*"?|(?<!\w)\'[^\'\n]{2,400}\'(?!\w)')
PRONOUNS = {
    "first": r"(?:i|we)(?:'\w+)?|me|my|mine|myself|us|ours?|ourselves",
    "second": r"you(?:'\w+)?|yours?|yourself|yourselves",
    "third": r"(?:he|she|they|it)(?:'\w+)?|him|his|hers?|them|theirs?|its|(?:him|her|it)self|themselves",
}
_SHARE = 0.01
"""Pronouns of the narrating person among the words of a piece, at the least."""


def dialogue(c: Constraint, source: Text, output: Text) -> str:
    """All but stage directions, headings and a title is speech, `Name: words`; `words` speak, or `number` people do."""
    speakers: Counter[str] = Counter()
    lines = [line for line in output.plain.splitlines() if line.strip()]
    for place, line in enumerate(lines):
        if place == 0 and title_of(output.raw) and line.strip(' *_#"').endswith(title_of(output.raw)):
            continue
        if spoken := _SPEAKER.fullmatch(line):
            speakers[spoken[1].strip().casefold()] += 1
        elif not _STAGE.fullmatch(line) and line.strip(' *_#"') != title_of(output.raw):
            return f"no speech and no stage direction: “{excerpt(line)}”"
    return _cast(c, speakers)


def _cast(c: Constraint, speakers: Counter[str]) -> str:
    missing = next((name for name in c.words if plain(name).casefold() not in speakers), "")
    if missing:
        return f"“{missing}” does not speak; those who do: {', '.join(speakers) or 'none'}"
    few, many = len(speakers) < (c.number or 2), c.number and len(speakers) > c.number
    return f"{len(speakers)} speakers, not {c.number or 2}" if few or many else ""


def screenplay(c: Constraint, source: Text, output: Text) -> str:
    """Scenes under sluglines (INT. or EXT.), exactly `number` if given; speakers in capitals over their lines."""
    scenes = len(_SLUG.findall(output.plain))
    cues = [name for name in _CUE.findall(output.plain) if not _NOT_A_CUE.match(name)]
    if not scenes or (c.number and scenes != c.number):
        return f"{scenes} sluglines, not {c.number or 'at least one'}"
    return "" if cues else "nobody speaks: no name in capitals stands above a line"


def sections(c: Constraint, source: Text, output: Text) -> str:
    """Each of the headings stands on a line of its own, or opens one with a colon, in the order given."""
    heads = [_head(line) for line in output.plain.splitlines()]
    at = -1
    for wanted in c.words:
        name = " ".join(tokens(wanted))
        found = next((i for i, head in enumerate(heads) if i > at and head == name), None)
        if found is None:
            where = "stands too early" if name in heads else "is missing"
            return f"the section “{wanted}” {where}"
        at = found
    return ""


def _head(line: str) -> str:
    """What a line is headed by: the whole of a marked or short line, or what stands before its colon."""
    marked = re.match(r"[ \t]*(?:#{1,6}[ \t]+|\*\*|__|[\[(]|\d{1,2}[.)][ \t]+)", line)
    lead = line.split(":", 1)[0] if ":" in line else line if marked or len(line.split()) <= 6 else ""
    return " ".join(tokens(re.sub(r"^[ \t]*\d{1,2}[.)][ \t]+", "", lead)))


def letter(c: Constraint, source: Text, output: Text) -> str:
    """A salutation, a body, a closing and a name; an e-mail has a subject line above. `words`: whom it addresses."""
    lines = [line.strip(" *_#") for line in output.plain.splitlines() if line.strip()]
    subject = next((line for line in lines[:3] if re.match(r"subject:[ ]?\S", line, re.IGNORECASE)), "")
    if c.style == "email" and not subject:
        return "no subject line opens it"
    greeting = next((i for i, line in enumerate(lines[:8]) if line != subject and _greets(line)), None)
    if greeting is None:
        return f"no salutation: “{excerpt(lines[0])}”"
    missing = next((word for word in c.words if plain(word).casefold() not in lines[greeting].casefold()), "")
    if missing:
        return f"the salutation “{lines[greeting]}” does not address “{missing}”"
    return "" if _signed(lines[greeting + 1 :][-4:]) else f"no closing and name: “{excerpt(lines[-1])}”"


def _greets(line: str) -> bool:
    return bool(_SALUTATION.match(line)) and len(line.split()) < 12


def _signed(ends: Sequence[str]) -> bool:
    """Whether a text's last lines hold a closing with a name below it, or behind it."""
    below = any(_CLOSING.match(line) and len(line.split()) < 9 for line in ends[:-1])
    return below or bool(ends and re.match(r"(?:yours|love)[^,]{0,30},\s*\w", ends[-1], re.IGNORECASE))


def characters(c: Constraint, source: Text, output: Text) -> str:
    """At least or at most so many characters, blanks counted."""
    have = len(output.plain.strip())
    wrong = have > c.number if c.kind.startswith("max") else have < c.number
    return f"{have} characters, where {c.number} is the limit" if wrong else ""


def hashtags(c: Constraint, source: Text, output: Text) -> str:
    """Exactly `number` hashtags if given (0: none stated); those of `words` are among them."""
    found = [tag.casefold() for tag in _HASHTAG.findall(output.plain)]
    missing = next((w for w in c.words if f"#{w.lstrip('#').casefold()}" not in found), "")
    if missing:
        return f"#{missing.lstrip('#')} is not there"
    return f"{len(found)} hashtags, not {c.number}" if c.number and len(found) != c.number else ""


def listed_items(output: Text) -> list[str]:
    """The entries of a list: bullets or numbers where there are any, else the lines below a title."""
    lines = [line for line in output.plain.splitlines() if line.strip()]
    marked = [found[1] for line in lines if (found := _ITEM.fullmatch(line))]
    title = title_of(output.raw)
    return marked or [line.strip() for line in lines if line.strip(' *_#"') != title]


def exact_items(c: Constraint, source: Text, output: Text) -> str:
    """A list of exactly so many entries, no two the same."""
    items = listed_items(output)
    if len(items) != c.number:
        return f"{len(items)} entries, not {c.number}"
    often = Counter(" ".join(tokens(item)) for item in items)
    twice = next((item for item, times in often.items() if times > 1), "")
    return f"twice: “{excerpt(twice)}”" if twice else ""


def max_item_words(c: Constraint, source: Text, output: Text) -> str:
    """No entry of the list is longer."""
    long = next((item for item in listed_items(output) if len(Text(item).words) > c.number), "")
    return f"{len(Text(long).words)} words in “{excerpt(long)}”" if long else ""


def point_of_view(c: Constraint, source: Text, output: Text) -> str:
    """Who tells it: I or we, you, or neither, by the pronouns outside of quoted speech."""
    told = tokens_of_narration(output)
    counts = {person: sum(bool(re.fullmatch(own, word)) for word in told) for person, own in PRONOUNS.items()}
    said = ", ".join(f"{counts[person]} of the {person}" for person in PRONOUNS)
    if c.style == "third":
        return f"the narration has pronouns of another person: {said}" if counts["first"] + counts["second"] else ""
    other = "second" if c.style == "first" else "first"
    enough = counts[c.style] >= max(1, _SHARE * len(told)) and counts[c.style] >= 2 * counts[other]
    return "" if enough else f"the narration is not in the {c.style} person: {said}"


def tokens_of_narration(output: Text) -> list[str]:
    """The words that nobody in the piece says, in small letters, with their apostrophes."""
    return re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", _QUOTED.sub(" ", output.plain).casefold())


def anaphora(c: Constraint, source: Text, output: Text) -> str:
    """At least `number` sentences, or lines, open with the phrase (three by default)."""
    phrase, least = " ".join(tokens(" ".join(c.words))), c.number or 3
    have = max(_opening_with(phrase, parts) for parts in (output.openings, output.plain.splitlines()))
    return f"{have} sentences open with “{phrase}”, not {least}" if have < least else ""


def _opening_with(phrase: str, parts: Iterable[str]) -> int:
    return sum(f"{' '.join(tokens(part[:200]))} ".startswith(f"{phrase} ") for part in parts)


def titled(c: Constraint, source: Text, output: Text) -> str:
    """It opens with a title."""
    return "" if title_of(output.raw) else f"no title: it opens with “{excerpt(output.plain.lstrip())}”"
