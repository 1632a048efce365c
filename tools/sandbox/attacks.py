"""Attacks of the self-test, run inside after a line `REACH = {…}`; prints the names of those not refused."""
# As plain as an attacker would write it:
# ruff: noqa: PTH101, PTH123, T201

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


def _read_secret() -> None:
    with open(REACH["secret_file"]) as stream:
        print(stream.read())


def _spoil_file() -> None:
    with open(REACH["spoil_file"], "w") as stream:
        stream.write("spoilt")


def _change_mode() -> None:
    os.chmod(REACH["spoil_file"], 0o600)


def _connect() -> None:
    with socket.socket() as client:
        client.connect(("127.0.0.1", REACH["port"]))


def _datagram() -> None:
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)


def _fork() -> None:
    os.fork()


def _execute() -> None:
    os.execv("/bin/true", ["true"])  # noqa: S606


def _end_victim() -> None:
    os.kill(REACH["victim"], signal.SIGKILL)


def _trace_parent() -> None:
    _done(LIBC.ptrace(16, REACH["parent"], None, None))


def _read_parent() -> None:
    with open(f"/proc/{REACH['parent']}/environ", "rb") as stream:
        stream.read()


def _new_namespace() -> None:
    _done(LIBC.unshare(0x10000000))


def _memory_file() -> None:
    os.memfd_create("hidden")


def _raise_limit() -> None:
    _done(LIBC.prlimit(0, 7, struct.pack("QQ", 16, 16), None))


def _own_variable() -> None:
    _done(-1 if set(os.environ) <= set(REACH["variables"]) else 0)


def _done(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno())


ATTACKS: list[Callable[[], None]] = [
    *(_read_secret, _spoil_file, _connect, _datagram, _fork, _execute, _end_victim),
    *(_trace_parent, _read_parent, _new_namespace, _memory_file, _raise_limit, _own_variable),
]


def succeeded(attack: Callable[[], None]) -> bool:
    """Whether it was not refused."""
    try:
        attack()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    succeeded(_change_mode)  # it may be pretended to have been done: a look from outside decides
    print(json.dumps([attack.__name__.strip("_") for attack in ATTACKS if succeeded(attack)]))
