"""Numbers and words for the puzzles that a procedure works out, drawn until the answer is worth asking for."""

from collections.abc import Callable, Mapping
from itertools import combinations
from random import Random
from typing import Any

from agentinstruct.tools.puzzles.cast import Cast, TooFew
from agentinstruct.tools.puzzles.core import Core, NoCore
from agentinstruct.tools.puzzles.procedures import undo
from agentinstruct.tools.puzzles.worked import Slots, solved, used, worded

TRIES = 400
WORKED: Mapping[str, tuple[str, ...]] = {
    "pouring": ("pouring",),
    "weighing": ("weighing",),
    "crossing": ("ferry", "torch"),
    "sequence": ("sequence",),
    "cipher": ("cipher", "anagram"),
    "arithmetic": ("snail", "cuts", "posts", "strokes", "heads", "remain"),
    "spatial": ("walk",),
    "probability": ("doors", "boxes", "at_least", "pairs", "tested"),
}
"""The procedures of each family."""


def worked(family: str, cast: Cast, draw: Random, level: int = 0, name: str = "") -> Core:
    """A core whose answer a procedure finds; a higher level is larger.

    Raises:
        TooFew: the cast is too small. NoCore: no sound one was found.
    """
    name = name or draw.choice(WORKED[family])
    for _ in range(TRIES):
        slots = _DRAWN[name](cast, draw, level) | {"who": cast.some("people", 1, draw)[0]}
        key = solved(name, slots)
        if _worth(name, slots, key, level):
            return stated(family, name, slots, level)
    raise NoCore(f"no {name} puzzle was found in {TRIES} tries")


def stated(family: str, name: str, slots: Slots, level: int) -> Core:
    """The core of a procedure and what it is given."""
    sentences = worded(name, slots)
    before, stop, last = sentences[-1].rpartition(". ")
    key = solved(name, slots)
    return Core(
        family=family,
        language="program",
        names=tuple(dict.fromkeys(_named({key: slots[key] for key in used(name)}))),
        setting=(*sentences[:-1], *([f"{before}."] if stop else [])),
        question=last,
        key=key,
        open=True,
        recipe={"kind": "worked", "name": name, "slots": slots, "level": level},
    )


def _named(slots: Slots) -> list[str]:
    """Everything with a name or a number that the wording must not lose."""
    found: list[str] = []
    for value in slots.values():
        for part in value if isinstance(value, list) else [value]:
            found += map(str, part) if isinstance(part, list) else [str(part)]
    return [one for one in found if one not in ("True", "False")]


def _worth(name: str, slots: Slots, key: str, level: int) -> bool:
    if key in ("impossible", "not decided", "never", "at the start", "0", "1"):
        return False
    if name == "pouring":
        return int(key) >= 3 + level
    if name == "cipher":
        return bool(key == slots["plain"])
    return name != "ferry" or int(key) >= 5


def _pouring(cast: Cast, draw: Random, level: int) -> Slots:
    sizes = sorted(draw.sample(range(3, 13 + 2 * level), 3), reverse=True)
    return {"sizes": sizes, "full": [sizes[0], 0, 0], "target": draw.randint(1, sizes[0] - 1)}


