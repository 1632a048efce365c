"""`agentinstruct export`: the dataset of a run, written again from its journal, in the formats you train from."""

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentinstruct.agents.errors import RunError
from agentinstruct.cli.cleaning import plan, show
from agentinstruct.cli.errors import told, writing
from agentinstruct.cli.options import with_options_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agentinstruct.dataset.export import Exported

_FORMATS = "messages · sharegpt · alpaca · openai · trl · preference; repeatable, or by comma."


@with_options_of(plan)
def export(
    run: Annotated[Path, typer.Argument(help="A run folder, finished or not.")],
    to: Annotated[
        str, typer.Option("--out", "--to", help="Where to: a folder, or a URL such as s3://…; else the run folder.")
    ] = "",
    form: Annotated[list[str] | None, typer.Option("--format", "-f", help=_FORMATS)] = None,
    split: Annotated[str, typer.Option(help="Parts by seed: train=0.9,validation=0.05,test=0.05.")] = "",
    accepted_only: Annotated[bool, typer.Option("--accepted-only", help="Not what failed a check.")] = False,
    without_licence: Annotated[
        list[str] | None, typer.Option(help="No record from a source under this licence; repeatable.")
    ] = None,
    leaks: Annotated[
        str,
        typer.Option(help="Records that repeat one of a smaller part: drop · keep; leaks.jsonl lists them."),
    ] = "drop",
    shard_rows: Annotated[int, typer.Option(min=1, help="Rows of a Parquet file.")] = 100_000,
    **cleaning: Any,
) -> None:
    """Write the dataset of everything a run has finished so far, cleaned if you ask for it."""
    with told():
        from agentinstruct.dataset.clean import clean
        from agentinstruct.dataset.clean_files import CleanRows
        from agentinstruct.dataset.export import export as write
        from agentinstruct.dataset.options import Options
        from agentinstruct.run.journal import Journal
        from agentinstruct.run.target import chosen, read_target

        options = Options.of(
            [name.strip() for names in form or ["messages"] for name in names.split(",")],
            split,
            accepted_only=accepted_only,
            without_licences=tuple(without_licence or ()),
            shard_rows=shard_rows,
            leaks=leaks,
        )
        how = plan(**cleaning)
        if not how.empty:
            _elsewhere(to, run)
        journal = Journal.read(run)
        with ExitStack() as stack:
            stack.enter_context(journal)
            folder = stack.enter_context(_written(to, run))
            stack.enter_context(writing(folder, "--out"))
            how = replace(how, name=journal.manifest.run)
            picked = options.before_cleaning(journal)
            cleaned = None if how.empty else stack.enter_context(clean(picked.records, how))
            rows = CleanRows(picked, cleaned) if cleaned else journal
            done = write(chosen(rows, read_target(run)), folder, options, cleaned)
    _show(done, to)
    if cleaned:
        show(cleaned)


def _elsewhere(to: str, run: Path) -> None:
    """Refuse to clean in the run's folder, which the run writes again, with everything, when it goes on."""
    if "://" not in to and Path(to or run).resolve() == run.resolve():
        raise RunError(f"{run}: a run's folder always holds all its records. Clean them into another: --out FOLDER.")


@contextmanager
def _written(to: str, run: Path) -> "Iterator[Path]":
    """Where to write the dataset; for a URL to a folder that is then copied there."""
    if "://" not in to:
        yield Path(to or run)
        return
    from agentinstruct.dataset.upload import upload

    with TemporaryDirectory() as folder:
        yield Path(folder)
        upload(Path(folder), to)


def _show(done: "Exported", to: str) -> None:
    for split, rows in sorted(done.rows.items()):
        parts = "  ".join(f"{part} {count[split]}" for part, count in done.parts.items())
        typer.echo(f"{rows:8}  {split}  {parts}".rstrip())
    if done.by == "seed_id":
        typer.echo("too few documents to keep each of them together: parts are drawn by seed")
    _tell_lacking(done)
    if done.leaks and done.leaks.ids:
        became = (
            "still in it (a run's folder holds all it made; --out FOLDER leaves them out)"
            if not to
            else ("still in it" if done.leaks_kept else "left out")
        )
        typer.echo(f"{len(done.leaks.ids):8}  records repeat one of a smaller part: {became}, listed in leaks.jsonl")
    for name, written in done.formats.items():
        rows = sum(written.rows.values())
        typer.echo(f"{rows:8}  rows in {name}/" if rows else f"{0:8}  rows of {name}: this run has none")
        for reason, count in written.left_out.most_common():
            typer.echo(f"{count:8}    records left out of {name}: {reason}")
    if 0 < sum(done.formats["openai"].rows.values() if "openai" in done.formats else []) < 10:
        typer.echo("OpenAI takes files of 10 examples or more.", err=True)
    typer.echo(f"{done.dropped:8}  dropped.jsonl\nin {to or done.folder}")


def _tell_lacking(done: "Exported") -> None:
    """Tell of the skills that have no record in a part: a model cannot be examined in what its test part lacks."""
    for part, count in done.parts.items():
        if skills := sorted(done.skills[split] for split in done.rows if not count[split]):
            typer.echo(f"{part} has no record of {len(skills)} of {len(done.rows)} skills: {', '.join(skills)}")
