"""Forms about code whose truth is found by running it: what it prints, what it does, its tests, documents, twins, rows.

Output         what executing prints          Walkthrough    an explanation with worked examples
Testing        tests that find mutants out    Documentation  the same code, documented
Translation    the same in another language   SqlQuery       a query that gives the reference rows
"""

from collections.abc import Iterator
from random import Random
from typing import ClassVar

from pydantic import BaseModel, Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms.form import Fault, Form, Material
from agentinstruct.agents.forms.programs import Code, Tested
from agentinstruct.agents.forms.running import printed
from agentinstruct.agents.records import Item
from agentinstruct.agents.spoken import Spoken
from agentinstruct.agents.spoken_code import Programmed, Traced, WalkedThrough
from agentinstruct.tools.code import SqlError, fenced, language_of, run_query, syntax_fault
from agentinstruct.tools.code.reading import entries, third_party, tree_of, undocumented, used

MAX_LINES = 15
_MARK = "@@ "


class OnCode(Form):
    """A question about Python code that the user shows."""

    definite: ClassVar[bool] = False
    question: str = Field(min_length=12, alias="task")
    code: Code = Field(min_length=20, description="The code that the user shows: complete Python, standard library.")

    def key(self) -> str:
        """What a judge may hold a response against."""
        return ""

    def arrange(self, draw: Random) -> Item:
        """The question and the code."""
        return self._item(self.question, fenced(self.code, "python"), self.key())

    def faults(self, passage: str) -> Iterator[Fault]:
        """The code parses and needs only the standard library."""
        if fault := syntax_fault(self.code, "python"):
            yield "form", f"the code does not parse: {fault}"
        if foreign := third_party(self.code):
            yield "form", f"the code imports {', '.join(foreign)}, which is not in the standard library"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Only a run or a reader can tell."""
        return None


class Output(OnCode):
    """What a program prints; the key is what it printed."""

    name: ClassVar[str] = "output"
    definite: ClassVar[bool] = True
    spoken: ClassVar[type[Spoken]] = Traced
    writes: ClassVar[type[BaseModel] | None] = OnCode
    printed: str

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> "Output":
        """Run the program twice: what it prints must be little, and the same."""
        data = written.model_dump(mode="json", by_alias=True)
        first, again = [await printed(data["code"]) for _ in range(2)]
        lines = [line.rstrip() for line in first.strip("\n").splitlines()]
        if first != again:
            raise ReplyError("not deterministic", "two runs of the program print different things")
        if not 0 < len(lines) <= MAX_LINES or max(map(len, lines)) > 120 or not first.strip():
            raise ReplyError("output", f"the program prints {len(lines)} lines; 1 to {MAX_LINES} short ones are wanted")
        return cls.model_validate({**data, "printed": "\n".join(lines)})

    def key(self) -> str:
        """The output."""
        return self.printed

    def faults(self, passage: str) -> Iterator[Fault]:
        """Something happens in the program, and the question does not hold the output."""
        yield from super().faults(passage)
        if len(self.printed) > 3 and self.printed in self.question:
            yield "form", "the question holds the output"
        if not used(self.code) & {"for", "while", "recursion", "sorted", "map", "lambda"} and not entries(self.code):
            yield "form", "nothing happens in the program but printing"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Line by line; blanks at their ends do not count."""
        said, true = ([line.rstrip() for line in text.splitlines() if line.strip()] for text in (answer, key))
        return said == true


class WrittenWalkthrough(OnCode):
    """What the writer of an explanation item fills in; the program works the examples out."""

    points: tuple[str, ...] = Field(min_length=2, max_length=6, description="What a full explanation must say.")
    calls: tuple[str, ...] = Field(min_length=1, max_length=4, description="Expressions on the code worth working out.")


class Walkthrough(WrittenWalkthrough):
    """Explain code; what it gives for some calls was found by running it."""

    name: ClassVar[str] = "walkthrough"
    spoken: ClassVar[type[Spoken]] = WalkedThrough
    writes: ClassVar[type[BaseModel] | None] = WrittenWalkthrough
    values: tuple[str, ...]

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> "Walkthrough":
        """Work the calls out."""
        data = written.model_dump(mode="json", by_alias=True)
        calls = [" ".join(call.split()) for call in data["calls"]]
        shown = "\n".join(f"print('\\n{_MARK}' + repr({call}))" for call in calls)
        values = [part.strip() for part in (await printed(f"{data['code']}\n\n{shown}\n")).split(f"\n{_MARK}")[1:]]
        if len(values) != len(calls):
            raise ReplyError("program", "the calls cannot be worked out")
        return cls.model_validate({**data, "calls": calls, "values": values})

    def key(self) -> str:
        """The points, and the examples with their values."""
        worked = [f"- `{call}` gives `{value}`" for call, value in zip(self.calls, self.values, strict=True)]
        return "\n".join([*(f"- {point}" for point in self.points), *worked])


