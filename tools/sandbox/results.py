"""What goes into a run and what comes out of it: limits, results and the refusal to run."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Literal

Status = Literal["ok", "error", "timeout", "memory", "output", "disk", "killed", "unsupported", "setup_failed"]
"""`error`: the code failed. `killed`: by a signal, or by the caller. `setup_failed`: the code never ran.
`unsupported`: it asked for what the backend does not have, such as threads in WebAssembly; it may well be right."""

BackendName = Literal["bwrap", "landlock", "wasm"]

CEILING: Mapping[str, float] = MappingProxyType(
    {
        "wall_s": 60,
        "cpu_s": 60,
        "memory_mb": 2048,
        "output_bytes": 8 << 20,
        "disk_mb": 256,
        "files": 20_000,
        "fds": 256,
    }
)
"""What no request can exceed."""


class SandboxUnavailable(ValueError):
    """Nothing here can hold untrusted code; the message names each probe that failed and what to install."""


class SandboxGone(RuntimeError):
    """What held untrusted code a moment ago does so no longer, and nothing else does; the message says why."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. Raises ValueError where a value is not above 0 or is above `CEILING`."""

    wall_s: float = 10
    cpu_s: int = 8
    memory_mb: int = 512
    output_bytes: int = 1 << 20
    """Of stdout, of stderr, and of all artifacts together: each on its own."""
    disk_mb: int = 64
    files: int = 10_000
    fds: int = 256

    def __post_init__(self) -> None:
        for field in fields(self):
            value, most = getattr(self, field.name), CEILING[field.name]
            if not isinstance(value, (int, float)) or not 0 < value <= most:
                raise ValueError(f"Limits: {field.name}={value!r} is not above 0 and at most {most:g}; lower it.")
        if self.fds < 16 or self.cpu_s != int(self.cpu_s):
            raise ValueError("Limits: fds must be at least 16 and cpu_s a whole number of seconds.")


@dataclass(frozen=True, slots=True)
class Artifact:
    """A regular file that the code left in its work folder; `name` is relative to it, with slashes."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class ExecResult:
    """What a run did. `stdout` and `stderr` are decoded as UTF-8, broken bytes replaced."""

    status: Status
    stdout: str
    stderr: str
    returncode: int
    """The exit status; minus the signal's number where a signal ended it; 253 where `setup_failed`."""
    backend: BackendName
    limits: Limits
    wall_s: float
    cpu_s: float
    peak_mb: float
    """Largest resident set of the process, in MiB."""
    stdout_cut: bool = False
    stderr_cut: bool = False
    artifacts: tuple[Artifact, ...] = ()
    artifacts_cut: bool = False

    @property
    def timed_out(self) -> bool:
        """Whether wall or CPU time ran out."""
        return self.status == "timeout"
