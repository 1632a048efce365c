"""What a user gets to read: the types of the teacher's replies, and how a reply is read.

Text         all that was said           Changed     a text asked for by itself
Explained    an explanation, an answer   Formatted   in a format that the user named
your own     any typed reply that renders itself as `text`
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import orjson
from pydantic import BaseModel, Field, ValidationError

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Frozen

Reply = TypeVar("Reply", bound=BaseModel)

IS_JSON = re.compile(r"(?:```(?:json)?\s*)?\{\s*\"")
_LABEL = re.compile(r"\A[\s>*_#]*(?:final )?answer[*_]*\s*[:：][*_]*\s*", re.IGNORECASE)
_LAST_LINE = re.compile(r"(?:\A|\n)[ >*_#]*(?:final )?answer[*_]*\s*[:：][^\n]+\Z", re.IGNORECASE)
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_WHOLLY_FENCED = re.compile(r"```[\w+-]*[ \t]*\n((?:(?!```).)*?)\n?```", re.DOTALL)


class Spoken(Frozen):
    """A reply that a user gets to read, as its property `text` puts it.

    A reply with fields of its own declares them, renders them in `text`, and is kept whole as `Draft.said`, so that
    checks read its fields and need not parse prose.
    """

    if TYPE_CHECKING:

        @property
        def text(self) -> str:
            """What the user reads."""

    plain: ClassVar[bool] = False
    """Whether it is asked for as it is, and not within the fields of a schema."""

    @classmethod
    def heard(cls, said: str) -> Self:
        """The reply in what a model said."""
        return parsed(cls, said)


class Text(Spoken):
    """A reply that is plain text."""

    plain: ClassVar[bool] = True
    text: str

    @classmethod
    def heard(cls, said: str) -> Self:
        """All that was said."""
        return cls(text=said)


class Changed(Text):
    """A text that was asked for by itself, so that nothing comes before or after it."""

    plain: ClassVar[bool] = False
    text: str = Field(min_length=1, description="The whole modified text, and nothing else.")

    @classmethod
    def heard(cls, said: str) -> Self:
        """The text; a model that cannot fill in a form has said it as it is."""
        return parsed(cls, said) if IS_JSON.match(said) else cls(text=said)


class Formatted(Text):
    """A reply in a format that the user named, said as it is; a code fence around the whole of it falls away."""

    @classmethod
    def heard(cls, said: str) -> Self:
        """All that was said, without an outer fence."""
        whole = _WHOLLY_FENCED.fullmatch(said.strip())
        return cls(text=(whole[1] if whole else said).strip())


class Explained(Spoken):
    """An explanation and the answer it leads to, asked for apart so that neither is forgotten."""

    explanation: str = Field(description="What leads to the answer; empty if the user wants the bare answer.")
    answer: str = Field(description="The final answer alone.")

    @property
    def text(self) -> str:
        """The explanation, and the answer on a last line of its own."""
        explanation, answer = (self.explanation.strip(), _LABEL.sub("", self.answer).strip())
        return f"{_LAST_LINE.sub('', explanation).strip()}\n\nAnswer: {answer}".strip() if answer else explanation

    @classmethod
    def heard(cls, said: str) -> Self:
        """Both parts; a model that cannot fill in a form has labelled its answer itself, or given none."""
        return parsed(cls, said) if IS_JSON.match(said) else cls(explanation=said, answer="")


def parsed(reply: type[Reply], text: str) -> Reply:
    """A reply of this type, read from what a model said.

    Raises:
        ReplyError: it holds no JSON object, or one of another shape; names each wrong field.
    """
    try:
        return reply.model_validate(_json(text))
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])) or 'reply'}: {e['msg']}" for e in error.errors(include_url=False)]
        raise ReplyError("wrong shape", "; ".join(problems[:5])) from error


def _json(text: str) -> Any:
    """The JSON value in a reply, also when it is fenced or has words around it."""
    for candidate in _candidates(text):
        with suppress(orjson.JSONDecodeError):
            return orjson.loads(candidate)
    raise ReplyError("not JSON", f"no JSON object in: {text[:120]!r}")


def _candidates(text: str) -> Iterator[str]:
    yield text
    if fenced := _FENCED.search(text):
        yield fenced[1]
    yield text[text.find("{") : text.rfind("}") + 1]
