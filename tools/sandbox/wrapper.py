"""Runs inside, around solution.py and tests.py: prints the secret when the last test has passed, and not before.

An audit hook ends the run when the solution itself reaches for frames, the collector or foreign code: what could
show it the secret. What is called was named from outside. Little is imported: each run would pay for it.
"""
# pathlib would have to be imported:
# ruff: noqa: PTH109, PTH120, PTH123

import os
import sys
import types
from _thread import get_ident
from collections.abc import Callable

FORGERY = 97
WATCHED = ("sys._getframe", "sys._current_", "sys.settrace", "sys.setprofile", "gc.", "ctypes.", "object.__getattr__")
MADE_WITH = ("__init__", "__new__", "__init_subclass__", "__class__", "__post_init__")


def main(nonce: str, functions: tuple[str, ...], classes: tuple[str, ...], use_pytest: bool, hollow: bool) -> None:
    """Raise what the first failing test raises; print the secret where none fails."""
    write, flush = os.write, sys.stdout.flush
    with open("tests.py", "rb") as stream:  # now: the solution could write another
        text = stream.read()
    execute, code = exec, compile(text, "tests.py", "exec")
    judge = unittest_judge() if classes and not use_pytest else plain_class
    watching = [True]
    sys.addaudithook(watcher(watching, write, os._exit, sys._getframe))
    try:
        import solution  # type: ignore[import-not-found]

        if hollow:
            hollow_out(solution)
        if use_pytest:
            run_pytest(text)
        else:
            tests = namespace(solution)
            execute(code, tests)
            run_named(tests, functions, classes, judge)
        flush()
        write(1, f"\n{nonce}\n".encode())
    finally:
        watching.clear()  # from here on nothing can be won, and a traceback has to be shown


def watcher(
    watching: list[bool],
    write: Callable[[int, bytes], int],
    leave: Callable[[int], None],
    frame: Callable[[int], types.FrameType],
) -> Callable[[str, object], None]:
    """An audit hook that lets the standard library, the given modules, the tests and this file pass."""
    library = os.path.dirname(types.new_class.__code__.co_filename)  # in WebAssembly, that of where it was built
    trusted = ("main.py", "tests.py", *(path for path in sys.path if path != os.getcwd()), library, "<frozen")
    asking: set[int] = set()

    def hook(event: str, arguments: object) -> None:
        if not watching or not event.startswith(WATCHED) or get_ident() in asking:
            return
        asking.add(get_ident())  # to ask for the frame is itself such an event
        caller = frame(1).f_code.co_filename
        asking.discard(get_ident())
        if not caller.startswith(trusted) and not caller.endswith("/tests.py"):
            write(2, f"forgery suspected: the solution reached for {event} {arguments!r:.80}\n".encode())
            leave(FORGERY)

    return hook


def namespace(solution: types.ModuleType) -> dict[str, Callable[[], object]]:
    """The names that tests start with: all of the solution's."""
    tests = types.ModuleType("tests")
    sys.modules["tests"] = tests
    names = vars(tests)
    names.update({name: value for name, value in vars(solution).items() if not name.startswith("__")})
    names["__file__"] = "tests.py"
    return names


def run_named(
    tests: dict[str, Callable[[], object]],
    functions: tuple[str, ...],
    classes: tuple[str, ...],
    judge: Callable[[type], None],
) -> None:
    """The functions, then the classes."""
    for name in functions:
        outcome = tests[name]()
        if isinstance(outcome, types.CoroutineType):
            import asyncio

            asyncio.run(outcome)
    for name in classes:
        judge(tests[name])  # type: ignore[arg-type]


def unittest_judge() -> Callable[[type], None]:
    """Runs a class by unittest, imported before the solution can touch it."""
    import unittest

    case, load, result = unittest.TestCase, unittest.defaultTestLoader.loadTestsFromTestCase, unittest.TestResult()

    def judge(kind: type) -> None:
        if not issubclass(kind, case):
            plain_class(kind)
            return
        before, skipped = result.testsRun, len(result.skipped)
        load(kind).run(result)
        problems = [text for _, text in (*result.errors, *result.failures)]
        ran = result.testsRun - before - (len(result.skipped) - skipped)
        if problems or result.unexpectedSuccesses or not ran:
            raise AssertionError("\n".join(problems) or "no test of the class was run to its end")

    return judge


def plain_class(kind: type) -> None:
    """Each test on an object of its own."""
    for name in [name for name in dir(kind) if name.startswith("test")]:
        instance = kind()
        getattr(instance, "setup_method", bool)()
        getattr(instance, name)()


def run_pytest(text: bytes) -> None:
    """As pytest collects them."""
    import pytest

    with open("tests.py", "wb") as stream:
        stream.write(text)
    if pytest.main(["-q", "-p", "no:cacheprovider", "--tb=short", "tests.py"]) != 0:
        raise AssertionError("pytest reports failures")


def hollow_out(module: types.ModuleType) -> None:
    """Every function returns None, every method too; with neither, every plain value becomes None."""
    own = {name: value for name, value in vars(module).items() if not name.startswith("__")}
    functions = [name for name, value in own.items() if callable(value) and not isinstance(value, type)]
    kinds = [value for value in own.values() if isinstance(value, type) and value.__module__ == module.__name__]
    for name in functions:
        setattr(module, name, nothing)
    for kind in kinds:
        hollow_class(kind)
    for name in () if functions or kinds else own:
        setattr(module, name, None)


def hollow_class(kind: type) -> None:
    """Methods go; of a class that has special methods alone, those but for its making."""
    wrapped = (staticmethod, classmethod, property)
    methods = [name for name, value in vars(kind).items() if callable(value) or isinstance(value, wrapped)]
    plain = [name for name in methods if not name.startswith("__")]
    for name in plain or [name for name in methods if name not in MADE_WITH]:
        setattr(kind, name, nothing)


def nothing(*_: object, **__: object) -> None:
    """What is left of a function."""
