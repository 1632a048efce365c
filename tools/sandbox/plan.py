"""How a backend starts the launcher: the command, where it may read and write, and the settings it is given."""

import os
import platform
import sys
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.resources import files as package_files
from pathlib import Path
from types import MappingProxyType
from typing import Any

from agentinstruct.tools.sandbox.results import BackendName, Limits
from agentinstruct.tools.sandbox.seccomp import OWN_PID, program

DEVICES = tuple(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom"))
SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/share/zoneinfo")
SYSTEM_FILES = ("/etc/ld.so.cache", "/etc/localtime")

# CAP_CHOWN, DAC_OVERRIDE, FOWNER, KILL, SETGID, SETUID: to start such a job, to end it and to clean up after it
_NEEDED_FOR_ANOTHER_UID = {0, 1, 3, 5, 6, 7}


@dataclass(frozen=True, slots=True)
class Plan:
    """One start. `root` is the folder outside that holds the job's files, None where they live inside only."""

    backend: BackendName
    prefix: list[str]
    settings: Mapping[str, Any]
    environment: Mapping[str, str]
    root: Path | None = None

    def command(self, **descriptors: int) -> list[str]:
        """The whole command line; the settings are literals of numbers, strings and bytes that we wrote."""
        call = f"\nmain(**{ {**self.settings, **descriptors}!r})\n"
        return [*self.prefix, str(interpreter()), "-I", "-S", "-B", "-X", "utf8", "-c", launcher() + call]


@dataclass(frozen=True, slots=True)
class Place:
    """What differs between backends in the launcher's settings."""

    root: str
    readable: tuple[str, ...]
    uid: int | None
    as_init: bool
    shares_uid: bool
    """With us: limits that are counted per uid would count our processes."""
    mounts: bool
    """The job has a root of its own."""
    landlock_required: bool
    dumpable: bool
    modules: tuple[str, ...] = field(default=())


def settings(place: Place, limits: Limits, landlock_abi: int) -> Mapping[str, Any]:
    """What the launcher's `main` takes, but for the two descriptors."""
    code = program(platform.machine(), mounts=place.mounts, landlock_abi=landlock_abi)
    resources = {
        "RLIMIT_AS": limits.memory_mb << 20,
        "RLIMIT_CPU": limits.cpu_s,
        "RLIMIT_FSIZE": limits.disk_mb << 20,
        "RLIMIT_NOFILE": limits.fds,
        "RLIMIT_CORE": 0,
        "RLIMIT_MSGQUEUE": 0,
        "RLIMIT_MEMLOCK": 1 << 16,
    }
    if not place.shares_uid:
        resources["RLIMIT_NPROC"] = 128
    return MappingProxyType(
        {
            "limits": resources,
            "root": place.root,
            "readable": list(place.readable),
            "writable": [place.root, *DEVICES],
            "modules": list(place.modules),
            "uid": place.uid,
            "as_init": place.as_init,
            "dumpable": place.dumpable,
            "landlock_abi": landlock_abi,
            "landlock_required": place.landlock_required,
            "filter": code,
            "own_pid_mark": OWN_PID,
        }
    )


def environment(root: str) -> Mapping[str, str]:
    """All the variables there are inside; nothing of ours is passed on."""
    threads = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return MappingProxyType(
        {
            **threads,
            "PATH": "/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "HOME": f"{root}/work",
            "TMPDIR": f"{root}/temp",
            "USER": "sandbox",
            "MALLOC_ARENA_MAX": "2",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
    )


def launcher() -> str:
    """The text of the launcher, and of what it runs the code with."""
    return text_of("launcher.py") + text_of("entry.py")


def text_of(name: str) -> str:
    """A file of this package, to be run elsewhere."""
    return package_files(__package__).joinpath(name).read_text("utf-8")


def interpreter() -> Path:
    """The real executable behind a virtual environment."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()


def runtime() -> tuple[Path, ...]:
    """The interpreter and its libraries; not its prefix, which may be somebody's home."""
    stdlib, platform_stdlib = (Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "platstdlib"))
    library = interpreter().parent.parent / "lib"
    return tuple(dict.fromkeys(path for path in (interpreter(), library, stdlib, platform_stdlib) if path.exists()))


def own_uid() -> int | None:
    """A uid of nobody's for a job that root starts; None where we cannot change to one."""
    if os.geteuid() != 0 or not _capabilities() >= _NEEDED_FOR_ANOTHER_UID:
        return None
    mapped = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    last = max(int(row[0]) + int(row[2]) for row in mapped) - 1
    if last < 60_000:
        return None
    # high enough to be nobody's, and apart from that of other jobs: limits and signals are per uid
    base = 2_000_000_000 if last > 2_100_000_000 else last - 4_000
    return base + int.from_bytes(os.urandom(3)) % (16_000_000 if last > 2_100_000_000 else 4_000)


def _capabilities() -> set[int]:
    status = Path("/proc/self/status").read_text().splitlines()
    effective = next(int(line.split()[1], 16) for line in status if line.startswith("CapEff:"))
    return {bit for bit in range(64) if effective >> bit & 1}
