"""Rules that hold the new text against the old one: what had to change, and what had to stay.

`Word for word` compares runs of letters and digits without case, so punctuation that follows an edit
(a comma, a capital at a new sentence start) is free; where words are put in, a and an are one word.
"""

import re
from collections.abc import Sequence
from itertools import zip_longest

from agentinstruct.tools.constraints.rules import Constraint
from agentinstruct.tools.constraints.text import Text, excerpt, tokens

_OVERLAP = 40  # per cent of the new text's four-word runs that may come from the old one
FIGURE = re.compile(r"\d(?:[\d.,]*\d)?")
_URL = re.compile(r"(?:https?://|www\.)\S{1,2000}")
_BRACKETED = re.compile(r"\([^()]{0,2000}\)|\[[^\[\]]{0,2000}\]")
_LABEL = r"(?:text|version|output|result|paraphrase|translation|rewrite|revision|summary|paragraph|passage)"
_PREAMBLE = re.compile(
    r"(?:sure|certainly|of course|okay|absolutely)[!,.:] (?:here|below|i\b|let)|below is (?:the|your|a)\b|"
    rf"here(?:'s| is| are) (?:the|your|a|an|my) (?:[\w-]{{1,20}} ){{0,4}}{_LABEL}\b|"
    r"i(?:'ve| have) (?:rewritten|changed|edited|modified|replaced|converted|translated|simplified|removed)\b|"
    rf"(?:(?:the|your) )?(?:\w{{3,20}} )?{_LABEL} ?:",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"let me know if you(?:'d| would)? (?:like|need|want|have)[^.]{0,80}(?:change|adjust|edit|modif|version|revis)|"
    r"i hope this (?:helps|version|text|works)|please note that i\b|is there anything else|"
    r"(?:note: ?)?(?:i(?:'ve| have)|the text (?:was|has been)) (?:kept|changed|made|replaced|removed|modified)\b",
    re.IGNORECASE,
)


def email_places(text: str) -> list[tuple[int, int]]:
    """Spans of e-mail addresses; looks only around each @, so it stays linear."""
    spans = []
    for at in (m.start() for m in re.finditer(r"(?<=\w)@(?=\w)", text)):
        left = re.match(r"[\w.+-]{1,64}", text[max(0, at - 64) : at][::-1])
        right = re.match(r"[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}", text[at + 1 : at + 400])
        if left and right:
            spans.append((at - len(left[0]), at + 1 + right.end()))
    return spans


def _mismatch(wanted: Sequence[str], found: Sequence[str]) -> str:
    """Where two runs of words part, or an empty string."""
    if wanted == found:
        return ""
    pairs = enumerate(zip_longest(wanted, found))
    at = next((i for i, (a, b) in pairs if a != b and {a, b} != {"a", "an"}), None)
    if at is None:
        return ""
    context = " ".join(wanted[max(0, at - 4) : at])
    expected = " ".join(wanted[at : at + 4]) or "the end"
    return f"after “{context}”: expected “{expected}”, found “{' '.join(found[at : at + 4]) or 'the end'}”"


def _swapped(words: list[str], swaps: Sequence[tuple[list[str], list[str]]]) -> list[str]:
    """The words with every swap applied, the longest first, from left to right."""
    by_first: dict[str, list[tuple[list[str], list[str]]]] = {}
    for old, new in sorted((pair for pair in swaps if pair[0]), key=lambda pair: -len(pair[0])):
        by_first.setdefault(old[0], []).append((old, new))
    done: list[str] = []
    i = 0
    while i < len(words):
        fits = (p for p in by_first.get(words[i], ()) if words[i : i + len(p[0])] == p[0])
        old, new = next(fits, ([words[i]], [words[i]]))
        done += new
        i += len(old)
    return done


def replace_words(c: Constraint, source: Text, output: Text) -> str:
    """Every old word gone, its new one as often as the old one was, and the rest word for word."""
    swaps = [(tokens(swap.old), tokens(swap.new)) for swap in c.swaps]
    if c.rest == "unchanged":
        return _mismatch(_swapped(source.tokens, swaps), output.tokens)
    for swap in c.swaps:
        was, kept = source.counts(swap.old), Text(swap.new).counts(swap.old)
        if not kept and (at := next(output.places(swap.old), None)) is not None:
            return f"“{swap.old}” still stands in “{excerpt(output.flat, at)}”"
        if swap.new and output.counts(swap.new) < was:
            return f"“{swap.new}” stands less often than “{swap.old}” did ({was})"
    return ""


def _without(text: str, style: str) -> str:
    """The text without all its digits, e-mail addresses, links or bracketed parts."""
    if style == "emails":
        cuts = email_places(text)
    else:
        pattern = {"digits": re.compile(r"\d"), "urls": _URL, "brackets": _BRACKETED}[style]
        cuts = [m.span() for m in pattern.finditer(text)]
    kept, end = [], 0
    for a, b in cuts:
        kept.append(text[end : max(a, end)])
        end = max(b, end)
    return " ".join(kept) + text[end:] if style != "digits" else "".join(kept) + text[end:]


