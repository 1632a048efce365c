"""Seeds in, a dataset out: `agentinstruct run` as a function.

options ─ checked ─ RunConfig ─ run/execute.py ─ run folder ─ Dataset
                                      └─ each finished work item ─→ astream's records
"""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Self

from typing_extensions import Unpack

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.records import Record
from agentinstruct.api.dataset import Dataset
from agentinstruct.api.feed import fed
from agentinstruct.api.loops import run_here
from agentinstruct.api.material import ScriptRun, Seeds, material_of
from agentinstruct.api.models import GivenEndpoints, settle
from agentinstruct.api.options import Options, read_options, show_options
from agentinstruct.api.show import Ticker, ticking
from agentinstruct.api.skill import named
from agentinstruct.run.execute import execute
from agentinstruct.run.target import Target
from agentinstruct.run.window import Outcome
from agentinstruct.seeds import SeedOptions

_SAME = (
    "limit", "mix", "skills_per_seed", "route", "embeddings", "budget", "max_calls", "prices", "cache",
    "max_concurrency", "workers", "retry_failed",
)  # fmt: skip
"""Options that a run takes as they are."""


def generate(seeds: Seeds, **options: Unpack[Options]) -> Dataset:
    """Make a dataset from documents and code, and wait for it; in a notebook too, where a loop is running.

    What it does, and what each option means, is what `agenerate` says. Ctrl-C stops it in order: what is done is in
    the run folder, and the same call with the same `out` goes on from there.

    >>> from agentinstruct import generate
    >>> dataset = generate("examples/seeds/albedo.md", skills="text_modification", model="scripted", limit=1)
    >>> print(len(dataset) > 0, dataset.cost)
    True 0.0
    """
    return run_here(_generate(seeds, read_options(Options, options, "generate")))


async def agenerate(seeds: Seeds, **options: Unpack[Options]) -> Dataset:
    """Make a dataset from documents and code.

    Args:
        seeds: Paths, folders or patterns, as `str` or `Path`; or documents in memory as mappings with a `text` (rows of
            a Hugging Face dataset, of a DataFrame, of your own), which are cut and judged as files are; or `Seed`s,
            which are taken as they are. One of them, or any number.
        options: Every one may be left out. Of the run: `out` is its folder, in which the same call goes on where the
            last one stopped; without it the folder is temporary and goes with the `Dataset`. `skills` are names, or
            folders of your own skills; all are drawn from otherwise, by `mix` and `skills_per_seed`. `limit` is a
            number of seeds, `target` one of accepted records (`per` "all", "skill" or "category"), `budget` USD,
            `max_calls` calls, `chunk_chars` characters, `timeout_s` seconds a call. `max_concurrency` calls are in
            flight at most, `workers` processes share the work. `prices` is a file, `cache` a folder that runs share,
            `batch` names roles whose calls go by batch job. `progress` shows how the run goes, on a terminal or in a
            notebook, or is a function that is given its `Progress` twice a second.
            Of its flows: the fields of `Context`, or a whole one as `context`. A model is a name as `--model` takes
            it, a LangChain chat model, or an object with the methods of `Model`; `judge_model` and the like are those
            of single roles. `categories`, `transforms` and `goals` are names. What is not named here means what it
            means to `agentinstruct run`.

    Returns:
        The dataset, also where the run ended early: `Dataset.notices` says at what, and what was left out.

    Raises:
        SetupError: something to put right; raised before the first call wherever it can be known.
        ProviderDown: a model does not serve. What is done is kept, where a note of the error says.
        TypeError: there is no such option.

    >>> import asyncio
    >>> from agentinstruct import agenerate
    >>> text = (
    ...     "The tide mill has ground corn since 1742. Twice a day the pond behind it fills with salt water. When the "
    ...     "sea draws back, the miller opens the gate, and the water turns the oak wheel for about five hours. Storms "
    ...     "broke the dam in 1816 and again in 1903, yet each time the village paid for new stones."
    ... )
    >>> dataset = asyncio.run(agenerate({"text": text, "source": "guide"}, skills="fermi", model="scripted"))
    >>> print({record.source for record in dataset}, dataset.notices)
    {'guide'} ()
    """
    return await _generate(seeds, read_options(Options, options, "agenerate"))


