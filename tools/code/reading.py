"""What stands in Python code, read from its text: names it uses, how tangled it is, and it without its comments."""

import ast
import builtins
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_NESTS = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.AsyncFor, ast.AsyncWith, ast.Match)
_BRANCHES = (ast.If, ast.For, ast.While, ast.IfExp, ast.BoolOp, ast.ExceptHandler, ast.match_case, ast.comprehension)


def tree_of(code: str) -> ast.Module | None:
    """The syntax tree, None for what is not Python."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def defined(code: str) -> set[str]:
    """Names of the functions and classes that code defines, methods included."""
    tree = tree_of(code)
    nodes = ast.walk(tree) if tree else ()
    return {node.name for node in nodes if isinstance(node, (*_FUNCTION, ast.ClassDef))}


def entries(code: str) -> list[str]:
    """Names of the functions and classes at the top level, in order."""
    tree = tree_of(code)
    return [node.name for node in tree.body if isinstance(node, (*_FUNCTION, ast.ClassDef))] if tree else []


def imported(code: str) -> set[str]:
    """Top-level modules that code imports."""
    tree = tree_of(code)
    found: set[str] = set()
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def used(code: str) -> set[str]:
    """Every name and attribute that code reads, and the syntax it is made of: `for`, `while`, `recursion`, `lambda`."""
    tree = tree_of(code)
    found: set[str] = set()
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        else:
            found |= {word for kind, word in _SYNTAX.items() if isinstance(node, kind)}
        if isinstance(node, _FUNCTION) and _calls_itself(node):
            found.add("recursion")
    return found


_SYNTAX: dict[type[ast.AST], str] = {ast.For: "for", ast.While: "while", ast.Lambda: "lambda", ast.Try: "try"}


def _calls_itself(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    calls = (inner.func for inner in ast.walk(node) if isinstance(inner, ast.Call))
    return any(isinstance(func, ast.Name) and func.id == node.name for func in calls)


def third_party(code: str) -> list[str]:
    """Imported modules that are not of the standard library; the sandbox has none of them."""
    return sorted(imported(code) - set(sys.stdlib_module_names) - {"solution"})


def known_names(code: str) -> set[str]:
    """Every name that can be said of this code: what it defines and uses, its arguments, and the builtins."""
    tree = tree_of(code)
    nodes = ast.walk(tree) if tree else ()
    arguments = {node.arg for node in nodes if isinstance(node, (ast.arg, ast.keyword)) and node.arg}
    return defined(code) | used(code) | imported(code) | arguments | set(dir(builtins))


@dataclass(frozen=True, slots=True)
class Shape:
    """How tangled code is: each number is worse the higher it is."""

    nesting: int
    longest: int
    """Lines of the longest function."""
    branches: int
    """Of the most branched function."""
    repetition: int
    """Statements that stand there more than once, word for word."""

    def better(self, other: "Shape") -> list[str]:
        """In which respects this is better than the other."""
        return [name for name in self.__slots__ if getattr(self, name) < getattr(other, name)]


def shape_of(code: str) -> Shape:
    """Measured on the code without comments and docstrings."""
    tree = tree_of(bare_code(code))
    if tree is None:
        return Shape(0, 0, 0, 0)
    functions: list[ast.AST] = [node for node in ast.walk(tree) if isinstance(node, _FUNCTION)] or [tree]
    kinds = (ast.Assign, ast.AugAssign, ast.If, ast.For)
    statements = [ast.dump(node) for node in ast.walk(tree) if isinstance(node, kinds)]
    return Shape(
        nesting=max(map(_depth, functions)),
        longest=max(len(ast.unparse(node).splitlines()) for node in functions),
        branches=max(sum(isinstance(inner, _BRANCHES) for inner in ast.walk(node)) for node in functions),
        repetition=len(statements) - len(set(statements)),
    )


def _depth(node: ast.AST) -> int:
    inner = max((_depth(child) for child in ast.iter_child_nodes(node)), default=0)
    return inner + isinstance(node, _NESTS)


def bare_code(code: str) -> str:
    """Python without comments and docstrings, as `ast` writes it; empty if it is not Python."""
    tree = tree_of(code)
    if tree is None:
        return ""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(node, (ast.Module, ast.ClassDef, *_FUNCTION)) and isinstance(body, list) and _documented(node):
            del body[0]
            if not body and not isinstance(node, ast.Module):
                body.append(ast.Pass())
    return ast.unparse(tree)


def _documented(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return ast.get_docstring(node, clean=False) is not None


def undocumented(code: str) -> Iterator[str]:
    """Public functions and classes of some substance that say nothing of themselves."""
    tree = tree_of(code)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, (ast.ClassDef, *_FUNCTION)) and not node.name.startswith("_") and not _documented(node):
            yield node.name
