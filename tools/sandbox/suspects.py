"""Ways in which a solution could forge its verdict, read from its text. A suspicion, not a proof."""

import ast
from collections.abc import Iterator

_MODULES = {
    "gc": "the collector shows every object, the secret too",
    "inspect": "frames show the secret",
    "ctypes": "memory can be read and written",
    "unittest": "the tests' own assertions can be replaced",
    "pytest": "the tests' own assertions can be replaced",
    "builtins": "what the tests call can be replaced",
    "atexit": "it runs after the tests",
    "traceback": "frames show the secret",
    "importlib": "what the tests import can be replaced",
    "types": "classes can be made whose methods cannot be read here",
    "signal": "it can interrupt the tests",
}
_ATTRIBUTES = {
    **dict.fromkeys(("_getframe", "_current_frames", "f_back", "f_locals", "f_globals", "tb_frame"), "reaches frames"),
    **dict.fromkeys(
        ("gi_frame", "cr_frame", "ag_frame", "tb_next", "exc_info", "_getframemodulename"), "reaches frames"
    ),
    **dict.fromkeys(
        ("settrace", "setprofile", "addaudithook", "excepthook", "displayhook"), "watches or hides the tests"
    ),
    **dict.fromkeys(
        ("modules", "meta_path", "path_hooks", "__builtins__", "__import__"), "can replace what the tests use"
    ),
    **dict.fromkeys(("_exit", "abort", "kill", "killpg"), "ends the process"),
    **dict.fromkeys(("__subclasses__", "__globals__", "__code__", "__closure__"), "reaches what it was not given"),
    "argv": "can see how it was started",
}
_METHODS = {
    **dict.fromkeys(("__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"), "can make any comparison true"),
    **dict.fromkeys(("__instancecheck__", "__subclasscheck__", "__class__"), "can pass for any type"),
    **dict.fromkeys(("__getattribute__", "__getattr__", "__contains__"), "can answer anything"),
}
_CALLS = {
    **dict.fromkeys(("exec", "eval", "compile", "__import__"), "runs text that was not read here"),
    **dict.fromkeys(("globals", "locals", "vars", "setattr", "delattr"), "can replace what the tests use"),
    **dict.fromkeys(("exit", "quit"), "ends the process"),
}
_FILES = ("tests.py", "solution.py", "main.py", "/proc/")


def forgery_suspects(solution: str) -> tuple[str, ...]:
    """What to look at again, each with its line; empty for most honest solutions."""
    try:
        tree = ast.parse(solution)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    found = (f"line {getattr(node, 'lineno', 0)}: {what}" for node in ast.walk(tree) for what in _suspicions(node))
    return tuple(dict.fromkeys(found))


def _suspicions(node: ast.AST) -> Iterator[str]:
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from _imported(node)
    elif isinstance(node, ast.Attribute):
        yield from _named(node.attr, _ATTRIBUTES)
        if isinstance(node.ctx, ast.Store) and _is_foreign(node.value):
            yield f"`{ast.unparse(node)}` is replaced for everyone"
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _named(node.value, _ATTRIBUTES)
        yield from (f"names {file!r}" for file in _FILES if file in node.value)
    elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        yield from _named(node.name, _METHODS)
    elif isinstance(node, ast.Call):
        yield from _called(node)
    elif isinstance(node, ast.Name):
        yield from _named(node.id, {"__builtins__": _ATTRIBUTES["__builtins__"]})
    elif isinstance(node, ast.Assign):
        yield from (f"defines {name}" for name in _names(node) if name in _METHODS)


def _imported(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for module in modules:
        yield from _named(module.partition(".")[0], _MODULES)
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield from _named(alias.name, _ATTRIBUTES)


def _called(node: ast.Call) -> Iterator[str]:
    if isinstance(node.func, ast.Name):
        yield from _named(node.func.id, _CALLS)
        if node.func.id == "type" and len(node.args) == 3:
            yield "makes a class whose methods cannot be read here"
        if node.func.id == "getattr" and len(node.args) > 1 and not isinstance(node.args[1], ast.Constant):
            yield "getattr of a name that is worked out"


def _names(node: ast.Assign) -> list[str]:
    return [target.id for target in node.targets if isinstance(target, ast.Name)]


def _is_foreign(value: ast.expr) -> bool:
    """A module or a class by name, as in `math.floor = …`; not `self.x = …`."""
    return isinstance(value, ast.Name) and value.id in ("sys", "os", "math", "io", "json", "random", "time", "builtins")


def _named(name: str, table: dict[str, str]) -> Iterator[str]:
    if name in table:
        yield f"`{name}` {table[name]}"