async def astream(seeds: Seeds, **options: Unpack[Options]) -> AsyncIterator[Record]:
    """Make records from documents and code, and give each as soon as it is safe in the run folder.

    Seeds, options and errors are those of `agenerate`. With an `out` that holds records already, only new ones are
    given; with a `target`, also those beyond it that were under way. Leaving the loop ends the run in order; wrap the
    iterator in `contextlib.aclosing` to have that done before the next line.

    >>> import asyncio
    >>> from agentinstruct import astream
    >>> async def first():
    ...     async for record in astream("examples/seeds/albedo.md", skills="text_modification", model="scripted"):
    ...         return record.messages[-1].role
    >>> print(asyncio.run(first()))
    assistant
    """
    read = read_options(Options, options, "astream")
    if read.get("workers", 1) > 1:
        raise SetupError("workers: the records of other processes are not streamed. Use agenerate, or leave it out.")

    def work(tell: Callable[[dict[str, Any]], None]) -> Coroutine[Any, Any, Dataset]:
        def hear(outcome: Outcome) -> None:
            for row in outcome.records:
                tell(row)

        return _generate(seeds, read, hear)

    async with aclosing(fed(work)) as rows:
        async for row in rows:
            yield Record.model_validate(row)


show_options(Options, generate, agenerate, astream)


def _silent(outcome: Outcome) -> None:
    """Nobody listens."""


async def _generate(seeds: Any, options: Mapping[str, Any], hear: Callable[[Outcome], None] | None = None) -> Dataset:
    job = Job.of(seeds, options)
    with job.folder_kept_on_error(streamed=hear is not None), _memory_as_before():
        async with ticking(job.progress) as watch:
            finished = await execute(job.config, watch, hear or _silent, heed=False)
    return Dataset(job.config.out, finished=finished, temporary=job.temporary)


@dataclass(frozen=True, slots=True)
class Job:
    """A run as it was asked for."""

    config: ScriptRun
    temporary: bool
    progress: Ticker | bool = field(default=False)

    @classmethod
    def of(cls, seeds: Any, options: Mapping[str, Any]) -> Self:
        """The run that these options ask for. Raises `SetupError`."""
        paths, given = material_of(seeds)
        context, models = settle(options)
        if models and options.get("workers", 1) > 1:
            raise SetupError("workers: a model that is an object stays in this process. Name it, or leave workers out.")
        places = Endpoints(base_url=options.get("base_url", ""), timeout_s=options.get("timeout_s", 300.0))
        target, out, known = options.get("target", 0), options.get("out"), tuple(named(options.get("skills", ())))
        config = ScriptRun(
            paths=paths,
            given=given,
            out=Path("" if out is None else out),
            skills=known,
            context=context,
            seeds=_reading(options),
            endpoints=GivenEndpoints.over(places, models),
            target=Target(target, options.get("per", "all")) if target else None,
            **{name: options[name] for name in _SAME if name in options},
            **_batch(options, context),
        )
        if out is None:  # at the end, since whatever is wrong is to leave no folder
            config = replace(config, out=Path(mkdtemp(prefix="agentinstruct-")))
        return cls(config, out is None, options.get("progress", False))

    @contextmanager
    def folder_kept_on_error(self, *, streamed: bool) -> Iterator[None]:
        """Where the run ends in an error, say in it where what was made is; a temporary folder of no use is removed."""
        folder = self.config.out
        try:
            yield
        except BaseException as error:
            had = streamed and isinstance(error, asyncio.CancelledError)  # by whoever left the loop
            made = any(path.stat().st_size for path in folder.glob("*.seg"))
            if self.temporary and (had or not made):
                shutil.rmtree(folder, ignore_errors=True)
            elif made:
                error.add_note(f"What was made so far is kept: the same call with out={str(folder)!r} goes on from it.")
            raise


def _reading(options: Mapping[str, Any]) -> SeedOptions:
    given = {"max_chars": "chunk_chars", "column": "column", "licence": "licence"}
    return SeedOptions(**{name: options[option] for name, option in given.items() if option in options})


def _batch(options: Mapping[str, Any], context: Any) -> dict[str, Any]:
    if not options.get("batch"):
        return {}
    from agentinstruct.cli.options import make_batch

    return {"batch": make_batch(options["batch"], context, 60, 50_000, 200)}


@contextmanager
def _memory_as_before() -> Iterator[None]:
    """A run sets the garbage collector up for itself; a script's other work gets it back."""
    before = gc.get_threshold()
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
