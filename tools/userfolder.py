"""Where this user's own files of the program lie."""

import os
import sys
from pathlib import Path


def cache() -> Path:
    """The folder for what can be made or fetched again."""
    if sys.platform == "win32":
        folder = os.environ.get("LOCALAPPDATA") or "~/AppData/Local"
    else:
        folder = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(folder).expanduser() / "agentinstruct"
