"""One job on one backend: its plan, its end, and nothing left behind."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from types import MappingProxyType

from agentinstruct.tools.sandbox import bubblewrap, landlock, wasm_job
from agentinstruct.tools.sandbox.plan import Plan
from agentinstruct.tools.sandbox.results import BackendName, ExecResult, Limits
from agentinstruct.tools.sandbox.supervise import execute
from agentinstruct.tools.sandbox.workfolder import remove

_PLANS: Mapping[BackendName, Callable[[Limits, tuple[Path, ...], int | None], Plan]] = MappingProxyType(
    {"bwrap": bubblewrap.plan, "landlock": landlock.plan}
)


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to start jobs."""

    name: BackendName
    modules: tuple[Path, ...] = ()
    landlock_abi: int | None = None


def run_job(
    backend: Backend, source: bytes, files: Mapping[str, bytes], stdin: bytes, limits: Limits, stop: Event
) -> ExecResult:
    """Raises OSError where the backend cannot even be started."""
    if backend.name == "wasm":
        if backend.modules:
            raise OSError("has the standard library only, and cannot be given packages (Sandbox.modules)")
        return wasm_job.execute(source, files, stdin, limits, stop)
    plan = _PLANS[backend.name](limits, backend.modules, backend.landlock_abi)
    try:
        return execute(plan, source, files, stdin, limits, stop)
    finally:
        if plan.root is not None:
            remove(plan.root)
