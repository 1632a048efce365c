"""A run's status as it is shown: a line that says how it stands, the figures, then what slows or stops it."""

import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from agentinstruct.cli.show import cost, duration, tokens

if TYPE_CHECKING:
    from agentinstruct.run.observe import View

REASONS = 3
"""Drop reasons and faults that are listed."""
_ANY = 10**9
"""A limit from here on is none."""
_RESUME = "the same command resumes it"
_STYLES = {"running": "green", "finished": "green", "failed": "red", "killed": "red", "silent": "yellow"}


def make_console() -> Console:
    """Standard output; lines are not broken where it goes to a file."""
    return Console() if sys.stdout.isatty() else Console(width=200, highlight=False)


def show(view: "View") -> None:
    """Print it once, whole."""
    make_console().print(standing(view))


def fitted(view: "View", console: Console) -> RenderableType:
    """As much of it as the terminal is high: what there is no room for is skills."""
    whole = standing(view)
    excess = len(console.render_lines(whole, pad=False)) - (console.height - 1)
    return standing(view, max(1, len(view.counts.skills) - excess - 1)) if excess > 0 else whole


def standing(view: "View", skills: int = 0) -> RenderableType:
    """Everything about a run; at most so many skills, where a number is given."""
    below = [part for part in (_models(view), _reasons(view), _faults(view), _notices(view)) if part]
    return Group(_headline(view), Text(), _figures(view), *_skills(view, skills), *below)


def _headline(view: "View") -> Text:
    told, owner = view.told, view.owner
    who = f"process {owner.pid} on {_clean(owner.host)}" if owner and owner.pid else "a process"
    since = duration(view.now - view.live.started) if view.live else ""
    at = time.strftime("%d %b %H:%M:%S", time.localtime(told.updated)) if told else ""
    words = {
        "running": f"running for {since}, {who}",
        "exporting": f"writes its dataset, after {since}, {who}",
        "starting": f"starting, {who}",
        "silent": f"{who} holds it, but has told nothing for {duration(view.silence)}",
        "estimated": f"estimated, {at}: `agentinstruct run` with the same options goes on",
        "finished": f"finished, {at}",
        "stopped": f"stopped, {at}: {_RESUME}",
        "budget reached": f"its budget was reached, {at}",
        "failed": f"failed, {at}: {_RESUME}",
        "killed": f"killed, or its machine went down, about {at}: {_RESUME}",
        "unknown": f"nobody runs it: {_RESUME}",
    }
    line = Text.assemble((str(view.folder), "bold"), " · ", (words[view.state], _STYLES.get(view.state, "default")))
    return line.append(f"\n{_clean(told.why)}", "red") if told and told.why else line


def _figures(view: "View") -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in _rows(view):
        grid.add_row(name, value)
    return grid


def _rows(view: "View") -> Iterator[tuple[str, Text]]:
    from agentinstruct.run.jobs import open_jobs

    totals, counts = view.totals, view.counts
    yield "work items", _items(view)
    if view.told:
        seeds = f"{view.sitting.seeds:,} read" + ("" if view.all_known or not view.live else " so far")
        yield "seeds", Text(seeds + (f" · {view.sitting.skipped:,} left out" if view.sitting.skipped else ""))
    accepted = min(sum(totals.accepted.values()), counts.records)
    if view.told:
        rest = "" if accepted == counts.records else f" of {counts.records:,} records"
        yield "accepted", Text.assemble((f"{accepted:,}", "bold"), rest)
    else:  # the ledger knows how many there are, not how many passed
        yield "records", Text(f"{counts.records:,}", "bold")
    if view.told and view.told.target:
        yield "target", Text(view.told.target)
    stages = " · ".join(f"{_clean(stage)} {count:,}" for stage, count in _most(totals.dropped))
    yield "dropped", Text(f"{counts.dropped:,}" + (f": {stages}" if stages else ""))
    if view.live and view.recent.seconds >= 1:
        yield "speed", _speed(view)
    parts = ((totals.from_cache, "from the cache"), (totals.retries, "retries"), (totals.failed, "failed"))
    retries = ", ".join(f"{n:,} {word}" for n, word in parts if n)
    yield "calls", Text(f"{counts.calls:,}" + (f" ({retries})" if retries else ""))
    if jobs := open_jobs(view.folder):
        sent = sum(len(job.calls) for job in jobs)
        oldest = duration(view.now - jobs[0].created)
        yield "batch jobs", Text(f"{len(jobs)} with {sent:,} calls at the provider, the oldest for {oldest}")
    if totals.calls:
        yield "tokens", Text(tokens(totals).replace(" tokens", ""))
        yield "cost", _cost(view)
    if view.seconds_left is not None:
        yield "left", Text(f"about {duration(view.seconds_left)}")


