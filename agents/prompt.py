"""A prompt: Markdown with front matter, checked when it is loaded, known by the hash of its text.

    ---
    description: …            front matter: what it is for, who answers, what it may be given
    role: instruct
    inputs: [passage, category]
    ---
    # system                  stable text first, so that a provider's prefix cache can serve it
    # user                    the material, then what varies
    # example                 any number; one is drawn per call, so that no single example sets the style

Templates are Jinja2 in a sandbox. What a run puts into them (seed text, model output) enters only as a
value: it is never itself rendered, and `tagged` keeps it apart from the instructions around it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import sha256
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import orjson
from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict, Field

from agentinstruct.agents.errors import PromptError
from agentinstruct.agents.files import MakeError, checked, nearest, read_text, read_yaml
from agentinstruct.agents.records import Role

_GAP = r"[\s\x00-\x1f\u200b-\u200f\u2060\ufeff]*"
"""What a reader does not see between `<` and a tag's name."""
SECTIONS = ("system", "user", "example")
_TOLD = ("system", "user")
_MARKED = re.compile(r"\{[{%#]")
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n(.*?)\n---\n(.*)\Z", re.DOTALL)


Section = tuple[int, str]
"""A section's first line in the file, and its text."""


class FrontMatter(BaseModel):
    """What a prompt file says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    description: str = Field(min_length=1)
    role: Role
    inputs: tuple[str, ...] = ()
    temperature: float = Field(0.7, ge=0, le=2)
    max_tokens: int = Field(1024, ge=16, le=32768)


@dataclass(frozen=True)
class Prompt:
    """What one agent is told."""

    name: str
    front: FrontMatter
    system: "Filling | str | None"
    """A section in which nothing varies is its text."""
    user: "Filling | str"
    examples: tuple[str, ...]
    fingerprint: str

    @cached_property
    def label(self) -> str:
        """How records name it: `file@fingerprint`."""
        return f"{self.name}@{self.fingerprint}"

    def render(self, inputs: Mapping[str, Any], draw: Random | str) -> list[dict[str, str]]:
        """The chat messages for these inputs; `draw`, or a generator of that seed, picks the example."""
        values = dict(inputs)
        if self.examples:
            values["example"] = (Random(draw) if isinstance(draw, str) else draw).choice(self.examples)
        try:
            parts = [("system", self.system), ("user", self.user)]
            return [{"role": role, "content": filled(part, values)} for role, part in parts if part is not None]
        except (TemplateError, TypeError, ValueError, ArithmeticError) as error:
            raise PromptError(f"{self.name}: cannot be rendered: {error}. Correct the template.") from error


class Filling:
    """A template that was checked when it was read, and is compiled when it is first filled in."""

    def __init__(self, source: str) -> None:
        self._source = source

    @cached_property
    def _template(self) -> Template:
        code = compile(self._source, "<template>", "exec")
        return Template.from_code(ENVIRONMENT, code, dict(ENVIRONMENT.globals))

    def fill(self, values: Mapping[str, Any]) -> str:
        """The text with these values; `Template.render` would copy them three times."""
        context = ENVIRONMENT.context_class(ENVIRONMENT, {**ENVIRONMENT.globals, **values}, None, {})
        return "".join(self._template.root_render_func(context)).strip()


def filled(part: Filling | str, values: Mapping[str, Any]) -> str:
    """A part of a prompt with these values; one in which nothing varies is its text."""
    return part if isinstance(part, str) else part.fill(values)


def tagged(text: object, name: str) -> str:
    """Untrusted text between tags of this name; a tag of that name inside it is defused."""
    inner = str(text)
    if not inner.isascii():
        inner = inner.encode("utf-8", "replace").decode()
    if "<" in inner:
        inner = _tag(name).sub(r"‹\1", inner)
    return f"<{name}>\n{inner}\n</{name}>"


@lru_cache(maxsize=256)
def _tag(name: str) -> re.Pattern[str]:
    return re.compile(rf"<({_GAP}/?{_GAP}{re.escape(name)}\b)", re.IGNORECASE)


def as_json(value: object) -> str:
    """A value as indented JSON; Pydantic values and tuples of them included."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_INDENT_2).decode()


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_defaults=True)
    raise TypeError(f"{type(value).__name__} has no JSON form")


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
    )
    environment.filters["tagged"] = tagged
    environment.filters["json"] = as_json
    return environment


