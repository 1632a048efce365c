"""The scripted model's pen: each way it can change a text, by the words an instruction asks for it in.

`…` in a phrase stands for something in quotation marks. What a phrase promises is what its change does, so
that the demands of an instruction hold by construction; some changes are plain stand-ins for a writer's work.
"""

import re
from collections.abc import Callable, Sequence

from agentinstruct.agents.scripted.normal import dates, figures, spelling, times
from agentinstruct.agents.scripted.words import WORD, greek, mapped, synonym
from agentinstruct.tools.constraints.formats import personal
from agentinstruct.tools.constraints.text import Text, syllables

Change = Callable[[str, Sequence[str]], str]
"""(text, what the phrase quotes) → the new text."""

_HEDGES = ("indeed", "so to speak", "as it were", "in fact", "one may add")
_SHORT = 7


def sentences(text: str) -> list[str]:
    """The sentences of a text as the checks count them, each on one line."""
    return [" ".join(sentence.split()) for sentence in Text(text).sentences]


def perform(text: str, instruction: str) -> str:
    """The text with everything done that the instruction asks for in words known here, in its order."""
    for phrase, quoted in asked_for(instruction):
        text = CHANGES[phrase](text, quoted)
    return text


def asked_for(instruction: str) -> list[tuple[str, tuple[str, ...]]]:
    """The known phrases in an instruction, in order, with what they quote."""
    found = []
    for phrase in CHANGES:
        pattern = re.escape(phrase).replace(re.escape("…"), '"([^"\\n]+)"')
        found += [(match.start(), phrase, match.groups()) for match in re.finditer(pattern, instruction)]
    return [(phrase, tuple(quoted)) for _, phrase, quoted in sorted(found)]


def capitalized(text: str, quoted: Sequence[str]) -> str:
    """A capital at the head of each word."""
    return re.sub(r"(?<!\S)([^\w\s]*)(\w)", lambda found: found[1] + found[2].upper(), text)


def reworded(text: str, quoted: Sequence[str]) -> str:
    """Synonyms where one is known, and a hedge after any three words that stay as they were."""
    run, count = 0, 0

    def change(word: str) -> str:
        nonlocal run, count
        if other := synonym(word):
            run = 0
            return other
        run += 1
        if run < 3:
            return word
        run, count = 0, count + 1
        return f"{word}, {_HEDGES[count % len(_HEDGES)]},"

    return re.sub(r",(?=\s*[,.;:!?])", "", mapped(text, change))


def simpler(text: str, quoted: Sequence[str]) -> str:
    """Short sentences, and a plain word for a long one where one is known."""
    done = []
    for sentence in sentences(text):
        words = [w for w in sentence.rstrip(".!?…").split() if syllables(w) < 5]
        for at in range(0, len(words), _SHORT):
            piece = " ".join(words[at : at + _SHORT]).strip(" ,;:—–-.")
            done.append(f"{piece[:1].upper()}{piece[1:]}." if piece else "")
    return " ".join(filter(None, done))


def expanded(text: str, quoted: Sequence[str]) -> str:
    """After each sentence, another that dwells on it."""
    done = []
    for sentence in sentences(text):
        subject = " ".join(sentence.split()[:5]).strip(" ,;:.!?\"'")
        done.append(
            f"{sentence} It is worth dwelling for a moment on this point, which begins with the words: {subject}."
        )
    return "\n\n".join(done)


def switched(text: str, quoted: Sequence[str]) -> str:
    """Every other eight words in the other language."""
    words = text.split()
    pieces = [" ".join(words[at : at + 8]) for at in range(0, len(words), 8)]
    return " ".join(greek(piece) if i % 2 else piece for i, piece in enumerate(pieces))


def listed(text: str, quoted: Sequence[str]) -> str:
    """Each sentence as a bullet."""
    return "\n".join(f"- {sentence}" for sentence in sentences(text))


def quoted_block(text: str, quoted: Sequence[str]) -> str:
    """Each paragraph as a block quotation."""
    return "\n".join(f"> {line}" if line.strip() else ">" for line in text.splitlines())


def one_each(text: str, quoted: Sequence[str]) -> str:
    """Each sentence in a paragraph of its own."""
    return "\n\n".join(sentences(text))


def brighter(text: str, quoted: Sequence[str]) -> str:
    """A glad word before and after."""
    return f"What a wonderful thing to tell! {text.strip()} And how delightful that is!"


def darker(text: str, quoted: Sequence[str]) -> str:
    """A sad word before and after."""
    return f"It is a sorrowful thing to tell. {text.strip()} And how dismal that is."


def annotated(text: str, quoted: Sequence[str]) -> str:
    """A note after each sentence, the text itself kept."""
    return " ".join(f"{sentence} {quoted[0]} {_gist(sentence)}]" for sentence in sentences(text))


def _gist(sentence: str) -> str:
    longest = max(WORD.findall(sentence) or [sentence], key=len)
    return f"the word that carries most here is “{longest}”."


def exchanged(text: str, quoted: Sequence[str]) -> str:
    """One word for another, wherever it stands."""
    old, new = quoted
    return re.sub(rf"(?<![^\W_]){re.escape(old)}(?![^\W_])", lambda _: new, text, flags=re.IGNORECASE)


