"""Attacks and controls that a backend must pass before anything else runs in it. Judged from outside."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from agentinstruct.tools.sandbox.jobs import Backend, run_job
from agentinstruct.tools.sandbox.plan import environment, text_of
from agentinstruct.tools.sandbox.results import ExecResult, Limits

_THREAD = """
import threading
thread = threading.Thread(target=lambda: total.append(sum(range(10))))
thread.start(); thread.join()
"""
_CONTROL = """
import asyncio, json, sys
open("left.txt", "w").write("kept")
print(json.dumps([total, asyncio.run(asyncio.sleep(0, "slept")), open("given.txt").read(), sys.stdin.read()]))
"""
_EXPECTED = '[[45], "slept", "given", "typed"]\n'
_HOG = "held = bytearray(1 << 30); print(len(held))"
_FLOOD = "while True: print('x' * 4096)"
_VICTIM = "import sys; sys.stdin.read()"
_SPIN = "while True: pass"


@dataclass(frozen=True, slots=True)
class _World:
    """What lies outside, for the code to reach: a secret, a file to spoil, a listener, a process to end."""

    secret: str
    folder: Path
    listener: socket.socket
    victim: subprocess.Popen[bytes]


def self_test(backend: Backend) -> str:
    """Why the backend is not to be trusted, "" where it held. Raises OSError where it cannot be started."""
    threads = "total = [45]" if backend.name == "wasm" else f"total = []{_THREAD}"
    control = _run(backend, threads + _CONTROL, Limits(wall_s=10, cpu_s=5))
    if control.status != "ok":
        last = control.stderr.strip().splitlines()[-1:] or [f"it ended with {control.returncode} and said nothing"]
        return f"could not be started: {last[0]}"
    if control.stdout != _EXPECTED or [(kept.name, kept.data) for kept in control.artifacts] != [("left.txt", b"kept")]:
        return f"runs code wrongly: {control.stdout!r}"
    return _leak(backend) or _unlimited(backend)


def _leak(backend: Backend) -> str:
    with _world() as world:
        reach = {
            "secret_file": str(world.folder / "secret"),
            "spoil_file": str(world.folder / "spoil"),
            "port": world.listener.getsockname()[1],
            "victim": world.victim.pid,
            "parent": os.getpid(),
            "variables": [*environment("").keys(), "LC_CTYPE", "PWD"],
        }
        attacks = text_of("attacks_wasm.py" if backend.name == "wasm" else "attacks.py")
        result = _run(backend, f"REACH = {reach!r}\n{attacks}", Limits(wall_s=10, cpu_s=5))
        return _judge(result, world)


def _judge(result: ExecResult, world: _World) -> str:
    if result.status != "ok":
        return f"the attacks did not run to their end ({result.status}): {result.stderr[-200:]}"
    if world.secret in result.stdout + result.stderr:
        return "leaks: a file outside could be read"
    if (world.folder / "spoil").read_text() != "untouched" or (world.folder / "spoil").stat().st_mode & 0o777 != 0o666:
        return "leaks: a file outside could be changed"
    if world.victim.poll() is not None:
        return "leaks: a process outside could be ended"
    if _was_called(world.listener):
        return "leaks: a connection could be made"
    done = json.loads(result.stdout.splitlines()[-1])
    return f"leaks: the code could do {', '.join(done)}" if done else ""


def _unlimited(backend: Backend) -> str:
    small = Limits(wall_s=0.4, cpu_s=5, memory_mb=256, output_bytes=1 << 16)
    for source, expected in ((_SPIN, "timeout"), (_HOG, "memory"), (_FLOOD, "output")):
        result = _run(backend, source, small if expected == "timeout" else Limits(wall_s=5, memory_mb=256))
        if result.status != expected:
            return f"leaks: a run that should have ended as {expected} ended as {result.status}"
    return ""


def _run(backend: Backend, source: str, limits: Limits) -> ExecResult:
    return run_job(backend, source.encode(), {"given.txt": b"given"}, b"typed", limits, Event())


@contextmanager
def _world() -> Iterator[_World]:
    with tempfile.TemporaryDirectory(prefix="sandbox-test-") as name:
        folder = Path(name)
        folder.chmod(0o711)  # what protects the files must be the sandbox, not their mode
        secret = secrets.token_hex(16)
        for file, text in (("secret", secret), ("spoil", "untouched")):
            (folder / file).write_text(text)
            (folder / file).chmod(0o666)
        victim = subprocess.Popen([sys.executable, "-I", "-S", "-c", _VICTIM], stdin=subprocess.PIPE)  # noqa: S603
        try:
            with socket.create_server(("127.0.0.1", 0)) as listener, victim:
                yield _World(secret, folder, listener, victim)
        finally:
            victim.kill()


def _was_called(listener: socket.socket) -> bool:
    listener.settimeout(0)
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True
