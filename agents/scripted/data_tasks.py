"""The tasks over data that the scripted model writes, and what it adds to them and to the data when it edits."""

import re
from typing import Any

from agentinstruct.tools.tables import Data, Table, chosen

READERS = ("a visitor who has not seen it", "a board that decides tomorrow", "a class of beginners", "a newsletter")
_NONE = {"names": [], "figures": [], "no_causes": False, "demands": []}


def item(name: str, form: str, data: Data, reader: str) -> dict[str, Any] | None:
    """A task of this form over the data; None where the data allows none."""
    table = main_table(data)
    if form == "rows":
        return rows_task(table, reader)
    return _alert(table, reader) if form == "alert" else _verbal(name, table, reader)


def main_table(data: Data) -> Table:
    """The table with the most named rows, of those that hold numbers."""
    return max((table for table in data.tables if list(table.measured)), key=lambda one: len(one.names))


def _verbal(name: str, table: Table, reader: str) -> dict[str, Any]:
    title = table.title or table.columns[0].name
    what = _ASKS.get(name, "Write a text about")
    item: dict[str, Any] = {**_NONE, "instruction": f"{what} “{title}” for {reader}, from this data alone."}
    if name in ("compare_groups", "product_blurb"):
        item["names"] = list(table.names[:2]) if name == "compare_groups" else [table.name(0)]
        item["instruction"] += f" Speak of {' and '.join(item['names'])}."
    if name in _LENGTHS:
        item["instruction"] += f" At most {_LENGTHS[name]} words, please."
        item["demands"] = [_demand("max_words", _LENGTHS[name])]
    if name == "constrained_report":
        item["instruction"] += ' Begin with "In short".'
        item["demands"].append(_demand("starts_with", 0, "In short"))
    if name == "layperson_caveats":
        item["instruction"] += " Say what is missing."
    return item


_ASKS = {
    "describe": "Describe the whole of",
    "executive_summary": "Write a summary of",
    "compare_groups": "Write a comparison from",
    "trend": "Describe the course of",
    "anomaly": "Say what stands out in",
    "narrative": "Tell the story of",
    "headline": "Write one headline for",
    "chart_caption": "Put into words",
    "layperson_caveats": "Explain in plain words",
}
_LENGTHS = {
    "executive_summary": 400,
    "headline": 16,
    "product_blurb": 400,
    "constrained_report": 400,
    "chart_caption": 400,
}


def _demand(kind: str, number: int, *words: str) -> dict[str, Any]:
    return {"kind": kind, "number": number, "words": list(words)}


def rows_task(table: Table, reader: str) -> dict[str, Any]:
    """A template over the names and the first columns of numbers."""
    columns = [table.columns[i].name for i in [table.label or 0, *table.measured] if "{" not in table.columns[i].name][
        :3
    ]
    sentence = " and ".join(f"{name} {{{name}}}" for name in columns[1:])
    template = f"For {{{columns[0]}}} the data has {sentence}."
    return {
        "instruction": f"Make one line for each row, for {reader}.",
        "template": template,
        "gap": "no figure",
        "where": "",
    }


def _alert(table: Table, reader: str) -> dict[str, Any] | None:
    for column in table.measured:
        values = sorted(set(table.numbers(column)))
        if len(values) < 3 or len(table.rows) < 3:
            continue
        name, limit = table.columns[column].name, (values[-1] + values[-2]) / 2
        rows = chosen(table, f"{name} > {limit:.10g}")
        if rows and len(rows) < len(table.rows):
            asked = (
                f'Warn {reader}: name each entry whose "{name}" is above {limit:.10g}, with its value, and no other.'
            )
            return {"instruction": asked, "condition": f"{name} > {limit:.10g}", "demands": []}
    return None


def edited_task(view: str, goal: str, data: Data, way: str) -> dict[str, Any]:
    """The task in an item's view, with the goal's addition."""
    lines = view.splitlines()
    said = [line for line in lines if not re.match(r"(?:Must mention|Must state|Demand|Key|No causes)\b", line)]
    task: dict[str, Any] = {**_NONE, "instruction": " ".join(said)}
    task["names"] = [line.removeprefix("Must mention: ") for line in lines if line.startswith("Must mention: ")]
    task["demands"] = [_reread(line) for line in lines if line.startswith("Demand: ")]
    column = next((table.columns[i].name for table in data.tables for i in table.measured), "")
    additions = {
        "more_data": f" Take the new entries into account as well (version {way}).",
        "dirty": " Say what is missing.",
        "derived": f' Give also the total of "{column}".',
        "audience": f" It will be read aloud at a meeting (reading {way}).",
        "no_causes": " Give no reasons that the data does not give.",
    }
    task["instruction"] += additions[goal]
    task["no_causes"] = goal == "no_causes"
    if goal == "derived":
        task["figures"] = [{"what": f"the total of {column}", "query": f"total({column!r})"}]
    return task


def _reread(line: str) -> dict[str, Any]:
    kind, _, rest = line.removeprefix("Demand: ").partition(" ")
    return _demand(kind, int(rest)) if rest.isdigit() else _demand(kind, 0, rest)
