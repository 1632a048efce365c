"""The scripted model's agents for data to text: data about a text's own words, and texts that read the data out.

Its data is true: how long the words of the seed are, where they first stand, how often they are used.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from agentinstruct.agents.forms.lookups import reread
from agentinstruct.agents.forms.rows import Rows
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.data_edits import grown, holed
from agentinstruct.agents.scripted.data_tasks import READERS, edited_task, item, main_table, rows_task
from agentinstruct.agents.scripted.data_words import facts
from agentinstruct.tools.tables import Data, Table, TableError, ask, chosen, read

Said = dict[str, Any] | str | None


def transform(request: Request) -> Said:
    """Data about the words of the seed, in the shape asked for."""
    seed = request.inputs["seed"]
    made = facts(seed.text, request.schema_name)
    empty = {name: _empty(part) for name, part in (request.schema or {}).get("properties", {}).items()}
    reason = "" if made else "The source has too few words to count."
    return {**empty, **(made or {}), "suitable": made is not None, "reason": reason}


def _empty(schema: Mapping[str, Any]) -> Any:
    if "$ref" in schema or schema.get("type") == "object":
        return {"title": "", "columns": [], "rows": []}
    return {"array": [], "integer": 0, "boolean": False}.get(str(schema.get("type")), "")


def instruct(request: Request) -> Said:
    """As many tasks of the type as asked for, each for another reader."""
    category, count = request.inputs["category"], int(request.inputs["count"])
    if category["form"] == "lookup":
        return {"items": [{"question": f"What is {request.inputs['material']['asks']}?"}]}
    data = read(str(request.inputs["passage"]))
    items = [item(category["name"], category["form"], data, reader) for reader in READERS]
    found = list(islice((item for item in items if item), count))
    return {"items": found} if found else None


def edit(request: Request) -> Said:
    """The task with what the goal wants added, and the data with another row or without a value."""
    goal, passage, item = request.inputs["goal"], str(request.inputs["passage"]), str(request.inputs["item"])
    if request.schema_name == "LookupEdit":
        material = request.inputs.get("material")
        return {"item": {"question": f"What is {material['asks']}?"}} if material else None
    data, way = read(passage), re.sub(r"\D", "", str(request.inputs["suggestion"])) or "1"
    if request.schema_name == "RowsEdit":
        return {"passage": grown(data), "item": rows_task(data.tables[0], f"{READERS[1]} (list {way})")}
    task = edited_task(item, goal.name, data, way)
    changes = {"more_data": grown, "dirty": holed}
    edited = {"passage": changes[goal.name](data)} if goal.name in changes else {}
    return {**edited, "item": task}


def answer(request: Request) -> Said:
    """The text that the turn asks for, from the data in it."""
    turn = str(request.inputs["request"])
    data, form = shown(turn), request.inputs["form"]
    if data is None:
        return None
    if form == "lookup":
        solved = _solved(turn, data)
        return {"explanation": f"The data gives {solved}.", "answer": solved}
    return {"text": {"rows": _filled, "alert": _warned}.get(form, _told)(turn, data)}


def solve(request: Request) -> Said:
    """The question worked out from the data."""
    solved = _solved(str(request.inputs["question"]), read(str(request.inputs["passage"])))
    return {"reasoning": "Read off and worked out.", "answerable": solved != "", "answer": solved}


def shown(turn: str) -> Data | None:
    """The data in a user's turn: the stretch of paragraphs with the most cells."""
    parts = re.split(r"\n[ \t]*\n", turn)
    found: list[tuple[int, int, Data]] = []
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            with suppress(TableError):
                data = read("\n\n".join(parts[start:end]))
                cells = sum(len(table.rows) * len(table.columns) for table in data.tables)
                found.append((cells, start - end, data))
    return max(found, key=lambda one: one[:2])[2] if found else None


def _solved(text: str, data: Data) -> str:
    for asked in re.findall(r"What is (.+?)\?(?=\s|$)", text):
        value = reread(asked, data)
        if value is not None:
            return value if isinstance(value, str) else f"{value:.4f}".rstrip("0").rstrip(".")
    return ""


def _filled(turn: str, data: Data) -> str:
    template, gap = re.search(r"Template: (.+)", turn), re.search(r'For a missing value write "(.+?)"', turn)
    where = re.search(r"Only rows with (.+)\.", turn)
    rows = Rows(
        instruction="Make one line for each row.",
        template=template[1] if template else "",
        gap=gap[1] if gap else "n/a",
        where=where[1] if where else "",
    )
    return "\n".join(rows.lines(data))


def _warned(turn: str, data: Data) -> str:
    limit = re.search(r'whose "(.+?)" is above ([\d.]+?),', turn)
    for table in data.tables:
        if limit and limit[1] in [column.name for column in table.columns]:
            column = table.column(limit[1])
            rows = chosen(table, f"{limit[1]} > {limit[2]}")
            return "; ".join(f"{table.name(row)} stands at {table.written[row][column]}" for row in rows) + "."
    return "Nothing passes the limit."


def _told(turn: str, data: Data) -> str:
    if "one headline" in turn:
        return _headline(main_table(data))
    sentences = [_sentence(table, row) for table in data.tables for row in range(len(table.rows))]
    for column in re.findall(r'the total of "(.+?)"', turn):
        sentences.append(f"The total of {column} is {ask(f'total({column!r})', data):.10g}.")
    return f"{'In short, the data is this. ' if 'In short' in turn else ''}{' '.join(sentences)}"


def _headline(table: Table) -> str:
    column = next(table.measured)
    value, row = max((value, -r) for r, cells in enumerate(table.rows) if isinstance(value := cells[column], float))
    return f"{table.name(-row)} leads with {table.written[-row][column]}"


def _sentence(table: Table, row: int) -> str:
    parts: Sequence[str] = [
        f"{column.name} is {table.written[row][i]}"
        if table.rows[row][i] is not None
        else f"no value of {column.name} is given"
        for i, column in enumerate(table.columns)
        if i != table.label
    ]
    return f"For {table.name(row)}, {'; '.join(parts)}."


def causes(request: Request) -> Said:
    """The script gives no causes, so a judge finds none."""
    return {"criterion": "causes", "evidence": "The text lists what the data gives.", "met": True}


SCRIPTS: Mapping[str, Callable[[Request], Said]] = {
    **dict.fromkeys(
        ("table", "records", "infobox", "series", "triples", "log", "survey", "joined", "chart"), transform
    ),
    "instruct": instruct,
    "edit": edit,
    "answer": answer,
    "solve": solve,
    "causes": causes,
}
"""Its agents' scripts."""
