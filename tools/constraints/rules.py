"""What an instruction can demand of a text that is changed or written, in a form a program can check.

One flat value serves every kind: `kind` says what is demanded, and the few other fields are read only
by the kinds that need them. The model writes it, `constraints.check` holds the answer against it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from agentinstruct.tools.constraints.text import Text

EditKind = Literal[
    "case",
    "sentence_starts",
    "word_starts",
    "forbid_letters",
    "forbid_words",
    "require_words",
    "count",
    "replace_words",
    "remove",
    "same_words",
    "contains_source",
    "unchanged_elsewhere",
    "low_overlap",
    "min_words",
    "max_words",
    "exact_words",
    "min_percent",
    "max_percent",
    "max_sentences",
    "exact_sentences",
    "max_sentence_words",
    "exact_paragraphs",
    "max_word_length",
    "max_syllables",
    "starts_with",
    "ends_with",
    "readability_drops",
    "dates",
    "times",
    "numbers",
    "keep_numbers",
    "spelling",
    "markup",
    "language",
    "two_languages",
    "no_pii",
    "only_output",
]
"""What can be demanded of a change."""
PieceKind = Literal[
    "acrostic",
    "min_lines",
    "max_lines",
    "exact_lines",
    "exact_stanzas",
    "lines_per_stanza",
    "rhyme",
    "syllables_per_line",
    "meter",
    "refrain",
    "dialogue",
    "screenplay",
    "sections",
    "letter",
    "min_characters",
    "max_characters",
    "hashtags",
    "exact_items",
    "max_item_words",
    "point_of_view",
    "anaphora",
    "titled",
]
"""What can be demanded of a piece that is written."""
Kind = Literal[EditKind, PieceKind]

Style = Literal[
    "",
    "upper",
    "lower",
    "title",
    "capitalized",
    "sentence",
    "vowel",
    "consonant",
    "iso",
    "us",
    "eu",
    "long",
    "24h",
    "12h",
    "digits",
    "words",
    "thousands",
    "plain",
    "british",
    "american",
    "emails",
    "urls",
    "brackets",
    "bold",
    "italic",
    "underline",
    "strikethrough",
    "code",
    "bullets",
    "numbered",
    "headings",
    "table",
    "quote",
    "haiku",
    "tanka",
    "iambic",
    "trochaic",
    "email",
    "first",
    "second",
    "third",
]

STYLES: dict[Kind, tuple[Style, ...]] = {
    "case": ("upper", "lower", "title", "capitalized", "sentence"),
    "sentence_starts": ("", "vowel", "consonant"),
    "word_starts": ("", "vowel", "consonant"),
    "remove": ("", "digits", "emails", "urls", "brackets"),
    "dates": ("iso", "us", "eu", "long"),
    "times": ("24h", "12h"),
    "numbers": ("digits", "words", "thousands", "plain"),
    "spelling": ("british", "american"),
    "markup": (
        "bold",
        "italic",
        "underline",
        "strikethrough",
        "code",
        "bullets",
        "numbered",
        "headings",
        "table",
        "quote",
    ),
    "syllables_per_line": ("", "haiku", "tanka"),
    "meter": ("iambic", "trochaic"),
    "letter": ("", "email"),
    "point_of_view": ("first", "second", "third"),
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Swap(_Frozen):
    """One word or phrase and what takes its place."""

    old: str = Field(description="Word or phrase exactly as it stands in the text.")
    new: str = Field(description="What replaces it.")


class Constraint(_Frozen):
    """One demand that the instruction states and a program can check."""

    kind: Kind = Field(description="What is demanded.")
    words: tuple[str, ...] = Field((), description="The letters, words, strings or languages it is about.")
    swaps: tuple[Swap, ...] = Field((), description="For replace_words: what is replaced by what.")
    number: int = Field(0, description="The limit, count, percentage, or n of 'every n-th word'; else 0.")
    style: Style = Field("", description="The variant of the kind, such as upper, iso, 24h, british, bold.")
    rest: Literal["unchanged", "free"] = Field(
        "unchanged", description="For replace_words and remove: may the rest of the text change?"
    )
    scope: Literal["text", "paragraph", "sentence"] = Field(
        "text", description="text, or the one paragraph or sentence that alone is meant."
    )
    position: int = Field(0, description="Which paragraph or sentence: 1 is the first, -1 the last; else 0.")

    def __str__(self) -> str:
        """The demand in one short line, such as `max_words 80` or `case upper (paragraph 2)`."""
        parts = [self.kind, self.style, str(self.number) if self.number else "", ", ".join(self.words)]
        parts.append(", ".join(f"{swap.old} → {swap.new}" for swap in self.swaps))
        if self.scope != "text":
            parts.append(f"({self.scope} {self.position})")
        return " ".join(part for part in parts if part)


class Finding(_Frozen):
    """Whether one constraint holds and, where it does not, the first offending place."""

    constraint: str
    passed: bool
    evidence: str = ""


Rule: TypeAlias = "Callable[[Constraint, Text, Text], str]"
"""(constraint, source, output) → the first offence, or "" when the constraint holds."""