class Testing(OnCode):
    """Write tests for code; the reference tests show that it can be done."""

    name: ClassVar[str] = "testing"
    spoken: ClassVar[type[Spoken]] = Programmed
    tests: Code = Field(min_length=20, description="Good tests of the code: plain asserts or test_ functions.")

    def key(self) -> str:
        """The reference tests."""
        return self.tests.strip()

    def faults(self, passage: str) -> Iterator[Fault]:
        """The tests parse and call the code."""
        yield from super().faults(passage)
        if fault := syntax_fault(self.tests, "python"):
            yield "form", f"the tests do not parse: {fault}"
        if not any(name in self.tests for name in entries(self.code)):
            yield "form", "the tests call nothing of the code"


class Documentation(OnCode):
    """Document code and leave it as it is."""

    name: ClassVar[str] = "documentation"
    spoken: ClassVar[type[Spoken]] = Programmed
    points: tuple[str, ...] = Field(min_length=1, max_length=6, description="What the documentation must tell.")

    def key(self) -> str:
        """The points."""
        return "\n".join(f"- {point}" for point in self.points)

    def faults(self, passage: str) -> Iterator[Fault]:
        """There is something to document."""
        yield from super().faults(passage)
        if tree_of(self.code) and not list(undocumented(self.code)):
            yield "form", "everything in the code is documented already"


class Translation(Tested):
    """Rewrite code in another language: one of the two is Python, and its tests decide."""

    name: ClassVar[str] = "translation"
    reference: Code = Field(
        min_length=10, alias="solution", description="The same in the target language: the reference translation."
    )
    code: Code = Field(min_length=20, description="The code that the user shows, complete, in the source language.")
    source: str = Field(min_length=1, description="The language of the given code.")
    target: str = Field(min_length=1, description="The language it is to be written in.")

    @property
    def pasted(self) -> str:
        """The code in its own language."""
        return fenced(self.code, language_of(self.source) or "text")

    @property
    def python(self) -> str:
        """The Python side, which the tests run on."""
        return self.code if language_of(self.source) == "python" else self.reference

    def faults(self, passage: str) -> Iterator[Fault]:
        """Two real languages, one of them Python, and both sides parse."""
        sides = {"code": (self.source, self.code), "solution": (self.target, self.reference)}
        languages = [language_of(name) for name, _ in sides.values()]
        if not all(languages) or languages[0] == languages[1] or "python" not in languages:
            yield "form", f"{self.source} to {self.target}: two real languages are wanted, one of them Python"
            return
        for what, (name, code) in sides.items():
            fault = syntax_fault(code, language_of(name))
            if fault or fault is None:
                yield "form", f"the {what} {'cannot be parsed here' if fault is None else f'does not parse: {fault}'}"
        if self.target.casefold() not in self.question.casefold():
            yield "form", f"the task does not name {self.target}"
        if not any(name in self.tests for name in entries(self.python)):
            yield "form", "the tests call nothing of the Python side"


class WrittenQuery(Form):
    """What the writer of a query item fills in; the program finds its rows."""

    definite: ClassVar[bool] = False
    question: str = Field(min_length=20, alias="task")
    tables: Code = Field(min_length=30, description="CREATE TABLE and INSERT statements for SQLite, a few rows each.")
    query: Code = Field(min_length=10, description="The reference query: one SELECT for SQLite.")


class SqlQuery(WrittenQuery):
    """Write a query; the rows it must give were found by running the reference."""

    name: ClassVar[str] = "sql_query"
    spoken: ClassVar[type[Spoken]] = Programmed
    writes: ClassVar[type[BaseModel] | None] = WrittenQuery
    result: str

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> "SqlQuery":
        """Run the reference query."""
        data = written.model_dump(mode="json", by_alias=True)
        try:
            rows = run_query(data["tables"], data["query"])
        except SqlError as error:
            raise ReplyError("sql", str(error)) from error
        return cls.model_validate({**data, "result": rows.table(40)})

    def arrange(self, draw: Random) -> Item:
        """The question, and the tables with their rows; the key is the reference query and what it gives."""
        return self._item(self.question, fenced(self.tables, "sql"), f"{self.query.strip()}\n\n{self.result}")

    def faults(self, passage: str) -> Iterator[Fault]:
        """The query finds something."""
        if len(self.result.splitlines()) < 2:
            yield "form", "the reference query gives no rows"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Rows are compared by running the answer."""
        return None
