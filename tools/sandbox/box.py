"""The sandbox: requests checked, a backend that has proved itself, a job, its result."""

import asyncio
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from threading import Event
from types import MappingProxyType

from agentinstruct.tools.sandbox.choice import doubt, ready
from agentinstruct.tools.sandbox.jobs import Backend, run_job
from agentinstruct.tools.sandbox.results import BackendName, ExecResult, Limits, SandboxGone

MAX_SOURCE = 1 << 20
MAX_FILES = 256
MAX_INPUT = 16 << 20
TRIES = 3
"""Of a job that never ran, or that somebody else ended."""

_NO_FILES: Mapping[str, str | bytes] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sandbox:
    """How code is run here: the program's configuration, never a request's."""

    modules: tuple[Path, ...] = ()
    """Folders of packages that the code may import, read-only; an environment made for this, not the program's own."""
    backend: BackendName | None = None
    """Only this one; None takes the strongest that works."""
    landlock_abi: int | None = None
    """Use Landlock as a kernel with this version would have it."""

    def run(
        self,
        source: str,
        *,
        files: Mapping[str, str | bytes] = _NO_FILES,
        stdin: bytes = b"",
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
        stop: Event | None = None,
    ) -> ExecResult:
        """Run Python source; `files` are put into its work folder first, and `stop` ends it early.

        What the sandbox itself does to a job is not the code's doing: it is tried again, in another one if need be.

        Raises ValueError for a request that is malformed, SandboxUnavailable where nothing can hold the code,
        SandboxGone where nothing can any longer.
        """
        code, given = _checked(source, files, stdin, limits)
        stop = stop or Event()
        for _ in range(TRIES):
            began, chosen = time.monotonic(), ready(self.backend, self.modules, self.landlock_abi)
            result = _outcome(chosen, code, given, stdin, limits, stop)
            if isinstance(result, ExecResult) and (stop.is_set() or not _cut_short(result)):
                return result
            why = result if isinstance(result, str) else "a job could not be set up"
            if isinstance(result, str) or result.status == "setup_failed":
                doubt(chosen, began, why)
        if isinstance(result, str) or result.status == "setup_failed":
            raise SandboxGone(f"The {chosen.name} sandbox cannot be started: {why}.")
        return result

    async def arun(
        self,
        source: str,
        *,
        files: Mapping[str, str | bytes] = _NO_FILES,
        stdin: bytes = b"",
        limits: Limits = Limits(),  # noqa: B008 - a frozen value
    ) -> ExecResult:
        """As `run`, in a thread; the job is killed where the task is cancelled."""
        stop = Event()
        try:
            return await asyncio.to_thread(self.run, source, files=files, stdin=stdin, limits=limits, stop=stop)
        finally:
            stop.set()


def _cut_short(result: ExecResult) -> bool:
    """Whether it may be no fault of the code's that it did not run to its end."""
    return result.status == "setup_failed" or (result.status == "killed" and result.returncode == -signal.SIGKILL)


def _outcome(
    backend: Backend, code: bytes, files: dict[str, bytes], stdin: bytes, limits: Limits, stop: Event
) -> ExecResult | str:
    """The job's result, or why it could not even be started."""
    try:
        return run_job(backend, code, files, stdin, limits, stop)
    except OSError as error:
        return str(error)


def run_python(
    source: str,
    *,
    files: Mapping[str, str | bytes] = _NO_FILES,
    stdin: bytes = b"",
    limits: Limits = Limits(),  # noqa: B008 - a frozen value
    sandbox: Sandbox = Sandbox(),
) -> ExecResult:
    """Run untrusted Python source; see `Sandbox.run`."""
    return sandbox.run(source, files=files, stdin=stdin, limits=limits)


async def arun_python(
    source: str,
    *,
    files: Mapping[str, str | bytes] = _NO_FILES,
    stdin: bytes = b"",
    limits: Limits = Limits(),  # noqa: B008 - a frozen value
    sandbox: Sandbox = Sandbox(),
) -> ExecResult:
    """Run untrusted Python source from an event loop, which goes on meanwhile; see `Sandbox.arun`."""
    return await sandbox.arun(source, files=files, stdin=stdin, limits=limits)


def _checked(
    source: str, files: Mapping[str, str | bytes], stdin: bytes, limits: Limits
) -> tuple[bytes, dict[str, bytes]]:
    code = source.encode("utf-8", "surrogatepass")
    if len(code) > MAX_SOURCE:
        raise ValueError(f"The source has {len(code)} bytes; {MAX_SOURCE} are allowed.")
    given = {_relative(name): data.encode() if isinstance(data, str) else bytes(data) for name, data in files.items()}
    if folders := {str(folder) for name in given for folder in PurePosixPath(name).parents} & given.keys():
        raise ValueError(f"The name {min(folders)!r} is given to a file and to a folder with files in it.")
    if len(given) > MAX_FILES or len(stdin) > MAX_INPUT:
        raise ValueError(f"At most {MAX_FILES} files and {MAX_INPUT} bytes of stdin are allowed.")
    if sum(map(len, given.values())) > limits.disk_mb << 20:
        raise ValueError(f"The files together are larger than the {limits.disk_mb} MB of disk that the run may use.")
    return code, given


def _relative(name: str) -> str:
    parts = name.split("/")
    printable = name.isprintable() and len(name.encode()) <= 255
    if not printable or any(part in ("", ".", "..") for part in parts) or set(name) & set("\\:"):  # as Windows reads it
        raise ValueError(f"The file name {name!r} is not a plain relative path; give one such as 'data/input.csv'.")
    return name
