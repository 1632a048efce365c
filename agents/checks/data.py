"""Checks of texts about data: the item fits it, every number follows from it, names are known, demands are met."""

import re
from collections.abc import Iterator, Sequence

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, exact
from agentinstruct.agents.checks.data_items import extremes, outliers
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import read_form
from agentinstruct.agents.forms.data import Alert, Verbal, data_in
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.forms.rows import Rows
from agentinstruct.agents.records import Draft, Verdict
from agentinstruct.agents.replies import Criterion
from agentinstruct.tools.constraints import check as check_constraints
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.tables import Data, ask, names_in, traceable, uncovered
from agentinstruct.tools.tables.cells import scale_of
from agentinstruct.tools.tables.mentions import sentences

PROSE = ("verbal", "alert")
_CAUSES = re.compile(
    r"\b(?:because|due to|owing to|caused? by|causing|as a (?:result|consequence) of|thanks to"
    r"|driven by|driving|led to|leading to"
    r"|resulted (?:in|from)|attribut\w+ to|explains? (?:the|why)|stem\w* from|responsible for"
    r"|boosted by|fuel+ed by|triggered|prompted"
    r"|likely reflect\w*|reflects? (?:a|the|its|their|changes|growing|strong|weak)|in response to"
    r"|hence|therefore|consequently)\b",
    re.IGNORECASE,
)
_LACKING = re.compile(
    r"\b(?:missing|no (?:\w+ )?(?:figure|value|data|number|entry|record|reading|answer|information)"
    r"|not (?:\w+ )?(?:available|recorded|reported|given|known"
    r"|stated|measured|listed|provided)|unavailable|unknown|blank|gaps?|lacks?|lacking|without an?"
    r"|absent|unrecorded|incomplete|left out|empty"
    r"|n/a|unreported|omitted|does not (?:say|give|include|have)|did not report|undisclosed)\b",
    re.IGNORECASE,
)
_PREAMBLE = re.compile(
    r"\s*(?:\**(?:sure|certainly|of course|absolutely|okay|ok|great)\b[!,.]|(?:here (?:is|are)"
    r"|here['’]s|below (?:is|are))\b[^\n.]{0,80}:"
    r"|(?:the following|this) is (?:a|an|the) [^\n.]{0,60}:\s*\n)",
    re.IGNORECASE,
)


