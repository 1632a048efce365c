"""Shapes that hold code or tables: what a transform of the coding skill replies with when prose will not do."""

from pydantic import Field

from agentinstruct.agents.replies import Reshaped
from agentinstruct.tools.code import SqlError, fenced, language_of, run_query, syntax_fault, unfenced


class CodeListing(Reshaped):
    """A piece of code with a few words about it."""

    about: str = Field(description="What the code is for and what matters about it, in two to six sentences.")
    language: str = Field(description="Its language as a fence is labelled; nearly always python.")
    code: str = Field(description="The code, complete and self-contained, without a fence.")

    @property
    def passage_text(self) -> str:
        """The words, and the code in its fence."""
        return f"{self.about.strip()}\n\n{fenced(unfenced(self.code), self.language.strip().casefold())}"

    def unfit(self) -> str:
        """Code must parse, in a language that there is."""
        language = language_of(self.language)
        if not language:
            return f"{self.language!r} is no language that exists"
        if not self.code.strip():
            return "there is no code"
        fault = syntax_fault(unfenced(self.code), language)
        return f"the code does not parse: {fault}" if fault else ""


class TableSet(Reshaped):
    """Tables with rows, as SQL that builds them."""

    about: str = Field(description="What the tables hold and what people ask of them, in two to five sentences.")
    tables: str = Field(description="CREATE TABLE and INSERT statements for SQLite.")

    @property
    def passage_text(self) -> str:
        """The words, and the SQL in its fence."""
        return f"{self.about.strip()}\n\n{fenced(unfenced(self.tables), 'sql')}"

    def unfit(self) -> str:
        """SQLite must build them."""
        try:
            names = run_query(unfenced(self.tables), "SELECT name FROM sqlite_master WHERE type = 'table'")
        except SqlError as error:
            return str(error)
        return "" if names.rows else "there is no table"
