"""The parent's end of the extraction worker: starts it, times it, and starts it again when it dies."""

import json
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from agentinstruct.seeds.document import SeedOptions, Unusable

_LENGTH = struct.Struct(">Q")
_MAX_REPLY = 256_000_000


class Worker:
    """One process that parses files one after another; started when first needed, ended by `close`.

    It inherits the open `files`, by their numbers: what is too large to be sent.
    """

    def __init__(self, options: SeedOptions, files: tuple[int, ...] = ()) -> None:
        self._options = options
        self._files = files
        self._process: subprocess.Popen[bytes] | None = None

    def extract(self, reader: str, data: bytes, **request: Any) -> Mapping[str, Any]:
        """What the worker makes of some bytes.

        Raises:
            Unusable: it refused them, ran out of time or memory, or died of them.
        """
        process = self._process or self._start()
        timed_out = threading.Event()
        timer = threading.Timer(self._options.parse_timeout_s, _end, (process, timed_out))
        timer.start()
        try:
            reply = self._exchange(process, data, {"reader": reader, **request})
        except (OSError, ValueError) as error:
            self.close()
            if timed_out.is_set() or process.returncode == -24:  # SIGXCPU
                raise Unusable("timed out", f"not parsed within {self._options.parse_timeout_s:g} s") from error
            raise Unusable("parse failed", f"the parser died (status {process.returncode})") from error
        finally:
            timer.cancel()
        if reply.get("last"):
            self.close()
        if "reason" in reply:
            raise Unusable(reply["reason"], str(reply.get("detail", "")))
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        # -I: neither the working folder, which may hold hostile files, nor the environment decides what is imported.
        self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-I", "-m", "agentinstruct.seeds.extract", str(self._options.parse_memory_mb)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            pass_fds=self._files,
            env={"LC_ALL": "C.UTF-8", "OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"},
            start_new_session=True,
        )
        return self._process

    def _exchange(self, process: subprocess.Popen[bytes], data: bytes, request: dict[str, Any]) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        head = json.dumps({**request, "size": len(data), "cpu_s": self._options.parse_timeout_s}).encode()
        process.stdin.write(_LENGTH.pack(len(head)) + head)
        process.stdin.write(data)
        process.stdin.flush()
        length = process.stdout.read(_LENGTH.size)
        if len(length) < _LENGTH.size:
            raise ValueError("no reply")
        size = _LENGTH.unpack(length)[0]
        if size > _MAX_REPLY:
            raise ValueError("reply too large")
        reply = json.loads(process.stdout.read(size))
        if not isinstance(reply, dict):
            raise ValueError("not a reply")
        return reply

    def close(self) -> None:
        """Ends the process, if there is one."""
        if (process := self._process) is None:
            return
        self._process = None
        process.kill()
        with suppress(OSError):
            process.communicate()


def _end(process: subprocess.Popen[bytes], timed_out: threading.Event) -> None:
    timed_out.set()
    process.kill()
