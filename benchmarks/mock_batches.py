"""The mock server's files and batch jobs: uploads, jobs that take their time, and the ways in which jobs go wrong.

POST /v1/files (multipart, purpose=batch) · GET /v1/files/{id} · GET /v1/files/{id}/content ·
POST /v1/batches · GET /v1/batches · GET /v1/batches/{id} · POST /v1/batches/{id}/cancel

What a line is answered is what a live call with the same body is answered, word for word, and it is counted in /stats
as one. Its options, changed as all others are:

batch_latency   how long a job takes, as `latency`
batch_faults    name=share,… of the lines: an error by its status (400, 429, 500 …), a fault of what is said, or one of
                `expired` (in the error file), `missing` (in no file), `not_json` (half a line)
batch_fates     what becomes of the next jobs, one word each, in the order of their making; see `FATES`
batch_enqueued  a job that would bring the lines under way above this many fails as at OpenAI
no_batch        404 for all of it
"""

import asyncio
import itertools
import json
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

__all__ = ["FATES", "LINE_FAULTS", "Batches", "Denied", "Lost"]

FATES = {
    "ok": "all goes well",
    "failed": "the file is found wrong: no line is answered",
    "failed_model": "the model is not known: no line is answered",
    "expired": "half of its lines are answered before it expires",
    "cancelled": "somebody cancels it when half of its lines are answered",
    "stuck": "it stays in progress until it is cancelled",
    "lost": "it is made, but the connection is cut before its maker is told",
    "mute": "it is made, but its maker waits for an answer in vain",
    "unheard": "the connection is cut before it is made",
    "refused": "it is not made: 400",
}
LINE_FAULTS = ("expired", "missing", "not_json")
MOST_LINES = 50_000


