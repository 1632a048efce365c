"""The scripted model's agents for Fermi estimation: it asks what it knows and works it out from the wording."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from agentinstruct.agents.estimates import Compared, Estimated, Reckoned
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.fermi_models import MODELS, Guess, Model
from agentinstruct.tools.units import compute, quantity

Said = dict[str, Any] | str | None
_USED = " Count only the part of it that is really used."
_SHARE = Guess("really_used", "the part of it that is really used", "", 0.4, 0.5, 0.7)
_ADDED = {
    "more_factors": _USED,
    "convert_units": " Give the answer in {unit}.",
    "bounds": " Give a lower and an upper bound that you would bet on.",
    "dominant": " Which assumption matters most for it?",
    "remove_given": "",
}


def transform(request: Request) -> Said:
    """A scene around a word of the seed."""
    words = _words(request.inputs["seed"].text)
    if not words:
        return {"suitable": False, "reason": "The source has no word to ask about.", "text": "", "quantities": []}
    text = (
        f"A town of 40000 people has a hall of 300 square metres in which “{words[0]}” is shown. The hall is open on "
        f"250 days of the year, and 12 people work there; their talks on “{words[-1]}” are well attended."
    )
    listed = [
        ("people of the town", 40_000, "people"),
        ("floor of the hall", 300, "m^2"),
        ("open days", 250, "days/year"),
        ("people at work", 12, "people"),
    ]
    quantities = [{"what": what, "value": value, "unit": unit} for what, value, unit in listed]
    return {"suitable": True, "reason": "", "text": text, "quantities": quantities}


def _words(text: str) -> list[str]:
    return list(dict.fromkeys(re.findall(r"\b[A-Za-z]{5,14}\b", text)))


def instruct(request: Request) -> Said:
    """The question of the category about as many words as are asked for."""
    category, count = request.inputs["category"]["name"], int(request.inputs["count"])
    words = re.findall(r"“([^”]+)”", str(request.inputs["passage"])) or _words(str(request.inputs["passage"]))
    return {"items": [_item(category, word) for word in list(dict.fromkeys(words))[:count]]}


def _item(category: str, word: str, *, given: bool = True) -> dict[str, Any]:
    model = MODELS[category]
    item: dict[str, Any] = {
        "question": model.asks.format(g=model.given if given else "", w=word),
        "unit": model.unit,
        "givens": [{"what": "the size", "value": model.given_value, "unit": model.given_unit}] if given else [],
        "factors": [guess.meaning for guess in model.guesses if not given or guess.value != model.given_value],
    }
    if len(item["factors"]) < 2:
        item["factors"].append("how much this differs from case to case")
    if model.second:
        return {**item, "first": "the first of the two", "second": "the second of the two"}
    return {**item, "quantity": model.asks[:40].format(g="", w=word), "asks": "estimate"}


def edit(request: Request) -> Said:
    """The question with what its goal wants."""
    goal, view = request.inputs["goal"].name, str(request.inputs["item"])
    question = re.sub(r" Give the answer in [^.]+\.$| \(First: .*\)$", "", view.splitlines()[0])
    category, word = known(question), re.search(r"“([^”]+)”", question)
    if not category:
        return None
    model, given = MODELS[category], goal != "remove_given"
    item = _item(category, word[1] if word else "it", given=given)
    item["question"] += _ADDED[goal].format(unit=model.other_unit or "per cent")
    if goal == "more_factors":
        item["factors"].append(_SHARE.meaning)
    if goal == "remove_given":
        item["factors"] = [*item["factors"], "the size of the place"]
    if goal == "convert_units":
        item["unit"] = model.other_unit
    if goal in ("bounds", "dominant"):
        item["asks"] = goal
    return {"item": item}


def known(question: str) -> str:
    """The category whose question this is; empty when it is none of those known here."""
    for name, model in MODELS.items():
        parts = [part for part in re.split(r"\{\w\}", model.asks) if len(part) > 12]
        if all(part.strip() in question for part in parts):
            return name
    return ""


def answer(request: Request) -> Said:
    """The estimate; where there is a calculator, after a look at it."""
    turn, steps = str(request.inputs["request"]), request.schema_name.endswith("Step")
    category = known(turn)
    if not category:
        return None
    model = worked(MODELS[category], turn)
    if steps and not request.inputs.get("workings"):
        values = {guess.name: f"{guess.value:.10g}" for guess in model.guesses}
        return {"tool": "calculator", "input": re.sub(r"[a-z_]+", lambda m: values[m[0]], model.formula), "reply": None}
    said = estimate(model)
    return {"tool": "none", "input": "", "reply": said} if steps else said


def worked(model: Model, turn: str) -> Model:
    """The model with what the wording of a question asks for besides."""
    if _USED.strip() in turn:
        model = replace(model, formula=f"{model.formula} * {_SHARE.name}", guesses=(*model.guesses, _SHARE))
    wanted = re.findall(r"Give the answer in ([^.]+)\.", turn)
    if wanted or (model.second and f" in {model.other_unit}" in turn):
        model = replace(model, unit=wanted[-1] if wanted else model.other_unit)
    if model.given and model.given in turn:
        fixed = [replace(g, low=g.value, high=g.value) if g.value == model.given_value else g for g in model.guesses]
        model = replace(model, guesses=tuple(fixed))
    return model


def estimate(model: Model) -> dict[str, Any]:
    """The whole typed estimate of a model, its numbers computed."""
    assumptions = [
        {**_named(g), "low": g.low, "high": g.high, "meaning": g.meaning, "reason": _reason(g)} for g in model.guesses
    ]
    names = {g.name: quantity(g.value, g.unit) for g in model.guesses}
    first = _rounded(compute(model.formula, names).to(model.unit))
    said: dict[str, Any] = {
        "approach": "I go from what is given to what is asked for by quantities that can each be guessed.",
        "assumptions": assumptions,
        "unit": model.unit,
        "sanity": f"Ten times as much would be {first * 10:g} {model.unit}, which is more than one would ever see.",
        "conclusion": f"So it is about {first:g} {model.unit}, give or take a factor of two or three.",
        "dominant": model.guesses[-1].name,
    }
    if not model.second:
        power = int(f"{first:e}".partition("e")[2])
        said |= {
            "formula": model.formula,
            "result": first,
            "order_of_magnitude": power,
            "low": first,
            "high": first * 1.3,
        }
        return _ranged(Estimated.model_validate(said), said, first)
    second = _rounded(compute(model.second, names).to(model.unit))
    said |= {
        "first_formula": model.formula,
        "first_result": first,
        "second_formula": model.second,
        "second_result": second,
    }
    said |= {"factor": _rounded(first / second), "low": first / second, "high": first / second * 1.3}
    return _ranged(Compared.model_validate(said), said, said["factor"])


def _named(guess: Guess) -> dict[str, Any]:
    return {"name": guess.name, "value": guess.value, "unit": guess.unit}


def _reason(guess: Guess) -> str:
    if guess.low == guess.high:
        return "It is given in the question."
    return f"It is hardly below {guess.low:g} and hardly above {guess.high:g}."


def _ranged(said: Reckoned, fields: dict[str, Any], result: float) -> dict[str, Any]:
    """With a range within what the assumptions allow, and the assumption that moves the result most."""
    least, most = said.corners()
    swings = said.swings()
    low, high = max(least, result / 3), min(most, result * 3)
    return {**fields, "low": low, "high": high, "dominant": max(swings, key=lambda name: swings[name])}


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")


def solve(request: Request) -> Said:
    """An estimate of one's own: the same chain, other values."""
    question = str(request.inputs["question"])
    category = known(question)
    if not category:
        return None
    model = worked(MODELS[category], question)
    lean = (1.0, 0.8, 1.3)[request.sample % 3]
    assumptions = [_named(replace(g, value=g.value * (lean if g.low < g.high else 1))) for g in model.guesses]
    said = {"reasoning": "From what is given to what is asked for.", "answerable": True, "answer": "See the formula."}
    if model.second:
        return {**said, "assumptions": assumptions, "first_formula": model.formula, "second_formula": model.second}
    return {**said, "assumptions": assumptions, "formula": model.formula, "unit": model.unit}


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    **dict.fromkeys(("quantities", "scale", "process", "population", "system", "undertaking"), transform),
    "instruct": instruct,
    "edit": edit,
    "answer": answer,
    "solve": solve,
}
"""Its agents' scripts."""
