"""A made-up language: every word has its translation, and the words stand in another order."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import permutations
from random import Random

from agentinstruct.tools.rules.family import Family, Pair, Spec
from agentinstruct.tools.rules.harvest import words

_VERBS = ("sees", "carries", "follows", "paints", "leaves", "calls")
_SYLLABLES = ("ba", "ke", "lo", "mi", "nu", "ra", "sa", "te", "vo", "zi", "du", "fe")


class Language(Family):
    """Sentences of subject, verb and object."""

    name = "language"

    def space(self) -> Sequence[Spec]:
        """The orders there are; the words are learnt from the examples."""
        return _orders()

    def pick(self, draw: Random) -> Spec:
        """An order other than English, and a number that the words are made from."""
        return (draw.choice([order for order in _orders() if order != (0, 1, 2)]), draw.randrange(1_000_000))

    def apply(self, spec: Spec, given: str) -> str | None:
        """Each word by its translation, in the language's order."""
        parts = given.split()
        if len(parts) != 3 or len(spec) < 2:
            return None
        return " ".join(_word(parts[place], spec[1]) for place in spec[0])

    def say(self, spec: Spec) -> str:
        """The order."""
        return "every word is translated; order: " + ", ".join(("subject", "verb", "object")[i] for i in spec[0])

    def predictions(self, shots: Sequence[Pair], query: str) -> frozenset[str]:
        """For every order in which the examples agree on the words: the query in that order, with the words learnt."""
        found = set()
        for order in _orders():
            known = _learnt(order, shots)
            if known is not None:
                parts = query.split()
                said = [known.get(parts[place], "") for place in order] if len(parts) == 3 else [""]
                found.add(" ".join(said) if all(said) else "")
        return frozenset(found)

    def near(self, text: str, draw: Random) -> list[str]:
        """Sentences from four words of the text and three verbs."""
        return _sentences(text, draw)

    def far(self, text: str, draw: Random) -> list[str]:
        """Sentences in which somebody does something to itself."""
        return [f"{a} {b} {a}" for a, b, _ in (s.split() for s in _sentences(text, draw)[:3])]


@lru_cache(maxsize=1)
def _orders() -> tuple[Spec, ...]:
    return tuple(permutations(range(3)))


def _word(word: str, seed: int) -> str:
    """Its translation: two or three syllables, the same for the same word and language."""
    draw = Random(f"{seed}/{word}")
    return "".join(draw.choices(_SYLLABLES, k=draw.choice((2, 2, 3))))


def _learnt(order: Spec, shots: Sequence[Pair]) -> dict[str, str] | None:
    """The words, if this were the order; None when a word would have two translations, or two words one."""
    known: dict[str, str] = {}
    for given, made in shots:
        for place, said in zip(order, made.split(), strict=False):
            if known.setdefault(given.split()[place], said) != said:
                return None
    return known if len(set(known.values())) == len(known) else None


def _sentences(text: str, draw: Random) -> list[str]:
    found = words(text, 4, 8)
    own = Random(text)  # the same words for all sentences on a text
    nouns = own.sample(found, 4) if len(found) >= 4 else []
    verbs = own.sample(_VERBS, 3)
    return list(_mixed(nouns, verbs, draw))


def _mixed(nouns: Sequence[str], verbs: Sequence[str], draw: Random) -> Iterator[str]:
    pairs = [(a, v, b) for a in nouns for v in verbs for b in nouns if a != b]
    for a, v, b in draw.sample(pairs, min(14, len(pairs))):
        yield f"{a} {v} {b}"
