"""What lies outside the sandbox for attacks to reach, and what a look from outside tells after each of them."""

import ctypes
import os
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

ABSTRACT = f"battery-{os.getpid()}"
SPOIL_MODE, SPOIL_TIME = 0o666, 1_000_000_000


@dataclass
class World:
    """Canaries, listeners and a process to end; all ours and open to all, so that only the sandbox protects."""

    folder: Path = field(default_factory=lambda: Path(tempfile.mkdtemp(prefix="battery-")))
    secret: str = field(default_factory=lambda: os.environ["BATTERY_SECRET"])

    def __post_init__(self) -> None:
        self.folder.chmod(0o777)
        (self.folder / "secret").write_text(self.secret)
        (self.folder / "secret").chmod(0o644)
        (self.folder / "inner").mkdir()
        (self.folder / "inner" / f"name-{self.secret}").touch()
        self.kept_in_memory = ctypes.create_string_buffer(self.secret.encode())
        self.listeners = [
            self.listen(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)),
            self.listen(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)),
            self.listen(socket.AF_UNIX, socket.SOCK_STREAM, str(self.folder / "stream")),
            self.listen(socket.AF_UNIX, socket.SOCK_DGRAM, str(self.folder / "datagram")),
            self.listen(socket.AF_UNIX, socket.SOCK_DGRAM, "\0" + ABSTRACT),
            self.listen(socket.AF_UNIX, socket.SOCK_STREAM, "\0s" + ABSTRACT),
        ]
        for name in ("stream", "datagram"):
            (self.folder / name).chmod(0o777)
        self.victim: subprocess.Popen[bytes] | None = None
        self.reset()

    @staticmethod
    def listen(family: int, kind: int, address: object) -> socket.socket:
        server = socket.socket(family, kind)
        server.bind(address)  # type: ignore[arg-type]
        if kind == socket.SOCK_STREAM:
            server.listen()
        server.settimeout(0)
        return server

    def reset(self) -> None:
        """As it was before any attack."""
        spoil = self.folder / "spoil"
        spoil.unlink(missing_ok=True)
        spoil.write_text("untouched")
        spoil.chmod(SPOIL_MODE)
        os.utime(spoil, (SPOIL_TIME, SPOIL_TIME))
        for extra in set(os.listdir(self.folder)) - {"secret", "inner", "spoil", "stream", "datagram"}:
            (self.folder / extra).unlink()
        Path("/dev/shm/battery").unlink(missing_ok=True)
        if self.victim is None or self.victim.poll() is not None:
            self.victim = subprocess.Popen(
                [sys.executable, "-I", "-S", "-c", "import sys; print(flush=True); sys.stdin.read()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,
            )
            assert self.victim.stdout is not None
            self.victim.stdout.readline()
        self.affinity, self.nice = (
            os.sched_getaffinity(self.victim.pid),
            os.getpriority(os.PRIO_PROCESS, self.victim.pid),
        )
        self.before = self.litter()

    def reach(self) -> dict[str, object]:
        """What an attack is told, so that it need not search."""
        assert self.victim is not None
        return {
            "folder": str(self.folder),
            "tcp": self.listeners[0].getsockname()[1],
            "udp": self.listeners[1].getsockname()[1],
            "abstract": ABSTRACT,
            "victim": self.victim.pid,
            "parent": os.getpid(),
            "memory": ctypes.addressof(self.kept_in_memory),
        }

    def litter(self) -> set[str]:
        temp = Path(tempfile.gettempdir())
        return {name for name in os.listdir(temp) if name.startswith("sandbox-")} | {
            f"/dev/shm/{name}" for name in os.listdir("/dev/shm") if name.startswith("battery")
        }

    def harm(self, shown: str) -> str:
        """What the attack did, "" where it did nothing. `shown` is all that came out of the sandbox."""
        spoil = self.folder / "spoil"
        self.settle()
        assert self.victim is not None
        checks = {
            "a secret came out": self.secret in shown,
            "it says that it got through": any(line.startswith("REACHED") for line in shown.splitlines()),
            "a file outside was changed": not spoil.is_file() or spoil.read_text() != "untouched",
            "a process outside was ended": self.victim.poll() is not None,
            "a process outside was stopped": self.victim_state() == "T",
            "a listener was called": any(map(self.called, self.listeners)),
            "something was left behind": bool(self.litter() - self.before),
        }
        if spoil.is_file():
            about = spoil.stat()
            checks["a file's mode, time or owner was changed"] = (
                about.st_mode & 0o7777 != SPOIL_MODE or about.st_mtime != SPOIL_TIME or about.st_uid != os.geteuid()
            )
            checks["attributes were set"] = bool(os.listxattr(spoil))
        checks["a file was made outside"] = len(os.listdir(self.folder)) != 5
        if self.victim.poll() is None:
            checks["a process outside was slowed"] = (
                os.sched_getaffinity(self.victim.pid) != self.affinity
                or os.getpriority(os.PRIO_PROCESS, self.victim.pid) != self.nice
            )
        return "; ".join(what for what, happened in checks.items() if happened)

    def settle(self) -> None:
        """Wait until a signal to the victim has arrived and done what it does, however busy the machine is."""
        time.sleep(0.005)
        deadline = time.monotonic() + 10
        while self.victim_changes() and time.monotonic() < deadline:
            time.sleep(0.005)

    def victim_changes(self) -> bool:
        """Whether a signal waits for the victim, or it is at work, which it is only on its way to its end."""
        assert self.victim is not None
        try:
            told = Path(f"/proc/{self.victim.pid}/status").read_text().splitlines()
        except OSError:
            return False
        fields = dict(line.split(":", 1) for line in told if ":" in line)
        waits = int(fields.get("SigPnd", "0"), 16) | int(fields.get("ShdPnd", "0"), 16)
        return bool(waits) or fields["State"].strip()[0] not in "STtZ"

    def victim_state(self) -> str:
        assert self.victim is not None
        try:
            return Path(f"/proc/{self.victim.pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return "-"

    @staticmethod
    def called(listener: socket.socket) -> bool:
        try:
            if listener.type == socket.SOCK_STREAM:
                listener.accept()[0].close()
            else:
                listener.recv(64)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        for listener in self.listeners:
            listener.close()
        assert self.victim is not None
        with self.victim:
            self.victim.kill()
        for path in sorted(self.folder.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        self.folder.rmdir()
