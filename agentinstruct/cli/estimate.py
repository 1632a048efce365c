"""`agentinstruct estimate`: what a run would take and give, measured on a few work items."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentinstruct.cli import options as o
from agentinstruct.cli.errors import told
from agentinstruct.cli.run import run_config, run_loop
from agentinstruct.report.words import counted

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from agentinstruct.run.plan import RunConfig
    from agentinstruct.run.quote import Quote, Range
    from agentinstruct.run.scale import Scale


@o.with_options_of(run_config)
def estimate(
    sample: Annotated[int, typer.Option(min=1, max=1000, help="Work items of each skill that are really run.")] = 3,
    at_scale: Annotated[
        int, typer.Option(min=0, metavar="N", help="Also what N accepted records would take, such as 25000000.")
    ] = 0,
    gpu_tokens: Annotated[
        str, typer.Option(metavar="READ,WRITE", help="Tokens a second one GPU reads and writes: adds hours of GPU.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
    **options: Any,
) -> None:
    """Say what a run with the same options would take: calls, tokens, cost, time, records."""
    with told("What was run is kept.", "the same command"):
        from agentinstruct.agents.errors import SetupError
        from agentinstruct.cli.show import LiveProgress
        from agentinstruct.run.estimate import estimate as measure

        if gpu_tokens and not at_scale:
            raise SetupError("--gpu-tokens: adds hours of GPU to what --at-scale reckons. Add --at-scale N.")
        config = run_config(**options)
        with LiveProgress() as live:
            quote = run_loop(measure(config, sample, live.watch))
        scale = _scale(quote, config, at_scale, gpu_tokens) if at_scale and quote.sampled else None
    if as_json:
        typer.echo(json.dumps(_plain(quote) | ({"at_scale": asdict(scale)} if scale else {}), indent=2))
    else:
        _show(quote, config)
        if scale:
            _show_scale(scale)
    if not quote.sampled:
        raise typer.Exit(1)


def _scale(quote: "Quote", config: "RunConfig", records: int, gpu_tokens: str) -> "Scale":
    from agentinstruct.run.scale import Pace, at_scale

    return at_scale(quote, config, records, Pace.of(gpu_tokens) if gpu_tokens else None)


def _show_scale(scale: "Scale") -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "in all", "a record", box=None, padding=(0, 1), pad_edge=False)
    rows = [("seeds and passes over them", scale.seeds), ("calls", scale.calls), ("tokens read", scale.read)]
    rows += [("  of these from a cache", scale.cached), ("tokens written", scale.written)]
    for name, value in rows:
        table.add_row(name, short(value), f"{value / scale.records:,.1f}")
    for name, value in scale.costs.items():
        table.add_row(f"USD, {name}", f"${value:,.0f}", f"${value / scale.records:.5f}")
    for name, hours in (("hours of one GPU", scale.gpu_hours), ("hours of one client CPU", scale.cpu_hours)):
        if hours is not None:
            table.add_row(name, f"{hours:,.0f}", f"{hours * 3600 / scale.records:.4f} s")
    table.add_row("journal, GB", f"{scale.journal_bytes / 1e9:,.0f}", f"{scale.journal_bytes / scale.records:,.0f} B")
    console = Console(highlight=False)
    console.print(f"\nFor {scale.records:,} accepted records, if all go as those measured:\n")
    console.print(table)


def _plain(quote: "Quote") -> dict[str, Any]:
    data = asdict(quote)
    data["payees"] = [{"role": role, "model": model, **parts} for (role, model), parts in quote.payees.items()]
    return data


def _show(quote: "Quote", config: "RunConfig") -> None:
    from rich.console import Console

    console = Console(highlight=False)
    basis = ", ".join(f"{count} of {quote.items[skill]:,} {skill}" for skill, count in sorted(quote.sampled.items()))
    console.print(f"{counted(quote.seeds, 'seed')}, {counted(sum(quote.items.values()), 'work item')}.", soft_wrap=True)
    if quote.sampled:
        console.print(f"Measured on {basis}.\n", style="dim", soft_wrap=True)
        _tables(console, quote)
        _rest(console, quote, config)
    else:
        console.print("No work item could be measured: there is nothing to go by.", style="red")
    if quote.failed:
        console.print(
            f"\n{counted(quote.failed, 'sampled item')} failed at the model, the last: {quote.trouble}", soft_wrap=True
        )
    for notice in quote.notices:
        console.print(f"\n{notice}", soft_wrap=True)
    _where(console, config.out)


def _tables(console: "Console", quote: "Quote") -> None:
    from rich.table import Table

    table = Table("skill", box=None, padding=(0, 1), pad_edge=False)
    for name in ("items", "calls", "tokens in", "out", "cost", "accepted", "yield"):
        table.add_column(name, justify="right")
    rows = [(skill, quote.needed[skill], parts) for skill, parts in sorted(quote.skills.items())]
    for name, items, parts in [
        *rows,
        ("[bold]in all[/]", sum(quote.needed[skill] for skill in quote.skills), quote.total),
    ]:
        cost = _money(parts["cost"]) if not quote.unpriced else "?"
        share = parts["accepted"].value / max(1.0, parts["drafts"].value)
        cells = [_range(parts[key]) for key in ("calls", "input_tokens", "output_tokens")]
        table.add_row(name, f"{items:,}", *cells, cost, _range(parts["accepted"]), f"{share:.0%}")
    console.print(table)
    told = "Under each, what it lies between nine times in ten. Yield: accepted of all drafts."
    console.print(f"[dim]{told}[/]\n", soft_wrap=True)
    _roles(console, quote)


def _roles(console: "Console", quote: "Quote") -> None:
    from rich.table import Column, Table

    roles = Table("role", Column("model", overflow="fold"), box=None, padding=(0, 1), pad_edge=False)
    for name in ("calls", "tokens in", "cached", "out", "cost"):
        roles.add_column(name, justify="right")
    for (role, model), paid in sorted(quote.payees.items(), key=lambda pair: -pair[1]["input_tokens"]):
        cached = f"{paid['cached_tokens'] / max(1.0, paid['input_tokens']):.0%}"
        cost = "?" if model in quote.unpriced else f"${paid['cost']:,.2f}"
        figures = (short(paid["calls"]), short(paid["input_tokens"]), cached, short(paid["output_tokens"]))
        roles.add_row(role, model, *figures, cost)
    console.print(roles)


def _rest(console: "Console", quote: "Quote", config: "RunConfig") -> None:
    """Cost, time and passes in words."""
    from agentinstruct.tools.prices import price_date

    if quote.unpriced:
        console.print(f"\nCost unknown: no price of {', '.join(quote.unpriced)} (--prices).", soft_wrap=True)
    else:
        source = str(config.prices) if config.prices else f"list prices of {price_date()}"
        console.print(f"\nCost [bold]{_money(quote.total['cost'], ' – ')}[/], by {source}.", soft_wrap=True)
    console.print(_time(quote, config), soft_wrap=True)
    if config.target:
        console.print(f"For {config.target.words}: {quote.passes:.1f} passes over the seeds.", soft_wrap=True)


def _time(quote: "Quote", config: "RunConfig") -> str:
    from agentinstruct.cli.show import duration
    from agentinstruct.run.timing import CLIENT

    if quote.seconds is None:
        return "Time unknown: nothing was bought just now, so no latency was seen."
    low, high = duration(quote.seconds.low), duration(quote.seconds.high)
    said = f"Time [bold]about {duration(quote.seconds.value)}[/] ({low} – {high}), with "
    said += f"{config.max_concurrency} calls in flight, each as fast as those just seen"
    if quote.busiest == CLIENT:
        said += "; it is this program's own CPU that takes it: --workers divides it"
    return (
        f"{said}, were all live: each wave of batch jobs takes its provider's time."
        if config.batch.roles
        else f"{said}."
    )


def _where(console: "Console", folder: "Path") -> None:
    console.print(
        f"What was run is kept in {folder}: `agentinstruct run` with these options and --out {folder} goes on from it.",
        style="dim",
        soft_wrap=True,
    )


def _range(found: "Range") -> str:
    if short(found.low) == short(found.high):
        return short(found.value)
    return f"{short(found.value)}\n[dim]{short(found.low)}–{short(found.high)}[/]"


def _money(found: "Range", between: str = "") -> str:
    low, high = f"${found.low:,.2f}", f"${found.high:,.2f}"
    if low == high:
        return f"${found.value:,.2f}"
    return f"${found.value:,.2f} ({low}{between}{high})" if between else f"${found.value:,.2f}\n[dim]{low}–{high}[/]"


def short(number: float) -> str:
    """A number in a few characters: 950, 12.3k, 4.5M."""
    for unit in ("", "k", "M", "G"):
        if number < 999.5:
            return f"{number:,.0f}{unit}" if not unit or number >= 99.95 else f"{number:,.1f}{unit}"
        number /= 1000
    return f"{number:,.1f}T"
