"""One job from start to end: start it, read no more than the cap, watch time and disk, kill it, say what happened."""

import array
import os
import select
import selectors
import signal
import socket
import struct
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Event

from agentinstruct.tools.sandbox.plan import Plan
from agentinstruct.tools.sandbox.results import ExecResult, Limits, Status
from agentinstruct.tools.sandbox.workfolder import collect, overfull_filesystem, overfull_folder

TICK_S = 0.02
DISK_EVERY_S = 0.1
SETUP_S = 10.0
GONE_S = 2.0
SETUP_FAILED = 253
_REPORT = struct.Struct("<idq")


@dataclass(slots=True)
class _Job:
    """What is known of a running job."""

    process: subprocess.Popen[bytes]
    control: socket.socket
    started: float
    ready: float | None = None
    root: int = -1
    ended: tuple[int, float, int] | None = None
    """Wait status, CPU seconds, KiB of the largest resident set, as process 1 of a namespace tells them."""
    output: dict[int, bytearray] = field(default_factory=lambda: {1: bytearray(), 2: bytearray()})
    cut: set[int] = field(default_factory=set)
    reason: Status | None = None
    looked: float = 0.0


def execute(
    plan: Plan, source: bytes, files: Mapping[str, bytes], stdin: bytes, limits: Limits, stop: Event
) -> ExecResult:
    """Run to the end, whatever the end is. The job's own processes are all dead when this returns."""
    descriptors = [_sealed("job", _payload(source, files)), _sealed("stdin", stdin)]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        process = subprocess.Popen(  # noqa: S603 - the command is ours; the code is data on a descriptor
            plan.command(payload=descriptors[0], control=theirs.fileno()),
            stdin=descriptors[1],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(descriptors[0], theirs.fileno()),
            start_new_session=True,
            env=plan.environment,
            cwd=plan.root or "/",
        )
    except BaseException:
        ours.close()
        raise
    finally:
        theirs.close()
        for descriptor in descriptors:
            os.close(descriptor)
    job = _Job(process, ours, time.monotonic())
    try:
        _watch(job, plan, limits, stop)
        usage = _end(job)
        return _result(job, plan, files, limits, usage)
    finally:
        _end(job)
        _close(job)


def _payload(source: bytes, files: Mapping[str, bytes]) -> bytes:
    entries = [("", source), *files.items()]
    return b"".join(
        part
        for name, content in entries
        for part in (struct.pack("<QQ", len(name.encode()), len(content)), name.encode(), content)
    )


def _sealed(name: str, content: bytes) -> int:
    """A descriptor that reads `content` and cannot write."""
    writable = os.memfd_create(name)
    with os.fdopen(writable, "wb") as stream:
        stream.write(content)
        stream.flush()
        return os.open(f"/proc/self/fd/{writable}", os.O_RDONLY)


def _watch(job: _Job, plan: Plan, limits: Limits, stop: Event) -> None:
    """Until the process has ended by itself or there is a reason to end it."""
    with selectors.DefaultSelector() as selector:
        for number, pipe in ((1, job.process.stdout), (2, job.process.stderr)):
            assert pipe is not None
            selector.register(pipe, selectors.EVENT_READ, number)
        job.control.setblocking(False)
        selector.register(job.control, selectors.EVENT_READ, 0)
        while job.reason is None:
            for key, _ in selector.select(TICK_S):
                open_still = _hear(job) if key.data == 0 else _read(job, key.data, key.fd, limits)
                if not open_still:
                    selector.unregister(key.fileobj)
            if job.reason is None and _has_ended(job):
                _drain(job, selector, limits)
                return
            job.reason = job.reason or _exceeded(job, plan, limits, stop)


def _read(job: _Job, number: int, descriptor: int, limits: Limits) -> bool:
    """Take what is there, up to the cap; whether there may be more."""
    data = os.read(descriptor, 65536)
    room = limits.output_bytes - len(job.output[number])
    job.output[number] += data[:room]
    if len(data) > room:
        job.cut.add(number)
        job.reason = "output"
    return bool(data) and job.reason is None


def _hear(job: _Job) -> bool:
    """A word of the launcher: its folder (D), all is set up (R), how the job ended (E)."""
    word, ancillary, _, _ = job.control.recvmsg(64, socket.CMSG_SPACE(4))
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            received = array.array("i", data[:4])
            job.root = received[0]
    if word[:1] == b"R":
        job.ready = time.monotonic()
    elif word[:1] == b"E" and len(word) == 1 + _REPORT.size:
        job.ended = _REPORT.unpack(word[1:])
    return bool(word)