class _Writer(CodeGenerator):
    """Writes a template's Python code, and down which of its variables come from outside."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.used: set[str] = set()

    def enter_frame(self, frame: Frame) -> None:
        """A scope begins: what it takes from outside is used."""
        super().enter_frame(frame)
        taken = (name for action, name in frame.symbols.loads.values() if action == "resolve" and name)
        self.used |= {name for name in taken if name not in self.environment.globals}


ENVIRONMENT = _environment()


def compile_template(
    text: str, where: str, allowed: set[str] | frozenset[str], *, line: int = 1, error: MakeError = PromptError
) -> tuple[Filling, set[str]]:
    """The template, whose first line is this one of its file, and the variables it uses.

    Raises:
        PromptError, or what `error` makes: bad syntax, another template asked for, or a variable that is not allowed.
    """
    try:
        tree = ENVIRONMENT.parse(text)
        referenced = any(True for _ in meta.find_referenced_templates(tree))
        code = StringIO()
        writer = _Writer(ENVIRONMENT, None, None, code)
        writer.visit(tree)
        used, template = writer.used, Filling(code.getvalue())
    except TemplateSyntaxError as cause:
        raise error(f"{where}, line {cause.lineno + line - 1}: {cause.message}. Correct the template.") from cause
    if referenced:
        raise error(f"{where}: a template cannot include, import or extend another one. Write the text out.")
    if extra := sorted(used - allowed):
        hint = nearest(extra[0], list(allowed)) if allowed else " It is given nothing."
        raise error(f"{where}: the template uses {extra[0]!r}, which it is not given.{hint}")
    return template, used


def load_prompt(path: Path, name: str) -> Prompt:
    """Read and check one prompt file.

    Raises:
        PromptError: the file is missing or not of the form above; says where and what to do.
    """
    return _prompt_of(read_text(path, PromptError), name)


@lru_cache(maxsize=1024)
def _prompt_of(text: str, name: str) -> Prompt:
    """The prompt in a file's text; skills that share a file share it."""
    match = _FRONT_MATTER.match(text)
    if not match:
        raise PromptError(
            f"{name}: no front matter. Begin the file with a `---` block holding description, role, inputs."
        )
    front = checked(FrontMatter, read_yaml(match[1], name, PromptError), name, PromptError)
    sections = _sections(match[2], name, 1 + text.count("\n", 0, match.start(2)))
    compiled = {key: _compiled(*sections[key][0], name, _allowed(front, sections)) for key in _TOLD if sections[key]}
    used = set().union(*(variables for _, variables in compiled.values()))
    if unused := set(front.inputs) - used:
        raise PromptError(
            f"{name}: `inputs:` declares {sorted(unused)}, which the template never uses. Make the two agree."
        )
    fingerprint = sha256(text.encode()).hexdigest()[:12]
    examples = tuple(content for _, content in sections["example"])
    system = compiled["system"][0] if "system" in compiled else None
    return Prompt(name, front, system, compiled["user"][0], examples, fingerprint)


def _compiled(line: int, text: str, name: str, allowed: set[str]) -> tuple[Filling | str, set[str]]:
    """A section as a template, or as it is where it holds no tag of one."""
    return compile_template(text, name, allowed, line=line) if _MARKED.search(text) else (text.strip(), set())


def _allowed(front: FrontMatter, sections: Mapping[str, list[Section]]) -> set[str]:
    return set(front.inputs) | ({"example"} if sections["example"] else set())


def _sections(body: str, name: str, line: int) -> dict[str, list[Section]]:
    headings = list(_HEADING.finditer(body))
    if stray := body[: headings[0].start() if headings else None].strip():
        raise PromptError(f"{name}: {stray[:40]!r} stands in no section. Put it under `# system` or `# user`.")
    ends = [heading.start() for heading in headings[1:]] + [len(body)]
    sections: dict[str, list[Section]] = {key: [] for key in SECTIONS}
    for heading, end in zip(headings, ends, strict=True):
        if heading[1] not in sections:
            raise PromptError(
                f"{name}: unknown section `# {heading[1]}`. Use `# system`, `# user`, `# example`; `##` inside them."
            )
        content = body[heading.end() : end]
        start = heading.end() + len(content) - len(content.lstrip())
        sections[heading[1]].append((line + body.count("\n", 0, start), content.strip()))
    if len(sections["user"]) != 1 or len(sections["system"]) > 1:
        raise PromptError(f"{name}: needs exactly one `# user` section and at most one `# system` section.")
    return sections
