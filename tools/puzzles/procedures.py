"""Puzzles that are worked out by a procedure: each takes numbers and words, and returns the one answer.

Standard library only and nothing of this package, so that the same text can also be run where nothing is installed.
"""

from collections import deque
from fractions import Fraction
from heapq import heappop, heappush
from itertools import combinations, pairwise, product
from math import comb


def pouring(sizes: list[int], full: list[int], target: int) -> str:
    """The fewest pourings from jug to jug until one holds the target; a pouring stops when one is empty or full."""
    start = tuple(full)
    seen, queue = {start}, deque([(start, 0)])
    while queue:
        state, steps = queue.popleft()
        if target in state:
            return str(steps)
        for i, j in product(range(len(sizes)), repeat=2):
            moved = min(state[i], sizes[j] - state[j]) if i != j else 0
            if moved:
                after = list(state)
                after[i] -= moved
                after[j] += moved
                if (new := tuple(after)) not in seen:
                    seen.add(new)
                    queue.append((new, steps + 1))
    return "impossible"


def weighing(count: int, pan: int) -> str:
    """The fewest weighings that always find the one heavier thing among `count`, at most `pan` in each pan."""
    least = [0, 0]
    for number in range(2, count + 1):
        tries = range(1, min(pan, number // 2) + 1)
        least.append(1 + min(max(least[some], least[number - 2 * some]) for some in tries))
    return str(least[count])


def ferry(things: list[str], clashes: list[list[str]], room: int) -> str:
    """The fewest crossings of a ferryman with room for so many things, when clashing ones cannot be left alone."""
    everything = frozenset(things)
    bad = [frozenset(pair) for pair in clashes]
    seen, queue = {(everything, True)}, deque([(everything, True, 0)])
    while queue:
        here, at_home, steps = queue.popleft()
        if not here and not at_home:
            return str(steps)
        side = here if at_home else everything - here
        for size in range(room + 1):
            for taken in combinations(sorted(side), size):
                left = here - set(taken) if at_home else here | set(taken)
                alone = left if at_home else everything - left
                state = (left, not at_home)
                if state not in seen and not any(pair <= alone for pair in bad):
                    seen.add(state)
                    queue.append((left, not at_home, steps + 1))
    return "impossible"


def torch(times: list[int]) -> str:
    """The least time in which all cross a bridge that bears two at a time, with one torch."""
    start = (tuple(sorted(times)), True)
    best, heap = {start: 0}, [(0, start)]
    while heap:
        spent, (left, here) = heappop(heap)
        if not left:
            return str(spent)
        over = list(times)
        for time in left:
            over.remove(time)
        side = list(left) if here else over
        for pair in (*combinations(side, 2), *((one,) for one in side)):
            rest = list(left)
            for time in pair:
                rest.remove(time) if here else rest.append(time)
            state = (tuple(sorted(rest)), not here)
            if spent + max(pair) < best.get(state, 10**9):
                best[state] = spent + max(pair)
                heappush(heap, (best[state], state))
    return "impossible"


def continuations(terms: list[int]) -> list[int]:
    """What comes next by each rule of a fixed family that fits all the terms shown."""
    found = []
    gaps = [b - a for a, b in pairwise(terms)]
    second = [b - a for a, b in pairwise(gaps)]
    if len(set(gaps)) == 1:
        found.append(terms[-1] + gaps[0])
    if len(set(second)) == 1:
        found.append(terms[-1] + gaps[-1] + second[0])
    for times, plus in product(range(-3, 6), range(-12, 13)):
        if all(times * a + plus == b for a, b in pairwise(terms)):
            found.append(times * terms[-1] + plus)
    for own, before in product(range(-2, 4), range(-2, 4)):
        if all(own * b + before * a == c for a, b, c in zip(terms, terms[1:], terms[2:], strict=False)):
            found.append(own * terms[-1] + before * terms[-2])
    halves = [terms[len(terms) % 2 :: 2], terms[1 - len(terms) % 2 :: 2]]
    steps = [{b - a for a, b in pairwise(half)} for half in halves]
    if len(terms) >= 7 and all(len(step) == 1 for step in steps):
        found.append(halves[0][-1] + steps[0].pop())
    ratios = {Fraction(b, a) for a, b in pairwise(gaps) if a}
    if len(ratios) == 1 and 0 not in gaps and (gaps[-1] * min(ratios)).denominator == 1:
        found.append(terms[-1] + int(gaps[-1] * min(ratios)))
    return sorted(set(found))


def sequence(terms: list[int]) -> str:
    """The next term, where all the rules that fit agree on it."""
    found = continuations(terms)
    return str(found[0]) if len(found) == 1 else "not decided"


def cipher(shown: list[str], hidden: str) -> str:
    """What a word in cipher says, from one word shown plain and in cipher; the ways of writing are a fixed family."""
    plain, written = (word.upper() for word in shown)
    found = {undo(hidden.upper(), way) for way in _ways() if undo(written, way) == plain}
    return found.pop() if len(found) == 1 else "not decided"


def _ways() -> list[tuple[str, int, bool]]:
    kinds = [("shift", n) for n in range(26)] + [("mirror", 0)] + [("growing", n) for n in (1, -1, 2, -2)]
    return [(kind, number, back) for kind, number in kinds for back in (False, True)]


def undo(word: str, way: tuple[str, int, bool]) -> str:
    """The plain word of one in cipher."""
    kind, number, back = way
    letters = [ord(letter) - 65 for letter in (reversed(word) if back else word)]
    if kind == "mirror":
        return "".join(chr(65 + 25 - value) for value in letters)
    moved = [value - number * (i + 1 if kind == "growing" else 1) for i, value in enumerate(letters)]
    return "".join(chr(65 + value % 26) for value in moved)


def anagram(letters: str, words: list[str]) -> str:
    """The one of some words that uses exactly these letters."""
    wanted = sorted(letter for letter in letters.upper() if letter.isalpha())
    found = [word for word in words if sorted(letter for letter in word.upper() if letter.isalpha()) == wanted]
    return found[0] if len(found) == 1 else "not decided"


def snail(height: int, up: int, down: int) -> str:
    """Days to the top of a wall: up by day, down by night."""
    day = 0
    reached = 0
    while day < 100_000:
        day += 1
        reached += up
        if reached >= height:
            return str(day)
        reached -= down
    return "never"


def cuts(pieces: int, minutes: int) -> str:
    """Minutes to cut one length into pieces, one cut at a time."""
    return str((pieces - 1) * minutes)


def posts(length: int, gap: int, closed: bool) -> str:
    """Posts along a line, or around a closed one, at equal gaps."""
    return str(length // gap + (0 if closed else 1))


def strokes(hour: int, seconds: int, later: int) -> str:
    """Seconds a clock needs to strike one hour, from what it needs for another: gaps count, not strokes."""
    return str(Fraction(seconds, hour - 1) * (later - 1))


def heads(animals: int, legs: int, few: int, many: int) -> str:
    """How many of the many-legged there are, from heads and legs."""
    found = [n for n in range(animals + 1) if n * many + (animals - n) * few == legs]
    return str(found[0]) if len(found) == 1 else "not decided"


def remain(start: int, but: int, added: int) -> str:
    """All but so many go, and some come."""
    return str(min(start, but) + added)


def walk(steps: list[list[str]], facing: str) -> str:
    """Where a walk ends, seen from where it began; `steps` are turns (left, right, back) and numbers of paces."""
    compass = ["north", "east", "south", "west"]
    heading, east, north = compass.index(facing), 0, 0
    for turn, paces in steps:
        heading = (heading + {"on": 0, "right": 1, "back": 2, "left": 3}[turn]) % 4
        east += int(paces) * (heading == 1) - int(paces) * (heading == 3)
        north += int(paces) * (heading == 0) - int(paces) * (heading == 2)
    parts = [(abs(north), "north" if north > 0 else "south"), (abs(east), "east" if east > 0 else "west")]
    return " and ".join(f"{count} {way}" for count, way in parts if count) or "at the start"


def doors(count: int, opened: int) -> str:
    """The chance to win by changing to one of the doors left, after the host has opened so many empty ones."""
    return _said(Fraction(count - 1, count) / (count - 1 - opened))


def boxes(contents: list[list[int]]) -> str:
    """A box and a coin in it are drawn at random; the coin is gold (1). The chance that the rest of the box is too."""
    gold = [(Fraction(1, len(box)), sum(box) == len(box)) for box in contents for coin in box if coin]
    return _said(sum((weight for weight, all_gold in gold if all_gold), Fraction()) / sum(weight for weight, _ in gold))


def at_least(coins: int, known: int, wanted: int) -> str:
    """Fair coins, of which at least `known` show heads: the chance that `wanted` or more do."""
    given = sum(comb(coins, k) for k in range(known, coins + 1))
    return _said(Fraction(sum(comb(coins, k) for k in range(max(wanted, known), coins + 1)), given))


def pairs(red: int, blue: int) -> str:
    """Two socks drawn without looking: the chance that they match."""
    return _said(Fraction(comb(red, 2) + comb(blue, 2), comb(red + blue, 2)))


def tested(sick: int, total: int, caught: int, alarm: int) -> str:
    """Of `total`, `sick` are faulty; the test finds `caught` of 100 faulty and flags `alarm` of 100 sound ones."""
    right = sick * caught
    return _said(Fraction(right, right + (total - sick) * alarm))


def _said(chance: Fraction) -> str:
    return str(chance)


PROCEDURES = {
    work.__name__: work
    for work in (
        *(pouring, weighing, ferry, torch, sequence, cipher, anagram, snail, cuts, posts, strokes, heads, remain, walk),
        *(doors, boxes, at_least, pairs, tested),
    )
}
"""Every procedure by its name."""
