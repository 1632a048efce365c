"""Who may call: users by their keys, of which the server knows only hashes.

AGENTINSTRUCT_SERVER_KEYS is a file, or the lines themselves with commas for line breaks: `user:sha256-of-the-key`. A
user may have several keys. Where it is not set, everybody on this machine, and nobody else, may call.
"""

import os
import re
import secrets
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from hmac import compare_digest
from pathlib import Path

from agentinstruct.agents.errors import SetupError

VARIABLE = "AGENTINSTRUCT_SERVER_KEYS"
_LINE = re.compile(r"(?P<user>[A-Za-z0-9][A-Za-z0-9_@-]{0,63}):(?P<digest>[0-9a-f]{64})")


@dataclass(frozen=True, slots=True)
class Keys:
    """Users and the SHA-256 of their keys."""

    pairs: tuple[tuple[str, bytes], ...]

    def user_of(self, key: str) -> str:
        """Whose key it is, or nobody's; every key is compared, in a time that tells nothing."""
        given, found = _digest(key).encode(), ""
        for user, digest in self.pairs:
            found = user if compare_digest(given, digest) else found
        return found


@cache
def server_keys() -> Keys | None:
    """The keys that AGENTINSTRUCT_SERVER_KEYS names, read once; None where it is not set.

    Raises:
        SetupError: a line cannot be read, or the file; no key and no line is told.
    """
    named = os.environ.get(VARIABLE, "").strip()
    if not named:
        return None
    text = named.replace(",", "\n") if _LINE.match(named) else _read(Path(named))
    lines = [line.strip() for line in text.splitlines()]
    pairs = [_pair(number, line) for number, line in enumerate(lines, 1) if line and not line.startswith("#")]
    if not pairs:
        raise SetupError(f"{VARIABLE}: no key in it. `agentinstruct server-key USER` makes one.")
    return Keys(tuple(pairs))


def new_key(user: str) -> tuple[str, str]:
    """A key for a user, and the line that lets the server know it.

    Raises:
        SetupError: the name cannot stand in such a line.
    """
    key = f"ai-{secrets.token_urlsafe(32)}"
    line = f"{user}:{_digest(key)}"
    if not _LINE.fullmatch(line):
        raise SetupError(f"{user!r} is no user name: letters, digits and _ @ - only, 64 at most.")
    return key, line


def _digest(key: str) -> str:
    return sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, ValueError) as error:
        raise SetupError(
            f"{VARIABLE}: neither user:sha256 nor a file that can be read ({type(error).__name__})."
        ) from None


def _pair(number: int, line: str) -> tuple[str, bytes]:
    match = _LINE.fullmatch(line)
    if not match:
        raise SetupError(f"{VARIABLE}: line {number} is not user:sha256. `agentinstruct server-key USER` makes one.")
    return match["user"], match["digest"].encode()
