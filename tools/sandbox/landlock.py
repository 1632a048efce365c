"""Backend B: the launcher alone. Landlock confines files, seccomp all else; one process, no privileges needed.

What the path of a file outside tells (that it is there, its size and times) can still be read, and so can the
machine's name: Landlock governs contents, not `stat`, and there is no namespace to hide behind.
"""

import ctypes
import os
import tempfile
from pathlib import Path

from agentinstruct.tools.sandbox.plan import (
    SYSTEM,
    SYSTEM_FILES,
    Place,
    Plan,
    environment,
    own_uid,
    runtime,
    settings,
)
from agentinstruct.tools.sandbox.results import Limits

_CREATE_RULESET = 444
_READABLE = (*SYSTEM, *SYSTEM_FILES, "/proc/cpuinfo", "/proc/meminfo")


def kernel_abi() -> int:
    """The version of Landlock that the kernel offers, 0 where it offers none."""
    libc = ctypes.CDLL(None, use_errno=True)
    return max(0, int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1))))


def plan(limits: Limits, modules: tuple[Path, ...], landlock_abi: int | None = None) -> Plan:
    """Raises OSError where Landlock is missing; makes the folder that the job will own."""
    abi = kernel_abi() if landlock_abi is None else min(landlock_abi, kernel_abi())
    if abi < 1:
        raise OSError("the kernel offers no Landlock (5.13 or later with `landlock` among its security modules)")
    uid = own_uid() if all(map(_open_to_all, (*runtime(), *modules))) else None
    root = Path(tempfile.mkdtemp(prefix="sandbox-", dir=_temporary(uid)))
    if uid is not None:
        os.chown(root, uid, uid)
    place = Place(
        root=str(root),
        readable=(*_READABLE, *map(str, runtime()), *map(str, modules)),
        uid=uid,
        as_init=False,
        shares_uid=uid is None,
        mounts=False,
        landlock_required=True,
        dumpable=True,  # so that we may count what it keeps open; all others are kept off by Landlock and seccomp
        modules=tuple(str(folder) for folder in modules),
    )
    return Plan("landlock", [], settings(place, limits, abi), environment(str(root)), root)


def _temporary(uid: int | None) -> Path:
    """Our temporary folder, or the machine's where another uid could not go to ours."""
    ours = Path(tempfile.gettempdir())
    return ours if uid is None or _passable(ours) else Path("/tmp")  # noqa: S108 - for a folder of mode 0700


def _open_to_all(path: Path) -> bool:
    """Whether any uid gets there: an interpreter below a private home is out of reach for a uid of the job's own."""
    return bool(path.stat().st_mode & 0o004) and all(map(_passable, path.parents))


def _passable(folder: Path) -> bool:
    return all(part.stat().st_mode & 0o001 for part in (folder, *folder.parents))
