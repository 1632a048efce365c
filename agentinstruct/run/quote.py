"""What the whole of a run would take, reckoned from a few of its work items that were really run.

    sampled items: what each took and gave ─ × items by skill ─→ totals with a range · by role and model · time

The range is that of a bootstrap over the sampled items.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, sqrt
from random import Random

from agentinstruct.dataset.spending import Payee, PriceOf, Spent
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.timing import CLIENT

RESAMPLES = 1000
LOW, HIGH = 0.05, 0.95
PAID = ("calls", "input_tokens", "cached_tokens", "output_tokens", "cost")


@dataclass(frozen=True, slots=True)
class Sampled:
    """One work item that was really run: what it took and gave."""

    skill: str
    spent: Mapping[Payee, Spent]
    drafts: int
    records: int
    accepted: int

    def measures(self, price: PriceOf) -> dict[str, float]:
        """What is extrapolated."""
        costs = [one.cost(price(payee)) for payee, one in self.spent.items()]
        return {
            "calls": sum(one.calls for one in self.spent.values()),
            "input_tokens": sum(one.read for one in self.spent.values()),
            "cached_tokens": sum(one.cached for one in self.spent.values()),
            "output_tokens": sum(one.written for one in self.spent.values()),
            "cost": sum(cost for cost in costs if cost is not None),
            "drafts": self.drafts,
            "records": self.records,
            "accepted": self.accepted,
        }


@dataclass(frozen=True, slots=True)
class Range:
    """An estimate, and between what it lies nine times in ten."""

    value: float
    low: float
    high: float


@dataclass(slots=True)
class Quote:
    """What a run would take."""

    seeds: int
    items: dict[str, int]
    """Work items by skill."""
    sampled: dict[str, int]
    """Of these, those that the quote is based on."""
    skills: dict[str, dict[str, Range]] = field(default_factory=dict)
    total: dict[str, Range] = field(default_factory=dict)
    payees: dict[Payee, dict[str, float]] = field(default_factory=dict)
    """The totals by role and model."""
    unpriced: list[str] = field(default_factory=list)
    seconds: Range | None = None
    """None: no latency was seen, as when nothing had to be bought."""
    busiest: str = ""
    """What takes this long: a model, or `CLIENT`."""
    failed: int = 0
    """Sampled items that their model failed."""
    trouble: str = ""
    needed: dict[str, int] = field(default_factory=dict)
    """The work items that are reckoned with, by skill: all, or what a target takes."""
    passes: float = 1.0
    """Passes over the seeds that a target takes."""
    notices: list[str] = field(default_factory=list)


def extrapolated(quote: Quote, done: Sequence[Sampled], config: RunConfig, paces: Mapping[str, float]) -> Quote:
    """The quote filled in from what was sampled; a call takes `paces` seconds of a model's or this process's time."""
    draw = Random(0)
    by_skill = {skill: [one for one in done if one.skill == skill] for skill in quote.items}
    wanted = quote.needed = _wanted(quote, by_skill, config)
    draws: dict[str, list[dict[str, float]]] = {}
    for skill, found in by_skill.items():
        if found:
            measures = [one.measures(config.price) for one in found]
            draws[skill] = _resampled(measures, wanted[skill], draw)
            quote.skills[skill] = _ranges(_scaled(measures, wanted[skill]), draws[skill])
    names = list(next(iter(quote.skills.values()), {}))
    value = {name: sum(one[name].value for one in quote.skills.values()) for name in names}
    sums = [{name: sum(one[i][name] for one in draws.values()) for name in names} for i in range(RESAMPLES)]
    quote.total = _ranges(value, sums)
    _pay(quote, by_skill, wanted, config.price)
    _time(quote, paces)
    return quote


def _wanted(quote: Quote, by_skill: Mapping[str, Sequence[Sampled]], config: RunConfig) -> dict[str, int]:
    """The work items that are needed: all there are, or what a target takes at the yield seen."""
    if config.target is None:
        return dict(quote.items)
    given = {skill: _mean([one.accepted for one in found]) * quote.items[skill] for skill, found in by_skill.items()}
    each = config.target.count
    if config.target.per == "all":
        share = {skill: each / sum(given.values()) if sum(given.values()) else 1.0 for skill in given}
    else:
        groups = {s.name: len(config.categories_of(s)) for s in config.able_skills()[0]}
        many = {skill: groups[skill] if config.target.per == "category" else 1 for skill in given}
        share = {skill: each * many[skill] / total if total else 1.0 for skill, total in given.items()}
    quote.passes = max(share.values(), default=1.0)
    return {skill: ceil(quote.items[skill] * share[skill]) for skill in given}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _scaled(measures: Sequence[Mapping[str, float]], items: int) -> dict[str, float]:
    return {name: _mean([one[name] for one in measures]) * items for name in measures[0]}


def _resampled(measures: Sequence[dict[str, float]], items: int, draw: Random) -> list[dict[str, float]]:
    """Totals as they would be had other items been sampled; what is known of the sampled ones stays."""
    known, rest, size = {}, max(0, items - len(measures)), len(measures)
    for name in measures[0]:
        known[name] = sum(one[name] for one in measures) * (1.0 if rest else items / size)
    wider = sqrt(size / (size - 1)) if size > 1 else 1.0  # a small sample varies less than what it was drawn from
    mean = _scaled(measures, 1)
    totals = []
    for _ in range(RESAMPLES):
        again = _scaled(draw.choices(measures, k=size), 1)
        guess = {name: max(0.0, mean[name] + wider * (again[name] - mean[name])) for name in again}
        totals.append({name: known[name] + rest * guess[name] for name in guess})
    return totals


def _ranges(value: Mapping[str, float], draws: Sequence[Mapping[str, float]]) -> dict[str, Range]:
    found = {}
    for name in value:
        ordered = sorted(one[name] for one in draws)
        low, high = ordered[int(LOW * len(ordered))], ordered[int(HIGH * len(ordered))]
        found[name] = Range(value[name], min(low, value[name]), max(high, value[name]))
    return found


def _pay(quote: Quote, by_skill: Mapping[str, Sequence[Sampled]], wanted: Mapping[str, int], price: PriceOf) -> None:
    """The totals by role and model, and the models that have no price."""
    for skill, found in by_skill.items():
        for payee, spent in _joined(one.spent for one in found).items():
            scale, cost = wanted[skill] / len(found), spent.cost(price(payee))
            if cost is None and payee[1] not in quote.unpriced:
                quote.unpriced.append(payee[1])
            into = quote.payees.setdefault(payee, {})
            parts = (spent.calls, spent.read, spent.cached, spent.written, cost or 0.0)
            for name, part in zip(PAID, parts, strict=True):
                into[name] = into.get(name, 0.0) + part * scale


def _joined(parts: Iterable[Mapping[Payee, Spent]]) -> dict[Payee, Spent]:
    total: dict[Payee, Spent] = {}
    for part in parts:
        for payee, spent in part.items():
            total.setdefault(payee, Spent()).add(spent)
    return total


def _time(quote: Quote, paces: Mapping[str, float]) -> None:
    """How long it takes with every model at its width: the busiest one decides, or the CPU that the calls take here."""
    calls, busy = quote.total.get("calls"), {CLIENT: 0.0}
    for (_, model), parts in quote.payees.items():
        busy[model] = busy.get(model, 0.0) + parts["calls"] * paces.get(model, 0.0)
        busy[CLIENT] += parts["calls"] * paces.get(CLIENT, 0.0)
    if calls is None or not calls.value or not busy.keys() <= {CLIENT, *paces}:
        return
    quote.busiest, seconds = max(busy.items(), key=lambda pair: pair[1])
    quote.seconds = Range(*(seconds * part / calls.value for part in (calls.value, calls.low, calls.high)))
