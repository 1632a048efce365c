"""Runs inside, behind the launcher: the code as `__main__`, with its own traceback and none of our frames.

A text of its own, for it is put behind what sets each backend up.
"""
# ruff: noqa: PTH109

import os
import sys
import types


def run(source: bytes, modules: list[str]) -> None:
    """The code as __main__; folders of modules come before its own."""
    sys.argv = ["main.py"]
    sys.path += [*modules, os.getcwd()]
    module = types.ModuleType("__main__")
    module.__dict__.update({"__builtins__": __builtins__, "__file__": "main.py"})
    sys.modules["__main__"] = module
    sys.excepthook = show
    exec(compile(source, "main.py", "exec"), module.__dict__)  # noqa: S102 - what this process is for


def show(kind: type[BaseException], error: BaseException, traceback: types.TracebackType | None) -> None:
    """As usual, from the first frame that is not of this text."""
    while traceback and traceback.tb_frame.f_code.co_filename == "<string>":
        traceback = traceback.tb_next
    sys.__excepthook__(kind, error.with_traceback(traceback), traceback)
