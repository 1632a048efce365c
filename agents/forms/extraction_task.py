"""What the writer of an extraction fills in, and what the program decides of it."""

from typing import Literal

from pydantic import Field

from agentinstruct.agents.records import Frozen
from agentinstruct.tools.formats.records import Output

_NAME = r"^[a-z][a-z0-9_]{0,39}(\.[a-z][a-z0-9_]{0,39})?$"


class Wanted(Frozen):
    """A field of the answer."""

    name: str = Field(pattern=_NAME, description="Lower case with underscores; a dot before a property.")
    kind: Literal["text", "number", "date", "time"]
    many: bool = Field(description="True if it holds a list of values.")
    verbatim: bool = Field(description="True if values are copied; false if they are put in normal form.")
    description: str = Field(min_length=8, description="What belongs in it, and where a value begins and ends.")


class Found(Frozen):
    """One value of the gold, and the words that prove it."""

    record: int = Field(ge=1, le=60, description="The record it belongs to; 1 if there is only one.")
    field: str
    span: str = Field(min_length=1, max_length=600, description="The words of the text, copied letter for letter.")
    value: str = Field(description="Its normal form; empty where the field is verbatim.")


class ExtractionTask(Frozen):
    """What a writer fills in."""

    question: str = Field(min_length=12, alias="instruction", description="What the user asks for, without a format.")
    fields: tuple[Wanted, ...] = Field(min_length=1, max_length=9)
    found: tuple[Found, ...] = Field(min_length=1, max_length=60)


class Drawn(Frozen):
    """What the program decides of an extraction."""

    output: Output
    least_fields: int = 1
    most_fields: int = 9
    least_records: int = 1
    most_records: int = 60
    absent: int = Field(0, description="How many fields the text has nothing for, where there is one record.")
    normalised: bool = Field(False, description="Whether some field must be in normal form.")