def _items(view: "View") -> Text:
    counts = view.counts
    line = Text.assemble((f"{counts.done:,}", "bold"), f" of {view.items:,}{'' if view.all_known else '+'} done")
    if counts.failed:
        line.append(f" · {counts.failed:,} failed", "red")
    return line.append(f" · {view.set_aside:,} set aside" if view.set_aside else "", "red")


def _speed(view: "View") -> Text:
    recent = view.recent
    per_minute = 60 / recent.seconds
    return Text(
        f"{recent.calls / recent.seconds:,.1f} calls/s · {recent.items * per_minute:,.0f} work items/min · "
        f"{recent.records * per_minute:,.0f} records/min · {recent.output_tokens / recent.seconds:,.0f} tokens/s out "
        f"(last {duration(recent.seconds)})"
    )


def _cost(view: "View") -> Text:
    line, counts = Text(cost(view.counts.cost, view.totals.unpriced)), view.counts
    if view.told and (usd := view.told.budget.usd) is not None:
        line.append(f" · ${max(0.0, usd - counts.cost):,.2f} of ${usd:,.2f} left")
    if view.told and (calls := view.told.budget.calls) is not None:
        line.append(f" · {max(0, calls - counts.calls):,} of {calls:,} calls left")
    return line


def _skills(view: "View", most: int) -> Iterator[RenderableType]:
    """By skill, those with most records first; what there is no room for is counted."""
    skills = sorted(view.counts.skills.items(), key=lambda pair: (-pair[1].records, pair[0]))
    if not skills:
        return
    failed = ["failed"] * bool(view.counts.failed)
    table = _table("skill", "done", *failed, "accepted", "records", "dropped")
    shown = skills[:most] if most else skills
    for name, one in shown:
        accepted = str(view.totals.accepted.get(name, 0)) if view.told else ""
        waiting = [str(one.failed)] * len(failed)
        table.add_row(Text(_clean(name)), str(one.done), *waiting, accepted, str(one.records), str(one.dropped))
    yield Text()
    yield table
    if len(shown) < len(skills):
        yield Text(f"… and {len(skills) - len(shown)} skills more", "dim")


def _models(view: "View") -> RenderableType | None:
    if not view.live or not view.live.models:
        return None
    table = _table("model", "in flight", "limit", "waiting", "429s")
    for one in view.live.models:
        limit = str(one.limit) if one.limit == one.ceiling else f"{one.limit} of {one.ceiling}"
        limit = limit if one.ceiling < _ANY else "any"
        limit += f", {60 / one.gap_s:,.0f}/min" if one.gap_s else ""
        counts = (str(one.in_flight), limit, str(one.waiting), str(one.refused))
        table.add_row(Text(_clean(one.model), "red" if one.silent else "default"), *counts)
    return Group(Text(), table, *([Text(_clean(view.live.waiting), "red")] if view.live.waiting else []))


def _table(*heads: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for at, head in enumerate(heads):
        number = bool(at and head)
        table.add_column(head, justify="right" if number else "left", no_wrap=True, min_width=len(head) * number)
    return table


def _reasons(view: "View") -> RenderableType | None:
    return _list("Drafts were dropped most often for", [(count, why) for why, count in _most(view.totals.reasons)])


def _faults(view: "View") -> RenderableType | None:
    faults = [(fault.items, f"{fault.error}: {fault.message}") for fault in view.faults]
    return _list("Work items that wait for another try met", faults)


def _notices(view: "View") -> RenderableType | None:
    return Group(Text(), *(Text(_clean(notice)) for notice in view.notices)) if view.notices else None


def _list(title: str, rows: list[tuple[int, str]]) -> RenderableType | None:
    if not rows:
        return None
    lines = [Text.assemble(f"  {count:6,}  ", _clean(what)[:240]) for count, what in rows[:REASONS]]
    return Group(Text(), Text(title, "bold"), *lines)


def _clean(text: str) -> str:
    """The text on one line, without what would move the cursor: servers and copied folders say what they like."""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def _most(counts: dict[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
