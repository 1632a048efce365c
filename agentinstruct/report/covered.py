"""What of each skill's taxonomy, transforms and goals was drawn, what never was; and where the right option stands."""

from collections.abc import Mapping

from agentinstruct.dataset.measure_coverage import Cell, Coverage
from agentinstruct.report.charts import Part, bar, lines_table
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Child, Html, tag
from agentinstruct.report.section import Section, block, legend, more
from agentinstruct.report.words import counted, named, number


def coverage(found: Gathered) -> Section | None:
    """Categories, transforms and goals."""
    skills = found.measures.coverage
    cells = [cell for one in skills.values() for cell in one.categories if cell.known]
    if not cells or not found.measures.counted.total.drafts:
        return None
    covered, drawn = sum(bool(cell.accepted) for cell in cells), sum(bool(cell.drafts) for cell in cells)
    lead = (
        f"{covered:,} of {counted(len(cells), 'category', 'categories')} have an accepted record; "
        f"{len(cells) - drawn:,} were never drawn. Each square is a category."
    )
    most = max((cell.accepted for cell in cells), default=1) or 1
    keys = legend(
        ("cell q0", "never drawn"),
        ("cell q1", "drawn, none accepted"),
        ("cell q2", "few accepted"),
        ("cell q5", f"many (up to {most:,})"),
    )
    grid = tag("div", [_skill(name, one, most) for name, one in skills.items()], cls="waffles")
    every = more("Every category in a table", _table(skills))
    return Section("coverage", "Coverage of the taxonomy", lead, [keys, grid, _never(skills), every, _others(skills)])


def _skill(name: str, one: Coverage, most: int) -> Html:
    known = [cell for cell in one.categories if cell.known]
    hit = sum(bool(cell.accepted) for cell in known)
    squares = [tag("span", cls=f"cell {_shade(cell, most)}", title=_told(cell)) for cell in known]
    said = tag("figcaption", tag("strong", named(name)), tag("span", f"{hit} of {len(known)}"))
    return tag(
        "figure",
        said,
        tag("div", squares, cls="squares", role="img", aria_label=f"{hit} of {len(known)} categories covered"),
    )


def _shade(cell: Cell, most: int) -> str:
    if not cell.accepted:
        return "q1" if cell.drafts else "q0"
    return f"q{2 + min(3, int(4 * cell.accepted**0.5 / (most**0.5 + 1e-9)))}"


def _told(cell: Cell) -> str:
    return f"{named(cell.name)}: {cell.accepted:,} accepted of {counted(cell.drafts, 'draft')}"


def _never(skills: Mapping[str, Coverage]) -> Html | None:
    rows = [(name, one.never) for name, one in skills.items() if one.never]
    if not rows:
        return None
    said = [tag("li", tag("strong", named(name)), ": ", ", ".join(map(named, never))) for name, never in rows]
    count = sum(len(never) for _, never in rows)
    return more(f"{counted(count, 'category', 'categories')} never drawn, by name", tag("ul", said, cls="names"))


def _table(skills: Mapping[str, Coverage]) -> Html:
    rows = [
        (named(name), tag("span", named(cell.name)), cell.drafts, cell.accepted)
        for name, one in skills.items()
        for cell in one.categories
    ]
    return lines_table("Drafts and accepted records by category", ("skill", "category", "drafts", "accepted"), rows)


def _others(skills: Mapping[str, Coverage]) -> Html:
    rows = [
        (named(name), _even(one), tag("span", _listed(one.transforms)), tag("span", _listed(one.goals)))
        for name, one in skills.items()
        if any(cell.drafts for cell in one.transforms)
    ]
    heads = ("skill", "evenness", "transforms and their drafts", "refinement goals and their records")
    note = (
        "A zero is a transform or a goal that has not been drawn, or of which nothing came. Evenness is that of "
        "accepted records over categories: 1 when all have as many."
    )
    table = lines_table("Transforms and goals by skill", heads, rows, cls="words")
    return more("Transforms and refinement goals, by skill", tag("p", note, cls="note"), table)


def _even(one: Coverage) -> str:
    return "–" if one.evenness is None else f"{one.evenness:.2f}"


def _listed(cells: tuple[Cell, ...]) -> Child:
    return [
        tag("span", f"{named(cell.name)} ", tag("b", cell.drafts), cls="pill" if cell.drafts else "pill none")
        for cell in cells
    ]


def keys(found: Gathered) -> Html | None:
    """Where the right option stands."""
    if not found.measures.keys:
        return None
    rows = []
    for one in found.measures.keys:
        total = sum(one.places)
        colours = [f"seq{at % 6}" for at in range(one.options)]
        parts = [
            Part(n, colour, f"place {at}: {n:,}")
            for at, (n, colour) in enumerate(zip(one.places, colours, strict=True), 1)
        ]
        judged = f"{one.p:.3f}" if one.enough else "too few"
        places = " · ".join(f"{n:,}" for n in one.places)
        figures = (tag("span", places), total, number(one.chi_square), judged)
        rows.append((f"{one.options} options", bar(parts, total), *figures))
    heads = ("items with", "keys by place, first to last", "keys", "items", "chi²", "p")
    note = (
        "If the right option stood in every place equally often, a spread at least this uneven would turn up with "
        "probability p "
        "(chi-square). A small p means that a student could learn where to look. “Too few” is under five keys a place. "
        "Of an item and its refinements one is counted, drawn by its id: they are no independent draws."
    )
    return block("Where the right option stands", lines_table("Keys by place", heads, rows), note=note)
