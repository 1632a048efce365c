"""Forms of text extraction: fields to fill, and the gold for each, every value proved by a span of the text.

    sample ─ shape, format, how many fields are absent ─ writer: instruction, fields, spans ─ key: the gold as JSON

The writer never sees a format. The program draws it, so formats are balanced, and renders the gold in it to compare.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import BaseModel

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.extraction_task import Drawn, ExtractionTask, Found, Wanted
from agentinstruct.agents.forms.form import Fault, Form, Material, repeated
from agentinstruct.agents.records import Item, Passage
from agentinstruct.agents.spoken import Formatted, Spoken
from agentinstruct.tools.formats import normal, stands
from agentinstruct.tools.formats.records import Column, Record, Shape, differences, json_schema, read, value_of
from agentinstruct.tools.quotes import bare

if TYPE_CHECKING:
    from agentinstruct.agents.skill import Category, Goal

_FORMATS = re.compile(r"\b(?:json|csv|yaml|xml|markdown|bullet(?:ed)? (?:list|points)|key[- ]value|schema)\b", re.I)
_PROSE = re.compile(r"\b(?:article|passage|essay|story|letter|paragraphs?|text)\b", re.IGNORECASE)


class Extraction(Form, ExtractionTask):
    """Information to take out of a text, into fields."""

    shape: ClassVar[Shape]
    of_code: ClassVar[bool] = False
    outputs: ClassVar[tuple[str, ...]]
    spoken: ClassVar[type[Spoken]] = Formatted
    writes: ClassVar[type[BaseModel] | None] = ExtractionTask
    sampled: ClassVar[bool] = True
    shows: ClassVar[frozenset[str]] = frozenset({"shape", "fields", "schema", "nested"})
    drawn: Drawn

    @classmethod
    def sample(cls, category: "Category", passage: Passage, draw: Random) -> Material | None:
        """The format, and how many fields, records and absent fields the writer is asked for."""
        settings: dict[str, Any] = dict(category.settings)
        output = draw.choice(list(settings.pop("outputs", cls.outputs)))
        absent = draw.choice(list(settings.pop("absent", [0])))
        settings.pop("agreement", None)
        return cls._material(Drawn(output=output, absent=absent, **settings))

    @classmethod
    def _material(cls, drawn: Drawn) -> Material:
        return {"shape": cls.shape, **drawn.model_dump()}

    @property
    def material(self) -> Material | None:
        """What was drawn for it."""
        return self._material(self.drawn)

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> Self:
        """The writer's task, with what was drawn."""
        drawn = {key: value for key, value in (material or {}).items() if key != "shape"}
        filled = written.model_dump(mode="json", by_alias=True)
        if cls.shape != "object":  # whether a field holds several values is settled by the shape
            filled["fields"] = [{**field, "many": cls.shape == "list"} for field in filled["fields"]]
        form = cls.model_validate({**filled, "drawn": drawn})
        if both := form.both():
            raise ReplyError("form", f"{both!r} is both a field and a group of fields")
        return form

    def refined(self, goal: "Goal", draw: Random) -> Material | None:
        """More room for what the goal adds; a strict schema is asked for as one."""
        drawn = self.drawn.model_dump()
        drawn |= {"most_fields": 9, "most_records": 60}
        if goal.name == "absent":
            drawn["absent"] += 1
        if goal.name == "strict_schema":
            drawn |= {"output": "json_schema", "normalised": True}
        return self._material(Drawn.model_validate(drawn))

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        """The fields as the readers of formats know them."""
        return tuple(Column(f.name, f.kind, f.many, f.verbatim, f.description) for f in self.fields)

    @property  # not kept: a copy with other finds has another gold
    def gold(self) -> list[Record]:
        """The records that the spans make, in order."""
        numbers = [1] if self.shape != "rows" else sorted({found.record for found in self.found})
        return [{f.name: tuple(self._values(number, f)) for f in self.fields} for number in numbers]

    def _values(self, record: int, field: Wanted) -> Iterator[str]:
        for found in self.found:
            if found.field == field.name and (self.shape != "rows" or found.record == record):
                yield found.value.strip() if found.value.strip() and not field.verbatim else found.span.strip()

    def read(self, answer: str) -> list[Record]:
        """The records in an answer in the format drawn; raises FormatError."""
        return read(self.columns, answer, self.shape, self.drawn.output)

    def arrange(self, draw: Random) -> Item:
        """The task with its fields; the key is the gold as JSON."""
        key = json.dumps(value_of(self.columns, self.gold, self.shape), ensure_ascii=False)
        return self._item(self.question, "\n".join(map(_told, self.fields)), key, self.drawn.output)

    def shown(self) -> Mapping[str, Any]:
        """Fields and schema, for the demand of a format."""
        schema = json.dumps(json_schema(self.columns, self.shape), ensure_ascii=False, indent=2)
        nested = any("." in field.name for field in self.fields)
        return {"shape": self.shape, "fields": self.fields, "schema": schema, "nested": nested}

    def notes(self) -> Iterator[str]:
        """The gold, span by span, for the agents that refine it."""
        for found in self.found:
            yield f"Gold: record {found.record}, {found.field}: {found.span}{f' = {found.value}' * bool(found.value)}"
        for name in self.empty:
            yield f"Gold: {name}: null, the text has nothing for it"

    @property
    def empty(self) -> list[str]:
        """The fields that the text has nothing for."""
        have = {found.field for found in self.found}
        return [field.name for field in self.fields if field.name not in have]

    def both(self) -> str:
        """A name that is a field and a group of fields at once; empty when there is none."""
        groups = {field.name.partition(".")[0] for field in self.fields if "." in field.name}
        return min(groups & {field.name for field in self.fields}, default="")

    def faults(self, passage: str) -> Iterator[Fault]:
        """Fields are distinct and as drawn, the instruction names no format, every span stands and proves its value."""
        yield from repeated([field.name for field in self.fields], "fields")
        yield from repeated([field.description for field in self.fields], "descriptions")
        yield from self._shaped()
        yield from self._asked(passage)
        for found in self.found:
            yield from self._proved(found, passage)

    def _shaped(self) -> Iterator[Fault]:
        names = {f.name for f in self.fields}
        if lost := {found.field for found in self.found} - names:
            yield "form", f"values for a field that there is not: {', '.join(sorted(lost))}"
        for record in self.gold:
            for field in self.fields:
                if len(record[field.name]) > 1 and not field.many:
                    yield "form", f"{field.name} holds one value and is given {len(record[field.name])}"
                if len(set(record[field.name])) < len(record[field.name]):
                    yield "form", f"a value of {field.name} stands twice"
        yield from self._as_drawn()

    def _as_drawn(self) -> Iterator[Fault]:
        drawn, filled = self.drawn, len(self.fields) - len(self.empty)
        if self.shape == "list" and len(self.fields) != 1:
            yield "form", f"a list is one field, not {len(self.fields)}"
        count = len(self.gold) if self.shape == "rows" else len(self.found) if self.shape == "list" else 1
        if self.shape != "object" and not drawn.least_records <= count <= drawn.most_records:
            yield "form", f"{count} records or values, not {drawn.least_records} to {drawn.most_records}"
        if self.shape != "list" and not drawn.least_fields <= filled <= drawn.most_fields:
            yield "form", f"{filled} fields with a value, not {drawn.least_fields} to {drawn.most_fields}"
        if self.shape == "object" and len(self.empty) != drawn.absent:
            yield "form", f"{len(self.empty)} fields without a value, not {drawn.absent}"
        if drawn.normalised and all(field.verbatim for field in self.fields):
            yield "form", "no field is in normal form"

    def _asked(self, passage: str) -> Iterator[Fault]:
        if found := _FORMATS.search(self.question):
            yield "form", f"the instruction speaks of a format: {found[0]!r}"
        if self.of_code and (found := _PROSE.search(self.question)):
            yield "context", f"the instruction calls source code {found[0]!r}"
        if bare(self.question) in bare(passage):
            yield "form", "the instruction is a piece of the text itself"

    def _proved(self, found: Found, passage: str) -> Iterator[Fault]:
        field = next((field for field in self.fields if field.name == found.field), None)
        if not stands(found.span, passage):
            yield "grounded", f"not in the text: {found.span!r}"
        value = found.value.strip()
        # What stands beside a copied span is not looked at: the span itself goes into the answer.
        if field and not field.verbatim and not normal(value or found.span, field.kind, found.span):
            yield "normal", f"{value!r} is not what {found.span!r} says as a {field.kind}"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """The fields decide how values compare: see the check `extracted`."""
        return None

    def differs(self, answer: str) -> list[str]:
        """How an answer differs from the gold, order aside; raises FormatError."""
        return differences(self.columns, self.gold, self.read(answer))


