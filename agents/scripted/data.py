"""The scripted model's agents for data to text: data about a text's own words, and texts that read the data out.

Its data is true: how long the words of the seed are, where they first stand, how often they are used.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any

from agentinstruct.agents.forms.data import Rows
from agentinstruct.agents.forms.lookups import reread
from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.data_words import facts
from agentinstruct.tools.tables import Data, Table, TableError, ask, chosen, read

Said = dict[str, Any] | str | None
_READERS = ("a visitor who has not seen it", "a board that decides tomorrow", "a class of beginners", "a newsletter")
_NONE = {"names": [], "figures": [], "no_causes": False, "demands": []}


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
    items = [_item(category["name"], category["form"], data, reader) for reader in _READERS]
    found = list(islice((item for item in items if item), count))
    return {"items": found} if found else None


def _item(name: str, form: str, data: Data, reader: str) -> dict[str, Any] | None:
    table = _main(data)
    if form == "rows":
        return _rows(table, reader)
    return _alert(table, reader) if form == "alert" else _verbal(name, table, reader)


def _main(data: Data) -> Table:
    """The table with the most named rows, of those that hold numbers."""
    return max((table for table in data.tables if list(table.measured)), key=lambda one: len(one.names))


def _verbal(name: str, table: Table, reader: str) -> dict[str, Any]:
    title = table.title or table.columns[0].name
    what = _ASKS.get(name, "Write a text about")
    item = {**_NONE, "instruction": f"{what} “{title}” for {reader}, from this data alone."}
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
_LENGTHS = {"executive_summary": 400, "headline": 16, "product_blurb": 400, "constrained_report": 400, "chart_caption": 400}


def _demand(kind: str, number: int, *words: str) -> dict[str, Any]:
    return {"kind": kind, "number": number, "words": list(words)}


def _rows(table: Table, reader: str) -> dict[str, Any]:
    columns = [table.columns[i].name for i in [table.label or 0, *table.measured] if "{" not in table.columns[i].name][:3]
    sentence = " and ".join(f"{name} {{{name}}}" for name in columns[1:])
    template = f"For {{{columns[0]}}} the data has {sentence}."
    return {"instruction": f"Make one line for each row, for {reader}.", "template": template, "gap": "no figure", "where": ""}


def _alert(table: Table, reader: str) -> dict[str, Any] | None:
    for column in table.measured:
        values = sorted(set(table.numbers(column)))
        if len(values) < 3 or len(table.rows) < 3:
            continue
        name, limit = table.columns[column].name, (values[-1] + values[-2]) / 2
        rows = chosen(table, f"{name} > {limit:.10g}")
        if rows and len(rows) < len(table.rows):
            asked = f'Warn {reader}: name each entry whose "{name}" is above {limit:.10g}, with its value, and no other.'
            return {"instruction": asked, "condition": f"{name} > {limit:.10g}", "demands": []}
    return None


def edit(request: Request) -> Said:
    """The task with what the goal wants added, and the data with another row or without a value."""
    goal, passage, item = request.inputs["goal"], str(request.inputs["passage"]), str(request.inputs["item"])
    if request.schema_name == "LookupEdit":
        material = request.inputs.get("material")
        return {"item": {"question": f"What is {material['asks']}?"}} if material else None
    data, way = read(passage), re.sub(r"\D", "", str(request.inputs["suggestion"])) or "1"
    if request.schema_name == "RowsEdit":
        return {"passage": _rewritten(data, _longer), "item": _rows(data.tables[0], f"{_READERS[1]} (list {way})")}
    task = _written(item, goal.name, data, way)
    changes = {"more_data": _longer, "dirty": _poorer}
    edited = {"passage": _rewritten(data, changes[goal.name])} if goal.name in changes else {}
    return {**edited, "item": task}


def _written(view: str, goal: str, data: Data, way: str) -> dict[str, Any]:
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


def _rewritten(data: Data, change: Callable[[Table], list[list[str]]]) -> str:
    """All tables in Markdown, the first that holds numbers changed."""
    parts = []
    first = next(table for table in data.tables if list(table.measured))
    for table in data.tables:
        rows = change(table) if table is first else [list(row) for row in table.written]
        lines = [[column.name for column in table.columns], ["---"] * len(table.columns), *rows]
        parts.append("\n".join([table.title, "", *(f"| {' | '.join(cells)} |" for cells in lines)]).strip())
    return "\n\n".join(parts)


def _longer(table: Table) -> list[list[str]]:
    row = []
    for i, column in enumerate(table.columns):
        cells = [written[i] for written in table.written if written[i]]
        if i == table.label:
            year = re.match(r"(\d{4})(.*)", cells[0])
            row.append(f"{int(year[1]) + 3}{year[2]}" if year else "Addition")
        else:
            row.append(cells[0] if cells else "n/a")
    return [*(list(written) for written in table.written), row]


def _poorer(table: Table) -> list[list[str]]:
    rows = [list(written) for written in table.written]
    column = list(table.measured)[-1]
    full = [r for r, row in enumerate(table.rows) if row[column] is not None]
    rows[full[0]][column] = "n/a"
    return rows


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
    parts, best = re.split(r"\n[ \t]*\n", turn), (0, 0, None)
    for start in range(len(parts)):
        for end in range(start + 1, len(parts) + 1):
            try:
                data = read("\n\n".join(parts[start:end]))
            except TableError:
                continue
            cells = sum(len(table.rows) * len(table.columns) for table in data.tables)
            best = max(best, (cells, start - end, data), key=lambda one: one[:2])
    return best[2]


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
        return _headline(_main(data))
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
        f"{column.name} is {table.written[row][i]}" if table.rows[row][i] is not None else f"no value of {column.name} is given"
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
