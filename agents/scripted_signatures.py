"""The scripted model's reading of source code: what can be called, with which parameters, as the code says."""

import ast
import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agentinstruct.tools.calculate import CalculateError, check_expression

Found = dict[str, Any]
"""A function as the reply holds it: name, description, parameters, returns, errors."""

_TYPES = {
    **dict.fromkeys(
        ("int", "integer", "int64", "int32", "usize", "u32", "u64", "i32", "i64", "long", "short"), "integer"
    ),
    **dict.fromkeys(("float", "number", "double", "float64", "float32", "f64", "f32", "decimal"), "number"),
    **dict.fromkeys(("bool", "boolean"), "boolean"),
    **dict.fromkeys(("list", "tuple", "set", "sequence", "iterable", "array", "vec"), "array"),
    **dict.fromkeys(("dict", "map", "mapping", "object", "record"), "object"),
}
_NOT_PASSED = frozenset(
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
_IN_PROSE = re.compile(r"(?<![\w.(])([A-Za-z_][\w.]*)\(((?:[\w*=\[\], .'/:-]|\"[^\"]*\")*)\)")


def listed(text: str, language: str) -> list[Found]:
    """The public functions and methods of source code, in its order, each once."""
    if language in ("python", ""):
        try:
            return _once(_python(ast.parse(textwrap.dedent(text))))
        except (SyntaxError, ValueError, RecursionError):
            pass  # a piece of a file need not be whole: read it line by line, like other languages
    return _once(_by_lines(text, language))


def documented(text: str) -> list[Found]:
    """The functions whose signatures stand in prose, each with the sentence that stands with it."""
    return _once(_in_prose(text))


def words(name: str) -> str:
    """A name as words: `Queue_enqueueAll` as `queue enqueue all`."""
    return " ".join(re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[_.]", " ", name).split()).lower()


def _once(found: Iterable[Found]) -> list[Found]:
    return list({one["name"]: one for one in reversed(list(found))}.values())[::-1][:8]


def _function(name: str, description: str, parameters: list[Found], **more: Any) -> Found:
    spoken = words(name)
    meant = f"Converts {spoken}." if " to " in spoken else f"Carries out the operation “{spoken}”."
    return {
        "name": name,
        "description": description or meant,
        "parameters": parameters,
        "returns": "",
        "errors": [],
    } | more


def _parameter(name: str, kind: str, default: Any = None, optional: bool = False) -> Found:
    return {
        "name": name,
        "type": kind or "string",
        "description": f"The {words(name)}.",
        "required": not optional,
        "items": "string",
        "enum": [],
        "default": default if isinstance(default, str | int | float | bool) else None,
    }


def _kind(annotation: str) -> str:
    outer = re.split(r"[\[<|]", annotation.strip().lstrip("*&?: ").casefold())[0].strip()
    if annotation.strip().startswith("[]") or annotation.strip().endswith("[]"):
        return "array"
    return _TYPES.get(outer.split(".")[-1], "")


def _first_sentence(text: str) -> str:
    plain = " ".join(text.split())
    return re.split(r"(?<=[.!?]) (?=[A-Z])", plain)[0][:240]


# --- Python, by its grammar


def _python(tree: ast.Module) -> Iterator[Found]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _public(node.name):
            yield _python_function(node, "")
        elif isinstance(node, ast.ClassDef) and _public(node.name):
            methods = (m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from (_python_function(method, f"{node.name}_") for method in methods if _public(method.name))


def _public(name: str) -> bool:
    return not name.startswith(("_", "test")) and name != "main"


def _python_function(node: ast.FunctionDef | ast.AsyncFunctionDef, owner: str) -> Found:
    raised = (step.exc for step in ast.walk(node) if isinstance(step, ast.Raise))
    names = [ast.unparse(error.func) for error in raised if isinstance(error, ast.Call)]
    figures = _reckoned_with(node)
    parameters = [
        {**one, "type": "number"} if one["name"] in figures and one["type"] == "string" else one
        for one in _python_parameters(node.args)
    ]
    worked_out = _formula(node, [one["name"] for one in parameters])
    shown = f"The value of `{worked_out}`." if worked_out else ast.unparse(node.returns) if node.returns else ""
    return _function(
        owner + node.name,
        _first_sentence(ast.get_docstring(node) or ""),
        parameters,
        returns=shown,
        errors=[f"Raises {name}." for name in dict.fromkeys(names)],
    )


def _reckoned_with(node: ast.AST) -> set[str]:
    """Names that the code multiplies, divides or subtracts: whatever else they are, they are numbers."""
    sums = [n for n in ast.walk(node) if isinstance(n, ast.BinOp) and isinstance(n.op, ast.Mult | ast.Div | ast.Sub)]
    return {side.id for one in sums for side in (one.left, one.right) if isinstance(side, ast.Name)}


def _python_parameters(given: ast.arguments) -> Iterator[Found]:
    positional = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [*[None] * (len(positional) - len(given.defaults)), *given.defaults]
    for one, default in zip([*positional, *given.kwonlyargs], [*defaults, *given.kw_defaults], strict=True):
        if one.arg not in _NOT_PASSED:
            value = default.value if isinstance(default, ast.Constant) else None
            kind = _kind(ast.unparse(one.annotation)) if one.annotation else _TYPES.get(type(value).__name__, "")
            yield _parameter(one.arg, kind, value, optional=default is not None)


class _Inlined(ast.NodeTransformer):
    def __init__(self, known: Mapping[str, ast.expr]) -> None:
        self._known = known

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self._known.get(node.id, node)

    def visit_Tuple(self, node: ast.Tuple) -> ast.expr:
        return ast.List([self.visit(part) for part in node.elts], ast.Load())


def _formula(node: ast.FunctionDef | ast.AsyncFunctionDef, names: list[str]) -> str:
    """What a function without branches returns, as one expression over its parameters; empty if there is none."""
    known: dict[str, ast.expr] = {}
    for step in node.body[1 if ast.get_docstring(node) else 0 :]:
        if isinstance(step, ast.Assign) and isinstance(target := step.targets[0], ast.Name):
            known[target.id] = _Inlined(known).visit(step.value)
        elif isinstance(step, ast.Return) and step.value and names:
            return _allowed(ast.unparse(_Inlined(known).visit(step.value)), names)
        else:
            return ""
    return ""


def _allowed(expression: str, names: list[str]) -> str:
    try:
        check_expression(expression, names)
    except CalculateError:
        return ""
    used = {n.id for n in ast.walk(ast.parse(expression)) if isinstance(n, ast.Name)}
    return expression if used >= set(names) and len(expression) <= 400 else ""


# --- other languages, and prose, by their shape


def _by_lines(text: str, language: str) -> Iterator[Found]:
    pattern = re.compile(_CALLABLE.get(language, _CALLABLE[""]), re.MULTILINE)
    owner = ""
    for found in re.finditer(
        rf"(?:^|\n)\s*(?:export |default |public )*class (\w+)|{pattern.pattern}", text, re.MULTILINE
    ):
        owner = found[1] or owner
        parts = found.groupdict()
        name = parts["name"] or parts.get("method") or ""
        if name and name not in _NOT_FUNCTIONS and _public(name):
            of = parts["owner"] or (owner if parts.get("method") else "")
            above = _comment_above(text[: found.start()])
            yield _function(f"{of}_{name}" if of else name, above, list(_parameters(parts["given"])))


def _comment_above(text: str) -> str:
    lines: list[str] = []
    for line in reversed(text.rstrip().splitlines()):
        if not re.match(r"\s*(?://|/?\*|#)", line):
            break
        lines.insert(0, line.strip().strip("/*# "))
    return _first_sentence(" ".join(lines))


def _parameters(given: str) -> Iterator[Found]:
    pending: list[str] = []
    for part in filter(None, (piece.strip(" *&.'[]") for piece in re.split(r"[,/]", given))):
        bare, _, default = part.partition("=")
        name, kind = _name_and_kind(bare.strip())
        if name in _NOT_PASSED or not name.isidentifier():
            continue
        if " " not in bare.strip() and ":" not in bare and not default:
            pending.append(name)
            continue
        yield from (_parameter(one, kind) for one in pending)
        pending.clear()
        yield _parameter(name, kind or _literal_kind(default), _literal(default), optional=bool(default))
    yield from (_parameter(one, "") for one in pending)


def _name_and_kind(part: str) -> tuple[str, str]:
    if ":" in part:
        name, _, kind = part.partition(":")
        return name.strip(" ?"), _kind(kind)
    pieces = part.split()
    if len(pieces) == 1:
        return part, ""
    first, last = pieces[0], pieces[-1]
    return (last, _kind(first)) if _kind(first) else (first, _kind(last))


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError):
        return None


def _literal_kind(text: str) -> str:
    return _TYPES.get(type(_literal(text)).__name__, "")


def _in_prose(text: str) -> Iterator[Found]:
    for found in _IN_PROSE.finditer(text):
        parameters, name = list(_parameters(found[2])), re.sub(r"^\w\.", "", found[1])
        if name[0].islower() and (parameters or not found[2]):
            after = re.split(r"\n\s*\n\.\.|\n\s*\n\S", text[found.end() :].lstrip(" `\n"), maxsplit=1)[0]
            said = _first_sentence(after) if text[: found.start()].endswith(("function:: ", "method:: ")) else ""
            yield _function(name.replace(".", "_"), said, parameters)
