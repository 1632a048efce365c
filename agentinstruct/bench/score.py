"""A model scored on a bench: through the gateway, with its limits and budget, into a journal, so that it resumes.

bench ─ items ─ examined, as many at once as the limit allows ─ journal ─→ scores.json · scores.svg · examined.jsonl
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import BudgetReached, ProviderDown, ProviderError, RunError
from agentinstruct.agents.gateway import Statistics, using
from agentinstruct.agents.models import Endpoints
from agentinstruct.bench.examiner import Examiner
from agentinstruct.bench.items import BenchItem, read_bench
from agentinstruct.bench.results import Score, as_json, first_place, scores_of
from agentinstruct.bench.shown import plot
from agentinstruct.bench.turns import bench_prompt
from agentinstruct.dataset.writing import replacing
from agentinstruct.graphs.state import Context
from agentinstruct.run.cache import call_store
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.runner import make_gateway
from agentinstruct.run.telemetry import Telemetry

SCORES, PLOT, EXAMINED = "scores.json", "scores.svg", "examined.jsonl"


@dataclass(frozen=True, slots=True)
class Scoring:
    """What is to be scored, by whom, and what that may take."""

    bench: Path
    out: Path
    model: str
    judge: str
    limit: int = 0
    """Items of each set, for a first look; 0: all."""
    max_tokens: int = 2048
    max_concurrency: int = 64
    endpoints: Endpoints = field(default_factory=Endpoints)
    prices: Path | None = None
    cache: Path | None = None
    budget: float | None = None
    max_calls: int = 0

    def run(self) -> RunConfig:
        """The same as a run has it."""
        return RunConfig(
            paths=(),
            out=self.out,
            context=Context(model=self.model, judge_model=self.judge),
            endpoints=self.endpoints,
            max_concurrency=self.max_concurrency,
            prices=self.prices,
            cache=self.cache,
            budget=self.budget,
            max_calls=self.max_calls,
        )


@dataclass(slots=True)
class Scored:
    """How far it got, and the scores so far."""

    scores: list[Score]
    done: int
    waiting: int
    """Items that are not examined yet."""
    trouble: str = ""
    """Why they wait: an endpoint's failure, or the budget."""
    notes: Counter[str] = field(default_factory=Counter)
    first_place: float = 0.0
    """By how much the examiner favours what comes first; evened out in the scores, and a sign of how good it is."""


async def score(scoring: Scoring, watch: Callable[[int, int], None] = lambda done, total: None) -> Scored:
    """Examine every item that is not examined yet, and write what they all come to.

    Raises:
        SetupError: something to put right before the first call.
        ProviderDown: a model does not serve; what is done is kept.
    """
    every, seal = read_bench(scoring.bench)
    items = list(_first(every, scoring.limit))
    prompts = {name: bench_prompt(name).fingerprint for name in ("examine", "functions")}
    manifest = {
        "bench": seal,
        "models": {"model": scoring.model, "judge": scoring.judge},
        "prompts": prompts,
        "max_tokens": scoring.max_tokens,
    }
    with Journal.open(scoring.out, manifest) as journal:
        work = _Work(scoring, journal, items, watch)
        try:
            await work.do()
        finally:
            scores = _write(journal, scoring, seal)
        waiting = sum(not journal.is_done(item.id) for item in items)
        return Scored(
            scores, len(items) - waiting, waiting, work.trouble, _notes(journal), first_place(journal.records())
        )


@dataclass(slots=True)
class _Work:
    """The items in flight."""

    scoring: Scoring
    journal: Journal
    items: Sequence[BenchItem]
    watch: Callable[[int, int], None]
    trouble: str = ""
    _over: bool = False
    """Whether nothing more is begun: the budget is reached, or something ended it all."""
    _fatal: Exception | None = None
    _done: int = 0

    async def do(self) -> None:
        """Examine what is left, as many at once as there may be calls."""
        config, before, statistics = self.scoring.run(), self.journal.counts(), Statistics()
        budget = config.make_budget(before.bought, before.cost)
        left = [item for item in self.items if not self.journal.is_done(item.id)]
        self._done = len(self.items) - len(left)
        self.watch(self._done, len(self.items))
        with call_store(self.journal, config.cache, statistics, self._tell) as store:
            gateway = make_gateway(config, store, budget, statistics, Telemetry(), answered=before.calls > 0)
            # Asking for the width opens the model: what is wrong with its name is told before the first call.
            width = min(gateway.width(spec) for spec in (self.scoring.model, self.scoring.judge))
            async with using(gateway), asyncio.TaskGroup() as group:
                room = asyncio.Semaphore(width)
                for item in left:
                    await room.acquire()
                    group.create_task(self._one(item)).add_done_callback(lambda _: room.release())
        if self._fatal:
            raise self._fatal

    async def _one(self, item: BenchItem) -> None:
        try:
            await self._examine(item)
        except BudgetReached as error:
            self._over = True
            self._tell(str(error))
        except (ProviderDown, RunError) as error:
            self._over, self._fatal = True, error
        except ProviderError as error:
            self.journal.fail(item.id, item.set, item.seed_id, "examine", type(error).__name__, str(error))
            self._tell(str(error))

    async def _examine(self, item: BenchItem) -> None:
        if self._over:
            return
        scoring = self.scoring
        row = await Examiner(scoring.model, scoring.judge, scoring.max_tokens).examine(item)
        self.journal.finish(item.id, item.set, item.seed_id, [row], [])
        self._done += 1
        self.watch(self._done, len(self.items))

    def _tell(self, trouble: str) -> None:
        self.trouble = trouble


def _first(items: Sequence[BenchItem], limit: int) -> Iterator[BenchItem]:
    seen: Counter[str] = Counter()
    for item in items:
        seen[item.set] += 1
        if not limit or seen[item.set] <= limit:
            yield item


def _write(journal: Journal, scoring: Scoring, seal: str) -> list[Score]:
    """The scores of everything that was examined so far, as files."""
    scores = scores_of(journal.records())
    title = f"{scoring.model}, examined by {scoring.judge}"
    told: dict[str, Any] = {"model": scoring.model, "judge": scoring.judge, "bench": seal, **as_json(scores)}
    told["first_place"] = first_place(journal.records())
    contents = {
        SCORES: orjson.dumps(told, option=orjson.OPT_INDENT_2),
        PLOT: plot({scoring.model: scores}, title).encode(),
        EXAMINED: b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in journal.records()),
    }
    for name, content in contents.items():
        with replacing(scoring.out / name) as temporary:
            temporary.write_bytes(content)
    return scores


def _notes(journal: Journal) -> Counter[str]:
    """What happened to answers, by what it was."""
    found = Counter[str]()
    for note in (turn["note"] for row in journal.records() for turn in row["turns"]):
        answer, examiner, _ = note.partition("examiner:")
        found[answer.rstrip("; ").partition(":")[0]] += 1
        found["not rated in one order, or in both"] += bool(examiner)
    return Counter({what: count for what, count in found.items() if what and count})
