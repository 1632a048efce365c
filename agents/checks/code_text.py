"""Exact checks of code as text: real fence labels, code that parses, findings that name lines, the printed output."""

import re
from collections.abc import Iterator

from agentinstruct.agents.checks.check import Bench, exact
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.on_code import Output, SqlQuery, Translation, Walkthrough
from agentinstruct.agents.forms.programs import CodeReview, Tested
from agentinstruct.agents.records import Draft
from agentinstruct.tools.code import blocks, label_fault, language_of, syntax_fault
from agentinstruct.tools.code.reading import known_names

CODED = (
    *("program", "completion", "repair", "crash", "refactor", "speedup", "extension", "code_review"),
    *("translation", "testing", "documentation", "sql_query"),
)
_CALL = re.compile(r"`(?:\w+\.)*([A-Za-z_]\w*)\([^`\n]*\)`")


def _fences(draft: Draft, bench: Bench) -> Iterator[Fault]:
    if fault := label_fault(draft.response):
        yield "fences", fault
    if draft.item.form not in CODED:
        return
    wanted, found = _language(draft), blocks(draft.response)
    if not any(block.language == wanted for block in found):
        yield "fences", f"there is no {wanted} code in the response"
    for block in found:
        if block.language != "text" and (wrong := syntax_fault(block.code, block.language)):
            yield "fences", f"a {block.language} block does not parse: {wrong}"


def _language(draft: Draft) -> str:
    form = read_form(draft.item)
    if isinstance(form, Translation):
        return language_of(form.target)
    return "sql" if isinstance(form, SqlQuery) else "python"


def _printed(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form, said = read_form(draft.item), str(draft.said.get("output", ""))
    shown = blocks(draft.response)
    if isinstance(form, Output) and not (shown and form.agrees(form.printed, shown[-1].code)):
        yield "printed", f"the program prints {form.printed[:120]!r}, not {said[:120]!r}"


def _findings(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form = read_form(draft.item)
    if not isinstance(form, CodeReview):
        return
    lines = [line.strip() for line in form.code.splitlines()]
    named = [str(found["line"]).strip(" `") for found in draft.said.get("findings", ())]
    for name in named:
        if not any(name and name in line for line in lines):
            yield "findings", f"a finding is about a line that is not in the code: {name[:80]!r}"
    places = {i for i, line in enumerate(lines) for name in named if name and name in line}
    for defect in form.defects:
        own = {i for i, line in enumerate(lines) if line == defect.line.strip()}
        if not any(abs(i - j) <= 1 for i in own for j in places):
            yield "findings", f"the defect in {defect.line[:80]!r} is not found"


def _names_real(draft: Draft, bench: Bench) -> Iterator[Fault]:
    form = read_form(draft.item)
    if not isinstance(form, Walkthrough):
        return
    known = known_names(form.code)
    for name in dict.fromkeys(_CALL.findall(draft.response)):
        if name not in known:
            yield "names_real", f"the code has no {name}()"


def _not_told(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """The task does not hand the solution over."""
    form = read_form(draft.item)
    if isinstance(form, Tested) and any(
        len(block.code) > 40 and "return" in block.code for block in blocks(form.question)
    ):
        yield "not_told", "the task holds code of its own, which may be the answer"


CHECKS = (
    exact("not_told", "The task does not hold its solution.", "item", _not_told, forms=("program", "completion")),
    exact(
        "fences",
        "Code stands in fences with real labels, is of the language asked for, and parses.",
        "response",
        _fences,
    ),
    exact("printed", "The output is what executing the program printed.", "response", _printed, forms=("output",)),
    exact(
        "findings",
        "Every finding names a line, and every planted defect is found.",
        "response",
        _findings,
        forms=("code_review",),
    ),
    exact(
        "names_real", "No function is named that the code has not got.", "response", _names_real, forms=("walkthrough",)
    ),
)
