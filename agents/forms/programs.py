"""Forms answered by a program that tests decide about: a task, its reference solution, and asserts that prove it.

Program      from a description alone        Completion   the rest of a given beginning
Repair       of code that fails the tests    Crash        the same, with the trace of a real crash
Refactor     code that works, less tangled   Speedup      code that works, measurably faster
Extension    code that uses a given one      CodeReview   findings, and the code put right
"""

from collections.abc import Iterator
from random import Random
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, Field

from agentinstruct.agents.forms.form import Fault, Form, Material
from agentinstruct.agents.forms.running import crash
from agentinstruct.agents.records import Frozen, Item
from agentinstruct.agents.spoken import Spoken
from agentinstruct.agents.spoken_code import Finding, Programmed, Reviewed
from agentinstruct.tools.code import fenced, syntax_fault, unfenced
from agentinstruct.tools.code.reading import bare_code, defined, entries, third_party, used
from agentinstruct.tools.quotes import bare

Code = Annotated[str, BeforeValidator(unfenced)]
"""Code in a field: a fence that came with it is taken off."""
Behaviour = Literal["", "fails", "passes", "joined"]


class Demand(Frozen):
    """Something that a task asks of the code besides passing its tests."""

    kind: Literal["forbid", "within", "files", "own_tests"]
    names: tuple[str, ...] = Field(
        max_length=6, description="forbid: modules, functions or syntax (for, while, recursion). files: the file names."
    )
    workload: str = Field(description="within: a Python statement that gives the code a lot to do; otherwise empty.")
    seconds: float = Field(ge=0, le=5, description="within: how long it may take; otherwise 0.")

    def __str__(self) -> str:
        return " ".join(filter(None, [self.kind, ", ".join(self.names), self.workload]))


class Tested(Form):
    """A task with a reference solution and the tests that decide about it."""

    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Programmed
    behaviour: ClassVar[Behaviour] = ""
    """What the code that the user shows does with the tests; `joined`: the answer is run together with it."""
    question: str = Field(min_length=20, alias="task")
    reference: Code = Field(
        min_length=10, alias="solution", description="The reference solution: complete Python, standard library only."
    )
    tests: Code = Field(min_length=10, description="Python asserts that call it; nothing is printed.")

    @property
    def given(self) -> str:
        """The code that the user shows; empty where there is none."""
        return ""

    @property
    def pasted(self) -> str:
        """What stands under the task."""
        return fenced(self.given, "python") if self.given else ""

    @property
    def demands(self) -> tuple[Demand, ...]:
        """What is asked besides the tests."""
        return tuple(getattr(self, "demanded", ()))

    def joined(self, code: str) -> str:
        """Code as it is run: after the given one, where it builds on it."""
        return f"{self.given}\n\n\n{code}" if self.behaviour == "joined" else code

    def notes(self) -> Iterator[str]:
        """Tests and demands, which a refinement builds on; the solution is the key."""
        yield f"Tests:\n{self.tests}"
        for demand in self.demands:
            yield f"Demand: {demand}"

    def arrange(self, draw: Random) -> Item:
        """The task and the code it is about; the key is the reference solution."""
        return self._item(self.question, self.pasted, self.reference.strip())

    def faults(self, passage: str) -> Iterator[Fault]:
        """All code parses, needs only what the sandbox has, and is called by names that the user tells."""
        for what, code in (("solution", self.reference), ("tests", self.tests), ("given code", self.given)):
            if fault := syntax_fault(code, "python"):
                yield "form", f"the {what} does not parse: {fault}"
            if foreign := third_party(code):
                yield "form", f"the {what} imports {', '.join(foreign)}, which is not in the standard library"
        if bare(self.tests) in bare(self.question):
            yield "form", "the tests stand in the task"
        yield from self._unnamed()
        if self.given and bare_code(self.given) == bare_code(self.reference):
            yield "form", "the given code is the solution"

    def _unnamed(self) -> Iterator[Fault]:
        told = f"{self.question}\n{self.given}"
        called = [name for name in entries(self.reference) if name in self.tests]
        if not called:
            yield "form", "the tests call nothing that the solution defines"
        for name in called:
            if name not in told:
                yield "form", f"the tests call {name}, which the task does not name"

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """Tests decide, not words."""
        return None


