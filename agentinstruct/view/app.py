"""The page over a run: a list with filters and search, a row with its lineage, labels by keyboard.

It listens on this machine only, answers only to its own address, and shows whatever texts hold as text: no script, no
link and no picture of theirs. What changes labels needs the token that only its own pages know.
"""

import secrets
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from agentinstruct.run.reader import JournalReader
from agentinstruct.run.segment import DamagedFrame
from agentinstruct.view.filling import Filling
from agentinstruct.view.index import Reading, ViewIndex
from agentinstruct.view.labels import LABELS, LONGEST_NOTE, Label, Labels
from agentinstruct.view.lineage import lineage
from agentinstruct.view.query import PAGE, Found, Query, Search
from agentinstruct.view.rows import KINDS
from agentinstruct.view.sources import Sources

HERE = Path(__file__).parent
HOSTS = ("127.0.0.1", "localhost", "[::1]")
LONGEST_FACET = 18
"""Values of a kind that are shown at once."""
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass
class Viewer:
    """One run as the page shows it. Its parts are used by one thread at a time."""

    journal: JournalReader
    index: ViewIndex
    labels: Labels
    sources: Sources
    filling: Filling
    labels_kept: bool = True
    """Whether labels outlive the viewer."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.index.connection.execute("ATTACH ? AS labels", (str(self.labels.path),))
        templates = Environment(
            loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        templates.filters["count"] = lambda number: f"{number:,}"
        self.templates = templates
        self.search = Search(self.index)

    @contextmanager
    def looking(self) -> Iterator[Reading]:
        """The index as it is now, for one thread."""
        with self.lock:
            yield self.index.reading()

    def page(self, name: str, **shown: Any) -> HTMLResponse:
        """A template as a page."""
        run = self.journal.folder.name
        text = self.templates.get_template(name).render(run=run, token=self.token, labels=LABELS, **shown)
        return HTMLResponse(text, shown.get("status", 200))

    def listed(self, request: Request) -> Response:
        """The rows that are looked for."""
        query = Query.of(request.query_params)
        with self.looking() as reading:
            found = self.search.find(query)
            rows, facets = found.page(), [(kind, _facet(found, kind)) for kind in KINDS]
            marks = {row.id: self.labels.of(row.id) for row in rows}
            counts = self.labels.counts()
        return self.page(
            "list.html",
            query=query,
            found=found,
            rows=rows,
            facets=facets,
            marks=marks,
            counts=counts,
            first=query.page * PAGE + 1,
            reading=reading,
            ended=self.filling.ended,
            first_values=LONGEST_FACET,
        )

    def shown(self, request: Request) -> Response:
        """One row with its lineage."""
        n, query = int(request.path_params["n"]), Query.of(request.query_params)
        with self.looking():
            row = self.index.row(n)
            if row is None:
                return self.page("missing.html", query=query, what=f"There is no row {n}.", status=404)
            try:
                whole = lineage(self.index, row, self.sources.text, self._said)
            except DamagedFrame as error:
                return self.page("missing.html", query=query, what=f"Row {n} cannot be read: {error}.", status=410)
            before, after, page = self.search.find(query).around(n)
            mark = self.labels.of(row.id)
        ways = {"before": before, "after": after, "back": query.address(page=page)}
        return self.page("row.html", query=query, whole=whole, row=row, mark=mark, **ways)

    def named(self, request: Request) -> Response:
        """The row of a record's or draft's id."""
        with self.looking():
            row = self.index.by_id(request.path_params["known"])
        if row is None:
            return self.page("missing.html", query=Query(), what="There is no row of this id.", status=404)
        return Response(status_code=307, headers={"location": f"/row/{row.n}"})

    def reply(self, request: Request) -> Response:
        """What a model replied, as it is in the journal."""
        with self.lock:
            said = self._said(request.path_params["key"])
        if said is None:
            return PlainTextResponse("This reply is not in the run's journal.", 404)
        return PlainTextResponse(said)

    def _said(self, key: str) -> str | None:
        """What a model replied in a call; None where the journal does not have it."""
        with suppress(ValueError):
            if known := self.journal.get_call(key):
                return str(known["text"])
        return None

    def label(self, body: Mapping[str, Any]) -> Response:
        """Keep what a person says of a row."""
        label, note = body.get("label", ""), body.get("note", "")
        if not isinstance(label, str) or not isinstance(note, str) or len(note) > LONGEST_NOTE:
            return JSONResponse({"error": f"label and note: texts, a note of {LONGEST_NOTE:,} characters at most"}, 422)
        with self.looking():
            row = self.index.row(body["n"]) if isinstance(body.get("n"), int) else None
            if row is None:
                return JSONResponse({"error": "no such row"}, 404)
            try:
                self.labels.put(row.id, row.skill, row.state, Label(label, note))
            except ValueError as error:
                return JSONResponse({"error": str(error)}, 422)
        return JSONResponse({"label": label, "note": note})

    def lines(self) -> Iterator[bytes]:
        """All labels as JSON lines."""
        with self.lock:
            found = list(self.labels.lines())
        yield from found


def _facet(found: Found, kind: str) -> list[tuple[str, int]]:
    """Values of a kind with their counts, as they are shown; none where there is nothing to choose."""
    values = [(value, count) for value, count in found.facet(kind).items() if value]
    if kind == "depth":
        values = [] if [value for value, _ in values] == ["0"] else sorted(values)
    return values


def make_app(viewer: Viewer) -> Starlette:
    """The web application."""

    async def label(request: Request) -> Response:
        if not secrets.compare_digest(request.headers.get("x-token", ""), viewer.token):
            return JSONResponse({"error": "this page is of an earlier start: load it again"}, 403)
        try:
            body = await request.json()
        except ValueError:
            body = None
        return viewer.label(body) if isinstance(body, dict) else JSONResponse({"error": "no JSON object"}, 422)

    def lines(request: Request) -> Response:
        kept = {"content-disposition": 'attachment; filename="labels.jsonl"'}
        return StreamingResponse(viewer.lines(), media_type="application/jsonl", headers=kept)

    def progress(request: Request) -> Response:
        with viewer.looking() as reading:
            pass
        return JSONResponse({"rows": reading.rows, "read": reading.read, "size": reading.size})

    routes = [
        Route("/", viewer.listed),
        Route("/row/{n:int}", viewer.shown),
        Route("/id/{known}", viewer.named),
        Route("/reply/{key}", viewer.reply),
        Route("/label", label, methods=["POST"]),
        Route("/labels.jsonl", lines),
        Route("/progress", progress),
        Mount("/static", StaticFiles(directory=HERE / "static")),
    ]
    hosts = Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS), www_redirect=False)
    return Starlette(routes=routes, middleware=[hosts, Middleware(Guarded)])


class Guarded:
    """Says in every answer what its page may do."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Serve a request."""

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                for name, value in (
                    ("content-security-policy", POLICY),
                    ("x-content-type-options", "nosniff"),
                    ("referrer-policy", "no-referrer"),
                    ("cache-control", "no-store"),
                ):
                    message["headers"].append((name.encode(), value.encode()))
            await send(message)

        await self._app(scope, receive, guarded)