def _weighing(cast: Cast, draw: Random, level: int) -> Slots:
    count = draw.randint(7, 26) + 20 * level
    return {"count": count, "pan": draw.randint(2, max(3, count // 3))}


def _ferry(cast: Cast, draw: Random, level: int) -> Slots:
    things = list(cast.some("things", min(5, draw.choice((3, 4)) + level), draw))
    pairs = [list(pair) for pair in combinations(things, 2)]
    clashes = draw.sample(pairs, draw.randint(2, len(things)))
    return {"things": things, "clashes": clashes, "room": draw.randint(1, len(things) - 2)}


def _torch(cast: Cast, draw: Random, level: int) -> Slots:
    names = list(cast.some("people", 4 + min(level, 1), draw))
    return {"names": names, "times": draw.sample(range(1, 16), len(names))}


def _sequence(cast: Cast, draw: Random, level: int) -> Slots:
    times, plus = draw.choice((2, 3, -2)), draw.randint(1, 9)
    rule = draw.choice(("times", "gaps", "pair", "halves"))
    terms = [draw.randint(1, 9), draw.randint(2, 12)][: 1 if rule == "times" else 2]
    while len(terms) < (8 if rule == "halves" else 6 + min(level, 1)):
        terms.append(_following(rule, terms, times, plus))
    return {"terms": terms}


def _following(rule: str, terms: list[int], times: int, plus: int) -> int:
    match rule:
        case "times":
            return terms[-1] * times + plus
        case "gaps":
            return 2 * terms[-1] - terms[-2] + plus
        case "pair":
            return terms[-1] + (1 if times == 2 else 2) * terms[-2]
    return terms[-2] + (plus if len(terms) % 2 else 2 * times)


def _cipher(cast: Cast, draw: Random, level: int) -> Slots:
    words = [word for word in _words(cast) if 4 <= len(word) <= 9]
    if len(words) < 2:
        raise TooFew("two words of four to nine letters are needed")
    shown, hidden = draw.sample(words, 2)
    way = draw.choice([("shift", draw.randint(1, 25)), ("mirror", 0), ("growing", draw.choice((1, -1, 2)))])
    back = draw.random() < 0.3 + 0.5 * min(level, 1)
    return {
        "shown": [shown, _enciphered(shown, *way, back)],
        "hidden": _enciphered(hidden, *way, back),
        "plain": hidden,
    }


def _enciphered(word: str, kind: str, number: int, back: bool) -> str:
    """Undoing the opposite is doing."""
    opposite = undo(word, (kind, -number, False))
    return opposite[::-1] if back else opposite


def _words(cast: Cast) -> list[str]:
    names = [*cast.people, *cast.things, *cast.places, *cast.kinds]
    words = (word.upper() for name in names for word in name.split() if word.isalpha() and word.isascii())
    return list(dict.fromkeys(word for word in words if word != "THE"))


def _anagram(cast: Cast, draw: Random, level: int) -> Slots:
    words = [word for word in _words(cast) if len(word) >= 4]
    if len(words) < 5:
        raise TooFew("five words of four letters or more are needed")
    offered = draw.sample(words, min(len(words), 5 + level))
    letters = "".join(draw.sample(offered[0], len(offered[0])))
    return {"letters": letters, "words": sorted(offered)}


def _snail(cast: Cast, draw: Random, level: int) -> Slots:
    down = draw.randint(1, 4)
    return {"height": draw.randint(12, 40 + 30 * level), "up": down + draw.randint(1, 5), "down": down}


def _cuts(cast: Cast, draw: Random, level: int) -> Slots:
    return {"pieces": draw.randint(4, 15 + 20 * level), "minutes": draw.randint(2, 9)}


def _posts(cast: Cast, draw: Random, level: int) -> Slots:
    gap = draw.randint(2, 9)
    return {"length": gap * draw.randint(5, 20 + 20 * level), "gap": gap, "closed": draw.random() < 0.5}


def _strokes(cast: Cast, draw: Random, level: int) -> Slots:
    hour, later = draw.sample(range(3, 13), 2)
    return {"hour": hour, "seconds": (hour - 1) * draw.randint(1, 4 + level), "later": later}


def _heads(cast: Cast, draw: Random, level: int) -> Slots:
    few, many = sorted(draw.sample((2, 4, 6, 8), 2))
    count, some = draw.randint(9, 20 + 20 * level), draw.randint(3, 8)
    return {"few": few, "many": many, "animals": count, "legs": some * many + (count - some) * few}


def _remain(cast: Cast, draw: Random, level: int) -> Slots:
    but = draw.randint(3, 12)
    return {"start": but + draw.randint(5, 30 + 30 * level), "but": but, "added": draw.randint(2, 9)}


def _walk(cast: Cast, draw: Random, level: int) -> Slots:
    turns = [draw.choice(("right", "left", "on", "back", "right", "left")) for _ in range(5 + 2 * level)]
    steps = [[turn, str(draw.randint(1, 9))] for turn in turns]
    return {"facing": draw.choice(("north", "east", "south", "west")), "steps": steps}


def _doors(cast: Cast, draw: Random, level: int) -> Slots:
    count = draw.randint(4, 8 + 4 * level)
    return {"count": count, "opened": draw.randint(1, count - 2)}


def _boxes(cast: Cast, draw: Random, level: int) -> Slots:
    size = draw.choice((2, 3))
    golds = [size, draw.randint(1, size - 1), *(draw.randint(0, size) for _ in range(1 + level))]
    return {"contents": [[1] * gold + [0] * (size - gold) for gold in golds]}


def _at_least(cast: Cast, draw: Random, level: int) -> Slots:
    coins = draw.randint(3, 5 + level)
    known = draw.randint(1, coins - 2)
    return {"coins": coins, "known": known, "wanted": draw.randint(known + 1, coins)}


def _socks(cast: Cast, draw: Random, level: int) -> Slots:
    return {"red": draw.randint(3, 9 + 6 * level), "blue": draw.randint(3, 9 + 6 * level)}


def _tested(cast: Cast, draw: Random, level: int) -> Slots:
    total = draw.choice((100, 200, 500, 1000))
    caught, alarm = draw.choice((80, 90, 95)), draw.choice((5, 10, 20))
    return {"total": total, "sick": draw.randint(2, total // 20), "caught": caught, "alarm": alarm}


_DRAWN: Mapping[str, Callable[[Cast, Random, int], dict[str, Any]]] = {
    "pouring": _pouring,
    "weighing": _weighing,
    "ferry": _ferry,
    "torch": _torch,
    "sequence": _sequence,
    "cipher": _cipher,
    "anagram": _anagram,
    "snail": _snail,
    "cuts": _cuts,
    "posts": _posts,
    "strokes": _strokes,
    "heads": _heads,
    "remain": _remain,
    "walk": _walk,
    "doors": _doors,
    "boxes": _boxes,
    "at_least": _at_least,
    "pairs": _socks,
    "tested": _tested,
}
