"""Checks of estimates: units come out, the formula gives the result, the range holds, independent estimators agree."""

import math
from collections.abc import Iterator

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, exact
from agentinstruct.agents.checks.panel import solutions_of
from agentinstruct.agents.estimates import Claim, Comparer, Estimated, Estimator, Reckoned
from agentinstruct.agents.forms import FORMS, read_form
from agentinstruct.agents.forms.fermi import Comparison, Estimate
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.tools.units import Quantity, UnitError, compute, quantity

ESTIMATES = ("estimate", "comparison")
_ROUNDING = 0.055
"""How far a stated result may be from what the formula gives: rounding to two significant digits."""
_NARROWEST, _WIDEST = 1.2, 1e5
_MOST_CORNERS = 12


def _estimable(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """What is asked for has the dimension of its category."""
    form, wanted = read_form(draft.item), str(bench.category.settings.get("dimension", ""))
    if not isinstance(form, Estimate | Comparison) or not wanted:
        return
    try:
        found = quantity(1, form.unit)
    except UnitError:
        return  # a fault of the form
    allowed = [quantity(1, unit).measure.dimensionality for unit in wanted.split("|")]
    if found.measure.dimensionality not in allowed:
        yield "estimable", f"{form.unit!r} is {found.dimension}, which this type does not ask for"


def _estimate_goal(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    """Whether a refinement did to the item what its goal says, as far as it can be computed."""
    if bench.parent is None:
        return None
    form, old = read_form(draft.item), read_form(bench.parent.item)
    if not isinstance(form, Estimate | Comparison) or not isinstance(old, Estimate | Comparison):
        return None
    return (("estimate_goal", fault) for fault in [_missed(draft.goal, form, old)] if fault)


def _missed(goal: str, form: Estimate | Comparison, old: Estimate | Comparison) -> str:
    now, before = len(form.factors), len(old.factors)
    given, gave = len(form.givens), len(old.givens)
    if goal == "more_factors" and now <= before:
        return f"{now} things have to be estimated, as {before} were before"
    if goal == "remove_given" and (given >= gave or now <= before):
        return f"{given} values are given of {gave}, {now} have to be estimated and {before} had to be"
    if goal == "convert_units" and not _converted(form, old):
        return "no unit differs from those of before"
    if goal in ("bounds", "dominant") and getattr(form, "asks", "") != goal:
        return f"the question asks for no {goal}"
    return ""


def _converted(form: Estimate | Comparison, old: Estimate | Comparison) -> bool:
    """Whether the answer or a given is in a unit of another size than any before."""
    known = {_size(unit) for unit in (old.unit, *(given.unit for given in old.givens))}
    return any(_size(unit) not in known for unit in (form.unit, *(given.unit for given in form.givens)))


def _size(unit: str) -> tuple[str, str]:
    found = quantity(1, unit)
    return str(found.measure), f"{found.magnitude:g}"


def _said(draft: Draft) -> Reckoned | None:
    spoken = FORMS[draft.item.form].spoken
    return spoken.model_validate(draft.said) if draft.said and issubclass(spoken, Reckoned) else None


def _dimensions(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """Each formula has the dimension it claims, the answer that of the question, and what is counted comes out."""
    said, form = _said(draft), read_form(draft.item)
    if said is None or not isinstance(form, Estimate | Comparison):
        yield "dimensions", "there is no typed estimate to check"
        return
    for claim in said.claims():
        try:
            found, stated = compute(claim.formula, said.with_values()), quantity(1, claim.unit)
        except UnitError as error:
            yield "dimensions", f"{claim.what}: {error}"
            return
        if found.measure.dimensionality != stated.measure.dimensionality:
            yield (
                "dimensions",
                f"{claim.what}: the formula gives {found.dimension}, stated is {claim.unit or 'a plain number'}",
            )
        elif lost := _uncounted(found, stated, said):
            yield "dimensions", f"{claim.what} is stated in {claim.unit!r}, {lost}"
    answer = getattr(said, "unit", "")
    if quantity(1, answer).measure.dimensionality != quantity(1, form.unit).measure.dimensionality:
        yield "dimensions", f"the answer is in {answer!r}, asked for is {form.unit!r}"


def _uncounted(found: Quantity, stated: Quantity, said: Reckoned) -> str:
    """Why what the result counts does not come out of the formula: another noun is left over."""
    if found.nouns is None or not found.nouns or found.nouns == stated.nouns:
        return ""
    known = {noun for a in said.assumptions for noun, _ in quantity(1, a.unit).nouns or ()}
    counts = {noun for noun, power in stated.nouns or () if power > 0}
    left = {noun for noun, power in found.nouns if power > 0}
    if counts and counts <= known and left and not counts & left:
        return f"but the units of the formula leave {', '.join(sorted(left))}"
    return ""


def _recomputed(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """The formulas over the assumptions give what is stated."""
    said = _said(draft)
    if said is None:
        yield "recomputed", "there is no typed estimate to check"
        return
    for claim in said.claims():
        try:
            value = said.outcome(claim)
        except UnitError as error:
            yield "recomputed", f"{claim.what}: {error}"
            return
        if not _close(value, claim):
            yield "recomputed", f"{claim.what}: the formula gives {value:.4g} {claim.unit}, stated is {claim.value:.4g}"


def _close(value: float, claim: Claim) -> bool:
    return abs(value - claim.value) <= _ROUNDING * max(abs(value), abs(claim.value))


def _bounds(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """The range holds the result and follows from the ranges of the assumptions."""
    said = _said(draft)
    if said is None:
        yield "bounds", "there is no typed estimate to check"
        return
    for a in said.assumptions:
        if not a.low <= a.value <= a.high:
            yield "bounds", f"{a.name} is {a.value:g}, outside its own range {a.low:g} to {a.high:g}"
    low, high, result = _stated(said)
    if not 0 < low <= result * (1 + _ROUNDING) or not result * (1 - _ROUNDING) <= high:
        yield "bounds", f"the range {low:g} to {high:g} does not hold the result {result:g}"
    elif not _NARROWEST <= high / low <= _WIDEST:
        yield "bounds", f"a range of {low:g} to {high:g} says too much or nothing"
    most = bench.category.settings.get("most")
    if isinstance(most, int | float) and compute(said.main.formula, said.with_values()).to("") > most:
        yield "bounds", f"{result:g} {said.main.unit} is more than {most:g}, which cannot be"
    yield from _followed(said, low, high)
    if isinstance(said, Estimated) and result > 0:
        power = math.log10(result)
        if said.order_of_magnitude not in (math.floor(power), round(power)):
            yield "bounds", f"{result:g} is not of the order of 10^{said.order_of_magnitude}"


def _stated(said: Reckoned) -> tuple[float, float, float]:
    return float(getattr(said, "low")), float(getattr(said, "high")), said.main.value  # noqa: B009


def _followed(said: Reckoned, low: float, high: float) -> Iterator[Fault]:
    """Not wider than all assumptions at their ends allow, and the assumption that matters most is the right one."""
    try:
        swings = said.swings()
        least, most = said.corners() if len(said.assumptions) <= _MOST_CORNERS else (low, high)
    except UnitError as error:
        yield "bounds", f"the result has no value where the assumptions are at their ends: {error}"
        return
    if low < least * 0.85 or high > most * 1.15:
        yield "bounds", f"{low:g} to {high:g} is wider than the assumptions allow ({least:.3g} to {most:.3g})"
    dominant = str(getattr(said, "dominant", ""))
    first = max(swings, key=lambda name: swings[name])
    if swings.get(dominant, 0.0) < 0.9 * swings[first]:
        yield "bounds", f"{first} moves the result most (by a factor {swings[first]:.3g}), not {dominant or 'nothing'}"


def _givens_used(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """What the question gives is taken as given."""
    said, form = _said(draft), read_form(draft.item)
    if said is None or not isinstance(form, Estimate | Comparison):
        return
    for given in form.givens:
        if not any(_same(a.quantity, quantity(given.value, given.unit)) for a in said.assumptions):
            yield "givens_used", f"{given.what} is given as {given.value:g} {given.unit} and not used so"


def _same(first: Quantity, second: Quantity) -> bool:
    if first.measure.dimensionality != second.measure.dimensionality:
        return False
    ratio = compute("a / b", {"a": first, "b": second}).to("") if second.magnitude else 0.0
    return any(abs(ratio * k - 1) < 0.01 for k in (1, 100, 0.01)) or (not second.magnitude and not first.magnitude)


async def _plausible(draft: Draft, bench: Bench) -> Opinion:
    """Most independent estimators come within one order of magnitude of the result."""
    said, form = _said(draft), read_form(draft.item)
    if said is None or not isinstance(form, Estimate | Comparison):
        return NOTHING
    solutions, calls = await solutions_of(draft, bench, question=draft.item.question, unit=form.unit, form=form.name)
    result = compute(said.main.formula, said.with_values())
    ratios = [_ratio(one.estimate, result) for one in solutions if isinstance(one, Estimator | Comparer)]
    near = [r for r in ratios if r is not None and abs(math.log10(r)) <= 1]
    shown = ", ".join("unusable" if r is None else f"{r:.2g} times it" for r in ratios)
    evidence = f"{len(near)} of {bench.solvers} estimators within one order of magnitude: {shown or 'no usable reply'}"
    return [Verdict(check="plausible", passed=2 * len(near) > bench.solvers, kind="model", evidence=evidence)], calls


def _ratio(estimate: object, result: Quantity) -> float | None:
    """An estimator's value over the result; None where it cannot be computed or has another dimension."""
    try:
        found = estimate()  # type: ignore[operator]
        ratio = compute("a / b", {"a": found, "b": result}).to("")
    except UnitError:
        return None
    return ratio if ratio > 0 else None


CHECKS = (
    exact("estimable", "What is asked for has the dimension of its type.", "item", _estimable, forms=ESTIMATES),
    exact("estimate_goal", "A refinement did to the item what its goal says.", "item", _estimate_goal, forms=ESTIMATES),
    exact("dimensions", "Units and what is counted come out as stated.", "response", _dimensions, forms=ESTIMATES),
    exact(
        "recomputed",
        "The formula over the assumptions gives the stated result.",
        "response",
        _recomputed,
        forms=ESTIMATES,
    ),
    exact(
        "bounds", "The range holds the result and follows from the assumptions.", "response", _bounds, forms=ESTIMATES
    ),
    exact("givens_used", "What the question gives is used as given.", "response", _givens_used, forms=ESTIMATES),
    Check(
        "plausible",
        "Most independent estimators come within one order of magnitude.",
        "model",
        "response",
        _plausible,
        frozenset(ESTIMATES),
    ),
)
