"""The scripted model's agents for text classification: labels whose definitions name words that a text must hold.

Writer, teacher, solvers and judge share the reading of such a definition and nothing else: each applies it to the text
and the labels it is shown, whatever the labels are called.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import orjson

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.reading import Said
from agentinstruct.agents.scripted.turns import parts_of
from agentinstruct.agents.scripted.world import world
from agentinstruct.tools.quotes import fold

_NONE = "none_of_these"
_REST = "Texts that meet none of the other definitions given here."
_HOLDS = 'Texts that hold the word "{}" and also the word "{}" somewhere.'
_STRANGE = (
    *("zeppelin", "marzipan", "quicksilver", "tambourine", "rhubarb", "gargoyle", "periwinkle", "hovercraft"),
    *(
        "saxophone",
        "turnstile",
        "mongoose",
        "velvet",
        "caramel",
        "obelisk",
        "parsnip",
        "xylophone",
        "wigwam",
        "kestrel",
    ),
)
_COLOURS = ("amber", "cobalt", "crimson", "indigo", "ochre", "scarlet", "teal", "umber", "viridian", "ivory")
_TASK = (
    r"Sort this by the words that it holds(?:, for (?:the second reading|a reason that can be checked))?\."
    r'(?: It is about: "[^"\n]+")?'
)
_LABEL = re.compile(r"^- (?P<name>[^:\n]+): (?P<definition>.+)$", re.MULTILINE)
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(frozen=True, slots=True)
class Book:
    """Labels and their definitions, in the order in which they stand."""

    labels: Mapping[str, str]

    @classmethod
    def shown(cls, listed: str) -> "Book":
        """The labels in lines that list them."""
        return cls({line["name"].strip(): line["definition"].strip() for line in _LABEL.finditer(listed)})

    def fitting(self, text: str) -> list[str]:
        """The labels whose definitions a text meets."""
        known = set(re.findall(r"\w+", fold(text)))
        met = [name for name, words in self._words() if words and words <= known]
        return met or [name for name, words in self._words() if not words]

    def _words(self) -> Iterator[tuple[str, set[str]]]:
        for name, definition in self.labels.items():
            yield name, {fold(word) for word in re.findall(r'"([^"]+)"', definition)}


def instruct(request: Request) -> Said:
    """A task as it was drawn."""
    drawn = request.inputs.get("material")
    if not isinstance(drawn, dict):
        return None
    return {"items": [_task(str(request.inputs.get("passage", "")), drawn, Random(f"{sorted(drawn.items())}"))]}


def _task(text: str, drawn: Mapping[str, Any], draw: Random, reading: str = "") -> dict[str, Any]:
    words = list(dict.fromkeys(word for word in _WORD.findall(text) if word.islower())) or ["nothing"]
    strange = [word for word in _STRANGE if word not in text]
    names, right = _names(drawn, draw), drawn["several"] or 1
    definitions = [_HOLDS.format(*_pair(words, draw)) for _ in range(right)]
    while len(definitions) < len(names):
        definitions.append(_HOLDS.format(draw.choice(words), strange[len(definitions) % len(strange)]))
    if drawn["none"] == "right":
        definitions = [_REST, *(_HOLDS.format(draw.choice(words), word) for word in strange[: len(names) - 1])]
    elif drawn["none"] == "wrong":
        definitions[-1] = _REST
    labels = [{"name": n, "definition": d} for n, d in zip(names, definitions, strict=True)]
    about = f"what a reader makes of {draw.choice(words)}" if drawn["about"] else ""
    evidence = next((sentence for sentence in world(text).telling), text[:200])
    return {
        "about": about,
        "right": labels[:right],
        "wrong": labels[right:],
        "task": f"Sort this by the words that it holds{reading}." + (f' It is about: "{about}"' if about else ""),
        "evidence": [evidence],
        "why": "The words that its definition names stand in the text, and some of every other one do not.",
        "shots": _shots(names, strange, drawn["shots"]),
    }


def _pair(words: Sequence[str], draw: Random) -> tuple[str, str]:
    first, second = draw.sample(list(words), 2) if len(words) > 1 else (words[0], words[0])
    return first, second


def _names(drawn: Mapping[str, Any], draw: Random) -> list[str]:
    """The names, that of the right label first."""
    if drawn["names"]:
        names = str(drawn["names"]).split(", ")
        aim = drawn["aim"] or draw.choice(names)
        return [aim, *(name for name in names if name != aim)]
    colours = draw.sample(_COLOURS, min(int(drawn["labels"]), len(_COLOURS)))
    names = [f"{colour}_papers" for colour in colours]
    if drawn["tree"]:
        names = [f"{'upper' if i % 3 else 'lower'}_shelf > {name}" for i, name in enumerate(names)]
        names[1] = names[1].replace("upper", "lower")
    if drawn["none"]:
        names[0 if drawn["none"] == "right" else -1] = _NONE
    return names


def _shots(names: Sequence[str], strange: Sequence[str], count: int) -> list[dict[str, str]]:
    """Examples under the last labels, so that the right one does not occur most."""
    known = list(names[::-1])
    return [
        {"text": f"Yesterday a {strange[-1 - place]} was seen.", "label": known[place % len(known)]}
        for place in range(count)
    ]


def edit(request: Request) -> Said:
    """The task made anew under the goal; for surface cues, the same task on another text."""
    text, drawn = str(request.inputs.get("passage", "")), request.inputs.get("material")
    goal, view = getattr(request.inputs.get("goal"), "name", ""), str(request.inputs.get("item", ""))
    if not isinstance(drawn, dict):
        return None
    draw = Random(f"{goal}/{sorted(drawn.items())}")
    if goal == "cues":
        item = _seen(view)
        wrong = item["wrong"][0]["name"].replace("_", " ")
        cued = f"{text.rstrip()}\n\nSome would speak of {wrong} here, and they would be mistaken."
        return {"passage": cued, "item": item}
    reading = ", for a reason that can be checked" if goal == "output" else ", for the second reading"
    return {"item": _task(text, drawn, draw, reading)}


def _seen(view: str) -> dict[str, Any]:
    """An item, from what suggesters and editors see of it."""
    notes = [line.partition(": ") for line in view.splitlines()]
    said = {kind: [rest for name, _, rest in notes if name == kind] for kind in ("Key", "Evidence", "Why", "Example")}
    book, key = Book.shown(view), said["Key"][0].split("; ")
    labels = [{"name": name, "definition": definition} for name, definition in book.labels.items()]
    question = view.split("\n")[0]
    about = re.search(r'It is about: "([^"]+)"', question)
    return {
        "about": about[1] if about else "",
        "right": [label for label in labels if label["name"] in key],
        "wrong": [label for label in labels if label["name"] not in key],
        "task": question,
        "evidence": said["Evidence"],
        "why": said["Why"][0],
        "shots": [dict(zip(("text", "label"), one.rsplit(" = ", 1), strict=True)) for one in said["Example"]],
    }


def solve(request: Request) -> Said:
    """A blind annotator's choice, by the definitions shown."""
    book = Book.shown(str(request.inputs.get("options", "")))
    met = book.fitting(str(request.inputs.get("passage", "")))
    reasoning = "The words that the definition names were looked for in the text."
    return {"reasoning": reasoning, "answerable": bool(met), "answer": "; ".join(met)}


