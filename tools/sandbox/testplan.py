"""What there is to run in a file of tests, read from its text: the solution has no say in it."""

import ast
from dataclasses import dataclass
from typing import Literal

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class TestPlan:
    """Names at the top level of the tests that are called after it has run."""

    __test__ = False

    functions: tuple[str, ...]
    classes: tuple[str, ...]
    framework: Literal["plain", "pytest"]


def plan_tests(tests: str) -> tuple[TestPlan | None, str]:
    """The plan, or None and why there is nothing to run."""
    try:
        tree = ast.parse(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return None, f"the tests are not Python: {error}"
    functions = [node for node in tree.body if isinstance(node, _FUNCTION) and node.name.startswith("test")]
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and _holds_tests(node)]
    framework: Literal["plain", "pytest"] = "pytest" if _imports(tree, "pytest") else "plain"
    needy = [function.name for function in functions if _takes_arguments(function)]
    if needy and framework == "plain":
        return None, f"{needy[0]} takes arguments that only pytest could give, which the tests do not import"
    if not functions and not classes and not any(isinstance(node, (ast.Assert, ast.Raise)) for node in ast.walk(tree)):
        return None, "the tests have no assert, no test function and no test class"
    names = tuple(dict.fromkeys(function.name for function in functions))
    return TestPlan(names, tuple(node.name for node in classes), framework), ""


def _holds_tests(node: ast.ClassDef) -> bool:
    return any(isinstance(inner, _FUNCTION) and inner.name.startswith("test") for inner in node.body)


def _takes_arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    arguments = function.args
    return len(arguments.posonlyargs) + len(arguments.args) > len(arguments.defaults)


def _imports(tree: ast.Module, name: str) -> bool:
    imported = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    imported += [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return any(module.partition(".")[0] == name for module in imported)
