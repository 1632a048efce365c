"""What flows through a run and what comes out of it: frozen values, each with its provenance.

Seed ─ transform ─ Passage ─ instruct ─ Draft ─ suggest ─ edit ─ Draft … answer ─ verify ─ Record | Dropped
"""

from hashlib import blake2b
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

Role = Literal["transform", "instruct", "suggest", "edit", "answer", "solve", "judge"]
Modality = Literal["prose", "code"]


def content_id(*parts: object) -> str:
    """The first 128 bits of a hash over the parts, in hex: the same parts always give the same id."""
    digest = blake2b(digest_size=16)
    for part in parts:
        data = str(part).encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def content_number(text: str) -> int:
    """The first 64 bits of a hash of a text, as a number: for tables of very many."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Frozen(BaseModel):
    """A value: made once, never changed, with no key that was not asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Seed(Frozen):
    """A piece of a raw document or source file; all a user must give is its text.

    Defaults are named, so that type checkers without a plug-in see them.
    """

    text: str = Field(
        min_length=1,
        title="Text",
        description="The text itself: a few paragraphs of prose, or a piece of source code.",
        examples=["Honey bees tell each other where food is by dancing. The angle of the dance gives the direction …"],
    )
    title: str = Field(default="", title="Title", description="Title of the document, where it has one.")
    source: str = Field(
        default="",
        title="Source",
        description="Where it is from, such as a file's name. A label: nothing is read from it.",
    )
    modality: Modality = Field(default="prose", title="Kind", description="prose, or code for source code.")
    language: str = Field(
        default="",
        title="Language",
        description="ISO 639-1 code of prose, or the programming language of code.",
        examples=["en", "python"],
    )
    licence: str = Field(
        default="unknown",
        title="Licence",
        description="Licence of the source, as far as it says.",
        examples=["CC-BY-4.0"],
    )
    start: int = Field(default=0, ge=0, title="Start", description="First character of the text in its source.")
    end: int = Field(
        default=0, ge=0, title="End", description="One past its last character; found from the text when 0."
    )
    id: str = Field(default="", title="Id", description="Hash of the text; made from it when left empty.")

    @model_validator(mode="before")
    @classmethod
    def _name_and_measure(cls, data: Any) -> Any:
        if isinstance(data, dict) and isinstance(data.get("text"), str):
            text = data["text"]
            data = {**data, "id": data.get("id") or content_id(text)}
            data["end"] = data.get("end") or data.get("start", 0) + len(text)
        return data


class Call(Frozen):
    """One model call: who asked, with which prompt, which model answered, at what price in tokens."""

    agent: str
    role: Role
    prompt: str = Field(description="`file@fingerprint` of the prompt.")
    model: str
    key: str = Field("", description="The call's content address in the journal.")
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    repairs: int = Field(0, description="How often the reply had to be asked for again.")


class Passage(Frozen):
    """A seed rewritten into the shape a skill writes its instructions from."""

    text: str
    transform: str
    data: dict[str, Any] = Field({}, description="The transform's whole reply, where its shape has more than a text.")
    calls: tuple[Call, ...] = ()


class ToolUse(Frozen):
    """One call of a tool that the teacher made while answering."""

    tool: str
    input: str
    output: str


