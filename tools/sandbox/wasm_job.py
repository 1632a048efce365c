"""One job in WebAssembly from start to end, by what every system has: folders, threads, pipes, and an end by force."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import IO, Any

from agentinstruct.tools.sandbox import wasm
from agentinstruct.tools.sandbox.results import ExecResult, Limits, Status
from agentinstruct.tools.sandbox.supervise import DISK_EVERY_S, SETUP_FAILED, SETUP_S, TICK_S, failure
from agentinstruct.tools.sandbox.workfolder import collect_below, overfull_folder, remove

KILLED = -9
_MISSING = re.compile(
    r"RuntimeError: can't start new thread|OSError: \[Errno 58\]|"
    r"(?:Attribute|Import)Error: .*(?:module|from) '(?:os|signal|socket|time)'"
)


@dataclass(slots=True)
class _Output:
    """What one pipe brings, up to the cap."""

    pipe: IO[bytes]
    cap: int
    stir: Event
    data: bytearray = field(default_factory=bytearray)
    cut: bool = False

    def read(self) -> None:
        """To its end, or to the cap; then the one who waits is told."""
        while not self.cut and (part := os.read(self.pipe.fileno(), 65536)):
            room = self.cap - len(self.data)
            self.data += part[:room]
            self.cut = len(part) > room
        self.stir.set()


@dataclass(slots=True)
class _Job:
    """What is known of a running job."""

    root: Path
    process: subprocess.Popen[bytes]
    outputs: tuple[_Output, _Output]
    readers: tuple[Thread, Thread]
    stir: Event
    started: float
    ready: float | None = None
    looked: float = 0.0
    cpu_s: float = 0.0
    peak_mb: float = 0.0

    def facts(self) -> dict[str, Any]:
        """What the host has told so far."""
        report = self.root / "report"
        lines = report.read_bytes().split(b"\n")[:-1] if report.exists() else []
        return {key: value for line in lines for key, value in json.loads(line).items()}


def execute(source: bytes, files: Mapping[str, bytes], stdin: bytes, limits: Limits, stop: Event) -> ExecResult:
    """Run to the end, whatever the end is; nothing is left of it. Raises OSError where it cannot be started."""
    root = Path(tempfile.mkdtemp(prefix="sandbox-"))
    try:
        _lay_out(root, source, files, stdin)
        job = _start(root, limits)
        try:
            reason = _watch(job, limits, stop)
        finally:
            _end(job)
        return _result(job, reason, files, limits)
    finally:
        remove(root)


def _lay_out(root: Path, source: bytes, files: Mapping[str, bytes], stdin: bytes) -> None:
    for name in ("run", "box", "box/work", "box/temp"):
        (root / name).mkdir()
    (root / "run" / "main.py").write_bytes(source)
    (root / "stdin").write_bytes(stdin)
    for name, data in files.items():
        path = root / "box" / "work" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def _start(root: Path, limits: Limits) -> _Job:
    process = subprocess.Popen(  # noqa: S603 - the command is ours; the code is data in a folder
        wasm.job(root, limits),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        env=wasm.environment(),
        cwd=root,
    )
    assert process.stdout is not None and process.stderr is not None
    stir = Event()
    out, err = (_Output(pipe, limits.output_bytes, stir) for pipe in (process.stdout, process.stderr))
    readers = Thread(target=out.read, daemon=True), Thread(target=err.read, daemon=True)
    for reader in readers:
        reader.start()
    return _Job(root, process, (out, err), readers, stir, time.monotonic())


def _watch(job: _Job, limits: Limits, stop: Event) -> Status | None:
    """Until the process has ended by itself, or there is a reason to end it."""
    while True:
        job.stir.wait(TICK_S)
        if any(output.cut for output in job.outputs):
            return "output"
        if not any(reader.is_alive() for reader in job.readers):
            return None  # the job cannot close these pipes: the process has
        if reason := _exceeded(job, limits, stop):
            return reason


def _exceeded(job: _Job, limits: Limits, stop: Event) -> Status | None:
    now = time.monotonic()
    if stop.is_set():
        return "killed"
    if job.ready is None:
        job.ready = now if "ready" in job.facts() else None
        return "setup_failed" if now - job.started > SETUP_S else None
    if now - job.ready > limits.wall_s:
        return "timeout"
    if now - job.looked > DISK_EVERY_S:
        job.looked = now
        return "disk" if overfull_folder(job.root / "box", job.process.pid, limits) else None
    return None


def _end(job: _Job) -> None:
    """Kill and reap; what it used is told where the system tells it."""
    if sys.platform == "win32":
        job.process.kill()
        job.process.wait()
    else:
        os.kill(job.process.pid, signal.SIGKILL)  # Popen.kill might reap, and lose what was used
        _, status, usage = os.wait4(job.process.pid, 0)
        job.process.returncode = os.waitstatus_to_exitcode(status)
        job.cpu_s = usage.ru_utime + usage.ru_stime
        job.peak_mb = usage.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    for reader in job.readers:
        reader.join()
    for stream in (job.process.stdin, job.process.stdout, job.process.stderr):
        assert stream is not None
        stream.close()


def _result(job: _Job, reason: Status | None, files: Mapping[str, bytes], limits: Limits) -> ExecResult:
    facts = job.facts()
    out, err = job.outputs
    ended = reason is None and "returncode" in facts and "timeout" not in facts
    returncode = facts["returncode"] if ended else KILLED if "ready" in facts else SETUP_FAILED
    artifacts, artifacts_cut = collect_below(job.root / "box" / "work", files, limits)
    return ExecResult(
        status=reason or _verdict(facts, returncode, bytes(err.data)),
        stdout=out.data.decode("utf-8", "replace"),
        stderr=err.data.decode("utf-8", "replace"),
        returncode=returncode,
        backend="wasm",
        limits=limits,
        wall_s=time.monotonic() - job.started,
        cpu_s=job.cpu_s or facts.get("cpu_s", 0.0),
        peak_mb=job.peak_mb,
        stdout_cut=out.cut,
        stderr_cut=err.cut,
        artifacts=artifacts,
        artifacts_cut=artifacts_cut,
    )


def _verdict(facts: Mapping[str, Any], returncode: int, stderr: bytes) -> Status:
    if "ready" not in facts:
        return "setup_failed"
    if "timeout" in facts:
        return "timeout"
    if returncode < 0:
        return "killed"
    if not returncode:
        return "ok"
    return "unsupported" if _asks_too_much(stderr) else failure(stderr)


def _asks_too_much(stderr: bytes) -> bool:
    """Whether it failed for what only real systems have: it says nothing about the code then."""
    last = stderr[-400:].rstrip().rpartition(b"\n")[2].decode("utf-8", "replace")
    module = re.match(r"(?:ModuleNotFound|Import)Error: No module named '(\w+)", last)
    return bool(_MISSING.match(last)) or (module is not None and module[1] in sys.stdlib_module_names)
