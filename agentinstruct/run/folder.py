"""The run folder on disk: whose it is, who may write, and words for what can go wrong with it.

folder/  run.json      what is being run (manifest)
         run.lock      who is running it
         status.json   how that goes, for whoever looks (status)
         *.seg         the truth (segment)
         ledger.sqlite an index of it (ledger)
         quarantine/   torn ends of segments, kept for a look
"""

import errno
import fcntl
import os
import re
import socket
import sqlite3
import stat
import time
from pathlib import Path
from typing import NamedTuple

import orjson

from agentinstruct.agents.errors import RunError

MANIFEST = "run.json"
LOCK = "run.lock"
CORPUS = "corpus"
"""The seeds that flows search, as chunks beside their vectors."""
_ENDING_S = 10.0
"""How long the workers of an owner that was killed may take to end."""
# fmt: off
_NETWORK = frozenset({
    "9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "fuse.ceph", "fuse.davfs2", "fuse.gcsfuse",
    "fuse.glusterfs", "fuse.goofys", "fuse.juicefs", "fuse.mfs", "fuse.rclone", "fuse.s3fs", "fuse.seaweedfs",
    "fuse.smbnetfs", "fuse.sshfs", "fuse.vmhgfs-fuse", "glusterfs", "gpfs", "lustre", "mount-s3", "ncpfs",
    "nfs", "nfs4", "orangefs", "panfs", "prl_fs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "vmhgfs",
})
# fmt: on
_ADVICE = {
    errno.ENOSPC: "the disk is full: free some space and give the same command again, nothing finished is lost",
    errno.EDQUOT: "your disk quota is used up: free some and give the same command again, nothing finished is lost",
    errno.EFBIG: "the file-size limit is reached: raise it (ulimit -f) and give the same command again",
    errno.EROFS: "the disk is read-only: choose another --out",
    errno.EACCES: "no permission: choose another --out, or make the folder yours",
    errno.EPERM: "no permission: choose another --out, or make the folder yours",
    errno.ELOOP: "it is a symbolic link, and those are not followed here: remove it or choose another --out",
    errno.EIO: "the disk failed: what was written last may not be on it. Give the same command again, on a good disk",
    errno.ENOTDIR: "a file is in the way: choose another --out",
    errno.EEXIST: "a file is in the way: choose another --out",
}


def storage_error(path: Path, problem: OSError, option: str = "--out") -> RunError:
    """The operating system's refusal in words that say what to do; `option` is what named the path."""
    advice = _ADVICE.get(problem.errno or 0, "choose another --out or mend the disk, then give the same command again")
    return RunError(f"{path}: {problem.strerror or problem}: {advice.replace('--out', option)}.")


def failed_by(error: sqlite3.Error, code: int) -> bool:
    """Whether it is an error of this kind, whatever its finer kind is."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == code


def ledger_error(path: Path, problem: sqlite3.Error) -> RunError:
    """SQLite's refusal of the ledger at this path, in such words."""
    if failed_by(problem, sqlite3.SQLITE_READONLY):
        return storage_error(path.parent, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))
    return RunError(f"{path}: cannot be used ({problem}). Give the same command again.")


def open_file(path: Path, flags: int, option: str = "--out") -> int:
    """Opens one of our files, owner-only, never through a symlink. Raises `RunError`."""
    try:
        # O_NONBLOCK: a FIFO planted at our name must fail, not hang the run.
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    except OSError as problem:
        raise storage_error(path, problem, option) from problem
    if stat.S_ISREG(os.fstat(handle).st_mode):
        return handle
    os.close(handle)
    raise RunError(f"{path}: not a plain file: remove it or choose another {option}.")


def sync_folder(path: Path) -> None:
    """Makes creations and renames in the folder survive a power cut."""
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def subfolder(path: Path) -> Path:
    """Makes an owner-only folder if there is none, refusing a symlink in its place. Raises `OSError`."""
    try:
        path.mkdir(mode=0o700)
    except FileExistsError:
        if path.is_symlink() or not path.is_dir():
            raise
    else:
        sync_folder(path.parent)
    return path


