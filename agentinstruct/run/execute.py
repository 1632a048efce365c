"""One run from start to end: open the journal, work, export, sum up.

done = asyncio.run(execute(RunConfig(paths=("docs/",), out=Path("runs/docs"))))
"""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from logging import INFO
from pathlib import Path

from agentinstruct.agents.errors import RunError
from agentinstruct.agents.events import concerning, tell
from agentinstruct.dataset.export import Exported, export
from agentinstruct.dataset.spending import PriceOf
from agentinstruct.run.engine import writers
from agentinstruct.run.folder import storage_error
from agentinstruct.run.journal import Journal
from agentinstruct.run.logfile import logging_to
from agentinstruct.run.manifest import read_manifest
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.progress import Progress
from agentinstruct.run.report import Report, reporting
from agentinstruct.run.runner import Runner
from agentinstruct.run.status import Cap
from agentinstruct.run.summary import Summary, summarise
from agentinstruct.run.tally import Missing
from agentinstruct.run.target import chosen, keep_target, read_target
from agentinstruct.run.window import Outcome

OTHERS_S = 600.0
"""How long another export may go on in the run's folder before the run ends without its own."""


@dataclass(frozen=True, slots=True)
class Finished:
    """How a run ended."""

    summary: Summary
    exported: Exported
    progress: Progress
    price: PriceOf
    interrupted: int = 0
    """The signal that stopped it early, if one did."""

    @property
    def missing(self) -> list[Missing]:
        """What the run did not reach of its target."""
        pursuit = self.progress.pursuit
        stopped = "stopped" if self.interrupted else "the budget was reached" if self.progress.spent else ""
        return pursuit.missing(stopped) if pursuit else []


async def execute(
    config: RunConfig,
    watch: Callable[[Progress], None] = lambda progress: None,
    hear: Callable[[Outcome], None] = lambda outcome: None,
    *,
    heed: bool = True,
) -> Finished:
    """Run to the end, or to the first Ctrl-C; either way the dataset so far is exported and valid.

    Args:
        config: What to do.
        watch: Called once with the live progress before work begins.
        hear: Called with each finished work item; with workers, of its records no more than what is counted.
        heed: Whether SIGINT and SIGTERM are this run's to heed; else whoever runs it cancels it, to the same end.

    Raises:
        SetupError: something to put right before the first call.
        ProviderDown: a model does not serve; what is done is kept and exported.
    """
    with opened(config) as (config, journal), logging_to(config.log), concerning(run=journal.manifest.run):
        return await _sitting(Runner(config, journal, hear=hear), watch, heed)


@contextmanager
def opened(config: RunConfig) -> Iterator[tuple[RunConfig, Journal]]:
    """The settings as the run began with them, and its journal. Raises `RunError`."""
    config = _as_begun(config)
    journal = Journal.open(config.out, config.manifest(), joining=writers(config))
    try:
        yield config, journal
    finally:
        journal.close()


async def _sitting(runner: Runner, watch: Callable[[Progress], None], heed: bool) -> Finished:
    """From where the run stands to its end, or as far as it gets."""
    config, journal = runner.config, runner.journal
    keep_target(config.out, config.target)
    done = journal.counts().done
    tell(INFO, "resume" if done else "start", folder=str(config.out), models=config.models(), done=done)
    watch(runner.progress)
    async with told_of(runner) as report:
        with _signals(runner) if heed else nullcontext(list[int]()) as received:
            try:
                await runner.run()
                if not (runner.progress.reading or config.target):
                    runner.progress.others = max(0, done - runner.progress.resumed)
            finally:
                report.state = "exporting"
                exported = await asyncio.to_thread(_export, journal, config.out)
        summary = await asyncio.to_thread(summarise, journal)
        report.state = "stopped" if received else "budget reached" if runner.progress.spent else "finished"
    return Finished(summary, exported, runner.progress, config.price, received[0] if received else 0)


def told_of(runner: Runner) -> AbstractAsyncContextManager[Report]:
    """Tell the status of this run while the block lasts."""
    config, journal = runner.config, runner.journal
    budget = Cap(usd=config.budget, calls=config.max_calls or None)
    return reporting(journal.folder, journal.manifest.run, runner.progress, budget)


def _as_begun(config: RunConfig) -> RunConfig:
    """The embeddings settled, once: asked for, else those the run began with, since the weights may come and go."""
    stored = ""
    with suppress(RunError, OSError):  # told when the folder is opened
        if not config.embeddings and any(path.stat().st_size for path in config.out.glob("*.seg")):
            stored = str(read_manifest(config.out).settings.get("embeddings", ""))
    return replace(config, embeddings=stored or config.embeddings_spec())


def _export(journal: Journal, folder: Path) -> Exported:
    try:
        return export(chosen(journal, read_target(folder)), folder, wait_s=OTHERS_S)
    except OSError as problem:
        raise storage_error(Path(problem.filename or folder), problem) from problem


@contextmanager
def _signals(runner: Runner) -> Iterator[list[int]]:
    """The first SIGINT or SIGTERM stops the run in order; a second one ends the process at once."""
    loop, received = asyncio.get_running_loop(), list[int]()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def stop(number: int) -> None:
        received.append(number)
        runner.stop()
        for each in before:
            loop.remove_signal_handler(each)
            signal.signal(each, signal.SIG_DFL)

    with suppress(NotImplementedError, ValueError, RuntimeError):  # not in the main thread: signals are not ours
        for number in before:
            loop.add_signal_handler(number, stop, number)
    try:
        yield received
    finally:
        with suppress(NotImplementedError, ValueError, RuntimeError):
            for number, handler in before.items():
                loop.remove_signal_handler(number)
                signal.signal(number, handler)
