"""The process that fills the index while the page is open; it ends with us, however we end."""

import subprocess
import sys
from pathlib import Path


class Filling:
    """Begun at once, until `stop`."""

    def __init__(self, folder: Path, run: str, place: Path) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-P", "-m", "agentinstruct.view.fill", str(folder), run, str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            process_group=0,  # Ctrl-C in a terminal is for us
        )

    @property
    def ended(self) -> bool:
        """Whether it gave up: what it prints on standard error says why."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """End it; what it has in hand is read again another time."""
        self._process.terminate()
        with self._process:  # closes its standard input and waits
            pass