class Message(Frozen):
    """One turn in the form every trainer reads (OpenAI chat format)."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str
    tool_calls: tuple[dict[str, Any], ...] = ()
    tool_call_id: str = ""
    name: str = ""

    def wire(self) -> dict[str, Any]:
        """The turn as a plain dict, without the keys it does not use."""
        turn: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.tool_calls or self.tool_call_id or self.name:
            turn |= self.model_dump(exclude_defaults=True, exclude={"role", "content"})
        return turn


class Verdict(Frozen):
    """What one check found: whether it holds, on what evidence, and how strong that evidence is."""

    check: str
    passed: bool
    kind: Literal["exact", "run", "model", "person"] = Field(
        "exact",
        description="How it was found: computed, by running a sandbox or a solver, asking a model or a person.",
    )
    evidence: str = ""


class Item(Frozen):
    """What a writer agent wrote, arranged by the program: options shuffled and labelled, the key computed."""

    form: str
    question: str
    options: str = Field("", description="The labelled block shown under the question, if the form has one.")
    key: str = Field("", description="The expected final answer in canonical form.")
    passage: str = Field("", description="The text that is shown, where the item brings one of its own.")
    output: str = Field("", description="The format that the reply is asked for in, where its form has several.")
    notes: str = Field("", description="What stands behind the item and users do not see: evidence, constraints.")
    written: dict[str, Any] = Field(description="The writer's own reply, as its form reads it.")

    @property
    def view(self) -> str:
        """The item as suggester and editor see it."""
        key = f"Key: {self.key}" if self.key else ""
        return "\n".join(part for part in (self.question, self.options, key, self.notes) if part)


class Suggestion(Frozen):
    """One way to refine a draft, as the suggester put it."""

    draft_id: str
    goal: str
    ordinal: int
    text: str
    calls: tuple[Call, ...] = ()


class Draft(Frozen):
    """One instruction on its way to becoming a record."""

    id: str
    category: str
    transform: str
    passage: str
    item: Item
    depth: int = 0
    parent: str = ""
    goal: str = ""
    outcome: Literal["original", "kept", "flipped", "unanswerable"] = "original"
    suggestion: str = ""
    messages: tuple[Message, ...] = Field((), description="What the user sees; the answers join as they are written.")
    tools: tuple[dict[str, Any], ...] = ()
    said: dict[str, Any] = Field({}, description="The teacher's reply, field by field.")
    trace: tuple[ToolUse, ...] = Field((), description="The tools it called on the way to that reply.")
    verdicts: tuple[Verdict, ...] = ()
    calls: tuple[Call, ...] = ()

    @property
    def response(self) -> str:
        """The teacher's last word, or nothing yet."""
        return self.messages[-1].content if self.messages and self.messages[-1].role == "assistant" else ""

    @property
    def request(self) -> str:
        """The (first) user turn."""
        return next((message.content for message in self.messages if message.role == "user"), "")


class Dropped(Frozen):
    """A seed's or a draft's end, with the stage and the reason: nothing disappears silently."""

    skill: str
    seed_id: str
    stage: str
    reason: str
    detail: str = ""
    category: str = ""
    transform: str = ""
    draft_id: str = Field("", description="The draft's own id; empty where there was none yet.")
    parent: str = Field("", description="The draft it was to refine.")
    source: str = ""
    verdicts: tuple[Verdict, ...] = ()
    calls: tuple[Call, ...] = ()


class Review(Frozen):
    """What a person made of a record."""

    action: Literal["accept", "edit"]
    by: str = ""
    reason: str = ""
    original: tuple[Message, ...] = Field((), description="Its messages before the edit, which the checks had seen.")


class Record(Frozen):
    """One row of the dataset, with its whole lineage."""

    id: str
    messages: tuple[Message, ...]
    tools: tuple[dict[str, Any], ...] = ()
    skill: str
    split: str
    category: str
    transform: str
    form: str
    item: str = Field("", description="Hash of what is asked: the same item has the same one in every layout.")
    seed_id: str
    source: str
    start: int
    end: int
    licence: str
    language: str
    context: str = Field("", description="The passage, text or API list the instruction is about.")
    key: str = Field("", description="The verified answer, where the form has one.")
    depth: int = Field(0, description="How many refinements lie between this item and its original.")
    parent: str = ""
    goal: str = ""
    suggestion: str = ""
    accepted: bool = Field(description="Whether every check of the skill's policy passed, or a person accepted it.")
    trace: tuple[ToolUse, ...] = Field((), description="The tools the teacher called on the way to its answer.")
    verdicts: tuple[Verdict, ...] = ()
    calls: tuple[Call, ...] = ()
    review: Review | None = Field(None, description="Who looked at it and what they did, where anybody did.")

    def row(self) -> dict[str, Any]:
        """The record as written to JSONL: messages in their shortest wire form."""
        unlike = {"messages", *(name for name in ("tools", "review") if not getattr(self, name))}
        messages = [message.wire() for message in self.messages]
        data = self.model_dump(mode="json", exclude=unlike)
        return {"id": data.pop("id"), "messages": messages, **data}
