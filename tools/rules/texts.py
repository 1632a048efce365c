"""Rules on words, on rows of signs, and on short letter strings: one operation, or two in a row."""

from collections.abc import Callable, Mapping
from functools import partial
from random import Random
from types import MappingProxyType
from typing import Any, ClassVar

from agentinstruct.tools.rules.family import Pipeline
from agentinstruct.tools.rules.harvest import some, words

VOWELS = "aeiou"
SIGNS = "▲●■◆"


def _shifted(letter: str, by: int) -> str:
    base = ord("A") if letter.isupper() else ord("a")
    return chr((ord(letter) - base + by) % 26 + base) if letter.isascii() and letter.isalpha() else letter


def _at(change: Callable[[str], str], place: int, text: str) -> str:
    if len(text) <= (place if place >= 0 else -place - 1):
        return text
    place %= len(text)
    return text[:place] + change(text[place]) + text[place + 1 :]


def _ends_swapped(text: str) -> str:
    return text[-1] + text[1:-1] + text[0] if len(text) > 1 else text


def _replaced(old: str, new: str, text: str) -> str:
    return text.replace(old, new)


def _exchanged(one: str, other: str, text: str) -> str:
    return text.translate(str.maketrans(one + other, other + one))


class Words(Pipeline):
    """Words changed letter by letter."""

    name = "words"
    operations: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "reverse": (lambda s: s[::-1], "read backwards"),
            "upper": (str.upper, "in capitals"),
            "capital": (lambda s: s[:1].upper() + s[1:], "with a capital first letter"),
            "drop_first": (lambda s: s[1:], "without its first letter"),
            "drop_last": (lambda s: s[:-1], "without its last letter"),
            "swap_ends": (_ends_swapped, "first and last letter change places"),
            "rotate_left": (lambda s: s[1:] + s[:1], "the first letter goes to the end"),
            "rotate_right": (lambda s: s[-1:] + s[:-1], "the last letter goes to the front"),
            "no_vowels": (lambda s: "".join(c for c in s if c.lower() not in VOWELS), "without its vowels"),
            "only_vowels": (lambda s: "".join(c for c in s if c.lower() in VOWELS), "only its vowels"),
            "stars": (lambda s: "".join("*" if c.lower() in VOWELS else c for c in s), "vowels become stars"),
            "double_first": (lambda s: s[:1] + s, "the first letter doubled"),
            "double_last": (lambda s: s + s[-1:], "the last letter doubled"),
            "twice": (lambda s: f"{s}-{s}", "twice, with a hyphen"),
            "every_second": (lambda s: s[::2], "every second letter, from the first"),
            "sorted": (lambda s: "".join(sorted(s)), "letters in the order of the alphabet"),
            "length": (lambda s: f"{s}{len(s)}", "with its number of letters after it"),
            "next": (lambda s: "".join(_shifted(c, 1) for c in s), "each letter becomes the next of the alphabet"),
            "hyphens": (lambda s: "-".join(s), "with hyphens between the letters"),
            "first_three": (lambda s: s[:3], "its first three letters"),
            "mirror": (lambda s: s + s[::-1], "followed by itself backwards"),
        }
    )

    def near(self, text: str, draw: Random) -> list[str]:
        """Words of five to eight letters."""
        return some(words(text, 5, 8), draw, 14)

    def far(self, text: str, draw: Random) -> list[str]:
        """Two words in one."""
        found = some(words(text, 5, 9), draw, 6)
        return [a + b for a, b in zip(found[::2], found[1::2], strict=False)]


class Signs(Pipeline):
    """Rows of four kinds of sign."""

    name = "signs"
    operations: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            "reverse": (lambda s: s[::-1], "the row backwards"),
            "rotate_left": (lambda s: s[1:] + s[:1], "the first sign goes to the end"),
            "rotate_right": (lambda s: s[-1:] + s[:-1], "the last sign goes to the front"),
            "swap_ends": (_ends_swapped, "first and last sign change places"),
            "drop_first": (lambda s: s[1:], "without its first sign"),
            "drop_last": (lambda s: s[:-1], "without its last sign"),
            "once": (lambda s: "".join(c for i, c in enumerate(s) if s[i - 1 : i] != c), "equal neighbours only once"),
            "add_first": (lambda s: s + s[:1], "the first sign again at the end"),
            "twice": (lambda s: "".join(c * 2 for c in s), "each sign twice"),
            **{f"no_{a}": (partial(_replaced, a, ""), f"without {a}") for a in SIGNS},
            **{f"double_{a}": (partial(_replaced, a, a * 2), f"each {a} twice") for a in SIGNS},
            **{
                f"{a}_for_{b}": (partial(_exchanged, a, b), f"{a} and {b} change places")
                for i, a in enumerate(SIGNS)
                for b in SIGNS[i + 1 :]
            },
        }
    )

    def near(self, text: str, draw: Random) -> list[str]:
        """Rows of four to six signs."""
        return list(dict.fromkeys("".join(draw.choices(SIGNS, k=draw.randint(4, 6))) for _ in range(14)))

    def far(self, text: str, draw: Random) -> list[str]:
        """Rows of ten signs."""
        return ["".join(draw.choices(SIGNS, k=10)) for _ in range(3)]


class Analogies(Pipeline):
    """Letter strings, as in: abc is to abd as ijk is to what?"""

    name = "analogies"
    operations: ClassVar[Mapping[str, Any]] = MappingProxyType(
        {
            **{
                f"{by:+d}@{place}": (
                    partial(_at, partial(_shifted, by=by), place),
                    f"the {where} letter moves {abs(by)} {'on' if by > 0 else 'back'} in the alphabet",
                )
                for place, where in ((0, "first"), (1, "second"), (-1, "last"))
                for by in (1, -1, 2)
            },
            **{
                f"drop@{place}": (partial(_at, lambda c: "", place), f"the {where} letter falls away")
                for place, where in ((0, "first"), (1, "second"), (-1, "last"))
            },
            **{
                f"double@{place}": (partial(_at, lambda c: c * 2, place), f"the {where} letter is doubled")
                for place, where in ((0, "first"), (1, "second"), (-1, "last"))
            },
            "swap_ends": (_ends_swapped, "first and last letter change places"),
            "swap_first": (lambda s: s[1:2] + s[:1] + s[2:], "the first two letters change places"),
            "reverse": (lambda s: s[::-1], "the letters turn round"),
            "rotate": (lambda s: s[1:] + s[:1], "the first letter goes to the end"),
        }
    )

    def near(self, text: str, draw: Random) -> list[str]:
        """Words of three to five letters."""
        return some(words(text, 3, 5), draw, 14)

    def far(self, text: str, draw: Random) -> list[str]:
        """Longer words."""
        return some(words(text, 8, 12), draw, 3)