def filesystem(path: Path, mounts: str) -> str:
    """Type of the file system that holds `path` (it need not exist), by the text of /proc/self/mountinfo."""
    place, kind, longest = path.resolve(), "", -1
    for line in mounts.splitlines():
        mount, _, rest = line.partition(" - ")
        point = Path(re.sub(r"\\([0-7]{3})", lambda code: chr(int(code[1], 8)), mount.split(" ")[4]))
        # >=: of two mounts at one point the later hides the earlier.
        if place.is_relative_to(point) and len(point.parts) >= longest:
            kind, longest = rest.split(" ")[0], len(point.parts)
    return kind


def refuse_network(path: Path, mounts: Path = Path("/proc/self/mountinfo"), option: str = "--out") -> None:
    """Raises `RunError` on a network file system: locks and SQLite's log cannot be trusted there."""
    try:
        kind = filesystem(path, mounts.read_text(errors="surrogateescape"))
    except FileNotFoundError:  # not Linux: no way to tell
        return
    if kind in _NETWORK:
        raise RunError(
            f"{path}: on a network file system ({kind}), where a crash can lose or mix up data. "
            f"Choose an {option} on a local disk"
            + (" and copy the finished dataset over." if option == "--out" else ".")
        )


def prepare(path: Path) -> None:
    """Makes the folder, or finds it empty or ours. Raises `RunError`."""
    refuse_network(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_dir():
            subfolder(path)
        # Listed before the manifest is looked for: another process may be creating this very run.
        foreign = sorted({entry.name for entry in path.iterdir()} - {MANIFEST, LOCK, f"{MANIFEST}.tmp"})
        known = (path / MANIFEST).exists()
    except OSError as problem:
        raise storage_error(path, problem) from problem
    if foreign and not known:
        raise RunError(
            f"{path}: not empty and not a run folder (it holds {foreign[0]!r} but no {MANIFEST}). "
            "Choose another --out, or an empty folder."
        )


class Owner(NamedTuple):
    """The process that runs a folder, by its own words."""

    pid: int
    host: str
    started: str


def take_lock(path: Path) -> int:
    """Makes this process the folder's one owner until the handle is closed or the process dies. Raises `RunError`.

    Its workers hold it too: after its death they end by themselves, which is waited for.
    """
    handle = open_file(path / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        _lock(handle)
        owner = Owner(os.getpid(), socket.gethostname(), time.strftime("%Y-%m-%dT%H:%M:%S%z"))
        os.ftruncate(handle, 0)
        os.pwrite(handle, orjson.dumps(owner._asdict()), 0)
    except BlockingIOError as problem:
        busy = _in_use(path, _owner(handle))
        os.close(handle)
        raise busy from problem
    except OSError as problem:
        os.close(handle)
        raise storage_error(path / LOCK, problem) from problem
    return handle


def owner_of(path: Path) -> Owner | None:
    """The process that runs this folder now, or None; a lock of an unreadable note gives pid 0. Raises `RunError`."""
    if not (path / LOCK).exists():
        return None
    handle = open_file(path / LOCK, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _owner(handle) or Owner(0, "", "")
    else:
        return None
    finally:
        os.close(handle)


def _lock(handle: int) -> None:
    begun = time.monotonic()
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = time.monotonic() - begun
            # Whoever looks at the folder holds its lock for some microseconds.
            if waited > (_ENDING_S if _died(_owner(handle)) else 0.04):
                raise
            time.sleep(0.01)


def _died(owner: Owner | None) -> bool:
    try:
        if owner:
            os.kill(owner.pid, 0)
    except ProcessLookupError:
        return bool(owner and owner.host == socket.gethostname())
    except OSError:
        return False
    return False


def _owner(handle: int) -> Owner | None:
    try:
        note = orjson.loads(os.pread(handle, 4096, 0))
        return Owner(int(note["pid"]), str(note["host"]), str(note["started"]))
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):  # the owner is just writing its note
        return None


def _in_use(path: Path, owner: Owner | None) -> RunError:
    who = f"process {owner.pid} on {owner.host}, started {owner.started}" if owner else "another process"
    return RunError(f"{path}: in use by {who}. Wait for it, stop it, or choose another --out.")
