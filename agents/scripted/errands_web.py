"""The scripted model's wishes on a site: goals of each type that the site it is shown can or cannot fulfil."""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any

from agentinstruct.agents.forms.web import WebTask
from agentinstruct.agents.scripted.orders_web import message
from agentinstruct.agents.scripted.wishes import OPEN, Wishes
from agentinstruct.agents.toolcalls import Argument
from agentinstruct.tools.site import Condition, Lookup, Query, Wanted
from agentinstruct.tools.site.answers import as_number
from agentinstruct.tools.site.pages import sold_out

NOWHERE = ("Reading garden", "Map of the cellar", "Lending desk abroad")


def tasks(category: str, of: Wishes) -> Iterator[WebTask]:
    """Tasks of a type that the site allows, each another one."""
    seen: set[str] = set()
    for made in _TYPES[category](of):
        if made.task not in seen and of.holds(category, made):
            seen.add(made.task)
            yield made


def _navigate(of: Wishes) -> Iterator[WebTask]:
    pages = [page for page in of.loaded.pages.values() if page.access in OPEN[:2] and page is not of.loaded.home]
    pages.sort(key=lambda page: not page.under)
    yield from (of.conditions(Condition(kind="at", page=page.title)) for page in pages)
    yield from _opened(of)


def _opened(of: Wishes) -> Iterator[WebTask]:
    for page in of.of("list"):
        table = of.loaded.tables[page.collection]
        for row in reversed(table.rows):
            yield of.conditions(Condition(kind="at", page=page.title, field=table.title(row)))


def _asked(of: Wishes, **query: Any) -> Iterator[WebTask]:
    for page in of.of("list"):
        yield of.task(Wanted(query=Query.model_validate({"collection": page.collection, **query})))


def _column(of: Wishes) -> tuple[str, str]:
    """A list's columns for figures and for kinds; empty where it has none."""
    page = next(iter(of.of("list")), None)
    if page is None:
        return "", ""
    rows = of.loaded.tables[page.collection].rows
    figures = [c for c in page.columns if c != "part" and all(as_number(row[c]) is not None for row in rows)]
    return next(iter(figures), ""), next(iter(page.filters), "")