def remove(c: Constraint, source: Text, output: Text) -> str:
    """The strings, or everything of the style, is gone; the rest stands word for word unless free."""
    for word in c.words:
        at = next(output.places(word), None)
        if at is not None:
            return f"“{excerpt(word)}” still stands in “{excerpt(output.flat, at)}”"
    if c.style and (less := _without(output.plain, c.style)) != output.plain:
        at = next(i for i, (a, b) in enumerate(zip_longest(output.plain, less)) if a != b)
        return f"{c.style} still stand in “{excerpt(output.plain, at)}”"
    if c.rest == "free":
        return ""
    rest = tokens(_without(source.plain, c.style)) if c.style else source.tokens
    # what digits leave behind of 3rd or 5pm may stay or go
    torn = {re.sub(r"\d", "", t) for t in source.tokens if not t.isalpha()} if c.style == "digits" else set()
    wanted = [t for t in _swapped(rest, [(tokens(word), []) for word in c.words]) if t not in torn]
    return _mismatch(wanted, [t for t in output.tokens if t not in torn])


def same_words(c: Constraint, source: Text, output: Text) -> str:
    """The same words in the same order: only case, punctuation, layout and markup may differ."""
    text = re.sub(r"(?m)^[ \t]*+\d{1,3}[.)](?=\s)|</?[a-z]{1,10}>", " ", output.plain)
    old = re.sub(r"(?m)^[ \t]*+\d{1,3}[.)](?=\s)|</?[a-z]{1,10}>", " ", source.plain)
    return _mismatch(tokens(old), tokens(text))


def contains_source(c: Constraint, source: Text, output: Text) -> str:
    """All words of the original still stand in their order; between them anything may be put in."""
    rest = iter(output.tokens)
    for i, word in enumerate(source.tokens):
        if word not in rest:
            return f"lost from the original: “{' '.join(source.tokens[max(0, i - 4) : i + 5])}”"
    return ""


def unchanged_elsewhere(c: Constraint, source: Text, output: Text) -> str:
    """All that stands before and after the named paragraph or sentence is kept to the letter."""
    span = part(source, c.scope, c.position)
    if span is None:
        return f"the text has no {c.scope} {c.position}"
    before, after = source.plain[: span[0]].split(), source.plain[span[1] :].split()
    found = output.plain.split()
    head = _mismatch(before, found[: len(before)])
    tail = _mismatch(after, found[max(0, len(found) - len(after)) :]) if after else ""
    return head or tail or ("" if len(found) >= len(before) + len(after) else "part of the text is gone")


def part(text: Text, scope: str, position: int) -> tuple[int, int] | None:
    """The span of one paragraph or sentence, counted from 1, or from -1 at the end."""
    spans = text.paragraphs if scope == "paragraph" else text.spans
    index = position - 1 if position > 0 else len(spans) + position
    return spans[index] if position and 0 <= index < len(spans) else None


def pieces(c: Constraint, source: Text, output: Text) -> tuple[Text, Text]:
    """The paragraph or sentence that a constraint is about, in both texts.

    In the output it is what stands between the unchanged text around it, however it was cut up,
    or else the part with the same number.
    """
    span, own = part(source, c.scope, c.position), part(output, c.scope, c.position)
    by_number = Text(output.plain[slice(*own)] if own else "")
    if span is None:
        return source, by_number
    old = Text(source.plain[slice(*span)])
    if unchanged_elsewhere(c, source, output):
        return old, by_number
    return old, Text(_between(output.plain, source.plain[: span[0]], source.plain[span[1] :]))


def _between(text: str, before: str, after: str) -> str:
    """The text less as many blank-separated words in front and behind as `before` and `after` have."""
    left, right = len(before.split()), len(after.split())
    text = text.split(maxsplit=left)[-1] if left and len(text.split()) > left else text
    return text.rsplit(maxsplit=right)[0] if right and len(text.split()) > right else text


def low_overlap(c: Constraint, source: Text, output: Text) -> str:
    """At most `number` per cent (40 by default) of the new text's four-word runs come from the old."""
    old = set(zip(*(source.tokens[i:] for i in range(4)), strict=False))
    runs = list(zip(*(output.tokens[i:] for i in range(4)), strict=False))
    shared = [run for run in runs if run in old]
    share = 100 * len(shared) / len(runs) if runs else 0
    if share <= (c.number or _OVERLAP):
        return ""
    return f"{share:.0f} % of four-word runs are the original's, as “{' '.join(shared[0])}”"


def keep_numbers(c: Constraint, source: Text, output: Text) -> str:
    """Every figure of the original still stands; thousands separators are not looked at."""
    have = {m[0].replace(",", "") for m in FIGURE.finditer(output.plain)}
    lost = next((m for m in FIGURE.finditer(source.plain) if m[0].replace(",", "") not in have), None)
    return f"“{lost[0]}” is gone: “{excerpt(source.plain, lost.start())}”" if lost else ""


def only_output(c: Constraint, source: Text, output: Text) -> str:
    """The new text alone: no preamble, no remark after it, no fence or quotes around all of it."""
    text, old = output.plain.strip(), source.plain.strip()
    if (found := _PREAMBLE.match(text.lstrip('*"# '))) and not old.lower().startswith(found[0].lower()):
        return f"opens with “{excerpt(text)}”"
    for mark in ("```", '"'):
        if text.startswith(mark) and text.endswith(mark) and text.count(mark) == 2 and not old.startswith(mark):
            return f"stands in {mark} … {mark}"
    last = text.rsplit("\n", 1)[-1].lstrip("(*_[ ")
    if (found := _CLOSING.match(last)) and found[0].lower() not in old.lower():
        return f"closes with “{excerpt(last)}”"
    return ""
