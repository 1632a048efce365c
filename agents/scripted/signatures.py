"""The scripted model's reading of signatures: in the lines of source code, and in prose."""

import ast
import re
from collections.abc import Iterable, Iterator
from typing import Any

Found = dict[str, Any]
"""A function as the reply holds it: name, description, parameters, returns, errors."""

TYPES = {
    **dict.fromkeys(
        ("int", "integer", "int64", "int32", "usize", "u32", "u64", "i32", "i64", "long", "short"), "integer"
    ),
    **dict.fromkeys(("float", "number", "double", "float64", "float32", "f64", "f32", "decimal"), "number"),
    **dict.fromkeys(("bool", "boolean"), "boolean"),
    **dict.fromkeys(("list", "tuple", "set", "sequence", "iterable", "array", "vec"), "array"),
    **dict.fromkeys(("dict", "map", "mapping", "object", "record"), "object"),
}
NOT_PASSED = frozenset(
    ("self", "this", "cls", "ctx", "context", "logger", "callback", "action", "key", "cmp", "fn", "func", "args")
)
_NOT_FUNCTIONS = frozenset(
    ("if", "for", "while", "switch", "catch", "return", "function", "constructor", "super", "sizeof", "else")
)
_CALLABLE = {
    "go": r"^func (?:\(\w+ \*?(?P<owner>\w+)[^)]*\) )?(?P<name>[A-Z]\w*)\((?P<given>[^)]*)\)",
    "rust": r"^\s*pub fn (?P<owner>)(?P<name>\w+)(?:<[^>]*>)?\((?P<given>[^)]*)\)",
    "": r"^(?:(?P<owner>)(?:export |default |async |public |static )*(?:def|fun|func|function) "
    r"(?P<name>[a-zA-Z]\w*)|\s+(?:async |public |(?:[\w<>\[\]]+ ))?(?P<method>[a-zA-Z]\w*))"
    r" ?\((?P<given>[^)]*)\)[^;{]{0,60}\{?[ \t]*$",
}
_NAMED = re.compile(r"[A-Za-z0-9]")
_IN_PROSE = re.compile(r"(?<![\w.(])([A-Za-z_][\w.]*)\(((?:[\w*=\[\], .'/:-]|\"[^\"]*\")*)\)")


def documented(text: str) -> list[Found]:
    """The functions whose signatures stand in prose, each with the sentence that stands with it."""
    return once(_in_prose(text))


def words(name: str) -> str:
    """A name as words: `Queue_enqueueAll` as `queue enqueue all`."""
    return " ".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_.]", " ", name).split()).lower()


def once(found: Iterable[Found]) -> list[Found]:
    """The first eight functions, each name once, whose names an API can have."""
    usable = [one for one in found if all(map(_NAMED.search, [one["name"], *(p["name"] for p in one["parameters"])]))]
    return list({one["name"]: one for one in reversed(usable)}.values())[::-1][:8]


def function(name: str, description: str, parameters: list[Found], **more: Any) -> Found:
    """A function of the reply; without words of its own it is described by its name."""
    spoken = words(name)
    meant = f"Converts {spoken}." if " to " in spoken else f"Carries out the operation “{spoken}”."
    return {
        "name": name,
        "description": description or meant,
        "parameters": parameters,
        "returns": "",
        "errors": [],
    } | more


def parameter(name: str, kind: str, default: Any = None, optional: bool = False) -> Found:
    """A parameter of the reply: text where the source says nothing else."""
    return {
        "name": name,
        "type": kind or "string",
        "description": f"The {words(name)}.",
        "required": not optional,
        "items": "string",
        "enum": [],
        "default": default if isinstance(default, str | int | float | bool) else None,
    }


def kind_named(annotation: str) -> str:
    """The JSON type that a type of any language stands for; empty where none is known."""
    outer = re.split(r"[\[<|]", annotation.strip().lstrip("*&?: ").casefold())[0].strip()
    if annotation.strip().startswith("[]") or annotation.strip().endswith("[]"):
        return "array"
    return TYPES.get(outer.split(".")[-1], "")


def first_sentence(text: str) -> str:
    """The first sentence of a comment, on one line."""
    plain = " ".join(text.split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", plain)[0][:240]


def public(name: str) -> bool:
    """Whether a caller is meant to see a name."""
    return not name.startswith(("_", "test")) and name != "main"


def by_lines(text: str, language: str) -> Iterator[Found]:
    """Functions and methods by the shape of their first lines."""
    pattern = re.compile(_CALLABLE.get(language, _CALLABLE[""]), re.MULTILINE)
    owner = ""
    for found in re.finditer(
        rf"(?:^|\n)\s*(?:export |default |public )*class (\w+)|{pattern.pattern}", text, re.MULTILINE
    ):
        owner = found[1] or owner
        parts = found.groupdict()
        name = parts["name"] or parts.get("method") or ""
        if name and name not in _NOT_FUNCTIONS and public(name):
            of = parts["owner"] or (owner if parts.get("method") else "")
            above = _comment_above(text[: found.start()])
            yield function(f"{of}_{name}" if of else name, above, list(_parameters(parts["given"])))


def _comment_above(text: str) -> str:
    lines: list[str] = []
    for line in reversed(text.rstrip().splitlines()):
        if not re.match(r"\s*(?://|/?\*|#)", line):
            break
        lines.insert(0, line.strip().strip("/*# "))
    return first_sentence(" ".join(lines))


def _parameters(given: str) -> Iterator[Found]:
    pending: list[str] = []
    for part in filter(None, (piece.strip(" *&.'[]") for piece in re.split(r"[,/]", given))):
        bare, _, default = part.partition("=")
        name, kind = _name_and_kind(bare.strip())
        if name in NOT_PASSED or not name.isidentifier():
            continue
        if " " not in bare.strip() and ":" not in bare and not default:
            pending.append(name)
            continue
        yield from (parameter(one, kind) for one in pending)
        pending.clear()
        yield parameter(name, kind or _literal_kind(default), _literal(default), optional=bool(default))
    yield from (parameter(one, "") for one in pending)


def _name_and_kind(part: str) -> tuple[str, str]:
    if ":" in part:
        name, _, kind = part.partition(":")
        return name.strip(" ?"), kind_named(kind)
    pieces = part.split()
    if len(pieces) < 2:
        return part, ""
    first, last = pieces[0], pieces[-1]
    return (last, kind_named(first)) if kind_named(first) else (first, kind_named(last))


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, RecursionError):
        return None


def _literal_kind(text: str) -> str:
    return TYPES.get(type(_literal(text)).__name__, "")


def _in_prose(text: str) -> Iterator[Found]:
    for found in _IN_PROSE.finditer(text):
        parameters, name = list(_parameters(found[2])), re.sub(r"^\w\.", "", found[1])
        if name[0].islower() and (parameters or not found[2]):
            after = re.split(r"\n\s*\n\.\.|\n\s*\n\S", text[found.end() :].lstrip(" `\n"), maxsplit=1)[0]
            said = first_sentence(after) if text[: found.start()].endswith(("function:: ", "method:: ")) else ""
            yield function(name.replace(".", "_"), said, parameters)
