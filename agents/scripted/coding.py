"""The scripted model's agents for coding: they set tasks on words of the text, and solve them from the task alone."""

import ast
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from agentinstruct.agents.gateway import Request
from agentinstruct.agents.scripted.programming import BELOW_ZERO, item, query, sql_query, tables, tested
from agentinstruct.agents.scripted.reading import Said
from agentinstruct.agents.scripted.subjects import ASKED, Subject, code, numbered, read, subject, tests
from agentinstruct.tools.code import blocks

if TYPE_CHECKING:
    from agentinstruct.agents.scripted import Script

_CODE = ("function", "bug", "contract", "crash", "tangle", "manual")
_TEXTS = ("concept", "spec", "records")


def shape_code(request: Request) -> Said:
    """A function on the words of the source, below its beginning."""
    source = _seed(request)
    return {"suitable": True, "reason": "", "about": source[:1500], "language": "python", "code": _module(source)}


def _module(source: str) -> str:
    return code(subject("count", source))


def shape_tables(request: Request) -> Said:
    """Tables on the words of the source."""
    source = _seed(request)
    built = tables(subject("count", source), source)
    return {"suitable": True, "reason": "", "about": source[:1500], "tables": built}


def shape_text(request: Request) -> Said:
    """The beginning of the source."""
    return {"suitable": True, "reason": "", "text": _seed(request)[:2500]}


def _seed(request: Request) -> str:
    seed = request.inputs.get("seed")
    return str(seed.get("text", "") if isinstance(seed, dict) else getattr(seed, "text", ""))


def instruct(request: Request) -> Said:
    """As many items of the category as asked for, each on another word."""
    category: Any = request.inputs.get("category")
    if not isinstance(category, Mapping) or not category.get("form"):
        return None
    text, count = str(request.inputs.get("passage", "")), int(request.inputs.get("count", 1))
    return {"items": [item(category["form"], category["name"], text, place) for place in range(count)]}


_ADDS: Mapping[str, str] = MappingProxyType(
    {
        "complexity_bound": "fast",
        "forbid": "no_count",
        "extend_api": "first",
        "multi_file": "files",
        "require_tests": "tests",
    }
)


def suggest(request: Request) -> Said:
    """What to ask besides."""
    count = int(request.inputs.get("count", 1))
    return {"suggestions": [f"Ask for one thing more, way {way}." for way in range(1, count + 1)]}


def edit(request: Request) -> Said:
    """The item with the goal's sentence, solved anew."""
    goal, shown = _name(request.inputs.get("goal")), str(request.inputs.get("item", ""))
    text = str(request.inputs.get("passage", ""))
    if "_amounts" in shown and goal == "edge_cases":
        noun = re.search(r"`(\w+?)_amounts`", shown)
        return {"item": sql_query(Subject("count", noun[1] if noun else "any"), text, positive=True)}
    one = read(shown)
    if one is None:
        return None
    edge = {"path_of": "long", "repeats": "none"}.get(one.family, "edge")
    more = _ADDS.get(goal, edge)
    more = "longest" if more == "first" and one.family == "total" else more
    form = _form(shown)
    asked = tuple(key for key in ASKED if key in {*one.asked, more})
    return {"item": tested(form, Subject(one.family, one.noun, one.least, asked))}


def _name(goal: object) -> str:
    return str(goal.get("name", "") if isinstance(goal, dict) else getattr(goal, "name", ""))


def _form(shown: str) -> str:
    forms = {"finish": "completion", "not what it should be": "repair", "this module": "extension"}
    return next((form for words, form in forms.items() if words in shown.split("```")[0]), "program")


def answer(request: Request) -> Said:
    """The teacher: the program that the user's turn asks for, tried out where there is a tool to do it with."""
    form, turn = str(request.inputs.get("form", "")), str(request.inputs.get("request", ""))
    if form not in ANSWERS:
        return None
    reply: dict[str, Any] = ANSWERS[form](turn)
    if not request.schema_name.endswith("Step"):
        return reply
    if form == "program" and not request.inputs.get("workings"):
        code = reply["files"][-1]["code"]
        return {"tool": "run_python", "input": f"{code}\nprint('it runs')", "reply": None}
    return {"tool": "none", "input": "", "reply": reply}


def solve(request: Request) -> Said:
    """A programmer who has the task alone."""
    one = read(str(request.inputs.get("question", "")))
    return {"reasoning": "One pass.", "answerable": one is not None, "answer": code(one) if one else ""}


def _programmed(files: list[tuple[str, str, str]], plan: str, note: str = "It runs through the entries once.") -> Any:
    listed = [{"name": name, "language": language, "code": text} for name, language, text in files]
    return {"plan": plan, "files": listed, "note": note}