def _has_ended(job: _Job) -> bool:
    """Without reaping: until `_end` the number stays the job's own."""
    found = os.waitid(os.P_PID, job.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return found is not None


def _drain(job: _Job, selector: selectors.BaseSelector, limits: Limits) -> None:
    """What was written before the end is in the pipes by now, and nobody is left to write more."""
    while job.reason is None and (ready := selector.select(0)):
        for key, _ in ready:
            open_still = _hear(job) if key.data == 0 else _read(job, key.data, key.fd, limits)
            if not open_still:
                selector.unregister(key.fileobj)


def _exceeded(job: _Job, plan: Plan, limits: Limits, stop: Event) -> Status | None:
    now = time.monotonic()
    if stop.is_set():
        return "killed"
    if job.ready is None:
        return "setup_failed" if now - job.started > SETUP_S else None
    if now - job.ready > limits.wall_s:
        return "timeout"
    if now - job.looked > DISK_EVERY_S:
        job.looked = now
        return "disk" if _overfull(job, plan, limits) else None
    return None


def _overfull(job: _Job, plan: Plan, limits: Limits) -> bool:
    if plan.root is not None:
        return overfull_folder(plan.root, job.process.pid, limits)
    return overfull_filesystem(job.root, limits)


def _end(job: _Job) -> tuple[int, float, int]:
    """Kill and reap; wait status, CPU seconds and KiB of the process that we started."""
    if job.process.returncode is not None:
        return 0, 0.0, 0
    try:
        os.killpg(job.process.pid, signal.SIGKILL)
    except ProcessLookupError:
        job.process.kill()
    _, status, usage = os.wait4(job.process.pid, 0)
    _outlive(job)
    job.process.returncode = os.waitstatus_to_exitcode(status)
    return status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def _outlive(job: _Job) -> None:
    """Wait until nobody holds the other end of the pipes: a namespace ends a moment after its first process."""
    pipes = [pipe for pipe in (job.process.stdout, job.process.stderr) if pipe is not None]
    deadline = time.monotonic() + GONE_S
    while pipes and (left := deadline - time.monotonic()) > 0:
        for pipe in select.select(pipes, [], [], left)[0]:
            if not os.read(pipe.fileno(), 65536):
                pipes.remove(pipe)


def _result(
    job: _Job, plan: Plan, files: Mapping[str, bytes], limits: Limits, usage: tuple[int, float, int]
) -> ExecResult:
    status, cpu_s, peak_kib = job.ended or usage
    returncode = os.waitstatus_to_exitcode(status) if job.ready else SETUP_FAILED
    if plan.root is None and job.ended is None and job.ready:
        returncode = -signal.SIGKILL  # the namespace went down before its process 1 could tell
    verdict = job.reason or _verdict(job, returncode, cpu_s, limits)
    artifacts, artifacts_cut = collect(job.root, files, limits) if job.ready else ((), False)
    return ExecResult(
        status=verdict,
        stdout=job.output[1].decode("utf-8", "replace"),
        stderr=job.output[2].decode("utf-8", "replace"),
        returncode=returncode,
        backend=plan.backend,
        limits=limits,
        wall_s=time.monotonic() - job.started,
        cpu_s=cpu_s,
        peak_mb=peak_kib / 1024,
        stdout_cut=1 in job.cut,
        stderr_cut=2 in job.cut,
        artifacts=artifacts,
        artifacts_cut=artifacts_cut,
    )


def _verdict(job: _Job, returncode: int, cpu_s: float, limits: Limits) -> Status:
    """From how the process ended."""
    if job.ready is None:
        return "setup_failed"
    if returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        return "timeout" if cpu_s > limits.cpu_s - 0.5 else "killed"
    if returncode < 0:
        return "killed"
    return failure(bytes(job.output[2])) if returncode else "ok"


def failure(stderr: bytes) -> Status:
    """What a failure of the code was, by its last line: memory and disk can be told from the rest."""
    last = stderr[-400:].rstrip().rpartition(b"\n")[2]
    if last.startswith(b"MemoryError"):
        return "memory"
    if last.startswith(b"OSError: [Errno ") and (b"No space left on device" in last or b"File too large" in last):
        return "disk"
    return "error"


def _close(job: _Job) -> None:
    for stream in (job.process.stdout, job.process.stderr, job.control):
        if stream is not None:
            stream.close()
    if job.root >= 0:
        os.close(job.root)
