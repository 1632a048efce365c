"""`agentinstruct draw`: a skill's graph as Mermaid text and as a picture, offline."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli.errors import told, writing

if TYPE_CHECKING:
    from agentinstruct.graphs.doors import Flow

READABLE = 60
"""Nodes that one picture can show; where graphs within a graph make more, each of them is one node."""


def draw(
    skill: Annotated[str, typer.Argument(help="The skill whose graph to draw, or teacher: the graph around them all.")],
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write SKILL.mmd and SKILL.png here.")] = None,
) -> None:
    """Print a skill's graph as Mermaid, or write it as Mermaid and PNG."""
    with told():
        flow = _flow(skill)
        graph = flow.get_graph(xray=True)
        if len(graph.nodes) > READABLE:
            graph = flow.get_graph()
        if out is None:
            typer.echo(graph.draw_mermaid())
            return
        from agentinstruct.cli.picture import save_png

        with writing(out, "--out"):
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{skill}.mmd").write_text(graph.draw_mermaid(), encoding="utf-8")
            save_png(graph, out / f"{skill}.png")
        typer.echo(f"{out / skill}.mmd\n{out / skill}.png")


def _flow(name: str) -> "Flow":
    if name == "teacher":
        from agentinstruct.graphs.teacher import teacher

        return teacher
    from agentinstruct.graphs.wiring import graph_of

    return graph_of(name)
