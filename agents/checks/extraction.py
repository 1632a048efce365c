"""Checks of extractions: what is null is really absent, the reply is in its format, its spans stand, it is the gold.

The gold itself is tested last, by independent extractors who have not seen it: what most of them find must be in it,
and what is in it most of them must find.
"""

from collections.abc import Iterator, Mapping, Sequence

from pydantic import Field

from agentinstruct.agents.checks.check import NOTHING, Bench, Check, Opinion, exact
from agentinstruct.agents.forms import EXTRACTIONS, Extraction, read_form
from agentinstruct.agents.forms.extraction_task import Found
from agentinstruct.agents.forms.form import Fault
from agentinstruct.agents.records import Draft, Frozen, Verdict
from agentinstruct.tools.formats import FormatError, candidate, stands
from agentinstruct.tools.formats.records import Column, Record
from agentinstruct.tools.quotes import contains, overlap

FORMS = tuple(form.name for form in EXTRACTIONS)
_ALIKE = 0.6
"""The share of words from which two copied phrases are taken for the same find."""


class Extracts(Frozen):
    """What an independent extractor replies, whatever format the user asked for."""

    reasoning: str = Field(description="Which parts of the text bear on the task, in two or three sentences.")
    found: tuple[Found, ...] = Field(max_length=80)


def _absence(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form = read_form(draft.item)
    if not isinstance(form, Extraction):
        return None
    seen = ((name, candidate(name, draft.passage)) for name in form.empty)
    return (("absence", f"{name} is said to be absent, but there is {there!r}") for name, there in seen if there)


def _structure(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form = read_form(draft.item)
    if not isinstance(form, Extraction):
        return None
    try:
        form.read(draft.response)
    except FormatError as error:
        return iter([("structure", f"{form.drawn.output}: {error}")])
    return iter(())


def _spans(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form = read_form(draft.item)
    records = _read(form, draft.response)
    if records is None or not isinstance(form, Extraction):
        return None
    copied = [column.name for column in form.columns if column.verbatim]
    values = ((name, value) for record in records for name in copied for value in record.get(name, ()))
    return (
        ("spans", f"{name}: {value!r} does not stand in the text")
        for name, value in values
        if not stands(value, draft.passage)
    )


def _extracted(draft: Draft, bench: Bench) -> Iterator[Fault] | None:
    form = read_form(draft.item)
    if _read(form, draft.response) is None or not isinstance(form, Extraction):
        return None
    return (("extracted", difference) for difference in form.differs(draft.response)[:4])


def _read(form: object, response: str) -> list[Record] | None:
    """The records of a response; None where `structure` has said already that there are none."""
    try:
        return form.read(response) if isinstance(form, Extraction) else None
    except FormatError:
        return None


Unit = Mapping[str, str]
"""What is found or missed as a whole: a value of a field, or a whole record where there are several."""


def units(form: Extraction, records: Sequence[Record]) -> list[Unit]:
    """The finds that records consist of."""
    if form.shape == "rows":
        return [{name: values[0] for name, values in record.items() if values} for record in records]
    return [{name: value} for record in records for name, values in record.items() for value in values]


def alike(columns: Sequence[Column], first: Unit, second: Unit) -> bool:
    """Whether two finds are the same; of three fields or more, one may differ."""
    shared = [c for c in columns if c.name in first or c.name in second]
    differing = sum(not _same(c, first.get(c.name, ""), second.get(c.name, "")) for c in shared)
    return differing <= (1 if len(shared) > 2 else 0)


def _same(column: Column, first: str, second: str) -> bool:
    if column.same(first) == column.same(second):
        return True
    if not first or not second or column.kind != "text":
        return False
    within = contains(first, second) or contains(second, first)
    return overlap(first, second) >= (_ALIKE if not within else _ALIKE / 2)


async def _recall(draft: Draft, bench: Bench) -> Opinion:
    form = read_form(draft.item)
    if not isinstance(form, Extraction):
        return NOTHING
    agent, item = bench.agent("solve", Extracts), draft.item
    asked = agent.request(
        bench.solver,
        f"{draft.id}/solve",
        passage=draft.passage,
        question=item.question,
        options=item.options,
        form=item.form,
    )
    replies, calls = await agent.several(asked, range(bench.solvers))
    return [_compared(form, [_units_of(form, reply.found) for reply in replies], bench)], calls


def _units_of(form: Extraction, found: tuple[Found, ...]) -> list[Unit]:
    known = [one for one in found if any(one.field == column.name for column in form.columns)]
    return units(form, form.model_copy(update={"found": tuple(known)}).gold if known else [])


def _compared(form: Extraction, extracts: Sequence[Sequence[Unit]], bench: Bench) -> Verdict:
    """Gold and finds held against each other: a majority of those asked decides on each find."""
    wanted, gold = float(str(bench.category.settings.get("agreement", 1))), units(form, form.gold)
    missed = [unit for unit in gold if not _claimed(form, unit, extracts, bench.solvers)]
    others = [unit for found in extracts for unit in found if not any(alike(form.columns, unit, one) for one in gold)]
    besides = [unit for unit in others if _claimed(form, unit, extracts, bench.solvers)] if wanted == 1 else []
    share = 1 - len(missed) / len(gold) if gold else 0.0
    evidence = f"most of {bench.solvers} extractors found {len(gold) - len(missed)} of {len(gold)} values of the gold"
    evidence += f"; not {_told(missed[0])}" if missed else ""
    evidence += f"; and, not in it, {_told(besides[0])}" if besides else ""
    return Verdict(check="recall", passed=share >= wanted and not besides, kind="model", evidence=evidence)


def _claimed(form: Extraction, unit: Unit, extracts: Sequence[Sequence[Unit]], asked: int) -> bool:
    return 2 * sum(any(alike(form.columns, unit, one) for one in found) for found in extracts) > asked


def _told(unit: Unit) -> str:
    return ", ".join(f"{name} {value[:80]!r}" for name, value in unit.items())


CHECKS = (
    exact("absence", "A field whose right value is null has no labelled value in the text.", "item", _absence),
    exact(
        "structure", "The response is the structure asked for and nothing else.", "response", _structure, forms=FORMS
    ),
    exact("spans", "Every copied value of the response stands in the text.", "response", _spans, forms=FORMS),
    exact(
        "extracted",
        "The response holds the values of the gold and no others, order and normalisation aside.",
        "response",
        _extracted,
        forms=FORMS,
    ),
    Check(
        "recall",
        "Independent extractors find what is in the gold, and nothing that is not.",
        "model",
        "response",
        _recall,
        frozenset(FORMS),
    ),
)