def _traceable(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """One fault for all numbers of a text that the data does not give."""
    data = data_in(draft.passage)
    if data is None:
        yield "traceable", "the passage holds no data that can be read"
        return
    findings = traceable(draft.response, data, draft.item.question)
    if lost := [f"{f.said!r} in “{f.sentence[:90]}”" for f in findings if not f.traced]:
        yield "traceable", f"{len(lost)} of {len(findings)} numbers do not follow from the data: {'; '.join(lost[:3])}"


async def _traced(draft: Draft, bench: Bench) -> Opinion:
    """The verdict, with what was derived as its evidence."""
    faults = list(_traceable(draft, bench))
    if faults:
        return [Verdict(check="traceable", passed=False, evidence=evidence) for _, evidence in faults], []
    data = data_in(draft.passage)
    findings = traceable(draft.response, data, draft.item.question) if data else []
    shown = "; ".join(f"{f.said} = {f.how}" for f in findings[:8])
    return [Verdict(check="traceable", passed=True, evidence=f"{len(findings)} numbers: {shown}"[:600])], []


def _entities(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """No name that the data has not, and all those that item and category want."""
    data, form = data_in(draft.passage), read_form(draft.item)
    if data is None:
        return
    given = " ".join(message.content for message in draft.messages if message.role != "assistant")
    if unknown := names_in(draft.response, data, given.replace(draft.passage, "")):
        yield "entities", f"not in the data: {', '.join(unknown[:4])}"
    wanted = form.names if isinstance(form, Verbal) else ()
    if lost := uncovered(draft.response, wanted):
        yield "entities", f"not mentioned: {', '.join(lost[:4])}"
    if missed := _uncovered_by(str(bench.category.settings.get("cover", "")), draft.response, data):
        yield "entities", missed


def _uncovered_by(cover: str, text: str, data: Data) -> str:
    """What a category's kind of coverage misses: all rows, both ends, the extremes, or what stands out."""
    table = max(data.tables, key=lambda one: len(one.names))
    if not table.names:
        return ""
    if cover == "rows" and len(table.names) <= 8:
        lost = uncovered(text, table.names)
        return f"rows not mentioned: {', '.join(lost[:4])}" if lost else ""
    if cover == "ends":
        lost = uncovered(text, (table.names[0], table.names[-1]))
        return f"the first and last are not both mentioned: {', '.join(lost)}" if lost else ""
    one_of = outliers(data) if cover == "outlier" else list(extremes(table)) if cover == "extremes" else []
    if one_of and len(uncovered(text, one_of)) == len(one_of):
        return f"none of these is mentioned: {', '.join(one_of[:4])}"
    return ""


def _demands(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """Constraints, figures that must be stated, and nothing before the text itself."""
    form = read_form(draft.item)
    stated = [demand.constraint for demand in form.demands] if isinstance(form, Verbal | Alert) else []
    for found in check_constraints((*stated, *bench.category.requires), "", draft.response):
        if not found.passed:
            yield "demands", f"{found.constraint}: {found.evidence}"
    if opening := _PREAMBLE.match(draft.response):
        yield "demands", f"opens with a remark: {opening[0].strip()[:60]!r}"
    if isinstance(form, Verbal) and (data := data_in(draft.passage)):
        for figure in form.figures:
            value = ask(figure.query, data)
            scales = {scale_of(c.unit) for table in data.tables for c in table.columns}
            if not any(
                _states(draft.response, value * scale if isinstance(value, float) else value) for scale in scales
            ):
                yield "demands", f"does not state {figure.what}, which is {value}"


def _states(text: str, value: float | str) -> bool:
    if isinstance(value, str):
        return not uncovered(text, [value])
    return any(m.states(value) for paragraph in sentences(text) for s in paragraph for m in s.mentions)


def _gaps_told(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    """Where it is the point of the item, each row or column with missing values is said to have them."""
    if not bench.category.settings.get("gaps") and draft.goal != "dirty":
        return None
    return (("gaps_told", f"nothing is said of the missing {what}") for what in _untold(draft.response, draft.passage))


def _untold(text: str, passage: str) -> Iterator[str]:
    data = data_in(passage)
    telling = " ".join(s.text for p in sentences(text) for s in p if _LACKING.search(s.text))
    for table in data.tables if data else ():
        for row, column in table.gaps:
            name = re.sub(r"\s*[(\[].*", "", table.columns[column].name)
            words = [word for word in re.findall(r"\w{4,}", fold(name)) if word[:5] in fold(telling)]
            if not words and (not table.names or uncovered(telling, [table.name(row)])):
                yield f"{name} of {table.name(row)}"
                break


def _rows_filled(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """Each line is the template filled with its row, in the order of the data."""
    form, data = read_form(draft.item), data_in(draft.passage)
    wanted = form.lines(data) if isinstance(form, Rows) and data else []
    got = [re.sub(r"^\s*(?:[-*•]|\d+[.)])\s+", "", line) for line in draft.response.splitlines() if line.strip()]
    if len(got) != len(wanted):
        yield "rows_filled", f"{len(got)} lines for {len(wanted)} rows"
    for line, want in zip(got, wanted, strict=False):
        if _plain(line) != _plain(want):
            yield "rows_filled", f"{line[:90]!r} should be {want[:90]!r}"
            return


def _plain(line: str) -> str:
    return fold(line).strip(" .*_`").replace("**", "")


def _fires(draft: Draft, bench: Bench) -> Iterator[Fault]:
    """The alert names the rows that pass the limit, with their values, and no others."""
    form, data = read_form(draft.item), data_in(draft.passage)
    fires = form.fires(data) if isinstance(form, Alert) and data else None
    if not fires:
        return
    table, rows = fires
    names = [table.name(row) for row in rows]
    if lost := uncovered(draft.response, names):
        yield "fires", f"passes the limit and is not named: {', '.join(lost)}"
    others = [name for name in table.names if name not in names]
    if wrong := [name for name in others if not uncovered(_without(draft.response, names), [name])]:
        yield "fires", f"is named and does not pass the limit: {', '.join(wrong)}"


def _without(text: str, names: Sequence[str]) -> str:
    """A text without these names, so that `North` is not found in `North Hall`."""
    said = fold(text)
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(fold(name), " ")
    return said


def _causal_words(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    """Where causes are forbidden, no word that gives one, unless the data itself has it."""
    form = read_form(draft.item)
    if not (isinstance(form, Verbal) and form.no_causes):
        return None
    found = (m[0] for m in _CAUSES.finditer(draft.response) if m[0].casefold() not in draft.passage.casefold())
    return (("causal_words", f"gives a cause: {words!r}") for words in list(found)[:1])


async def _no_causes(draft: Draft, bench: Bench) -> Opinion:
    """Where causes are forbidden, a judge looks for one that is put without the usual words."""
    form = read_form(draft.item)
    if not (isinstance(form, Verbal) and form.no_causes):
        return NOTHING
    agent = bench.agent("causes", Criterion)
    try:
        reply, call = await agent(bench.judge, draft.id, passage=draft.passage, response=draft.response)
    except ReplyError as error:
        return [Verdict(check="no_causes", passed=False, kind="model", evidence=f"no judgement: {error}")], list(
            error.calls
        )
    return [Verdict(check="no_causes", passed=reply.met, kind="model", evidence=reply.evidence[:300])], [call]


CHECKS = (
    exact(
        "demands",
        "Every exact demand is met, each derived figure stated, and nothing comes before the text.",
        "response",
        _demands,
        forms=PROSE,
    ),
    exact("rows_filled", "Each line is the template filled with its row.", "response", _rows_filled, forms=("rows",)),
    exact("fires", "An alert names the rows that pass the limit and no others.", "response", _fires, forms=("alert",)),
    exact("entities", "No name is invented and none that was wanted is left out.", "response", _entities, forms=PROSE),
    Check(
        "traceable",
        "Every number stands in the data or follows from it.",
        "exact",
        "response",
        _traced,
        frozenset(PROSE),
    ),
    exact("gaps_told", "What is missing in the data is said to be missing.", "response", _gaps_told, forms=PROSE),
    exact(
        "causal_words",
        "No word gives a cause where causes are forbidden.",
        "response",
        _causal_words,
        forms=("verbal",),
    ),
    Check(
        "no_causes",
        "No cause is claimed where causes are forbidden.",
        "model",
        "response",
        _no_causes,
        frozenset(("verbal",)),
    ),
)
