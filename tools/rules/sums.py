"""Rules on short lists of numbers: a sum, a range, a count … and then something done to it."""

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from itertools import product
from random import Random
from statistics import median_low
from types import MappingProxyType

from agentinstruct.tools.rules.family import Family, Spec
from agentinstruct.tools.rules.harvest import amounts


def _with(operate: Callable[[int, int], int], other: int, value: int) -> int:
    return operate(value, other)


_TAKE: Mapping[str, tuple[Callable[[Sequence[int]], int], str]] = MappingProxyType(
    {
        "sum": (sum, "the sum of the numbers"),
        "max": (max, "the largest number"),
        "min": (min, "the smallest number"),
        "range": (lambda n: max(n) - min(n), "the largest minus the smallest"),
        "product": (lambda n: n[0] * n[1], "the first times the second"),
        "difference": (lambda n: n[-1] - n[0], "the last minus the first"),
        "ends": (lambda n: n[0] + n[-1], "the first plus the last"),
        "evens": (lambda n: sum(x for x in n if x % 2 == 0), "the sum of the even numbers"),
        "odds": (lambda n: sum(x for x in n if x % 2), "the sum of the odd numbers"),
        "even_count": (lambda n: sum(x % 2 == 0 for x in n), "how many numbers are even"),
        "alternating": (
            lambda n: sum(x if i % 2 == 0 else -x for i, x in enumerate(n)),
            "first minus second plus third",
        ),
        "median": (median_low, "the middle one by size"),
        "digits": (lambda n: sum(int(d) for x in n for d in str(abs(x))), "the sum of all digits"),
    }
)
_THEN: Mapping[str, tuple[Callable[[int], int], str]] = MappingProxyType(
    {
        "": (lambda n: n, ""),
        **{f"+{k}": (partial(_with, operator.add, k), f"plus {k}") for k in (1, 2, 3, 5, 10)},
        **{f"-{k}": (partial(_with, operator.sub, k), f"minus {k}") for k in (1, 2, 3)},
        **{f"*{k}": (partial(_with, operator.mul, k), f"times {k}") for k in (2, 3, 10)},
        **{f"%{k}": (partial(_with, operator.mod, k), f"the rest of dividing it by {k}") for k in (5, 7, 10)},
        "square": (lambda n: n * n, "times itself"),
    }
)


class Sums(Family):
    """Numbers to a number."""

    name = "sums"
    least = 2

    def space(self) -> Sequence[Spec]:
        """What is taken, and what is done to it."""
        return _space()

    def apply(self, spec: Spec, given: str) -> str | None:
        """The number, in digits."""
        values = [int(n) for n in re.findall(r"-?\d+", given)]
        return str(_THEN[spec[1]][0](_TAKE[spec[0]][0](values))) if len(values) > 1 else None

    def say(self, spec: Spec) -> str:
        """Both in words."""
        return ", ".join(filter(None, [_TAKE[spec[0]][1], _THEN[spec[1]][1]]))

    def near(self, text: str, draw: Random) -> list[str]:
        """Three small numbers."""
        pool = amounts(text, draw, 14, 2, 20)
        return list(dict.fromkeys(", ".join(map(str, draw.sample(pool, 3))) for _ in range(14)))

    def far(self, text: str, draw: Random) -> list[str]:
        """Five numbers of up to three digits."""
        return [", ".join(map(str, draw.sample(range(21, 400), 5))) for _ in range(3)]


class Chains(Sums):
    """The same with the steps shown, in one fixed way."""

    name = "chains"

    def pick(self, draw: Random) -> Spec:
        """A rule of two steps."""
        return draw.choice([spec for spec in self.space() if spec[1]])

    def steps(self, spec: Spec, given: str) -> str:
        """Two steps: what is taken, then what is done to it."""
        values = [int(n) for n in re.findall(r"-?\d+", given)]
        first = _TAKE[spec[0]][0](values)
        return f"{_TAKE[spec[0]][1]} is {first}; {_THEN[spec[1]][1]} makes {_THEN[spec[1]][0](first)}"


@lru_cache(maxsize=1)
def _space() -> tuple[Spec, ...]:
    return tuple(product(_TAKE, _THEN))