def _groups(of: Wishes) -> Iterator[list[dict[str, Any]]]:
    """Conditions that leave some rows of a list: each kind, or all from a figure on."""
    figure, kind = _column(of)
    for page in of.of("list"):
        rows = of.loaded.tables[page.collection].rows
        if kind:
            values = list(dict.fromkeys(str(row[kind]) for row in rows))
            yield from ([{"field": kind, "match": "equals", "value": value}] for value in values)
        elif figure:
            edges = sorted({as_number(row[figure]) or 0 for row in rows})
            yield from (
                [{"field": figure, "match": "at_least", "value": edge}] for edge in edges[1 : len(edges) // 2 + 1]
            )


def _filtered(of: Wishes) -> Iterator[WebTask]:
    _, kind = _column(of)
    for group in _groups(of) if kind else ():
        yield from _asked(of, where=group, give="list", fields=["title"])
        yield from _asked(of, where=group, give="count")
    for page in of.of("list"):
        table = of.loaded.tables[page.collection]
        for row in table.rows:
            named = {"field": "title", "match": "contains", "value": table.title(row)}
            yield from _asked(of, where=[named], give="value", fields=[_column(of)[0]])


def _records(of: Wishes) -> Iterator[WebTask]:
    figure, _ = _column(of)
    for group in _groups(of):
        yield from _asked(of, where=group, give="records", fields=["title", figure])


def _compared(of: Wishes) -> Iterator[WebTask]:
    figure, _ = _column(of)
    for group in _groups(of):
        for best in ("highest", "lowest"):
            yield from _asked(of, where=group, best=best, by=figure, give="value", fields=["title"])
    for best in ("highest", "lowest"):
        yield from _asked(of, best=best, by=figure, give="value", fields=["title"])


def _totals(of: Wishes) -> Iterator[WebTask]:
    figure, _ = _column(of)
    yield from _asked(of, give="sum", fields=[figure])
    for page in of.of("list"):
        rows = of.loaded.tables[page.collection].rows
        edge = sorted(as_number(row[figure]) or 0 for row in rows)[: len(rows) // 2 + 1][-2]
        where = [{"field": figure, "match": "at_least", "value": edge}]
        yield from _asked(of, where=where, give="count")
        yield from _asked(of, where=where, give="mean", fields=[figure])


def _filled(of: Wishes) -> Iterator[WebTask]:
    for page in of.of("form"):
        for _ in range(4):
            yield of.conditions(*of.entries(page))


def _set(of: Wishes) -> Iterator[WebTask]:
    for page in of.of("settings"):
        for field in page.fields:
            yield of.conditions(Condition(kind="setting", page=page.title, field=field.label, value=of.value(field)))


def _ordered(of: Wishes) -> Iterator[WebTask]:
    for cart, shop in [(cart, shop) for cart in of.of("cart") for shop in of.of("list") if shop.button]:
        table = of.loaded.tables[shop.collection]
        for row in [row for row in reversed(table.rows) if not sold_out(shop, row)]:
            item = Condition(kind="cart", page=shop.title, field=table.title(row), value=str(of.draw.randint(1, 3)))
            yield of.conditions(item, *of.entries(cart))


def _workflow(of: Wishes) -> Iterator[WebTask]:
    for task in [*islice(_ordered(of), 3), *islice(_filled(of), 3)]:
        for setting in islice(_set(of), 2):
            yield of.conditions(*task.wanted.conditions, *setting.wanted.conditions)


def _looked_up(of: Wishes) -> Iterator[WebTask]:
    for page in of.of("text"):
        for fact in page.facts:
            yield of.task(Wanted(fact=Lookup(page=page.title, label=fact.label)))


def _recovered(of: Wishes) -> Iterator[WebTask]:
    obstacles = {page.title for page in of.loaded.pages.values() if page.access in ("flaky", "login")}
    for task in [*_filled(of), *_set(of), *_looked_up(of)]:
        figure = task.wanted.fact.page if task.wanted.fact else ""
        if {figure, *(one.page for one in task.wanted.conditions)} & obstacles:
            yield task


def _denied(of: Wishes) -> Iterator[WebTask]:
    for page in of.loaded.pages.values():
        if page.access not in OPEN:
            yield of.conditions(Condition(kind="at", page=page.title))
    for page in of.of("list"):
        yield from (of.conditions(Condition(kind="at", page=page.title, field=name)) for name in NOWHERE)
    for setting in _set(of):
        field = setting.wanted.conditions[0]
        if field.value not in ("yes", "no"):
            yield of.conditions(field.model_copy(update={"value": "Esperanto"}))
    yield from (of.conditions(Condition(kind="at", page=name)) for name in NOWHERE)


def _incomplete(of: Wishes) -> Iterator[WebTask]:
    yield from filter(None, (withholding(of, task) for task in _filled(of)))


def withholding(of: Wishes, task: WebTask) -> WebTask | None:
    """The task without one value that its user would forget to give; None where it gives none of that kind."""
    if task.withheld:
        return None
    given = [one for one in task.wanted.conditions if one.kind == "entry"]
    for one in given:
        page = of.loaded.page(one.page)
        field = next((f for f in page.fields if f.label == one.field), None) if page else None
        if field and field.required and field.kind in ("email", "date", "text") and len(given) > 1:
            return of.task(task.wanted, (Argument(name=one.field, value=one.value),), task.never)
    if task.known:
        secret = task.known[1:]
        bare = task.model_copy(update={"known": (), "withheld": task.known[:1] + secret})
        return bare.model_copy(update={"task": message(bare, of.list_page)})
    return None


def _steps(of: Wishes) -> Iterator[WebTask]:
    for task in [*_filled(of), *_ordered(of), *_opened(of), *_totals(of), *_set(of), *_looked_up(of), *_navigate(of)]:
        if len(of.run(task).actions) >= 3:
            yield task


_TYPES: Mapping[str, Callable[[Wishes], Iterator[WebTask]]] = {
    "navigate": _navigate,
    "search_filter": _filtered,
    "form_fill": _filled,
    "extract_json": _records,
    "compare_items": _compared,
    "multi_page_workflow": _workflow,
    "account_settings": _set,
    "transaction": _ordered,
    "pagination_aggregation": _totals,
    "figure_lookup": _looked_up,
    "error_recovery": _recovered,
    "infeasible": _denied,
    "ask_first": _incomplete,
    "next_action": _steps,
}
