"""The viewer from its start to Ctrl-C."""

import os
import socket
import sqlite3
import sys
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from agentinstruct.agents.errors import SetupError
from agentinstruct.run.folder import failed_by
from agentinstruct.run.reader import JournalReader
from agentinstruct.tools.prices import price_table
from agentinstruct.view.fill import Filler
from agentinstruct.view.filling import Filling
from agentinstruct.view.index import NAME as INDEX
from agentinstruct.view.index import ViewIndex, connected
from agentinstruct.view.labels import NAME as LABELS
from agentinstruct.view.labels import Labels
from agentinstruct.view.sources import Sources

if TYPE_CHECKING:
    from agentinstruct.view.app import Viewer

HOST = "127.0.0.1"
_FIRST_S = 0.3
"""For so long a run is read before it is shown: all of a small one."""
NEEDED = "the browser needs more packages: pip install 'agentinstruct[view]'"


def serve(run: Path, seeds: Sequence[str], port: int, *, browse: bool) -> None:
    """Serve until Ctrl-C.

    Raises:
        RunError: no run is there. SetupError: packages are missing, or the port is taken.
    """
    try:
        import uvicorn

        from agentinstruct.view.app import make_app
    except ImportError as error:
        raise SetupError(f"{NEEDED} ({error.name} is missing).") from error
    with opened(run, seeds) as viewer, _listening(port) as listening:
        address = f"http://{HOST}:{listening.getsockname()[1]}/"
        print(f"{run} at {address} (Ctrl-C ends it)", flush=True)  # noqa: T201 - what was asked for
        if not viewer.labels_kept:
            print(f"{run}: cannot be written, so labels are lost at the end.", file=sys.stderr)  # noqa: T201
        if browse:
            webbrowser.open(address)
        config = uvicorn.Config(make_app(viewer), log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


@contextmanager
def opened(run: Path, seeds: Sequence[str] = ()) -> Iterator["Viewer"]:
    """The viewer of a run, its index growing meanwhile. Where the run folder is read-only, its files are temporary."""
    from agentinstruct.view.app import Viewer

    with ExitStack() as files:
        journal = files.enter_context(JournalReader.read(run))
        folder, kept = journal.folder, os.access(journal.folder, os.W_OK)
        if not kept:
            folder = Path(files.enter_context(TemporaryDirectory(prefix="agentinstruct-view-")))
        place = folder / INDEX, journal.manifest.run
        try:
            with closing(Filler(journal.folder, connected(*place), price_table())) as filler:
                filler.fill(_FIRST_S)
        except sqlite3.Error as error:
            raise SetupError(f"{place[0]}: {error}. {_remedy(error)}") from error
        index = ViewIndex(journal.folder, connected(*place))
        files.callback(index.close)
        labels = Labels(folder / LABELS)
        files.callback(labels.close)
        filling = Filling(journal.folder, journal.manifest.run, folder / INDEX)
        files.callback(filling.stop)
        yield Viewer(journal, index, labels, Sources(seeds), filling, labels_kept=kept)


def _remedy(error: sqlite3.Error) -> str:
    if failed_by(error, sqlite3.SQLITE_FULL):
        return "It takes about as much room as the run: free some."
    return "It holds nothing that is not in the run: delete it, or see whether its folder can be written."


def write_labels(run: Path, to: Path) -> None:
    """Write the labels of a run as JSON lines; `-` is standard output. Raises `RunError`."""
    with JournalReader.read(run) as journal:
        path = journal.folder / LABELS
        if not path.exists():
            raise SetupError(f"{run}: nobody has labelled anything of this run yet.")
        labels = Labels(path)
        lines = b"".join(labels.lines())
        labels.close()
    if str(to) == "-":
        sys.stdout.buffer.write(lines)
        return
    try:
        to.write_bytes(lines)
    except OSError as error:
        raise SetupError(f"--labels {to}: {error.strerror}. Choose another file.") from error


@contextmanager
def _listening(port: int) -> Iterator[socket.socket]:
    """A socket that only this machine can reach."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((HOST, port))
            listening.listen(64)  # who reads the address may come at once
        except OSError as error:
            raise SetupError(f"--port {port}: {error.strerror}. Leave it out for a free one.") from error
        yield listening