def labels(request: Request) -> Said:
    """Each definition by itself."""
    book = Book.shown(str(request.inputs.get("options", "")))
    met = book.fitting(str(request.inputs.get("passage", "")))
    judged = [
        {"name": name, "why": "Its words stand there." if name in met else "A word is missing.", "fits": name in met}
        for name in book.labels
    ]
    return {"labels": judged, "overlapping": []} if len(judged) > 1 else None


def answer(request: Request) -> Said:
    """The teacher: the label whose definition the text in the turn meets, in the form asked for."""
    parts = parts_of(request, "classification", _TASK)
    if not parts:
        return "I do not know these labels."
    met = Book.shown(parts["options"]).fitting(parts["passage"])
    return _said(parts["demand"], met)


def _said(demand: str, met: Sequence[str]) -> str:
    reason, first = "The words that its definition names stand in the text.", met[0] if met else ""
    if '"labels"' in demand:
        return orjson.dumps({"labels": list(met)}).decode()
    if "JSON" in demand:
        return orjson.dumps({"label": first, "reason": reason}).decode()
    if '"; "' in demand:
        return "; ".join(met)
    return f"{reason}\nLabel: {first}" if "last line" in demand else first


def judge(request: Request) -> Said:
    """The rubric: met when the response names what the reference names."""
    if request.schema_name != "Judgement":
        return None
    rubric, response = request.inputs.get("rubric"), str(request.inputs.get("response", ""))
    wanted = str(request.inputs.get("reference", "")).split("; ")
    met = bool(response.strip()) and all(name in response for name in wanted)
    names = list(rubric) if isinstance(rubric, dict) else ["correct"]
    return {"criteria": [{"criterion": str(n), "evidence": response[:80] or "nothing", "met": met} for n in names]}


SCRIPTS = {"instruct": instruct, "edit": edit, "answer": answer, "solve": solve, "labels": labels, "judge": judge}
