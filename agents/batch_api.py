"""A provider's files and batch jobs, over HTTP: upload, create, look, find, fetch.

Every method raises RetryableError for what may pass and ProviderDown for what will not, as live calls do.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from agentinstruct.agents.endpoint import BadRequestError, discreet, failure_of, message_of
from agentinstruct.agents.errors import ProviderDown, RunError
from agentinstruct.agents.gateway import RetryableError
from agentinstruct.agents.proxied import proxy_of
from agentinstruct.agents.transport import nameless

if TYPE_CHECKING:
    from aiohttp import ClientSession

CHAT = "/v1/chat/completions"
OURS, RUN = "agentinstruct_job", "agentinstruct_run"
OVER = frozenset({"completed", "failed", "expired", "cancelled"})
_PAGE, _PAGES = 100, 200


@dataclass(frozen=True, slots=True)
class Seen:
    """What a provider says of one of its batch jobs."""

    id: str
    status: str
    input: str = ""
    output: str = ""
    mistakes: str = ""
    created: float = 0.0
    ours: str = ""
    """Our own name of the job, by its metadata."""
    code: str = ""
    problem: str = ""
    """Why it failed: in a word, and in the provider's words."""

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.status in OVER


@dataclass
class BatchServer:
    """The batch side of one OpenAI-compatible base URL."""

    base_url: str
    api_key: str = field(default="", repr=False)
    timeout_s: float = 300.0
    _session: "ClientSession | None" = None

    async def upload(self, lines: Path) -> str:
        """Send an input file, streamed from the disk; the provider's id of it."""
        import aiohttp

        form = aiohttp.FormData({"purpose": "batch"})
        with lines.open("rb") as file:
            form.add_field("file", file, filename=lines.name, content_type="application/jsonl")
            return _name(await self._json("POST", "/files", data=form))

    async def create(self, file: str, run: str, ours: str) -> Seen:
        """Start a job on an uploaded file, marked so that a listing tells which of ours it is."""
        body = {
            "input_file_id": file,
            "endpoint": CHAT,
            "completion_window": "24h",
            "metadata": {RUN: run, OURS: ours},
        }
        headers = {"content-type": "application/json"}
        return _seen(await self._json("POST", "/batches", data=orjson.dumps(body), headers=headers))

    async def look(self, job: str) -> Seen:
        """How far a job is."""
        return _seen(await self._json("GET", f"/batches/{quote(job, safe='')}"))

    async def find(self, ours: str, file: str, since: float) -> Seen | None:
        """The job that was started for one of ours, where the provider knows of it; older ones are not looked at."""
        after = ""
        for _ in range(_PAGES):
            page = await self._json("GET", f"/batches?limit={_PAGE}{after}")
            listed = page.get("data")
            jobs = [_seen(one) for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
            for job in jobs:
                if job.ours == ours or (file and job.input == file):
                    return job
            if not page.get("has_more") or not jobs or jobs[-1].created < since:
                return None
            after = f"&after={quote(jobs[-1].id, safe='')}"
        return None

    async def fetch(self, file: str, into: IO[bytes]) -> None:
        """Write the whole content of one of the provider's files.

        Raises:
            RunError: there is no room for it on the disk.
        """
        into.seek(0)
        into.truncate()
        try:
            async for part in self._parts("GET", f"/files/{quote(file, safe='')}/content"):
                into.write(part)
            into.seek(0)
        except OSError as error:
            advice = "Free some space, or set TMPDIR, and give the same command again"
            raise RunError(f"a batch job's answers cannot be stored ({error.strerror}). {advice}.") from error

    async def _json(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        raw = b"".join([part async for part in self._parts(method, path, **options)])
        try:
            value = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise RetryableError(f"{nameless(self.base_url)}{path}: the answer is not JSON: {raw[:80]!r}") from error
        if not isinstance(value, dict):
            raise RetryableError(f"{nameless(self.base_url)}{path}: the answer is not an object")
        return value

    async def _parts(self, method: str, path: str, **options: Any) -> AsyncIterator[bytes]:
        import aiohttp

        try:
            proxy = proxy_of(self.base_url) or None
            async with self._open().request(method, self.base_url + path, proxy=proxy, **options) as response:
                if not 200 <= response.status < 300:
                    raise self._refused(path, response.status, await response.read(), response.headers)
                async for part in response.content.iter_any():
                    yield part
        except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
            raise RetryableError(self._safe(f"{self.base_url}{path}: {type(error).__name__}: {error}")) from error

    def _refused(self, path: str, status: int, raw: bytes, headers: Mapping[str, str]) -> Exception:
        said, where = self._safe(message_of(raw)), self._safe(f"{self.base_url}{path.partition('?')[0]}")
        if status in (404, 405):
            return ProviderDown(f"{where}: HTTP {status}: {said}. {_advice(path)}")
        error = failure_of(status, said, raw, headers)
        return ProviderDown(f"{where}: {error}") if isinstance(error, BadRequestError) else error

    def _safe(self, text: str) -> str:
        return discreet(text, self.api_key)

    def _open(self) -> "ClientSession":
        if self._session is None:
            import aiohttp

            headers = {"authorization": f"Bearer {self.api_key}"} if self.api_key else {}
            limits = aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=self.timeout_s)
            self._session = aiohttp.ClientSession(headers=headers, timeout=limits)
        return self._session

    async def aclose(self) -> None:
        """Close the session."""
        if self._session is not None:
            await self._session.close()
            self._session = None


def _advice(path: str) -> str:
    """What to do where a path is not there."""
    if "?" in path:  # the listing, in which a job is looked for whose start was not confirmed
        return "Is it the server that was to begin a job? If it has none, remove the run's batches/*.json."
    return "Is it the account that began the job?" if path.count("/") > 1 else "No batch jobs here? Then no --batch."


def _name(answer: Mapping[str, Any]) -> str:
    name = answer.get("id")
    if not isinstance(name, str) or not name:
        raise RetryableError("the server gave no id for what it took")
    return name


def _seen(answer: Mapping[str, Any]) -> Seen:
    errors, created = _mapping(answer, "errors").get("data"), answer.get("created_at")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    return Seen(
        id=_name(answer),
        status=str(answer.get("status") or ""),
        input=str(answer.get("input_file_id") or ""),
        output=str(answer.get("output_file_id") or ""),
        mistakes=str(answer.get("error_file_id") or ""),
        created=float(created) if isinstance(created, int | float) else 0.0,
        ours=str(_mapping(answer, "metadata").get(OURS) or ""),
        code=str(first.get("code") or ""),
        problem=str(first.get("message") or "")[:500],
    )


def _mapping(answer: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = answer.get(key)
    return value if isinstance(value, dict) else {}
