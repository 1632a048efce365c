"""`agentinstruct draw`: the layout's promises for any graph, and the files it writes."""

import sys
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.runnables.graph import Edge, Graph, Node
from PIL import Image
from typer.testing import CliRunner

from agentinstruct.agents.errors import SetupError
from agentinstruct.cli import picture
from agentinstruct.cli.layout import layout, settle
from agentinstruct.cli.main import app
from agentinstruct.cli.picture import dashes, readable, sampled, save_png, stage_of

SKILLS = ["reading_comprehension", "text_modification", "tool_use"]
LOOP = [("__start__", "a"), ("a", "b"), ("b", "c"), ("c", "a"), ("a", "c"), ("c", "__end__"), ("a", "__end__")]


def widths(edges, width=80.0):
    return dict.fromkeys((node for edge in edges for node in edge), width)


@st.composite
def graphs(draw):
    """Any directed graph: cycles, loops on a node, parallel edges, nodes that nothing reaches."""
    count = draw(st.integers(1, 9))
    nodes = ["__start__", *(f"n{at}" for at in range(count)), "__end__"]
    sizes = {node: float(draw(st.integers(58, 160))) for node in nodes}
    return sizes, draw(st.lists(st.tuples(st.sampled_from(nodes), st.sampled_from(nodes)), max_size=18))


def on_border(box, point):
    x, y = point
    inside = box.left - 1e-6 <= x <= box.right + 1e-6 and box.top - 1e-6 <= y <= box.bottom + 1e-6
    return inside and min(abs(x - box.left), abs(x - box.right), abs(y - box.top), abs(y - box.bottom)) < 1e-6


@settings(max_examples=120, deadline=None)
@given(graphs())
def test_any_graph_keeps_its_boxes_apart_and_its_curves_outside_them(graph):
    sizes, edges = graph
    plan = layout(sizes, edges)

    assert plan == layout(sizes, edges)
    assert set(plan.boxes) == set(sizes)
    assert len(plan.curves) == len(edges)
    for a, b in combinations(plan.boxes.values(), 2):
        assert a.right < b.left or b.right < a.left or a.bottom < b.top or b.bottom < a.top
    for (source, target), curve in zip(edges, plan.curves, strict=True):
        assert on_border(plan.boxes[source], curve[0])
        assert on_border(plan.boxes[target], curve[-1])
        for x, y in sampled(curve):
            assert not any(
                box.left + 0.1 < x < box.right - 0.1 and box.top + 0.1 < y < box.bottom - 0.1
                for box in plan.boxes.values()
            )


def test_rows_follow_the_longest_path_and_a_loop_does_not_lengthen_it():
    boxes = layout(widths(LOOP), LOOP).boxes

    assert [boxes[node].y for node in ("__start__", "a", "b", "c", "__end__")] == sorted(
        {box.y for box in boxes.values()}
    )


def test_a_chain_stands_upright_beside_the_edges_that_skip_it():
    plan = layout(widths(LOOP), LOOP)

    assert len({round(box.x, 3) for box in plan.boxes.values()}) == 1
    chain = dict(zip(LOOP, plan.curves, strict=True))["a", "b"]
    assert {round(x, 3) for x, _ in chain} == {round(plan.boxes["a"].x, 3)}


def test_a_back_edge_leaves_and_arrives_at_the_same_side():
    plan = layout(widths(LOOP), LOOP)
    back = dict(zip(LOOP, plan.curves, strict=True))["c", "a"]
    middle = plan.boxes["a"].x

    assert back[0][0] == back[-1][0] != middle
    assert all((x - middle) * (back[0][0] - middle) > 0 for x, _ in back)


def test_a_fan_is_centred_and_keeps_the_order_it_was_given():
    names = [f"n{at}" for at in range(9)]
    edges = [("__start__", name) for name in names] + [(name, "__end__") for name in names]
    boxes = layout(widths(edges), edges).boxes

    assert sorted(names, key=lambda name: boxes[name].x) == names
    centre = (boxes["n0"].x + boxes["n8"].x) / 2
    assert boxes["__start__"].x == pytest.approx(centre) == boxes["__end__"].x


def test_edges_end_apart_where_a_box_has_room():
    edges = [("a", "x"), ("b", "x"), ("c", "x")]
    tips = sorted(curve[-1][0] for curve in layout(widths(edges), edges).curves)

    assert tips[1] - tips[0] > 8
    assert tips[2] - tips[1] > 8


@given(st.lists(st.floats(-500, 500), min_size=1, max_size=8))
def test_settle_keeps_the_distances_and_leaves_alone_what_already_does(wanted):
    found = settle(wanted, [1.0] * len(wanted), [10.0] * (len(wanted) - 1))

    assert all(b - a >= 10 - 1e-6 for a, b in pairwise(found))
    assert sum(found) == pytest.approx(sum(wanted), abs=1e-6)
    assert settle(found, [1.0] * len(found), [10.0] * (len(found) - 1)) == pytest.approx(found)


def test_dashes_cover_both_ends_of_their_rhythm():
    strokes = list(dashes([(0.0, 0.0), (20.0, 0.0)]))

    assert [(stroke[0][0], stroke[-1][0]) for stroke in strokes] == [(0, 5), (9, 14), (18, 20)]


@pytest.mark.parametrize(
    ("node", "name", "stage"),
    [
        ("__start__", "start", "flow"),
        ("long_text", "long text", "transform"),
        ("edit", "edit", "refine"),
        ("refine:suggest", "refine · suggest", "refine"),
        ("_", "_", "transform"),
    ],
)
def test_names_and_stages(node, name, stage):
    assert readable(node) == name
    assert stage_of(node) == stage


def luminance(colour):
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("stage", picture.STAGES)
def test_every_stage_is_legible(stage):
    fill, line = picture.STAGES[stage]

    assert contrast(picture.INK, fill) >= 12
    assert contrast(line, picture.PAPER) >= 4.5


@pytest.mark.parametrize("skill", SKILLS)
def test_draw_writes_mermaid_and_a_picture(skill, tmp_path):
    from agentinstruct.graphs import skills

    result = CliRunner().invoke(app, ["draw", skill, "--out", str(tmp_path / "new")])

    assert result.exit_code == 0, result.output
    mermaid = (tmp_path / "new" / f"{skill}.mmd").read_text(encoding="utf-8")
    assert all(node in mermaid for node in getattr(skills, skill).get_graph(xray=True).nodes)
    with Image.open(tmp_path / "new" / f"{skill}.png") as image:
        colours = {colour for _, colour in image.getcolors(maxcolors=1 << 24)}
        assert 1000 <= image.width <= 2000, "at most 1000 pixels wide at the density of 2"
    wanted = [colour for stage in picture.STAGES.values() for colour in stage]
    assert {tuple(bytes.fromhex(colour[1:])) for colour in wanted} <= colours


def test_draw_prints_mermaid_without_out():
    result = CliRunner().invoke(app, ["draw", "tool_use"])

    assert result.exit_code == 0
    assert "hypothesise" in result.output


def test_a_picture_is_the_same_bytes_each_time(tmp_path):
    graph = Graph(
        nodes={name: Node(name, name, None, None) for name in ("__start__", "plan", "__end__")},
        edges=[Edge("__start__", "plan"), Edge("plan", "plan", conditional=True), Edge("plan", "__end__")],
    )
    for name in ("one", "two"):
        save_png(graph, tmp_path / f"{name}.png", title="A loop")

    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_without_pillow_the_message_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)

    with pytest.raises(SetupError, match=r"pip install 'agentinstruct\[draw\]'"):
        save_png(Graph(), tmp_path / "never.png")
