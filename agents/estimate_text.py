"""An estimate rendered as text, in one of several layouts that its content draws: no single one sets the style."""

import re
from collections.abc import Callable
from random import Random

from agentinstruct.agents.estimates import Assumption, Compared, Estimated, Reckoned
from agentinstruct.tools.units import UnitError, compute, quantity

_SIGNS = ((r"\s*\*\*\s*", "^"), (r"\s*\*\s*", " × "), (r"\s*/\s*", " ÷ "), (r"\s*\+\s*", " + "), (r"\s*-\s*", " − "))
_LARGE = ((1e12, "trillion"), (1e9, "billion"), (1e6, "million"))


def estimate_text(said: Estimated) -> str:
    """An estimate in one of three layouts."""
    layout = Random(f"{said.approach}/{said.formula}").choice((_headed, _told, _tabled))
    calculation = calculated(said.formula, said.result, said.unit, said)
    scale = amount(10.0**said.order_of_magnitude, said.unit)
    spread = f"{number(said.low)} to {amount(said.high, said.unit)}"
    return layout(said, calculation, f"The result is of the order of {scale}; a fair range is {spread}.")


def comparison_text(said: Compared) -> str:
    """A comparison in one of the same layouts."""
    layout = Random(f"{said.approach}/{said.first_formula}").choice((_headed, _told, _tabled))
    parts = [(said.first_formula, said.first_result), (said.second_formula, said.second_result)]
    lines = [calculated(formula, value, said.unit, said) for formula, value in parts]
    ratio = f"The first is about {number(said.factor)} times the second"
    return layout(
        said, "\n".join(lines), f"{ratio}; a fair range for this factor is {number(said.low)} to {number(said.high)}."
    )


Sized = Estimated | Compared


def _headed(said: Sized, calculation: str, spread: str) -> str:
    listed = "\n".join(f"- {_assumed(a)}" for a in said.assumptions)
    return "\n\n".join(
        [
            said.approach.strip(),
            f"**Assumptions**\n{listed}",
            f"**Estimate**\n{calculation}",
            f"**Range**\n{spread} {_matters(said)}",
            f"**Sanity check**\n{said.sanity.strip()}",
            said.conclusion.strip(),
        ]
    )


def _told(said: Sized, calculation: str, spread: str) -> str:
    listed = "\n".join(f"{i}. {_assumed(a)}" for i, a in enumerate(said.assumptions, 1))
    return "\n\n".join(
        [
            f"{said.approach.strip()} I start from these values:",
            listed,
            f"Putting them together:\n\n{calculation}",
            f"{spread} {_matters(said)}",
            f"As a check: {_lowered(said.sanity.strip())}",
            said.conclusion.strip(),
        ]
    )


def _tabled(said: Sized, calculation: str, spread: str) -> str:
    rows = [
        f"| {_capital(a.meaning)} | {amount(a.value, a.unit)} | {_between(a)} | {_cell(a.reason)} |"
        for a in said.assumptions
    ]
    table = "\n".join(["| Assumption | Value | Range | Why |", "| --- | --- | --- | --- |", *rows])
    return "\n\n".join(
        [
            f"**In short:** {said.conclusion.strip()}",
            said.approach.strip(),
            table,
            f"Calculation: {calculation}",
            f"{spread} {_matters(said)}",
            f"Does it make sense? {said.sanity.strip()}",
        ]
    )


def _assumed(a: Assumption) -> str:
    spread = f" (between {number(a.low)} and {number(a.high)})" if a.low < a.high else ""
    return f"{_capital(a.meaning)}: {amount(a.value, a.unit)}{spread}. {_capital(a.reason.strip())}"


def _between(a: Assumption) -> str:
    return f"{number(a.low)} – {number(a.high)}" if a.low < a.high else "given"


def _matters(said: Sized) -> str:
    chosen = next((a for a in said.assumptions if a.name == said.dominant), said.assumptions[0])
    return f"What moves the result most is {_lowered(chosen.meaning)}."


def calculated(formula: str, value: float, unit: str, said: Reckoned) -> str:
    """A formula in words, then with its values, then what it comes to; units stand where the bare numbers mislead."""
    words = _signed(formula, {a.name: _lowered(a.meaning) for a in said.assumptions})
    plain = _plain(formula, value, said)
    values = {a.name: number(a.value) if plain else amount(a.value, a.unit) for a in said.assumptions}
    return f"{words} = {_signed(formula, values)} ≈ {amount(value, unit)}"


def _plain(formula: str, value: float, said: Reckoned) -> bool:
    """Whether the bare numbers alone come to the result, without a conversion of units."""
    try:
        bare = compute(formula, {a.name: quantity(a.value) for a in said.assumptions}).magnitude
    except UnitError:
        return False
    return abs(bare - value) <= 0.06 * abs(value)


def _signed(formula: str, names: dict[str, str]) -> str:
    marked = re.sub(r"[a-z_A-Z]\w*", lambda m: f"\0{m[0]}\0" if m[0] in names else m[0], formula.strip())
    parts = marked.split("\0")
    for pattern, sign in _SIGNS:
        parts[::2] = [re.sub(pattern, sign, part) for part in parts[::2]]
    return "".join(names[part] if i % 2 else part for i, part in enumerate(parts))


def amount(value: float, unit: str) -> str:
    """A value with its unit."""
    return f"{number(value)} {unit}".strip() if unit != "%" else f"{number(value)} %"


def number(value: float) -> str:
    """A value with three significant digits, as people write it: 1,250, 2.7 million, 4 × 10^-5."""
    size = abs(value)
    if size and (size >= 1e15 or size < 1e-3):
        mantissa, _, power = f"{value:.2e}".partition("e")
        return f"{_trimmed(mantissa)} × 10^{int(power)}"
    for scale, word in _LARGE:
        if size >= scale:
            return f"{_short(value / scale)} {word}"
    return _short(value)


def _short(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}"
    rounded = float(f"{value:.3g}")
    return f"{int(rounded):,}" if rounded == int(rounded) else _trimmed(f"{rounded:.6f}")


def _trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lowered(text: str) -> str:
    """A phrase within a sentence: its first letter small, unless its first word is an acronym or a name in capitals."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")


Layout = Callable[[Sized, str, str], str]