def _solved(turn: str) -> Any:
    one = read(turn) or Subject("count", "nothing")
    whole = code(one)
    files = [("", "python", whole)]
    if "files" in one.asked:
        helper = numbered()
        main = f"from counting import numbered\n\n\n{whole.replace(helper, '').strip()}\n"
        files = [("counting.py", "python", helper), ("main.py", "python", main)]
    if "tests" in one.asked:
        body = "\n".join(f"    {line}" for line in tests(one).splitlines())
        files.append(("", "python", f"def test_{one.noun}():\n{body}\n"))
    return _programmed(files, "The entries are gone through in order, and what the task names is kept.")


def _faster(turn: str) -> Any:
    one = read(turn) or Subject("repeats", "nothing")
    quick = Subject(one.family, one.noun, one.least, ("fast",))
    return _programmed(
        [("", "python", code(quick))], "The list was searched anew for every entry; now each is counted once."
    )


def _reviewed(turn: str) -> Any:
    one = read(turn) or Subject("count", "nothing")
    found = next((line.strip() for line in turn.splitlines() if "> least" in line), "total = 0")
    problem = f"An entry with exactly {one.least} letters is left out, though at least that many are wanted: use >=."
    fixed = _programmed([("", "python", code(one))], "")
    return {"findings": [{"line": found, "problem": problem}], "files": fixed["files"], "note": "The guard is right."}


def _traced(turn: str) -> Any:
    """Follow the program: each word that is long enough, with the letters so far."""
    words = re.search(r"= (\[[^\]]*\])", turn)
    least = re.search(r"len\(entry\) >= (\d+)", turn)
    total, lines, steps = 0, [], []
    for word in ast.literal_eval(words[1]) if words else []:
        if len(word) >= int(least[1] if least else 0):
            total += len(word)
            lines.append(f"{word} {total}")
            steps.append(f"{word} has {len(word)} letters, so the total is {total}.")
    return {"steps": " ".join(steps) or "No entry is long enough.", "output": "\n".join([*lines, f"end {total}"])}


def _walked(turn: str) -> Any:
    one = read(turn) or Subject("count", "nothing")
    said = (
        "None has no length, so the code asks for it first and goes on to the next entry. At the bound the comparison "
        "is >=, so an entry of exactly `least` letters counts."
    )
    example = {"expression": f"{one.name}([None, {'a' * one.least!r}, 'a'])", "value": "1"}
    return {"explanation": said, "examples": [example]}


def _tested(turn: str) -> Any:
    one = read(turn) or Subject("count", "nothing")
    body = "\n".join(f"    {line}" for line in tests(one).splitlines())
    text = f"from solution import {one.name}\n\n\ndef test_{one.name}():\n{body}\n"
    return _programmed([("", "python", text)], "Nothing, None, and both sides of the bound.", "Run it with any runner.")


def _documented(turn: str) -> Any:
    one = read(turn) or Subject("count", "nothing")
    shown = next((block.code for block in blocks(turn)), code(one))
    head, _, rest = shown.partition("\n")
    doc = (
        f'    """How many entries have at least `least` letters; an entry that is None does not count.\n\n'
        f'    >>> {one.name}([None, {"a" * one.least!r}])\n    1\n    """'
    )
    return _programmed(
        [("", "python", f"{head}\n{doc}\n{rest}")], "The docstring says what counts.", "The code is as it was."
    )


def _queried(turn: str) -> Any:
    noun = re.search(r"\b(\w+?)_amounts\b", turn)
    text = query(noun[1] if noun else "any", positive=BELOW_ZERO in turn)
    return _programmed([("", "sql", text)], "A left join keeps places without amounts.", "Their total is NULL.")


ANSWERS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        **dict.fromkeys(("program", "completion", "repair", "crash", "refactor", "extension", "translation"), _solved),
        "speedup": _faster,
        "code_review": _reviewed,
        "output": _traced,
        "walkthrough": _walked,
        "testing": _tested,
        "documentation": _documented,
        "sql_query": _queried,
    }
)


def judge(request: Request) -> Said:
    """The rubric: met by an answer that has no gap in it."""
    rubric, response = request.inputs.get("rubric"), str(request.inputs.get("response", ""))
    gaps = [gap for gap in ("TODO", "rest as before", "your code here") if gap in response]
    met = bool(response.strip()) and not gaps
    names = list(rubric) if isinstance(rubric, Mapping) else ["does_it"]
    return {"criteria": [{"criterion": n, "evidence": (gaps or [response[:60]])[0], "met": met} for n in names]}


SCRIPTS: Mapping[str, "Script"] = MappingProxyType(
    {
        **dict.fromkeys(_CODE, shape_code),
        **dict.fromkeys(_TEXTS, shape_text),
        "schema": shape_tables,
        "instruct": instruct,
        "suggest": suggest,
        "edit": edit,
        "answer": answer,
        "solve": solve,
        "judge": judge,
    }
)