def _told(field: Wanted) -> str:
    """A field as solvers, suggesters and editors see it."""
    kind = f"list of {field.kind}" if field.many else field.kind
    return f"{field.name} ({kind}, {'copied' if field.verbatim else 'normal form'}): {field.description}"


class ExtractRecord(Extraction):
    """One record: single facts and lists about one subject."""

    name: ClassVar[str] = "extract_record"
    shape: ClassVar[Shape] = "object"
    outputs: ClassVar[tuple[str, ...]] = ("json", "json_schema", "yaml", "pairs")


class ExtractRows(Extraction):
    """Several records of one kind."""

    name: ClassVar[str] = "extract_rows"
    shape: ClassVar[Shape] = "rows"
    outputs: ClassVar[tuple[str, ...]] = ("json", "json_schema", "csv", "markdown")


class ExtractList(Extraction):
    """One list of spans."""

    name: ClassVar[str] = "extract_list"
    shape: ClassVar[Shape] = "list"
    outputs: ClassVar[tuple[str, ...]] = ("json", "list")


class CodeRecord(ExtractRecord):
    """One record about a source file."""

    name: ClassVar[str] = "code_record"
    of_code: ClassVar[bool] = True


class CodeRows(ExtractRows):
    """Elements of a source file, one to a record."""

    name: ClassVar[str] = "code_rows"
    of_code: ClassVar[bool] = True


EXTRACTIONS = (ExtractRecord, ExtractRows, ExtractList, CodeRecord, CodeRows)
