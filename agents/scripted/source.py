"""The scripted model's reading of source code: what can be called, with which parameters, as the code says."""

import ast
import textwrap
import warnings
from collections.abc import Iterator, Mapping

from agentinstruct.agents.scripted.signatures import (
    NOT_PASSED,
    TYPES,
    Found,
    by_lines,
    first_sentence,
    function,
    kind_named,
    once,
    parameter,
    public,
)
from agentinstruct.tools.calculate import CalculateError, check_expression

LONGEST = 400
"""Characters of a formula; names that stand for each other can grow without bound."""


def listed(text: str, language: str) -> list[Found]:
    """The public functions and methods of source code, in its order, each once."""
    if language in ("python", ""):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what Python thinks of a seed's style is nobody's business here
                return once(_python(ast.parse(textwrap.dedent(text))))
        except (SyntaxError, ValueError, RecursionError):
            pass  # a piece of a file need not be whole: read it line by line, like other languages
    return once(by_lines(text, language))


def _python(tree: ast.Module) -> Iterator[Found]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and public(node.name):
            yield _python_function(node, "")
        elif isinstance(node, ast.ClassDef) and public(node.name):
            methods = (m for m in node.body if isinstance(m, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from (_python_function(method, f"{node.name}_") for method in methods if public(method.name))


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
    return function(
        owner + node.name,
        first_sentence(ast.get_docstring(node) or ""),
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
        if one.arg not in NOT_PASSED:
            value = default.value if isinstance(default, ast.Constant) else None
            kind = kind_named(ast.unparse(one.annotation)) if one.annotation else TYPES.get(type(value).__name__, "")
            yield parameter(one.arg, kind, value, optional=default is not None)


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
            if len(ast.unparse(known[target.id])) > LONGEST:
                return ""
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
    return expression if used >= set(names) and len(expression) <= LONGEST else ""
