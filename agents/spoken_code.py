"""What a teacher of programming replies: a plan, files of code under real labels, a note; findings; traced output.

Code is asked for in a field of its own, so that a fence is never forgotten and its label is one of a language.
"""

import re
from collections.abc import Sequence
from typing import Self

from pydantic import Field

from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.records import Frozen
from agentinstruct.agents.spoken import IS_JSON, Spoken, parsed
from agentinstruct.tools.code import Block, blocks, fenced, unfenced

_FENCE = re.compile(r"^[ \t]*(?:`{3,}|~{3,})", re.MULTILINE)


class SourceFile(Frozen):
    """One file of code."""

    name: str = Field(description="The file's name such as `main.py`; empty where there is only one file.")
    language: str = Field(min_length=1, description="Its language, as a fence is labelled: python, sql, go …")
    code: str = Field(min_length=1, description="The whole code of the file, without a fence.")

    @property
    def shown(self) -> str:
        """The code in its fence, under its name."""
        block = fenced(unfenced(self.code), (self.language.split() or ["text"])[0].casefold())
        return f"`{self.name.strip('` ')}`:\n\n{block}" if self.name.strip("` ") else block


class Programmed(Spoken):
    """A short plan, the code, and what to know about it."""

    plan: str = Field(description="What is done and why, in two to five sentences; no code block.")
    files: tuple[SourceFile, ...] = Field(min_length=1, max_length=6)
    note: str = Field(description="How to use it, its complexity or its limits, in one to three sentences.")

    @property
    def text(self) -> str:
        """Plan, code, note."""
        return "\n\n".join(filter(None, [self.plan.strip(), *(file.shown for file in self.files), self.note.strip()]))

    @classmethod
    def heard(cls, said: str) -> Self:
        """The parts; of a reply in Markdown, those around its code."""
        if IS_JSON.match(said):
            return parsed(cls, said)
        plan, files, note = _parts(said)
        return cls(plan=plan, files=files, note=note)


class Finding(Frozen):
    """One thing that a reviewer found."""

    line: str = Field(min_length=1, description="The line of code it is about, copied without its indentation.")
    problem: str = Field(min_length=1, description="What is wrong there, what it leads to, and what to do instead.")


class Reviewed(Spoken):
    """What a reviewer found, most serious first, and the code put right."""

    findings: tuple[Finding, ...] = Field(min_length=1, max_length=8)
    files: tuple[SourceFile, ...] = Field(min_length=1, max_length=3)
    note: str = Field(description="What is good or left as it is, in one or two sentences.")

    @property
    def text(self) -> str:
        """Numbered findings, code, note."""
        found = [f"{n}. `{f.line.strip().strip('`')}`: {f.problem.strip()}" for n, f in enumerate(self.findings, 1)]
        return "\n\n".join(filter(None, ["\n".join(found), *(file.shown for file in self.files), self.note.strip()]))

    @classmethod
    def heard(cls, said: str) -> Self:
        """The parts; a review in Markdown has its findings as list items that begin with code."""
        if IS_JSON.match(said):
            return parsed(cls, said)
        plan, files, note = _parts(said)
        listed = re.findall(r"^\s*(?:\d+[.)]|[-*])\s+`([^`\n]+)`[ :—–-]*(.+)$", plan, re.MULTILINE)
        if not listed:
            raise ReplyError(
                "wrong shape", "no list of findings, each beginning with the line it is about in backticks"
            )
        return cls(findings=tuple(Finding(line=a, problem=b) for a, b in listed[:8]), files=files[:3], note=note)


class Traced(Spoken):
    """How a program runs, and all that it prints."""

    steps: str = Field(description="What happens, in the order in which it happens: the values that change.")
    output: str = Field(description="Exactly what is printed, line by line, nothing else.")

    @property
    def text(self) -> str:
        """The steps, and the output in a block of its own."""
        return f"{self.steps.strip()}\n\nOutput:\n\n{fenced(unfenced(self.output), 'text')}".strip()

    @classmethod
    def heard(cls, said: str) -> Self:
        """Both parts; in Markdown the last block is the output."""
        if IS_JSON.match(said):
            return parsed(cls, said)
        plan, files, _ = _parts(said)
        return cls(steps=plan, output=files[-1].code)


class Claim(Frozen):
    """A worked example: an expression on the code, and its value."""

    expression: str = Field(min_length=1, description="A Python expression that calls the code, such as `area(2, 3)`.")
    value: str = Field(min_length=1, description="Its value as Python writes it, such as `6` or `'ab'`.")


class WalkedThrough(Spoken):
    """An explanation of code, with worked examples that can be run."""

    explanation: str = Field(description="What the code does, how, and why so: prose, as long as it needs.")
    examples: tuple[Claim, ...] = Field(min_length=1, max_length=4)

    @property
    def text(self) -> str:
        """The explanation, and the examples as a list."""
        listed = "\n".join(f"- `{one.expression.strip('` ')}` gives `{one.value.strip('` ')}`" for one in self.examples)
        return f"{self.explanation.strip()}\n\nFor example:\n\n{listed}"

    @classmethod
    def heard(cls, said: str) -> Self:
        """Both parts; in Markdown an example is a list item `expression` gives `value`."""
        if IS_JSON.match(said):
            return parsed(cls, said)
        found = re.findall(
            r"^[ \t]*(?:[-*][ \t]*)?`([^`\n]+)`[ \t]+(?:gives|returns|→|->)[ \t]+`([^`\n]+)`", said, re.MULTILINE
        )
        if not found:
            raise ReplyError("wrong shape", "no worked example of the form - `call(…)` gives `value`")
        before = said[: said.rfind("For example:")] if "For example:" in said else said
        return cls(explanation=before.strip(), examples=tuple(Claim(expression=a, value=b) for a, b in found[:4]))


def _parts(said: str) -> tuple[str, tuple[SourceFile, ...], str]:
    """Plan, files and note of a reply in Markdown."""
    found = blocks(said)
    if not found:
        raise ReplyError("wrong shape", "no fenced code block")
    lines = said.splitlines()
    marks = [i for i, line in enumerate(lines) if _FENCE.match(line)]
    plan, note = "\n".join(lines[: marks[0]]), "\n".join(lines[marks[-1] + 1 :])
    return plan.strip(), _files(found), note.strip()


def _files(found: Sequence[Block]) -> tuple[SourceFile, ...]:
    kept = [block for block in found if block.code.strip()][:6]
    if not kept:
        raise ReplyError("wrong shape", "the code block is empty")
    return tuple(SourceFile(name=b.name, language=b.label or "unlabelled", code=b.code) for b in kept)
