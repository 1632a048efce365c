"""How a run looks while it works and when it is done."""

import sys
import time
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Column, Table
from rich.text import Text

if TYPE_CHECKING:
    from agentinstruct.agents.limits import Statistics
    from agentinstruct.run.execute import Finished
    from agentinstruct.run.progress import Progress
    from agentinstruct.run.status import Totals
    from agentinstruct.run.summary import Summary


SHOWN = 12
"""Checks that are listed by themselves."""


class LiveProgress:
    """A live view on a terminal; nothing at all when the output goes elsewhere."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._live: Live | None = None
        self._progress: Progress | None = None
        self._started = time.monotonic()

    def watch(self, progress: "Progress") -> None:
        """Show this progress from now on."""
        self._progress = progress

    def __enter__(self) -> "LiveProgress":
        if sys.stderr.isatty():
            self._live = Live(get_renderable=self.view, console=self._console, refresh_per_second=4, transient=True)
            self._live.start()
            self._console.show_cursor(True)  # nobody could bring it back after a kill
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def view(self) -> RenderableType:
        """How the run stands, in a few lines."""
        progress = self._progress
        if progress is None:
            return Text("starting …", style="dim")
        elapsed = time.monotonic() - self._started
        lines = [_work_line(progress, elapsed), _record_line(progress), _call_line(progress, elapsed)]
        if waiting := progress.statistics.waiting or progress.waits:
            lines.append(Text(f"{waiting}. The run waits for it.", "red"))
        return Group(*lines)


def _work_line(progress: "Progress", elapsed: float) -> Text:
    finished = progress.done + progress.resumed
    total = f"{progress.items}{'+' if progress.reading else ''}"
    line = Text.assemble((f"{finished}", "bold"), f" of {total} work items · {progress.seeds} seeds")
    if progress.pursuit:
        line.append(f" · {progress.pursuit.accepted:,} of {progress.pursuit.wanted:,} accepted", "green")
        line.append(f" · pass {progress.sweep}" if progress.sweep > 1 else "")
    if progress.resumed:
        line.append(f" · {progress.resumed} from before")
    if progress.failed:
        line.append(f" · {progress.failed} failed", style="red")
    if progress.done and not progress.reading:
        left = (progress.items - finished - progress.failed) * elapsed / progress.done
        line.append(f" · about {duration(left)} left")
    return line


def _record_line(progress: "Progress") -> Text:
    line = Text("records ")
    line.append(", ".join(f"{name} {count}" for name, count in progress.records.most_common()) or "none yet", "green")
    dropped = ", ".join(f"{reason} {count}" for (_, reason), count in progress.dropped.most_common(4))
    return line.append(f" · dropped {dropped}" if dropped else "", "dim")


def _call_line(progress: "Progress", elapsed: float) -> Text:
    calls = progress.statistics
    rate = calls.calls / max(elapsed, 1e-9)
    line = Text(f"{calls.calls} calls ({rate:.1f}/s, {calls.in_flight} in flight", "dim")
    line.append(f", {calls.retries} retried" if calls.retries else "")
    line.append(f", {calls.from_cache} from the cache" if calls.from_cache else "")
    line.append(f", {calls.batched} waiting for {calls.jobs} batch jobs" if calls.batched else "")
    line.append(f") · {tokens(calls)}")
    return line.append(f" · {cost(calls.cost, calls.unpriced)} · {duration(elapsed)}")


def _found(calls: "Statistics") -> str:
    """The replies that were known already, and from where."""
    many = calls.from_journal - calls.from_cache
    known = f"{many:,} more {'was' if many == 1 else 'were'} answered already"
    return f"{known}, {calls.from_cache:,} are from the cache" if calls.from_cache else known


def tokens(calls: "Statistics | Totals") -> str:
    """Tokens read, the part of them that the provider had cached, and tokens written."""
    share = calls.cached_tokens / calls.input_tokens if calls.input_tokens else 0.0
    return f"{calls.input_tokens:,} tokens in ({share:.0%} cached), {calls.output_tokens:,} out"


def cost(usd: float, unpriced: Iterable[str]) -> str:
    """The cost at list prices, and which models have none here."""
    if not unpriced:
        return f"${usd:,.2f}"
    unknown = f"price of {', '.join(sorted(unpriced))} unknown (--prices)"
    return f"${usd:,.2f} + {unknown}" if usd else unknown


def show_summary(finished: "Finished") -> None:
    """What the run came to: yield per skill and stage, why drafts were dropped, and where the data is."""
    console = Console()
    summary = finished.summary
    console.print(_by_skill(summary))
    console.print(_funnel(summary), soft_wrap=True)
    if summary.reasons:
        console.print("\n[bold]Drafts were dropped most often for[/]")
        for reason in summary.reasons:
            where = f"{reason.skill}{'/' + reason.category if reason.category else ''}, {reason.source}"
            what = f"  {reason.count:5}  {reason.stage}: {escape(reason.reason)}  [dim]({escape(where)})[/]"
            console.print(what, soft_wrap=True)
            if reason.detail:
                console.print(Text("         " + " ".join(reason.detail.split())[:200], style="dim"), soft_wrap=True)
    _checks(console, summary)
    _target(console, finished)
    _spent(console, finished)
    _seeds(console, finished.progress)
    for notice in finished.progress.notices:
        console.print(f"\n{notice}", soft_wrap=True)
    calls = finished.progress.statistics
    console.print(
        f"\n{calls.calls} calls this time ({_found(calls)}), {tokens(calls)}, {cost(calls.cost, calls.unpriced)}",
        soft_wrap=True,
    )
    total = sum(finished.exported.rows.values())
    console.print(
        f"[bold]{total} records[/] in {finished.exported.folder}/data, {finished.exported.dropped} dropped "
        f"in {finished.exported.folder}/dropped.jsonl",
        soft_wrap=True,
    )


def _by_skill(summary: "Summary") -> Table:
    table = Table("skill", "records", "accepted", "categories", box=None, padding=(0, 2))
    for one in summary.yields():
        kinds = sum(1 for name, _ in summary.categories if name == one.skill)
        table.add_row(one.skill, str(one.records), str(one.accepted), str(kinds))
    return table


def _funnel(summary: "Summary") -> Text:
    """Drafts at each stage, every one a record or dropped at one of them; then what never was a draft."""
    from agentinstruct.run.summary import STAGES

    left = summary.drafts
    line = Text(f"\n{left} drafts", "bold")
    for stage in STAGES:
        lost = summary.dropped[stage]
        left -= lost
        line.append(f" → {stage} {left}", "default")
        line.append(f" (-{lost})" if lost else "", "dim")
    line.append(f" · {summary.declined} seeds declined at transform" if summary.declined else "", "dim")
    return line.append(f" · {summary.suggestions} suggestions failed" if summary.suggestions else "", "dim")


def _checks(console: Console, summary: "Summary") -> None:
    """The checks that stopped drafts, each with how many it was asked about; the others in a line."""
    failed = [one for one in summary.checks if one.failed]
    if not summary.checks:
        return
    console.print("\n[bold]Checks[/]")
    for one in failed[:SHOWN]:
        console.print(f"  {one.failed:5} of {one.asked:5} failed  {one.check}  [dim]({one.kind})[/]", soft_wrap=True)
    if rest := failed[SHOWN:]:
        console.print(f"  {sum(one.failed for one in rest):5} failed {len(rest)} more checks", soft_wrap=True)
    if passed := sum(not one.failed for one in summary.checks):
        console.print(f"  [dim]no draft failed {'the other' if failed else 'any of the'} {passed}[/]", soft_wrap=True)


def _spent(console: Console, finished: "Finished") -> None:
    """What each role took of each model over the whole run, where there is more than one model to choose between."""
    spent = finished.summary.spent
    if len({model for _, model in spent}) < 2:
        return
    table = Table("role", Column("model", overflow="fold"), box=None, padding=(0, 2))
    for name in ("calls", "tokens in", "cached", "out", "cost"):
        table.add_column(name, justify="right")
    for (role, model), one in sorted(spent.items(), key=lambda pair: -pair[1].read):
        cost = one.cost(finished.price((role, model)))
        figures = (f"{part:,}" for part in (one.calls, one.read, one.cached, one.written))
        table.add_row(role, model, *figures, "?" if cost is None else f"${cost:,.2f}")
    console.print()
    console.print(table)


def _target(console: Console, finished: "Finished") -> None:
    """How far the run came towards its target; where it fell short, why."""
    from agentinstruct.run.tally import together

    pursuit = finished.progress.pursuit
    if pursuit is None:
        return
    console.print(f"\n[bold]Target[/] {pursuit.words}", soft_wrap=True)
    missing = together(finished.missing)
    for one in missing[:SHOWN]:
        name = f"{one.group}: " if one.group else ""
        console.print(f"  {name}{one.accepted:,} of {one.wanted:,}  [dim]{escape(one.why)}[/]", soft_wrap=True)
        for reason, count in one.reasons:
            console.print(f"         {count:,} × {escape(reason)}", style="dim", soft_wrap=True)
    if rest := missing[SHOWN:]:
        console.print(f"  and {len(rest)} more")
    surplus = finished.summary.accepted.total() - pursuit.accepted
    if surplus:
        console.print(
            f"  {surplus:,} more were accepted, beyond the target or alike: they stay in the run folder, not in data",
            soft_wrap=True,
        )


def _seeds(console: Console, progress: "Progress") -> None:
    if not progress.skipped:
        return
    console.print("\n[bold]Seeds left out[/]")
    for reason, count in progress.skipped.most_common():
        console.print(
            f"  {count:5}  {reason}  [dim]{escape(progress.examples.get(reason, ''))[:160]}[/]", soft_wrap=True
        )


def duration(seconds: float) -> str:
    """Seconds in words."""
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {seconds:02} s" if minutes else f"{seconds} s"
