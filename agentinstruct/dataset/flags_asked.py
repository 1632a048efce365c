"""Flags of prompts that speak of what is not there, and of responses that do not fit their prompt, key or language."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache

from agentinstruct.agents.forms import final_answer
from agentinstruct.dataset.flag import Rule, View, has_code
from agentinstruct.seeds.languages import language_of
from agentinstruct.tools.quotes import fold, numbers, same_number, stated_number

_KINDS = (
    r"passage|text|article|paragraph|excerpt|story|poem|document|transcript|dialogue|conversation|essay|table|report"
)
_REFERS = re.compile(
    rf"\b(?:(?:the|this) (?:following )?(?P<a>{_KINDS}) (?:above|below|provided|given|that follows)|(?:above"
    rf"|following|provided|given) (?P<b>{_KINDS})\b"
    rf"|according to (?:the|this) (?P<c>{_KINDS})\b|(?:in|from|of|by|on) (?:the|this) (?P<d>passage|excerpt|article)\b"
    rf"|\bthe (?P<e>passage|article|excerpt) (?:says|states|mentions|describes|explains|suggests|implies|argues))",
    re.I,
)
_PROSE_KINDS = frozenset({"article", "story", "poem", "essay", "passage", "transcript", "dialogue", "conversation"})
_PROSE = re.compile(r"[A-Za-z]{2,}[^.;{}()=\n]{0,300}[.!?](?:\s|$)")
_SENTENCES = 4
_LEAST_SHOWN = 25
_CODE_SIGN = re.compile(r"[\w\]]\(|[=<>;{}]")
_NUMBER = re.compile(r"[-+]?\d[\d,]*(?:\.\d+)?")
_OPTIONS_ASKED = re.compile(
    r"\b(?:which (?:one )?of the (?:following|options)|(?:choose|select|pick) (?:the (?:best|correct|right|one) "
    r"|one )?(?:answer|option|alternative)\b"
    r"|(?:options|choices|alternatives) (?:below|above|given|listed)|answer with the (?:letter|right option|option))",
    re.I,
)
_OPTION = re.compile(r"(?:^|[\s(\[])\(?([A-Ha-h]|[1-9]|[ivx]{1,4})[).:\]][ \t]*(?=\S)|^[ \t]*[-*•][ \t]+\S", re.M)
_INLINE_OPTIONS = re.compile(
    r":\s*[^,;.\n]+[,;][^.\n]+|\b\w+, \w+(?:,)? or \w+|[\"“'‘][^\"”'’\n]+[\"”'’].*[\"“'‘]|^.+/.+/.+$", re.M
)
_CODE_ASKED = re.compile(
    r"\b(?:(?:the|this) (?:following )?(?:code|snippet|program|script|function|query|class) (?:below|above|provided"
    r"|given|that follows)"
    r"|(?:following|above|given|provided|below) (?:\w+ )?(?:code|snippet|script|program|function|query)\b"
    r"|(?:fix|find|debug|spot|correct) the (?:bugs?|errors?|mistakes?) in (?:the|this|my) (?:code|function|program"
    r"|script|snippet|query)"
    r"|what does (?:this|the) (?:code|function|program|script|snippet) (?:do|print|return|output))",
    re.I,
)
_WRITES = re.compile(r"\b(?:write|create|implement|develop|complete) (?:the|a|an) (?:following|given)\b", re.I)
_LETTER = re.compile(r"^\W*(?:option |choice |answer )?\(?([A-H])\)?(?:[\s.,:)]|$)")
_ANSWERS = re.compile(
    r"^[^\w\n]{0,20}(?:final |correct |right )?answer\W{1,4}(?:is )?\(?([A-H])\b(?![ -]?\w{3})", re.I | re.M
)
_LABEL = re.compile(r"(?:^|[\s(\[])\(?([A-H])[).:\]][ \t]*(?=\S)", re.M)
_NAMED_LANGUAGE = re.compile(
    r"\b(?:translat\w+|language|auf deutsch|en español|en français|in italiano|(?:in|into|to|from|as) (?:simplified "
    r"|traditional |modern |old )?"
    r"(?:english|german|french|spanish|italian|portuguese|dutch|swedish|polish|czech|turkish|finnish|danish"
    r"|norwegian|romanian|hungarian|greek|russian"
    r"|ukrainian|bulgarian|serbian|arabic|hebrew|persian|hindi|bengali|urdu|tamil|thai|vietnamese|indonesian|chinese"
    r"|mandarin|japanese|korean|latin))\b",
    re.I,
)
_LANGUAGE_NAME = re.compile(
    r"\b(?:translat\w+|russian|greek|chinese|japanese|korean|arabic|hebrew|hindi|thai|ukrainian|kanji|cyrillic"
    r"|alphabet|letters?|script|symbols?|unicode|etymology|linguist\w*)\b",
    re.I,
)
_LEAST_LETTERS = 100
_SAMPLE = 400
_ENGLISH = (" the ", " and ", " of ", " is ", " to ", " a ")
"""Where three of them stand, the text is English, and need not be looked at longer."""
_SURE = 0.8
_FOREIGN = 4


def _missing_context(view: View) -> Iterator[tuple[str, str]]:
    """Words of a text that is not shown: hardly anything is left without the sentences that speak of it."""
    match = _REFERS.search(view.prompt_prose)
    if match and not view.context and "```" not in view.prompt and _shown(view) < _LEAST_SHOWN:
        yield "prompt", match[0]


def _shown(view: View) -> int:
    """How many words of other sentences and turns the assistant was given."""
    sentences = re.split(r"(?<=[.!?:])\s+|\n", view.asked)
    other = [one for one in sentences if not _REFERS.search(one) and not one.rstrip().endswith("?")]
    return sum(len(one.split()) for one in other)


def _context_mismatch(view: View) -> Iterator[tuple[str, str]]:
    """An article, a story or the like is spoken of, and what is shown is code."""
    match = _REFERS.search(view.prompt_prose)
    shown = view.context or view.prompt
    spoken = {(name or "").lower() for name in match.groups()} if match else set()
    if match and spoken & _PROSE_KINDS and has_code(shown) and len(_PROSE.findall(shown)) < _SENTENCES:
        yield "prompt", match[0]


def _missing_options(view: View) -> Iterator[tuple[str, str]]:
    match = _OPTIONS_ASKED.search(view.prompt_prose)
    if match and len(_OPTION.findall(view.asked)) < 2 and not _INLINE_OPTIONS.search(view.prompt[match.start() :]):
        yield "prompt", match[0]


def _missing_code(view: View) -> Iterator[tuple[str, str]]:
    match = _CODE_ASKED.search(view.prompt_prose)
    shown = has_code(view.asked) or "`" in view.prompt or _CODE_SIGN.search(view.asked)
    if match and not shown and not _WRITES.search(view.prompt):
        yield "prompt", match[0]


def _contradictory_key(view: View) -> Iterator[tuple[str, str]]:
    """The final answer is another letter, number or truth value than the key."""
    key, said = str(view.row.get("key") or ""), final_answer(view.last)
    if not key or not said:
        return
    letter, other = _LETTER.match(said), re.fullmatch(r"[A-H]", key)
    if other and letter and letter[1] != key:
        yield "response", f"answers {letter[1]}, key {key}"
    truth = {fold(word).strip(" .") for word in (key, said)}
    if truth in ({"yes", "no"}, {"true", "false"}):
        yield "response", f"answers {said}, key {key}"
    number = stated_number(said) if _NUMBER.fullmatch(key) and key not in said else None
    if number is not None and not any(same_number(number, value) for value in numbers(key)):
        yield "response", f"answers {said[:40]}, key {key}"


def _two_answers(view: View) -> Iterator[tuple[str, str]]:
    letters = list(dict.fromkeys(letter.upper() for letter in _ANSWERS.findall(view.last)))
    if len(letters) > 1 and len(_ANSWERS.findall(view.last)) == len(letters) == 2:
        yield "response", f"answers {' and '.join(letters)}"


def _invalid_option(view: View) -> Iterator[tuple[str, str]]:
    """The final answer is a letter that no option has."""
    letter = _LETTER.match(final_answer(view.last))
    labels = set(_LABEL.findall(view.asked))
    if letter and len(labels) >= 3 and "A" in labels and letter[1] not in labels:
        yield "response", f"answers {letter[1]}, options {' '.join(sorted(labels))}"


def _language(view: View) -> Iterator[tuple[str, str]]:
    """The response is in another language than the prompt, and no language is spoken of."""
    given, said = view.asked, view.prose
    if all(sum(word in text for word in _ENGLISH) > 2 for text in (view.prompt_prose, said)):
        return
    if (
        _letters(said) < _LEAST_LETTERS
        or _letters(view.prompt_prose) < _LEAST_LETTERS // 2
        or _NAMED_LANGUAGE.search(given)
    ):
        return
    response = language_of(said[:_SAMPLE], _SURE)
    asked = language_of(view.prompt_prose[:_SAMPLE], _SURE) if response else ""
    if asked and response not in (asked, language_of(given)):
        yield "response", f"prompt in {asked}, response in {response}"


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


@lru_cache(maxsize=4096)
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").partition(" ")[0]
    return {"HIRAGANA": "CJK", "KATAKANA": "CJK", "FULLWIDTH": "LATIN", "FEMININE": "LATIN", "MASCULINE": "LATIN"}.get(
        name, name
    )


_SCRIPTS = frozenset(
    {"LATIN", "CYRILLIC", "GREEK", "CJK", "HANGUL", "ARABIC", "HEBREW", "DEVANAGARI", "THAI", "BENGALI", "TAMIL"}
)


def _scripts(text: str) -> Counter[str]:
    return Counter(_script(letter) for letter in text if letter.isalpha())


def _wrong_script(view: View) -> Iterator[tuple[str, str]]:
    """Words in letters that the assistant was not given, among words in others; or a word of two kinds of letters."""
    if view.response.isascii():
        return
    for word in re.findall(r"[^\W\d_]{3,}", view.prose):
        kinds = set(_scripts(word)) & _SCRIPTS if not word.isascii() else set()
        if len(kinds & {"LATIN", "CYRILLIC", "GREEK"}) > 1 and word not in view.asked:
            yield "response", word
    if _LANGUAGE_NAME.search(view.asked):
        return
    given, said = _scripts(view.asked), _scripts(view.prose)
    for script, count in said.items():
        if script in _SCRIPTS and script != "LATIN" and not given[script] and _FOREIGN <= count < said.total() / 2:
            letters = [word for word in re.findall(r"[^\W\d_]{2,}", view.prose) if _script(word[0]) == script]
            if letters:
                yield "response", " ".join(letters)


RULES = (
    Rule("missing_context", "A passage, text or table is spoken of that is not shown.", _missing_context),
    Rule("context_mismatch", "An article or the like is spoken of, and code is shown.", _context_mismatch),
    Rule("missing_options", "Options are spoken of that are not shown.", _missing_options),
    Rule("missing_code", "Code is spoken of that is not shown.", _missing_code),
    Rule("contradictory_key", "The final answer is not the key.", _contradictory_key),
    Rule("two_answers", "Two final answers that differ.", _two_answers),
    Rule("invalid_option", "The final answer is a letter that no option has.", _invalid_option),
    Rule("language", "The response is in another language than the prompt.", _language),
    Rule("script", "Words in letters of another script than all that was given.", _wrong_script),
)