class Denied(ValueError):
    """A request that is refused, with its status."""

    def __init__(self, status: int, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Lost(ConnectionError):
    """The connection is to be cut, or kept in silence, instead of an answer: `reset` or `hang`."""


@dataclass(slots=True)
class Job:
    """One batch and what is known of it."""

    id: str
    input: str
    metadata: dict[str, str]
    created: float
    fate: str
    lines: list[dict[str, Any]] = field(default_factory=list)
    status: str = "in_progress"
    errors: list[dict[str, Any]] = field(default_factory=list)
    output: str | None = None
    mistakes: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    timer: asyncio.TimerHandle | None = None

    def shown(self) -> dict[str, Any]:
        """The batch as the protocol shows it."""
        return {
            "id": self.id,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "input_file_id": self.input,
            "completion_window": "24h",
            "status": self.status,
            "errors": {"object": "list", "data": self.errors} if self.errors else None,
            "output_file_id": self.output,
            "error_file_id": self.mistakes,
            "created_at": int(self.created),
            "expires_at": int(self.created) + 86_400,
            "request_counts": {"total": len(self.lines), "completed": 0, "failed": 0} | self.counts,
            "metadata": self.metadata,
        }


Answer = Callable[[bytes, str | None], tuple[int, bytes]]
"""Answers one line's body, under the fault named: an HTTP status and a body."""


class Options(Protocol):
    """The server's options that concern batch jobs."""

    batch_faults: dict[str, float]
    batch_fates: list[str]
    batch_enqueued: int


Chance = Callable[[bytes, Mapping[str, float]], str | None]
"""Which of the faults, with their shares, strikes a line's body this time."""


class Batches:
    """All files and jobs of one server."""

    def __init__(self, options: Options, answer: Answer, chance: Chance, delay: Callable[[int], float]) -> None:
        self._options = options
        self._answer, self._chance, self._delay = answer, chance, delay
        self.files: dict[str, bytes] = {}
        self.jobs: dict[str, Job] = {}
        self.seen: Counter[str] = Counter()
        self._paid: set[bytes] = set()
        self._numbers = itertools.count(1)

    def stats(self) -> dict[str, Any]:
        """What /stats shows; `repeats` are the lines answered 200 whose very body a job had answered so before."""
        return {
            "jobs": len(self.jobs),
            "jobs_by_status": Counter(job.status for job in self.jobs.values()),
            "files": len(self.files),
            **{name: self.seen[name] for name in ("lines", "looked_at", "listed", "fetched", "biggest_job", "repeats")},
        }

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
        """The body of the answer. Raises Denied or Lost."""
        parts = urlsplit(target)
        match method, parts.path.removeprefix("/v1").strip("/").split("/"):
            case "POST", ["files"]:
                return self._upload(headers.get("content-type", ""), body)
            case "GET", ["files", name]:
                return _json(self._file_shown(name))
            case "GET", ["files", name, "content"]:
                self.seen["fetched"] += 1
                return self._file(name)
            case "POST", ["batches"]:
                return self._create(body)
            case "GET", ["batches"]:
                return self._listed(parse_qs(parts.query))
            case "GET", ["batches", name]:
                self.seen["looked_at"] += 1
                return _json(self._job(name).shown())
            case "POST", ["batches", name, "cancel"]:
                return _json(self._cancel(self._job(name)).shown())
        raise Denied(404, f"Unknown request URL: {method} {target}", "unknown_url")

    def _upload(self, kind: str, body: bytes) -> bytes:
        fields = _multipart(kind, body)
        if fields.get("purpose") != b"batch" or "file" not in fields:
            raise Denied(400, "a file and purpose=batch are needed")
        return _json(self._file_shown(self._stored(fields["file"])))

    def _stored(self, content: bytes) -> str:
        name = f"file-{next(self._numbers):06}"
        self.files[name] = content
        return name

    def _file(self, name: str) -> bytes:
        if name not in self.files:
            raise Denied(404, f"No such File object: {name}")
        return self.files[name]

    def _file_shown(self, name: str) -> dict[str, Any]:
        size = len(self._file(name))
        return {"id": name, "object": "file", "purpose": "batch", "bytes": size, "filename": "x", "status": "processed"}

    def _create(self, body: bytes) -> bytes:
        asked = _read(body)
        if not isinstance(asked, dict) or not isinstance(asked.get("input_file_id"), str):
            raise Denied(400, "input_file_id is missing")
        self._file(asked["input_file_id"])
        fate = self._options.batch_fates.pop(0) if self._options.batch_fates else "ok"
        if fate == "unheard":
            raise Lost("reset")
        if fate == "refused":
            raise Denied(400, "No batch job can be made of this.")
        job = Job(
            f"batch_{next(self._numbers):06}", asked["input_file_id"], asked.get("metadata") or {}, time.time(), fate
        )
        self.jobs[job.id] = job
        self._begin(job)
        if fate in ("lost", "mute"):
            raise Lost("reset" if fate == "lost" else "hang")
        return _json(job.shown())

    def _begin(self, job: Job) -> None:
        lines, problem = _lines(self._file(job.input))
        busy = sum(len(other.lines) for other in self.jobs.values() if other.status == "in_progress")
        if not problem and 0 < self._options.batch_enqueued < busy + len(lines):
            problem = {"code": "token_limit_exceeded", "message": "Enqueued token limit reached. Please try again."}
        elif job.fate == "failed":
            problem = {"code": "invalid_file", "message": "The file could not be read."}
        elif job.fate == "failed_model":
            problem = {"code": "model_not_found", "message": "The provided model is not supported by the Batch API."}
        if problem:
            job.status, job.errors = "failed", [{"line": None, "param": None, **problem}]
            return
        job.lines = lines
        self.seen["lines"] += len(lines)
        self.seen["biggest_job"] = max(self.seen["biggest_job"], len(lines))
        if job.fate != "stuck":
            job.timer = asyncio.get_running_loop().call_later(self._delay(len(self.jobs)), self._finish, job)

    def _finish(self, job: Job) -> None:
        done = len(job.lines) // 2 if job.fate in ("expired", "cancelled") else len(job.lines)
        self._work(job, job.lines[:done], job.lines[done:])
        job.status = job.fate if job.fate in ("expired", "cancelled") else "completed"

    def _work(self, job: Job, lines: Sequence[dict[str, Any]], late: Sequence[dict[str, Any]]) -> None:
        good, bad = bytearray(), bytearray()
        for line in lines:
            status, out = self._line(line)
            target = good if status == 200 else bad
            target += out
            job.counts["completed" if status == 200 else "failed"] = 1 + job.counts.get(
                "completed" if status == 200 else "failed", 0
            )
        for line in late:
            bad += _out(line, None, {"code": "batch_expired", "message": "This request could not be executed in time."})
        job.output = self._stored(bytes(good)) if good else None
        job.mistakes = self._stored(bytes(bad)) if bad else None

    def _line(self, line: dict[str, Any]) -> tuple[int, bytes]:
        body = _json(line["body"])
        fault = self._chance(body, self._options.batch_faults)
        if fault == "expired":
            return 0, _out(line, None, {"code": "batch_expired", "message": "This request could not be executed."})
        if fault == "missing":
            return 0, b""
        status, said = self._answer(body, None if fault == "not_json" else fault)
        out = _out(line, {"status_code": status, "request_id": "req_mock", "body": _read(said)}, None)
        if status == 200:
            self.seen["repeats"] += body in self._paid
            self._paid.add(body)
        return status, out[: len(out) // 2] + b"\n" if fault == "not_json" else out

    def _cancel(self, job: Job) -> Job:
        if job.status == "in_progress":
            if job.timer:
                job.timer.cancel()
            job.fate = "cancelled"
            self._finish(job)
        return job

    def _job(self, name: str) -> Job:
        if name not in self.jobs:
            raise Denied(404, f"No batch found with id '{name}'.")
        return self.jobs[name]

    def _listed(self, query: dict[str, list[str]]) -> bytes:
        self.seen["listed"] += 1
        newest = [job.shown() for job in reversed(self.jobs.values())]
        after, most = query.get("after", [""])[0], min(100, int(query.get("limit", ["20"])[0]))
        start = 1 + next((at for at, job in enumerate(newest) if job["id"] == after), -1)
        page = newest[start : start + most]
        more = start + most < len(newest)
        ends = {"first_id": page[0]["id"], "last_id": page[-1]["id"]} if page else {"first_id": None, "last_id": None}
        return _json({"object": "list", "data": page, "has_more": more, **ends})


def _lines(content: bytes) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
    """The lines of an input file, or what is wrong with it."""
    try:
        lines = [json.loads(line) for line in content.splitlines() if line.strip()]
        models = {line["body"]["model"] for line in lines}
        fine = all(line["method"] == "POST" and line["url"] == "/v1/chat/completions" for line in lines)
    except (ValueError, KeyError, TypeError) as error:
        return [], {"code": "invalid_json_line", "message": str(error)}
    if not fine or not lines or len({line["custom_id"] for line in lines}) < len(lines):
        return [], {"code": "invalid_request", "message": "wrong method or url, no line, or a custom_id twice"}
    if len(models) > 1:
        return [], {"code": "mismatched_model", "message": "all lines must name one model"}
    if len(lines) > MOST_LINES:
        return [], {"code": "too_many_tasks", "message": f"more than {MOST_LINES} lines"}
    return lines, None


def _out(line: dict[str, Any], response: dict[str, Any] | None, error: dict[str, str] | None) -> bytes:
    return _json({"id": "batch_req_mock", "custom_id": line["custom_id"], "response": response, "error": error}) + b"\n"


def _multipart(kind: str, body: bytes) -> dict[str, bytes]:
    """The parts of a form by name."""
    boundary = re.search(r'boundary="?([^";]+)', kind)
    if not kind.startswith("multipart/form-data") or not boundary:
        raise Denied(400, "send multipart/form-data")
    found: dict[str, bytes] = {}
    for part in body.split(b"--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if name := re.search(rb'name="([^"]+)"', head):
            found[name[1].decode()] = content.removesuffix(b"\r\n")
    return found


def _read(said: bytes) -> Any:
    try:
        return json.loads(said)
    except ValueError:  # a proxy's page
        return said.decode("utf-8", "replace")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
