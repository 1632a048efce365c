"""Shapes of structured passages that are no single table: a box of attributes, triples, a log, a survey, two tables."""

from random import Random
from typing import ClassVar

from pydantic import Field

from agentinstruct.agents.notations import NOTATIONS, line, markdown
from agentinstruct.agents.records import Frozen
from agentinstruct.agents.shapes_data import Chart, Grid, Records, Row, Series, Structured, Tabled, uneven
from agentinstruct.tools.tables import Data, joined


class Entry(Frozen):
    """A line of a box."""

    key: str
    value: str = Field(description="With its unit, such as 45 m; empty where it is not known.")


class Boxed(Structured):
    """One thing and its attributes, as lines of key and value."""

    least_rows: ClassVar[int] = 1
    title: str = Field(description="The name of the thing.")
    entries: tuple[Entry, ...]

    @property
    def passage_text(self) -> str:
        """The box; its first line is the name."""
        lines = [
            f"Name: {line(self.title)}",
            *(f"{line(e.key).replace(':', '')}: {line(e.value) or 'unknown'}" for e in self.entries),
        ]
        return "\n".join(lines)

    def _poor(self, data: Data) -> str:
        table = data.tables[0]
        few = len(self.entries) < 6 or len(list(table.measured)) < 2
        return "at least six attributes, two of them numbers, each by itself with its unit" if few else ""


class Triple(Frozen):
    """One fact."""

    subject: str
    predicate: str = Field(description="A relation or attribute in one to three words.")
    object: str = Field(description="A name, or one number with its unit.")


class Triples(Structured):
    """Facts as subject, predicate and object."""

    least_rows: ClassVar[int] = 2
    facts: tuple[Triple, ...]

    @property
    def passage_text(self) -> str:
        """One fact to a line."""
        parts = [[line(part).replace("|", "/") for part in (f.subject, f.predicate, f.object)] for f in self.facts]
        return "\n".join(" | ".join(fact) for fact in parts)

    def _poor(self, data: Data) -> str:
        return super()._poor(data) or ("" if len(self.facts) >= 6 else "at least six facts")


class LogEntry(Frozen):
    """One thing that happened."""

    time: str = Field(description="YYYY-MM-DD HH:MM:SS")
    level: str = Field(description="DEBUG, INFO, WARN or ERROR.")
    source: str = Field(description="The part that reports, in one word.")
    message: str
    measure: str = Field(description="A number that each line has, such as 320; empty where it is missing.")


class Log(Structured):
    """Lines of a log with one measure, such as a duration or a count."""

    least_rows: ClassVar[int] = 5
    measure: str = Field(description="What each line measures, in one word with its unit, such as duration_ms.")
    entries: tuple[LogEntry, ...]

    @property
    def passage_text(self) -> str:
        """One entry to a line."""
        name = "_".join(self.measure.split()) or "value"
        return "\n".join(
            f"{e.time.strip()} {e.level.strip().upper()} {'_'.join(e.source.split())}: {line(e.message)}"
            + (f" {name}={e.measure.strip()}" if e.measure.strip() else "")
            for e in self.entries
        )


class Answers(Frozen):
    """A question of a survey with its answers."""

    question: str
    groups: Row = Field(description="Who was asked: All, or two or three groups.")
    answers: tuple[Row, ...] = Field(
        description="For each answer: its words, then a percentage for each group, such as 34%."
    )


class Survey(Structured):
    """Questions with how many per cent gave each answer."""

    title: str = Field(description="Who was asked, by whom, when.")
    asked: int = Field(description="How many people were asked.")
    questions: tuple[Answers, ...]

    @property
    def passage_text(self) -> str:
        """A table under each question."""
        parts = [f"{line(self.title)} (n = {self.asked})"]
        for number, one in enumerate(self.questions, 1):
            parts.append(markdown(f"Q{number}. {line(one.question)}", ("Answer", *one.groups), one.answers))
        return "\n\n".join(parts)

    def _uneven(self) -> str:
        return next((f for q in self.questions if (f := uneven(("Answer", *q.groups), q.answers))), "")


class Joined(Structured):
    """Two tables that share the names in one column."""

    first: Grid
    second: Grid

    @property
    def passage_text(self) -> str:
        """One table after the other."""
        notation = Random(f"{self.first.title}/{self.first.rows}").choice(("csv", "markdown"))
        return "\n\n".join(NOTATIONS[notation](g.title, g.columns, g.rows) for g in (self.first, self.second))

    def _uneven(self) -> str:
        return uneven(self.first.columns, self.first.rows) or uneven(self.second.columns, self.second.rows)

    def _poor(self, data: Data) -> str:
        both = joined(data.tables)
        if both is None or len(both.rows) < 2:
            return "both tables need a column of the same name with the same names in it"
        return super()._poor(data)


STRUCTURED: dict[str, type[Structured]] = {
    "table": Tabled,
    "records": Records,
    "series": Series,
    "chart": Chart,
    "box": Boxed,
    "triples": Triples,
    "log": Log,
    "survey": Survey,
    "joined": Joined,
}
