"""The figures as a Markdown page with a plot."""

import platform
from pathlib import Path

from measure import Figures, Found, middle

SETTINGS = ("at once", "200 ms, 64 in flight", "200 ms, 256 in flight")


def write(found: Found, folder: Path) -> None:
    """Write benchmarks.md and benchmarks.svg, and print the page."""
    folder.mkdir(exist_ok=True)
    text = page(found)
    (folder / "benchmarks.md").write_text(text, encoding="utf-8")
    plot(found, folder / "benchmarks.svg")
    print(f"\n{text}\n{folder}/benchmarks.md, {folder}/benchmarks.svg")


def page(found: Found) -> str:
    """The whole page."""
    machine = f"{platform.machine()}, Python {platform.python_version()}"
    parts = [HEAD.replace("MACHINE", machine), *cpu_rows(found), "", *ratio_rows(found), "", SIZES, *size_rows(found)]
    resume, start = found.resume, found.start
    parts += ["", "## Start", "", f"- `agentinstruct --help`: {start['help_s']:.2f} s of CPU."]
    parts.append(
        f"- A run of {resume['calls']:,.0f} calls that is given again makes its first new call "
        f"{resume['resumed_s']:.1f} s after the command; a new run makes its first {resume['fresh_s']:.1f} s after it."
    )
    return "\n".join(parts) + "\n"


HEAD = """# How fast it is

![CPU and memory](benchmarks.svg)

`make bench` makes this page: a mock server repeats what was recorded and never sleeps (so that no client pays for
waking it), and each client is a process of its own
(MACHINE). **bare** is aiohttp and uvloop sending the very same request bodies, and nothing else. **ours** is a whole
run: seeds read, three skills (reading comprehension, text modification, tool use) with all their checks, journal,
export and summary. **langgraph** is the same graphs run by LangGraph, each call made by LangChain's `ChatOpenAI`. CPU
is user and system time of the client once it is warm (a small run before has made imports, templates, reply types);
figures are medians, ratios are of runs side by side. "200 ms" is a mean: each answer takes between half and one and a
half of it, as calls that all take as long come back in waves, and no server sends its answers so.

| CPU a call, ms | bare | ours | ours / bare | langgraph | langgraph / ours |
|---|---|---|---|---|---|"""
SIZES = """## Memory

Runs of few calls a seed, to see many seeds.

| seeds | calls | memory, MB | CPU a call, ms |
|---|---|---|---|"""


def cpu_rows(found: Found) -> list[str]:
    """CPU a call in each setting."""
    rows = []
    for setting in SETTINGS:
        bare, ours = middle(found.cpu[f"bare, {setting}"]), middle(found.cpu[f"ours, {setting}"])
        ratio = middle(found.ratio[f"CPU ours / bare, {setting}"])
        more = ["", ""]
        if setting == "at once":
            more = [f"{middle(found.cpu['langgraph, at once']):.2f}", f"{middle(found.ratio['langgraph / ours']):.1f}"]
        rows.append(f"| answers {setting} | {bare:.3f} | {ours:.3f} | {ratio:.2f} | {more[0]} | {more[1]} |")
    return rows


def ratio_rows(found: Found) -> list[str]:
    """Calls a second at 200 ms."""
    rows = ["| calls a second | bare | ours | ours / bare | ideal |", "|---|---|---|---|---|"]
    for setting in SETTINGS[1:]:
        bare, ours = middle(found.rate[f"bare, {setting}"]), middle(found.rate[f"ours, {setting}"])
        ratio, ideal = middle(found.ratio[f"throughput, {setting}"]), int(setting.split()[2]) / 0.2
        rows.append(f"| answers {setting} | {bare:,.0f} | {ours:,.0f} | {ratio:.1%} | {ideal:,.0f} |")
    return rows


def size_rows(found: Found) -> list[str]:
    """Memory and CPU by seeds."""
    return [
        f"| {one['seeds']:,.0f} | {one['asked']:,.0f} | {one['peak_mb']:.0f} | {one['cpu_ms']:.3f} |"
        for one in found.sizes
    ]


def plot(found: Found, path: Path) -> None:
    """CPU a call beside memory by seeds."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(9, 3.2))
    values = [middle(found.cpu[f"{client}, at once"]) for client in ("bare", "ours", "langgraph")]
    bars = left.barh(
        ["bare aiohttp", "agentinstruct", "LangGraph + ChatOpenAI"], values, color=["#bbb", "#2a7", "#c55"]
    )
    left.bar_label(bars, fmt="%.2f", padding=3)
    left.invert_yaxis()
    left.set(title="CPU a call, ms (answers at once)", xlim=(0, max(values) * 1.15))
    sizes: list[Figures] = found.sizes
    seeds = [one["seeds"] for one in sizes]
    peaks = [one["peak_mb"] for one in sizes]
    right.plot(seeds, peaks, "o-", color="#2a7")
    right.set(title="memory of a run, MB", xlabel="seeds", xscale="log", ylim=(0, max(peaks) * 1.1))
    right.set_xticks(seeds, [f"{one:,.0f}" for one in seeds])
    right.minorticks_off()
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
