"""What the benchmark works on: any number of seeds, made of the example seeds, and what a model says about them.

seeds ─ one run on the scripted model ─→ recorded.jsonl: each request's body, and the reply to it

The bare client sends those very bodies, and `replies.py` gives those very replies to all clients.
"""

import ast
import asyncio
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, cast

import orjson

from agentinstruct.agents.gateway import Completion, Request
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.wire import body_of
from agentinstruct.graphs.state import Context
from agentinstruct.run.execute import execute
from agentinstruct.run.plan import RunConfig

EXAMPLES = Path(__file__).parents[2] / "examples" / "seeds"
SKILLS = ("reading_comprehension", "text_modification", "tool_use")
NAME = "replayed"
MODEL = f"openai:{NAME}"
CODE_EVERY = 4
"""One seed in so many is code."""


def write_seeds(path: Path, count: int) -> Path:
    """A JSONL file of so many different seeds, the same ones each time."""
    prose, code = list(_paragraphs()), list(_functions())
    with path.open("wb") as file:
        for number in range(count):
            draw = Random(number)
            if number % CODE_EVERY == CODE_EVERY - 1:
                row = {"text": "\n\n\n".join([f"# Part {number}", *draw.sample(code, 3)]), "language": "python"}
            else:
                row = {"text": "\n\n".join([*draw.sample(prose, 3), f"So ends part {number}."]), "language": ""}
            file.write(orjson.dumps({**row, "title": f"seed {number}"}) + b"\n")
    return path


def _paragraphs() -> Iterator[str]:
    for path in sorted([*EXAMPLES.glob("*.md"), *EXAMPLES.glob("*.txt"), *EXAMPLES.glob("*.rst")]):
        parts = [" ".join(part.split()) for part in path.read_text(encoding="utf-8").split("\n\n")]
        yield from (part for part in parts if 250 <= len(part) <= 900 and part[0].isalpha() and part.endswith("."))


def _functions() -> Iterator[str]:
    for path in sorted(EXAMPLES.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            source = ast.get_source_segment(text, node) or ""
            if isinstance(node, ast.FunctionDef) and 200 <= len(source) <= 2000:
                yield source


def config_of(seeds: Path, out: Path, endpoints: Endpoints, **settings: Any) -> RunConfig:
    """The run that is measured: three skills, everything else as it is."""
    context = Context(model=MODEL, **settings.pop("context", {}))
    return RunConfig((str(seeds),), out, SKILLS, context, endpoints=endpoints, embeddings="none", **settings)


def record(seeds: Path, recorded: Path, *, limit: int = 0) -> int:
    """Run the flows once on the scripted model and keep every request with its reply; how many there were."""
    with TemporaryDirectory() as out, recorded.open("wb") as file:
        places = Recording(file)
        asyncio.run(execute(config_of(seeds, Path(out) / "run", cast(Endpoints, places), limit=limit)))
    return places.count


class Recording:
    """The scripted model behind every spec, with its requests written down as an endpoint would get them."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._model = ScriptedModel()
        self.count = 0
        self.width = 0

    def open(self, spec: str) -> "Recording":
        """Itself, whatever is asked for."""
        return self

    async def complete(self, request: Request) -> Completion:
        """The scripted reply, once it is written down."""
        reply = await self._model.complete(request)
        body = body_of(request, NAME, "json_schema")
        usage = {"prompt_tokens": reply.input_tokens, "completion_tokens": reply.output_tokens}
        self._file.write(orjson.dumps({"body": body, "text": reply.text, "usage": usage}) + b"\n")
        self.count += 1
        return reply

    async def aclose(self) -> None:
        """Nothing to close."""
