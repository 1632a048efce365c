"""How the scripted model refines extraction tasks: more fields by further rules, or other text around the same ones."""

from collections.abc import Callable, Iterator, Mapping
from random import Random

from agentinstruct.agents.scripted import rules
from agentinstruct.agents.scripted.rules import Order, pieces, values

NOWHERE = "Nobody had ever heard"
"""How no sentence of a text begins, as far as it is known."""
_ASIDE = ("Or so it is said.", "That was all.", "One may ask why.")


def _kind(order: Order) -> str:
    line = order.of_each == "line" or any("of the line" in rule for rule in order.fields.values())
    return "line" if line else "sentence"


def _deeper(text: str, order: Order) -> dict[str, str]:
    kind, known = _kind(order), set(order.fields.values())
    if order.of_each:
        more = [rules.FIRST.format(count, kind) for count in (1, 3)] + [rules.LAST.format(3, kind)]
    else:
        more = [rules.AFTER.format(" ".join(piece.split()[:1]), kind) for piece in pieces(text, kind)]
        more = [rule for rule in more if values(rule, text)] + list(_lists(text))
    new = [rule for rule in more if rule not in known][:2]
    place = len(order.fields)
    return {f"more_{place}.part_{number}": rule for number, rule in enumerate(new, 1)}


def _lists(text: str) -> Iterator[str]:
    """Rules that list words, for a text of few sentences."""
    for letter in sorted({word[0] for word in text.split() if word[0].isalpha()}):
        if values(rule := rules.LONG.format(letter, 4), text):
            yield rule


def _normal(text: str, order: Order) -> dict[str, str]:
    kind, place = _kind(order), len(order.fields)
    if order.of_each:
        figures = (rule.format(kind) for rule in (rules.NUMBER, rules.YEAR))
        return {f"figure_{place}": next(rule for rule in figures if rule not in order.fields.values())}
    heads = (" ".join(piece.split()[:1]) for piece in reversed(pieces(text, kind)))
    lower = (rules.LOWER.format(head, kind) for head in heads)
    return {f"small_{place}": next((rule for rule in lower if values(rule, text)), rules.LOWER.format("The", kind))}


def _absent(text: str, order: Order) -> dict[str, str]:
    place = len(order.fields)
    return {f"missing_{place}": rules.AFTER.format(f"{NOWHERE} about {'it' * place}", _kind(order))}


def _instances(text: str, order: Order) -> str:
    if _kind(order) == "line":
        return f"{text.rstrip()}\n{order.word} further_{Random(text).randrange(90)} = 7\n"
    if order.of_each:
        return f"{text.rstrip()}\n\nLater on, {order.word} came up 17 times in all."
    letter = next(iter(order.fields.values())).split('"')[1]
    return f"{text.rstrip()}\n\nAt the end there was a {letter}ornerstone."


def _near(text: str, order: Order) -> str:
    aside = next((one for one in _ASIDE if not order.word or order.word not in one), _ASIDE[0])
    return f"{text.rstrip()}\n\n{aside}" if _kind(order) == "sentence" else f"{text.rstrip()}\n\nx"


def _noisy(text: str, order: Order) -> str:
    return f"* * 7 * *\n\n{text.strip()}\n\n* * 8 * *"


TEXTS: Mapping[str, Callable[[str, Order], str]] = {"instances": _instances, "near_misses": _near, "noise": _noisy}
MORE: Mapping[str, Callable[[str, Order], dict[str, str]]] = {
    "depth": _deeper,
    "strict_schema": _normal,
    "absent": _absent,
}