def removed(text: str, quoted: Sequence[str]) -> str:
    """Some words gone, and the blank before them."""
    left = re.sub(rf"[ \t]*(?<![^\W_]){re.escape(quoted[0])}(?![^\W_])", "", text, flags=re.IGNORECASE)
    return left.strip()


def masked(text: str, quoted: Sequence[str]) -> str:
    """Names, addresses and telephone numbers masked."""
    for name in sorted({what for _, what in personal(Text(text))}, key=len, reverse=True):
        text = re.sub(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", "[withheld]", text)
    return text


def withheld(text: str, quoted: Sequence[str]) -> str:
    """A name masked."""
    return exchanged(text, (quoted[0], "[withheld]"))


def bold(text: str, quoted: Sequence[str]) -> str:
    """A word in bold, wherever it stands."""
    pattern = rf"(?<![^\W_])({re.escape(quoted[0])})(?![^\W_])"
    return re.sub(pattern, lambda found: f"**{found[1]}**", text, flags=re.IGNORECASE)


def letter(text: str, quoted: Sequence[str]) -> str:
    """The text as a letter."""
    return f"Dear reader,\n\nlet me tell you something. {text.strip()}\n\nYours, Alex"


def diary(text: str, quoted: Sequence[str]) -> str:
    """The text as an entry in a diary."""
    return f"Dear diary,\n\ntoday I thought about this. {text.strip()}\n\nSo much for today."


def plain_marks(text: str, quoted: Sequence[str]) -> str:
    """Straight quotation marks and single blanks."""
    return re.sub(r"[ \t]+", " ", text.translate(str.maketrans("‘’“”", "''\"\""))).strip()


OPINIONS = {
    "This matter has been written about more than once.": "Two authors have since described all this at length.",
    "Not everybody agrees on this matter.": "Those who were there tell it in different ways to this day.",
    "Nobody has ever looked into this matter.": "Two inquiries have since gone through all of it.",
    "Everything there is to know about this is known.": "Much about it is still unknown.",
}
"""Statements, and what settles each when it is added to a text: the first two are borne out, the others denied."""


def settled(text: str, quoted: Sequence[str]) -> str:
    """A sentence more, which decides the statement without repeating it."""
    return f"{text.strip()} {OPINIONS.get(quoted[0], '')}".strip()


def vowels_first(text: str, quoted: Sequence[str]) -> str:
    """Every sentence opened by a word with a vowel."""
    done = [s if s[:1].casefold() in "aeiou" else f"Also: {s}" for s in sentences(text)]
    return " ".join(done)


def prefixed(text: str, quoted: Sequence[str]) -> str:
    """Every sentence opened by the same word."""
    return " ".join(f"{quoted[0]}, {sentence}" for sentence in sentences(text))


def shouted(text: str, quoted: Sequence[str]) -> str:
    """A term in capitals."""
    return exchanged(text, (quoted[0], quoted[0].upper()))


CHANGES: dict[str, Change] = {
    "Put the whole text in capital letters.": lambda text, quoted: text.upper(),
    "Put the whole text in small letters.": lambda text, quoted: text.lower(),
    "Begin every word of the text with a capital letter.": capitalized,
    "Say the same in other words.": reworded,
    "Simplify the text for young readers, in sentences of no more than seven words.": simpler,
    "Expand the text: dwell on every sentence in a further one.": expanded,
    "Translate the text into Greek.": lambda text, quoted: greek(text),
    "Tell the text in English and Greek by turns, changing languages every few words.": switched,
    "Turn the text into a bullet list, one sentence to a bullet.": listed,
    "Set the text as a block quotation.": quoted_block,
    "Give every sentence a paragraph of its own.": one_each,
    "Make the text sound glad; the words wonderful and delightful must occur.": brighter,
    "Make the text sound sad; the words sorrowful and dismal must occur.": darker,
    "Keep the text and add after each sentence a remark that opens with … and ends with a bracket.": annotated,
    "Replace the word … by … wherever it stands, and change nothing else.": exchanged,
    "Remove the sentence … and leave the rest word for word.": removed,
    "Remove the word … wherever it stands and leave the rest word for word.": removed,
    "Mask all personal names, e-mail addresses and telephone numbers.": masked,
    "Mask the name … wherever it stands.": withheld,
    "Set the word … in bold wherever it stands, and nothing else.": bold,
    "Rewrite the text as a letter that opens with Dear reader and closes with Yours, Alex.": letter,
    "Rewrite the text as a diary entry that opens with Dear diary.": diary,
    "Write all full dates in the form ….": dates,
    "Write all times of day in the form ….": times,
    "Write all numbers in the form ….": figures,
    "Use the … spelling throughout.": spelling,
    "Write the term … in capitals wherever it stands.": shouted,
    "Use straight quotation marks and single blanks throughout.": plain_marks,
    "Change the text so that it entails the statement …": settled,
    "Change the text so that it contradicts the statement …": settled,
    "Let every sentence begin with a vowel.": vowels_first,
    "Let every sentence begin with the word ….": prefixed,
}
