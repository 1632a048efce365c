"""Rules that sort short phrases into two groups by a property that can be seen; the groups' names may mislead."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import permutations
from random import Random
from types import MappingProxyType

from agentinstruct.tools.rules.family import Family, Pair, Spec
from agentinstruct.tools.rules.harvest import phrases, some

_NEUTRAL = (("zel", "mor"), ("A", "B"), ("red", "blue"), ("north", "south"), ("kept", "returned"))
_MISNAMED: Mapping[str, Pair] = MappingProxyType(
    {
        "words": ("short", "long"),
        "digit": ("no number", "number"),
        "vowel": ("consonant", "vowel"),
        "word": ("plain", "wordy"),
    }
)
"""For a property that holds, the name that fits one that does not."""


@lru_cache(maxsize=65536)
def _holds(feature: Spec, phrase: str) -> bool:
    parts = phrase.split()
    match feature[0]:
        case "words":
            return len(parts) > int(feature[1])
        case "digit":
            return any(c.isdigit() for c in phrase)
        case "vowel":
            return phrase[:1].lower() in "aeiou"
        case "word":
            return max(map(len, parts), default=0) > int(feature[1])
        case "letter":
            return str(feature[1]) in phrase.lower()
        case "even":
            return len(parts) % 2 == 0
        case "first":
            return len(parts[0]) > len(parts[-1])
    return phrase[-1:].lower() in "aeiou"


_SAID: Mapping[str, Callable[[Spec], str]] = MappingProxyType(
    {
        "words": lambda f: f"has more than {f[1]} words",
        "digit": lambda f: "holds a digit",
        "vowel": lambda f: "begins with a vowel",
        "word": lambda f: f"has a word of more than {f[1]} letters",
        "letter": lambda f: f"holds the letter {f[1]}",
        "even": lambda f: "has an even number of words",
        "first": lambda f: "has a first word longer than its last",
        "ends": lambda f: "ends in a vowel",
    }
)


@lru_cache(maxsize=1)
def features() -> tuple[Spec, ...]:
    """Every property there is."""
    return (
        *(("words", n) for n in range(2, 8)),
        *(("word", n) for n in range(4, 10)),
        *(("letter", c) for c in "bcdfgkmpuvwy"),
        *(("digit",), ("vowel",), ("even",), ("first",), ("ends",)),
    )


class Labels(Family):
    """Phrases to one of two labels that say nothing."""

    name = "labels"
    least = 4

    def space(self) -> Sequence[Spec]:
        """Every property with every pair of names, both ways round."""
        return [(feature, *names) for feature in features() for pair in _NEUTRAL for names in permutations(pair)]

    def apply(self, spec: Spec, given: str) -> str | None:
        """The label."""
        return str(spec[1] if _holds(spec[0], given) else spec[2]) if given.split() else None

    def say(self, spec: Spec) -> str:
        """When it is the one label, and when the other."""
        return f"{spec[1]} if the phrase {_SAID[spec[0][0]](spec[0])}, otherwise {spec[2]}"

    def predictions(self, shots: Sequence[Pair], query: str) -> frozenset[str]:
        """Over every property, with the two labels that the examples have; one label alone decides nothing."""
        labels = sorted({label for _, label in shots})
        if len(labels) != 2:
            return frozenset({"", *labels})
        space = [(feature, *names) for feature in features() for names in permutations(labels)]
        fitting = [spec for spec in space if all(self.apply(spec, given) == made for given, made in shots)]
        return frozenset(self.apply(spec, query) or "" for spec in fitting)

    def near(self, text: str, draw: Random) -> list[str]:
        """Phrases of two to nine words."""
        return some(phrases(text), draw, 24)

    def far(self, text: str, draw: Random) -> list[str]:
        """Long ones."""
        return some(phrases(text, 10, 24), draw, 3)


class Misnamed(Labels):
    """The same, with labels that name the opposite."""

    name = "misnamed"

    def space(self) -> Sequence[Spec]:
        """Properties that have a natural name, which goes to those without it."""
        return [(f, *_MISNAMED[f[0]]) for f in features() if f[0] in _MISNAMED]
