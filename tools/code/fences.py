"""Fenced code in a Markdown text: the blocks, their labels, and the file names in front of them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agentinstruct.tools.code.languages import language_of

_OPEN = re.compile(r"^(?P<indent>[ \t]{0,6})(?P<fence>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$")
_NAME = re.compile(r"[`*\"'#/ ]*(?P<name>[\w-]+(?:/[\w-]+)*\.[A-Za-z0-9]{1,6})[`*\"':]*[ \t]*:?[ \t]*$")
MAX_BLOCKS = 40


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `label` as written, `name` that of its file if told."""

    label: str
    code: str
    name: str = ""

    @property
    def language(self) -> str:
        """The real language behind the label; empty for one that nobody uses."""
        return language_of(self.label)


def blocks(text: str) -> tuple[Block, ...]:
    """The fenced blocks of a text, in order; one that is never closed ends with the text."""
    found: list[Block] = []
    lines = iter(text.splitlines())
    before = ""
    for line in lines:
        opened = _OPEN.match(line)
        if not opened:
            before = line if line.strip() else before
            continue
        inside = _inside(lines, opened["fence"], len(opened["indent"]))
        found.append(_block(opened["info"], inside, before))
        before = ""
        if len(found) == MAX_BLOCKS:
            break
    return tuple(found)


def _inside(lines: Iterator[str], fence: str, indent: int) -> list[str]:
    close = re.compile(rf"[ \t]{{0,6}}{re.escape(fence[0])}{{{len(fence)},}}[ \t]*$")
    inside: list[str] = []
    for line in lines:
        if close.match(line):
            break
        inside.append(line[indent:] if not line[:indent].strip() else line)
    return inside


def _block(info: str, inside: list[str], before: str) -> Block:
    label = re.split(r"[\s{,:]", info.strip(), maxsplit=1)[0]
    first = inside[0] if inside else ""
    comment = re.match(r"\s*(?:#|//|--|<!--)\s*(?:file(?:name)?:\s*)?", first)
    named = _NAME.fullmatch(first[comment.end() :].removesuffix("-->").strip()) if comment else None
    named = named or _NAME.search(before)
    return Block(label, "\n".join(inside), named["name"] if named else "")


def fenced(code: str, label: str = "python") -> str:
    """Code in a fence that it cannot close."""
    runs = [len(run) for run in re.findall(r"^\s*(`{3,})", code, re.MULTILINE)]
    fence = "`" * max([3, *(run + 1 for run in runs)])
    return f"{fence}{label}\n{code.rstrip()}\n{fence}"


def unfenced(code: str) -> str:
    """Code without the one fence around it, and with line breaks where they were spelt out as in JSON."""
    text = str(code).strip("\n")
    found = blocks(text) if _OPEN.match(text.lstrip().split("\n", 1)[0]) else ()
    text = found[0].code if len(found) == 1 else text
    return text.replace("\\n", "\n").replace('\\"', '"') if "\n" not in text and text.count("\\n") > 1 else text


def label_fault(text: str) -> str:
    """What is wrong with the fences of a text: a label that nobody uses, or none; empty where all are well."""
    for block in blocks(text):
        if not block.label:
            return f"a code block without a language: {block.code[:60]!r}"
        if not block.language:
            return f"{block.label!r} is no language that exists"
    return ""
