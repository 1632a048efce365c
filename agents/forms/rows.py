"""A sentence for each row of data, by a template that the user gives; the program knows how each must read."""

import re
from collections.abc import Iterator
from random import Random
from typing import ClassVar

from pydantic import Field

from agentinstruct.agents.forms.data import data_in
from agentinstruct.agents.forms.form import Fault, Form
from agentinstruct.agents.forms.lookups import stated
from agentinstruct.agents.records import Item
from agentinstruct.agents.spoken import Changed, Spoken
from agentinstruct.tools.tables import Data, Table, TableError, chosen

_SLOT = re.compile(r"\{([^{}]+)\}")


class Rows(Form):
    """A sentence for each row, by a template that the user gives."""

    name: ClassVar[str] = "rows"
    definite: ClassVar[bool] = False
    spoken: ClassVar[type[Spoken]] = Changed
    question: str = Field(
        min_length=20, alias="instruction", description="What the user asks for, without template and data."
    )
    template: str = Field(
        min_length=10, description="One sentence with column names in braces, such as {Town} had {Rain} mm."
    )
    gap: str = Field(min_length=1, max_length=40, description="The words that stand for a missing value.")
    where: str = Field(
        "", description="A condition such as Region = coast or Rain > 60, if only some rows are wanted; else empty."
    )

    def arrange(self, draw: Random) -> Item:
        """Instruction, template and rules in one."""
        rules = [f"Template: {self.template}", f'For a missing value write "{self.gap}".']
        if self.where:
            rules.append(f"Only rows with {self.where}.")
        return self._item("\n".join([self.question, "", *rules]))

    def faults(self, passage: str) -> Iterator[Fault]:
        """Every slot must be a column, and the condition must hold for some rows."""
        data = data_in(passage)
        table = data and self.table(data)
        if not table:
            yield "form", f"no table has all the columns of {self.template!r}"
            return
        try:
            if not chosen(table, self.where):
                yield "form", f"no row has {self.where}"
        except TableError as error:
            yield "form", str(error)
        if len(_SLOT.findall(self.template)) < 2:
            yield "form", "the template has fewer than two slots"

    def table(self, data: Data) -> Table | None:
        """The table that has all the columns of the template."""
        return next((table for table in data.sources if self._fits(table)), None)

    def _fits(self, table: Table) -> bool:
        try:
            return bool([table.column(slot) for slot in _SLOT.findall(self.template)])
        except TableError:
            return False

    def lines(self, data: Data) -> list[str]:
        """The sentences, as they must come out."""
        table = self.table(data)
        return [self._filled(table, row) for row in chosen(table, self.where)] if table else []

    def _filled(self, table: Table, row: int) -> str:
        return _SLOT.sub(lambda slot: self._cell(table, row, slot[1]), self.template)

    def _cell(self, table: Table, row: int, column: str) -> str:
        at = table.column(column)
        if table.rows[row][at] is None:
            return self.gap
        return table.written[row][at] if table.written else stated(table.rows[row][at] or "", 2)

    @classmethod
    def agrees(cls, key: str, answer: str) -> bool | None:
        """There is no key: the lines are computed from the data."""
        return None
