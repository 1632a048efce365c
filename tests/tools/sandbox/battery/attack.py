"""One attack: source to run inside, and what must come of it besides the world being as it was."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

PRELUDE = """
import errno, os, signal, socket, struct, sys, time, threading
class Absent:
    # what WebAssembly does not have
    def __getattr__(self, name):
        raise OSError(58, "Not supported")
try:
    import ctypes, mmap, resource
    LIBC = ctypes.CDLL(None, use_errno=True)
    LIBC.syscall.restype = ctypes.c_long
except ImportError:
    ctypes = mmap = resource = LIBC = Absent()
X86 = os.uname().machine == "x86_64"
def call(x86, arm, *arguments):
    # a system call by number: what it returns is what the kernel says
    values = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return LIBC.syscall(ctypes.c_long(x86 if X86 else arm), *values)
def reached(result, what=""):
    if result is not None and result is not False and (result is True or result >= 0):
        print("REACHED", what, flush=True)
def attempt(action, *arguments):
    # for Python calls: whatever does not raise got through
    try:
        action(*arguments)
    except (OSError, ValueError, RuntimeError, MemoryError):
        return
    print("REACHED", getattr(action, "__name__", action), flush=True)
"""


@dataclass(frozen=True)
class Attack:
    """`bare`: safe to run with no sandbox, where it must be seen to succeed. `statuses`: how the run may end."""

    name: str
    group: str
    source: str
    bare: bool = False
    statuses: tuple[str, ...] = ("ok", "error", "killed", "memory", "disk")
    limits: dict[str, Any] = field(default_factory=dict)
    judge: Callable[[Any], str] = lambda result: ""
    critical: bool = True


def attacks(group: str, table: dict[str, str], bare: str = "", **settings: Any) -> list[Attack]:
    """Attacks that differ in nothing but name and source; `bare` names those that are harmless enough."""
    assert set(bare.split()) <= set(table), set(bare.split()) - set(table)
    return [Attack(name, group, source, bare=name in bare.split(), **settings) for name, source in table.items()]
