"""Whether code parses: Python by its own parser, SQL by SQLite, others by their tree-sitter grammar.

A grammar is looked for among the installed ones (extra `split`); without one nothing is said, and the caller decides.
"""

import ast
import json
import warnings
from functools import lru_cache
from importlib import import_module
from typing import Any

_GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "lua": ("tree_sitter_lua", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "ruby": ("tree_sitter_ruby", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "typescript": ("tree_sitter_typescript", "language_tsx"),
}
PARSED = frozenset({"python", "json", *_GRAMMARS})
"""Languages that can be parsed, where their grammar is installed."""
MAX_CODE = 100_000


def parses(code: str, language: str) -> bool | None:
    """Whether the code is well formed; None when nothing here can tell."""
    fault = syntax_fault(code, language)
    return None if fault is None else not fault


def syntax_fault(code: str, language: str) -> str | None:
    """Why code does not parse: empty when it does, None when nothing here can tell."""
    if len(code) > MAX_CODE:
        return f"{len(code)} characters are too many to read"
    if language == "python":
        return _python_fault(code)
    if language == "json":
        return _json_fault(code)
    parser = _parser(language)
    return None if parser is None else _tree_fault(parser.parse(code.encode("utf-8", "replace")).root_node)


def _python_fault(code: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"
    return ""


def _json_fault(code: str) -> str:
    try:
        json.loads(code)
    except (ValueError, RecursionError) as error:
        return str(error)
    return ""


@lru_cache(maxsize=32)
def _parser(language: str) -> Any:
    if language not in _GRAMMARS:
        return None
    try:
        tree_sitter = import_module("tree_sitter")
        module, function = _GRAMMARS[language]
        grammar = getattr(import_module(module), function)()
    except ImportError:
        return None
    return tree_sitter.Parser(tree_sitter.Language(grammar))


def _tree_fault(root: Any) -> str:
    """The first place that the grammar could not read; trees are walked without recursion, they may be deep."""
    waiting = [root] if root.has_error else []
    while waiting:
        node = waiting.pop()
        if node.is_missing or node.type == "ERROR":
            what = f"{node.type} is missing" if node.is_missing else "not understood"
            return f"line {node.start_point[0] + 1}: {what}"
        waiting += [child for child in reversed(node.children) if child.has_error or child.is_missing]
    return ""