class Program(Tested):
    """Write code from a description."""

    name: ClassVar[str] = "program"
    demanded: tuple[Demand, ...] = Field(max_length=3, description="Demands besides the tests; usually none.")


class Shown(Tested):
    """A task on code that the user shows."""

    code: Code = Field(min_length=10, description="The code that the user shows, in Python.")

    @property
    def given(self) -> str:
        """The code."""
        return self.code


class Completion(Shown):
    """Complete code whose beginning is given."""

    name: ClassVar[str] = "completion"
    behaviour: ClassVar[Behaviour] = "fails"
    demanded: tuple[Demand, ...] = Field(max_length=3, description="Demands besides the tests; usually none.")


class Repair(Shown):
    """Put right code that does the wrong thing."""

    name: ClassVar[str] = "repair"
    behaviour: ClassVar[Behaviour] = "fails"
    demanded: tuple[Demand, ...] = Field(max_length=3, description="Demands besides the tests; usually none.")


class WrittenCrash(Shown):
    """What the writer of a crash fills in; the program makes it happen."""

    crash: Code = Field(min_length=3, description="One Python statement that makes the given code crash.")


class Crash(WrittenCrash):
    """Put right code that crashed; the trace is that of a real run."""

    name: ClassVar[str] = "crash"
    behaviour: ClassVar[Behaviour] = "fails"
    writes: ClassVar[type[BaseModel] | None] = WrittenCrash
    trace: str

    @classmethod
    async def make(cls, written: BaseModel, material: Material | None) -> "Crash":
        """Run the crash; what does not crash is no item."""
        data = written.model_dump(mode="json", by_alias=True)
        return cls.model_validate({**data, "trace": await crash(f"{data['code']}\n\n\n{data['crash']}\n")})

    @property
    def pasted(self) -> str:
        """The code, and the trace of its crash."""
        return f"{super().pasted}\n\n{fenced(self.trace, 'text')}"


class Refactor(Shown):
    """Make working code less tangled, and leave what it does."""

    name: ClassVar[str] = "refactor"
    behaviour: ClassVar[Behaviour] = "passes"


class Speedup(Shown):
    """Make working code faster, and leave what it does."""

    name: ClassVar[str] = "speedup"
    behaviour: ClassVar[Behaviour] = "passes"
    workload: Code = Field(min_length=5, description="One statement that keeps the given code busy for a second.")

    def notes(self) -> Iterator[str]:
        """The workload too."""
        yield from super().notes()
        yield f"Workload: {self.workload}"


class Extension(Shown):
    """Write code that uses a given module."""

    name: ClassVar[str] = "extension"
    behaviour: ClassVar[Behaviour] = "joined"
    demanded: tuple[Demand, ...] = Field(max_length=3, description="Demands besides the tests; usually none.")

    def faults(self, passage: str) -> Iterator[Fault]:
        """The solution must use something of the given code."""
        yield from super().faults(passage)
        if not used(self.reference) & defined(self.code):
            yield "form", "the solution uses nothing of the given code"


class CodeReview(Shown):
    """Review code with defects that are really there."""

    name: ClassVar[str] = "code_review"
    spoken: ClassVar[type[Spoken]] = Reviewed
    behaviour: ClassVar[Behaviour] = "fails"
    defects: tuple[Finding, ...] = Field(min_length=1, max_length=4, description="What is wrong with the given code.")

    def arrange(self, draw: Random) -> Item:
        """The key names the defects, and holds the code put right."""
        defects = [f"- {defect.line}: {defect.problem}" for defect in self.defects]
        return self._item(self.question, self.pasted, "\n".join([*defects, "", self.reference.strip()]))

    def faults(self, passage: str) -> Iterator[Fault]:
        """Each defect names a line of the code that the solution changed."""
        yield from super().faults(passage)
        given, right = ({line.strip() for line in code.splitlines()} for code in (self.code, self.reference))
        for defect in self.defects:
            if defect.line.strip() not in given:
                yield "form", f"no line of the code: {defect.line[:80]!r}"
            elif defect.line.strip() in right:
                yield "form", f"the solution keeps the faulty line {defect.line[:80]!r}"
