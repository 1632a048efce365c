"""The worker that parses hostile formats: bytes in, text out, under limits, in a process of its own.

    parent ── length, request (JSON), bytes ──▶ worker ── length, reply (JSON) ──▶ parent

It opens no file by name. An error that is not foreseen ends the process after it was reported; the parent starts
another for the next file.
"""

import json
import os
import struct
import sys
import zipfile
import zlib
from types import TracebackType
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError

from agentinstruct.seeds.extractors import EXTRACTORS, Extractor, Refused, Reply

LENGTH = struct.Struct(">Q")
NOT_PARSED = (
    *(ValueError, KeyError, TypeError, AttributeError, IndexError, AssertionError, OSError, EOFError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, ExpatError),
)


def serve(requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers requests until the parent closes the pipe."""

    def reply(message: dict[str, Any]) -> None:
        data = json.dumps(message).encode()
        replies.write(LENGTH.pack(len(data)) + data)
        replies.flush()

    def report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        reply({"reason": "parse failed", "detail": _told(error), "last": True})

    sys.excepthook = report
    while head := requests.read(LENGTH.size):
        request = json.loads(requests.read(LENGTH.unpack(head)[0]))
        data = requests.read(request["size"])
        _limit_cpu(request["cpu_s"])
        reply(_extract(EXTRACTORS[request["reader"]], data, request))


def _extract(extractor: Extractor, data: bytes, request: Reply) -> Reply:
    try:
        return extractor(data, request)
    except Refused as refusal:
        return {"reason": refusal.reason, "detail": refusal.detail}
    except ImportError as error:
        return {"reason": "needs an extra", "detail": f"no {error.name}: pip install 'agentinstruct[docs]'"}
    except NOT_PARSED as error:
        return {"reason": "parse failed", "detail": _told(error)}


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"[:200].encode("utf-8", "replace").decode()


def _limit_memory(megabytes: int) -> None:
    import resource

    limit = megabytes << 20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def _limit_cpu(seconds: float) -> None:
    """At most so many more seconds: the limit of the system counts from the start of the process."""
    import resource

    usage = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(usage.ru_utime + usage.ru_stime + seconds) + 1, hard))


def main() -> None:
    """Keeps the pipe for itself, so that nothing a parser prints can disturb the replies."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    _limit_memory(int(sys.argv[1]))
    serve(sys.stdin.buffer, replies)


if __name__ == "__main__":
    main()
