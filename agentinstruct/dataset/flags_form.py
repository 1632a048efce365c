"""Flags of rows that are damaged: empty, cut off, going round in circles, badly encoded, turns out of order."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import orjson

from agentinstruct.dataset.flag import Rule, View, without_code

_OPEN = re.compile(
    r"\b(?:explain|describe|essay|in detail|step by step|elaborate|discuss|compare|write (?:a|an) (?:\w+ )?(?:story"
    r"|essay|article|poem|letter|summary|report|guide))\b",
    re.I,
)
_BRIEF = re.compile(
    r"\b(?:only|just|one word|a word|nothing (?:else|more)|answer with|no explanation|single|briefly)\b", re.I
)
_LEAST_WORDS = 5
_HANGING = re.compile(
    r"(?:[,;–—]|\b(?:the|a|an|and|or|but|of|to|in|on|for|with|from|by|as|that|which|because|is|are|was|were|has|have"
    r"|its|their|this|than|if|when|not))$",
    re.I,
)
_ENDED = re.compile(r"[.!?…:;\"'”’»)\]}|*_`~>=-]$|[。！？」』]$")
_SENTENCE = re.compile(r"[.!?][\"”)]?\s")
_TABLED = re.compile(r"[,;|\t](?! )")
_STEP = re.compile(r"^\s*(?:[-*•+|#>]|\d+[.)])")
_MOJIBAKE = re.compile(
    r"Ã[\x80-\xbf©¨¤¶¼§³±¡­º‰]|â€[™œ\x9d“”¦˜]?|Â[\xa0«»°§£©®±]|ï¿½|ðŸ[\x80-\xbf˜™Ž‘’]?|(?:Ð[\x90-\xbfµ°¾½¸]){3}"
)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffd\ue000-\uf8ff\ud800-\udfff]")
_FENCE = re.compile(r"^[ \t]{0,3}(?:[-*+>]|\d+[.)])?[ \t]*(`{3,}|~{3,})", re.M)
_JSON_FENCE = re.compile(r"```json\s*\n(.*?)\n\s*```", re.S)
_RUN = re.compile(r"([^\s\-=_*.#~|+])\1{39,}")
_GRAM, _TIMES, _SHARE = 6, 5, 0.3


def _empty(view: View) -> Iterator[tuple[str, str]]:
    if not view.response.strip():
        yield "response", "nothing"
    for turn in view.chat:
        if turn.role == "user" and not turn.text.strip():
            yield "prompt", "an empty turn"


def _too_short(view: View) -> Iterator[tuple[str, str]]:
    words = view.last.split()
    asked = without_code(view.last_asked)
    short = 0 < len(words) < _LEAST_WORDS and len(view.last) < 40 and not view.row.get("key")
    if short and _OPEN.search(asked) and not _BRIEF.search(asked):
        yield "response", view.last


def _truncated(view: View) -> Iterator[tuple[str, str]]:
    text = view.last.rstrip()
    if len(text.split()) < 12 or (_ENDED.search(text) and not _HANGING.search(text)):
        return
    tail = text[-40:]
    line = text.rpartition("\n")[2]
    if tail in view.asked or "```" in text or text[:1] in "{[<" or len(_TABLED.findall(line)) > 1:
        return
    prose = len(line) >= 60 and len(_SENTENCE.findall(text)) >= 2 and not _STEP.match(line)
    if (_HANGING.search(text) and (len(line) >= 40 or _STEP.match(line))) or prose:
        yield "response", tail


def _loop(view: View) -> Iterator[tuple[str, str]]:
    if run := _RUN.search(view.response):
        yield "response", run[0][:40]
    lines = Counter(line.strip() for line in view.prose.split("\n") if len(line.split()) >= 4)
    line, times = max(lines.items(), key=lambda item: item[1], default=("", 0))
    if times >= _TIMES and not line.startswith(("|", "-", "{", "[", '"')) and line not in view.asked:
        yield "response", f"{times} times {line}"
    if view.response.lstrip()[:1] not in ("{", "["):
        yield from _same_words(view.prose, view.asked)


def _same_words(text: str, asked: str) -> Iterator[tuple[str, str]]:
    words = re.findall(r"\w+", text.lower())
    grams = Counter(zip(*(words[start:] for start in range(_GRAM)), strict=False))
    gram, times = max(grams.items(), key=lambda item: item[1], default=((), 0))
    if times >= _TIMES and times * _GRAM > _SHARE * len(words) and asked.lower().count(" ".join(gram)) < times:
        yield "response", f"{times} times {' '.join(gram)}"


def _fence(view: View) -> Iterator[tuple[str, str]]:
    for turn in view.chat:
        marks = _FENCE.findall(turn.text) if turn.role == "assistant" else []
        if len(marks) % 2:
            yield "response", f"{len(marks)} marks of code blocks"


def _broken_json(view: View) -> Iterator[tuple[str, str]]:
    """It is JSON by its first and last marks, or by the name of its block, and cannot be read."""
    if not re.search(r"\bjson\b", view.asked, re.I):
        return
    text = view.last.strip()
    blocks = _JSON_FENCE.findall(text) or ([text] if text[:1] in ("{", "[") and '"' in text else [])
    for block in blocks:
        try:
            orjson.loads(block)
        except orjson.JSONDecodeError as problem:
            if not all(_is_json(line) for line in block.splitlines()):
                yield "response", str(problem)


def _is_json(line: str) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _mojibake(view: View) -> Iterator[tuple[str, str]]:
    for where, text in view.said():
        if not text.isascii() and (match := _MOJIBAKE.search(text)):
            yield where, text[max(match.start() - 20, 0) : match.end() + 20]


def _control(view: View) -> Iterator[tuple[str, str]]:
    for where, text in view.said():
        if match := _CONTROL.search(text):
            yield where, f"U+{ord(match[0]):04X}"


def _order(view: View) -> Iterator[tuple[str, str]]:
    kinds = [turn.role for turn in view.chat if turn.role != "system"]
    if not kinds or kinds[0] not in ("user", "assistant") or (kinds[0] == "assistant" and len(kinds) > 1):
        yield "chat", f"begins with {kinds[0] if kinds else 'nothing'}"
    if kinds and kinds[-1] != "assistant":
        yield "chat", f"ends with {kinds[-1]}"
    for first, second in pairwise(kinds):
        if first == second and first in ("user", "assistant"):
            yield "chat", f"two turns of {first} in a row"


def _repeated_turn(view: View) -> Iterator[tuple[str, str]]:
    for role, least in (("user", 4), ("assistant", 8)):
        said = [turn.text.strip() for turn in view.chat if turn.role == role and len(turn.text.split()) >= least]
        for text, times in Counter(said).items():
            if times > 1 and not text.startswith(("Page:", "Thought:")):
                yield role.replace("user", "prompt").replace("assistant", "response"), text


RULES = (
    Rule("empty", "A turn without words.", _empty),
    Rule("too_short", "A few words where an explanation or a text was asked for.", _too_short),
    Rule("truncated", "The response breaks off.", _truncated),
    Rule("loop", "The response says the same again and again.", _loop),
    Rule("fence", "A code block is not closed.", _fence),
    Rule("broken_json", "JSON was asked for, and what is given cannot be read.", _broken_json),
    Rule("mojibake", "Text that was decoded wrongly.", _mojibake),
    Rule("control", "Control characters, or characters that stand for nothing.", _control),
    Rule("order", "Turns do not alternate, or the last is not the assistant's.", _order),
    Rule("repeated_turn", "The same turn twice in one chat.", _repeated_turn),
)
