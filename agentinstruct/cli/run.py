"""`agentinstruct run`: seeds in, a verified dataset out, resumable at any moment."""

import os
import shlex
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import typer

from agentinstruct.agents.errors import ProviderError
from agentinstruct.cli import options as o
from agentinstruct.cli.errors import told
from agentinstruct.report.words import counted

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from agentinstruct.run.execute import Finished
    from agentinstruct.run.plan import RunConfig

Done = TypeVar("Done")
SHORT = 3
"""The exit status of a run that ended before it reached its target."""


def run_config(
    paths: Annotated[list[str], typer.Argument(help="Files, folders or globs of documents, source code and tables.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Run folder; the same one resumes. Else runs/DATE-TIME.")
    ] = None,
    skill: Annotated[list[str] | None, typer.Option("--skill", "-s", help="Only this skill; repeatable.")] = None,
    model: o.Models = None,
    base_url: o.BaseUrls = None,
    verify: o.Verify = "strict",
    limit: Annotated[int, typer.Option(min=0, help="At most this many seeds; 0: all.")] = 0,
    max_concurrency: Annotated[int, typer.Option(min=1, help="Calls in flight per model.")] = 64,
    retry_pause: o.RetryPause = 0.5,
    workers: Annotated[
        int,
        typer.Option(min=0, max=4096, help="Processes that share the work and the limits; 0: one, on Ray one per CPU."),
    ] = 0,
    engine: o.Engine = "local",
    address: o.Address = "",
    categories: o.Categories = "",
    transforms: o.Transforms = "",
    goals: o.Goals = "",
    rounds: o.Rounds = -1,
    categories_per_seed: o.PerSeed = 0,
    per_category: o.PerCategory = 0,
    per_goal: o.PerGoal = 0,
    solvers: o.Solvers = 3,
    seed: o.RunSeed = 0,
    column: o.Column = "",
    chunk_chars: Annotated[int, typer.Option(min=200, help="Longest seed, in characters.")] = 3000,
    licence: Annotated[str, typer.Option(help="Licence of the documents, where they do not say.")] = "",
    mix: Annotated[
        str, typer.Option(help="Shares of the skills: released · even · all (every skill on every seed) · NAME=2,…")
    ] = "",
    skills_per_seed: Annotated[int, typer.Option(min=1, max=50, help="Skills drawn for a seed by the mix.")] = 3,
    route: Annotated[str, typer.Option(help="What decides which skills suit a seed: features · agent.")] = "features",
    embeddings: o.Embeddings = "",
    timeout: o.Timeout = 300,
    prices: Annotated[
        Path | None,
        typer.Option(help='JSON: {"models": {NAME: \\[input, cached, output]}} in USD per million.'),
    ] = None,
    target: Annotated[int, typer.Option(min=0, help="Accepted records to make; 0: one pass over the seeds.")] = 0,
    per: Annotated[str, typer.Option(help="What the target is counted by: all · skill · category.")] = "all",
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of replies that runs share: what one bought, none buys again."),
    ] = None,
    batch: Annotated[
        str, typer.Option(metavar="ROLES", help="By provider batch job, at half the price: all, or judge,solve,…")
    ] = "",
    batch_window: Annotated[int, typer.Option(min=1, help="Work items in flight with --batch.")] = 2000,
    batch_poll: Annotated[float, typer.Option(min=0.05, help="Longest pause between looks at a job, in seconds.")] = 60,
    batch_size: Annotated[int, typer.Option(min=1, max=50_000, help="At most this many calls in a job.")] = 50_000,
    batch_mb: Annotated[float, typer.Option(min=0.001, max=200, help="At most this many MB in a job.")] = 200,
    budget: o.BudgetUsd = None,
    max_calls: o.MaxCalls = 0,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed three times.")] = False,
    log_file: o.LogFiles = None,
    log_level: o.LogLevels = "info",
    log_content: o.LogContent = False,
) -> "RunConfig":
    """What these options ask for.

    Raises:
        SetupError: one is wrong; says which.
    """
    from agentinstruct.agents.errors import SetupError
    from agentinstruct.run.logfile import LEVELS, LogFile
    from agentinstruct.run.plan import RunConfig
    from agentinstruct.run.target import Per, Target
    from agentinstruct.seeds import SeedOptions

    by: Per = choice("--per", per, *get_args(Per))
    if per != "all" and not target:
        raise SetupError(f"--per {per}: says what --target is counted by. Add --target N.")
    context = o.make_context(
        model,
        verify=choice("--verify", verify, "strict", "annotate", "off"),
        categories=categories,
        transforms=transforms,
        goals=goals,
        rounds=rounds,
        categories_per_seed=categories_per_seed,
        instructions_per_category=per_category,
        suggestions_per_goal=per_goal,
        solvers=solvers,
        seed=seed,
    )
    return RunConfig(
        paths=tuple(paths),
        out=out or Path("runs") / datetime.now().astimezone().strftime("%Y%m%d-%H%M%S"),
        skills=tuple(skill or ()),
        context=context,
        seeds=SeedOptions(column=column, max_chars=chunk_chars, licence=licence),
        endpoints=o.make_endpoints(base_url, timeout, [*context.models().values(), embeddings]),
        embeddings=embeddings,
        mix=mix,
        skills_per_seed=skills_per_seed,
        route=choice("--route", route, "features", "agent"),
        limit=limit,
        max_concurrency=max_concurrency,
        retry_pause=retry_pause,
        workers=workers or int(engine == "local"),
        engine=choice("--engine", engine, "local", "ray"),
        address=address,
        retry_failed=retry_failed,
        prices=prices,
        target=Target(target, by) if target else None,
        cache=cache,
        budget=budget,
        max_calls=max_calls,
        batch=o.make_batch(batch, context, batch_poll, batch_size, batch_mb),
        batch_window=batch_window,
        log=LogFile(log_file, choice("--log-level", log_level, *LEVELS), log_content) if log_file else None,
    )


