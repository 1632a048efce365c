"""Attacks of the self-test in WebAssembly, run after a line `REACH = {…}`; prints the names of those not refused."""
# As plain as an attacker would write it, and what is not there is refused too:
# ruff: noqa: PTH102, PTH105, PTH123, PTH208, PTH211, T201

import json
import os
from collections.abc import Callable
from typing import Any

REACH: dict[str, Any] = globals().get("REACH", {})
REFUSED = (OSError, ImportError, AttributeError, RuntimeError)


def _read_secret() -> None:
    with open(REACH["secret_file"]) as stream:
        print(stream.read())


def _climb() -> None:
    with open("../" * 40 + REACH["secret_file"]) as stream:
        print(stream.read())


def _read_by_link() -> None:
    os.symlink("../" * 40 + REACH["secret_file"], "link")
    with open("link") as stream:
        print(stream.read())


def _read_by_hard_link() -> None:
    os.link(REACH["secret_file"], "hard")
    with open("hard") as stream:
        print(stream.read())


def _read_by_descriptor() -> None:
    for descriptor in range(3, 64):
        try:
            found = os.open("../" * 40 + REACH["secret_file"], os.O_RDONLY, dir_fd=descriptor)
        except (OSError, NotImplementedError):
            continue
        print(os.read(found, 99))
        return
    raise OSError


def _spoil_file() -> None:
    with open(REACH["spoil_file"], "w") as stream:
        stream.write("spoilt")


def _rename_over() -> None:
    with open("mine", "w") as stream:
        stream.write("spoilt")
    os.replace("mine", "../" * 40 + REACH["spoil_file"])


def _change_what_runs() -> None:
    with open("/run/main.py", "a") as stream:
        stream.write("spoilt")


def _leave_folder() -> None:
    os.mkdir("../beside")


def _list_outside() -> None:
    os.listdir("..")


def _connect() -> None:
    import socket

    with socket.socket() as client:
        client.connect(("127.0.0.1", REACH["port"]))


def _fork() -> None:
    os.fork()


def _execute() -> None:
    os.execv("/bin/true", ["true"])  # noqa: S606


def _shell() -> None:
    if os.system("true"):  # noqa: S605, S607
        raise OSError


def _end_victim() -> None:
    os.kill(REACH["victim"], 9)


def _start_thread() -> None:
    import _thread

    _thread.start_new_thread(print, ())


def _call_library() -> None:
    import ctypes

    ctypes.CDLL(None)


def _own_variable() -> None:
    if set(os.environ) <= set(REACH["variables"]):
        raise OSError


ATTACKS: list[Callable[[], None]] = [
    *(_read_secret, _climb, _read_by_link, _read_by_hard_link, _read_by_descriptor, _spoil_file, _rename_over),
    *(_change_what_runs, _leave_folder, _list_outside, _connect, _fork, _execute, _shell, _end_victim),
    *(_start_thread, _call_library, _own_variable),
]


def succeeded(attack: Callable[[], None]) -> bool:
    """Whether it was not refused."""
    try:
        attack()
    except REFUSED:
        return False
    return True


if __name__ == "__main__":
    print(json.dumps([attack.__name__.strip("_") for attack in ATTACKS if succeeded(attack)]))
