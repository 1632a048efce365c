"""Attacks of the self-test, run inside a sandbox after a line `REACH = {…}`; prints the names of those that did it."""

import ctypes
import json
import os
import signal
import socket
import struct
from collections.abc import Callable
from typing import Any

REACH: dict[str, Any] = globals().get("REACH", {})
LIBC = ctypes.CDLL(None, use_errno=True)


def read_secret() -> bool:
    with open(REACH["secret_file"]) as stream:  # noqa: PTH123 - plain, as an attacker would
        return bool(print(stream.read()))  # noqa: T201


def spoil_file() -> bool:
    with open(REACH["spoil_file"], "w") as stream:  # noqa: PTH123
        return bool(stream.write("spoilt"))


def change_mode() -> bool:
    os.chmod(REACH["spoil_file"], 0o600)  # noqa: PTH101
    return False  # it may be pretended: whoever looks from outside decides


def connect() -> bool:
    with socket.socket() as client:
        return client.connect(("127.0.0.1", REACH["port"])) is None


def datagram() -> bool:
    pair = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    return bool(pair)


def fork() -> bool:
    return os.fork() >= 0


def execute() -> bool:
    os.execv("/bin/true", ["true"])  # noqa: S606
    return True


def end_victim() -> bool:
    return os.kill(REACH["victim"], signal.SIGKILL) is None



def trace_parent() -> bool:
    return LIBC.ptrace(16, REACH["parent"], None, None) == 0


def read_parent() -> bool:
    with open(f"/proc/{REACH['parent']}/environ", "rb") as stream:  # noqa: PTH123
        return bool(stream.read())


def new_namespace() -> bool:
    return LIBC.unshare(0x10000000) == 0


def memory_file() -> bool:
    return os.memfd_create("hidden") >= 0


def raise_limit() -> bool:
    return LIBC.prlimit(0, 7, struct.pack("QQ", 16, 16), None) == 0


def seen() -> bool:
    return bool(set(os.environ) & {"PYTHONPATH", "SSH_AUTH_SOCK", "OPENAI_API_KEY", "AGENTINSTRUCT_API_KEY"})


ATTACKS: list[Callable[[], bool]] = [
    *(read_secret, spoil_file, change_mode, connect, datagram, fork, execute, end_victim),
    *(trace_parent, read_parent, new_namespace, memory_file, raise_limit, seen),
]


def succeeded(attack: Callable[[], bool]) -> bool:
    """An attack that raises was refused."""
    try:
        return attack()
    except (OSError, ValueError, AttributeError):
        return False


if __name__ == "__main__":
    print(json.dumps([attack.__name__ for attack in ATTACKS if succeeded(attack)]))  # noqa: T201