@o.with_options_of(run_config)
def run(**options: Any) -> None:
    """Make a dataset from documents and code. Run the same command again to resume."""
    named = options["out"] is not None
    with told():
        config = run_config(**options)
    with told("What is done is kept.", resume_command(config.out, named)):
        try:
            finished = start(config)
        except ProviderError:
            _at_work(config.out)
            raise
    from agentinstruct.cli.show import show_summary

    show_summary(finished)
    _leave(finished, config.out, named)


def start(config: "RunConfig") -> "Finished":
    """Run with progress shown on a terminal, and quietly elsewhere."""
    from agentinstruct.cli.show import LiveProgress
    from agentinstruct.run.execute import execute

    with LiveProgress() as live:
        return run_loop(execute(config, live.watch))


def run_loop(work: "Coroutine[Any, Any, Done]") -> Done:
    """Run a coroutine on uvloop where there is one."""
    import asyncio

    os.environ.setdefault("LANGSMITH_USE_DAEMON", "true")  # a run has waited for its traces: its process need not
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    done: Done = uvloop.run(work)
    return done


def resume_command(folder: Path, named: bool) -> str:
    """The command that goes on with this run; addresses in it have lost their passwords."""
    from agentinstruct.agents.transport import nameless

    words = ["agentinstruct", *map(nameless, sys.argv[1:])]
    return shlex.join(words if named else [*words, "--out", str(folder)])


def choice(option: str, value: str, *allowed: str) -> Any:
    """The value, which must be one of these."""
    from agentinstruct.agents.errors import SetupError

    if value not in allowed:
        raise SetupError(f"{option} {value}: choose {', '.join(allowed[:-1])} or {allowed[-1]}.")
    return value


def _at_work(folder: Path) -> None:
    """Tell of batch jobs that go on without us."""
    from agentinstruct.run.jobs import open_jobs

    if jobs := open_jobs(folder):
        calls = sum(len(job.calls) for job in jobs)
        held = f"{counted(len(jobs), 'batch job')} with {counted(calls, 'call')}"
        typer.echo(f"{held} {'goes' if len(jobs) == 1 else 'go'} on at the provider; resume to collect.", err=True)


def _leave(finished: "Finished", folder: Path, named: bool) -> None:
    """Exit: 0 when all or the budget is done, 1 if work waits, 3 short of --target, 130 and 143: stopped."""
    _at_work(folder)
    if finished.interrupted:
        typer.echo(f"Stopped. To resume: {resume_command(folder, named)}", err=True)
        raise typer.Exit(128 + finished.interrupted)
    progress = finished.progress
    if progress.set_aside:
        aside = counted(progress.set_aside, "work item")
        typer.echo(f"{aside} failed too often: set aside. To try again:", err=True)
        typer.echo(f"  {resume_command(folder, named)} --retry-failed", err=True)
    if progress.failed:
        failed = counted(progress.failed, "work item")
        typer.echo(f"{failed} failed at the model; the last: {progress.trouble}", err=True)
        typer.echo(f"What failed waits for another try. To resume: {resume_command(folder, named)}", err=True)
    if progress.spent:
        typer.echo(f"Budget reached: {progress.spent}. What is done is kept. To go on, raise it in:")
        typer.echo(f"  {resume_command(folder, named)}")
        raise typer.Exit(SHORT if finished.missing else 0)
    reached = progress.pursuit is not None and not finished.missing
    if (progress.failed or progress.set_aside) and not reached:
        raise typer.Exit(1)
    if finished.missing:
        raise typer.Exit(SHORT)
