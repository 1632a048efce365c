"""The scripted model's ways to harden a web task: a longer way, a wilder site, less said, something barred."""

from collections.abc import Iterator
from typing import Any

from agentinstruct.agents.forms.web import WebTask
from agentinstruct.agents.scripted.errands_web import tasks, withholding
from agentinstruct.agents.scripted.orders_web import message
from agentinstruct.agents.scripted.wishes import Wishes
from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site import Condition, Query, SitePage, Wanted
from agentinstruct.tools.site.answers import as_number
from agentinstruct.tools.site.reading import title_of

_RENAMED = {
    "Send": "Submit now",
    "Save": "Keep changes",
    "Check out": "Order now",
    "Add to basket": "Put into basket",
    "Search help": "How to search",
    "House history": "Past of the house",
    "Winter hours": "Hours in winter",
    "Limits": "What is allowed",
    "Yesterday": "The day before",
    "Vault": "Strongroom",
    "Key figures": "Figures in short",
    "Report an error": "Something wrong?",
}


def longer(of: Wishes, category: str, task: WebTask) -> WebTask | None:
    """A task of the same type that takes more steps than this one: the longest there is."""
    found = [*_stretched(of, task), *tasks(category, of)]
    before = len(of.run(task).actions)
    ranked = sorted(found, key=lambda one: -len(of.run(one).actions))
    long = (one for one in ranked if before < len(of.run(one).actions) <= 26 and of.holds(category, one))
    return next(long, None)


def _stretched(of: Wishes, task: WebTask) -> Iterator[WebTask]:
    """The task with a page to open besides, or asking about what stands only on the entries' own pages."""
    wanted = task.wanted
    if wanted.query:
        for query in _deeper(of, wanted.query):
            yield of.task(wanted.model_copy(update={"query": query}), task.withheld, task.never)
    elif not wanted.fact:
        for page in of.of("text"):
            at = Condition(kind="at", page=page.title)
            first = [at, *wanted.conditions], [*wanted.conditions, at]
            for conditions in first:
                yield of.task(Wanted(conditions=conditions), task.withheld, task.never)


def _deeper(of: Wishes, query: Query) -> Iterator[Query]:
    page = next(page for page in of.of("list"))
    table = of.loaded.tables[page.collection]
    for column in [one for one in table.fields if one not in page.columns and one != table.key]:
        cells = [row[column] for row in table.rows]
        amounts = [amount for cell in cells if (amount := as_number(cell)) is not None]
        figures = len(amounts) == len(cells)
        update: dict[str, Any] = {"fields": [column]}
        if query.give == "count":
            edge = {"field": column, "match": "at_least", "value": min(amounts)} if figures else None
            other = {"field": column, "match": "differs", "value": "nothing"}
            yield Query.model_validate({**query.model_dump(), "where": [*query.model_dump()["where"], edge or other]})
        elif query.give == "records":
            yield query.model_copy(update={"fields": [*query.fields, column][-4:]})
        elif query.give in ("value", "list") or figures:
            yield query.model_copy(update=update)
        else:
            yield query.model_copy(update={**update, "give": "list"})


def changed_site(goal: str, of: Wishes, task: WebTask) -> dict[str, Any]:
    """What an edit of the site makes: distractors, or other labels."""
    if goal == "distractors":
        return _distractors(of, task)
    return {"renames": list(_renames(of, task))[:8] or [{"old": "Nothing", "new": "Something"}]}


def changed_task(goal: str, of: Wishes, task: WebTask) -> WebTask | None:
    """The task with less said, or with something barred; None where it gives no room for that."""
    return withholding(of, task) if goal == "missing_information" else _barred(of, task)


def _distractors(of: Wishes, task: WebTask) -> dict[str, Any]:
    popup = {"text": "Tell us how you like this site!", "buttons": ["Rate it", "Not now"], "blocks": True, "page": ""}
    page = {"kind": "text", "title": "News", "text": "What is new in the house.", "access": "open", "under": ""}
    rows = [] if task.wanted.query else list(_near_misses(of))
    return {"popups": [popup], "rows": rows, "pages": [{**page, "facts": []}]}


def _near_misses(of: Wishes) -> Iterator[dict[str, Any]]:
    for table in of.loaded.tables.values():
        like = dict(table.rows[0])
        key = f"{like[table.key]}x" if isinstance(like[table.key], str) else 900
        cells = {**like, table.key: key, table.label: f"{table.title(like)} again"[:70]}
        yield {"collection": table.name, "cells": [cells[field] for field in table.fields]}


def _renames(of: Wishes, task: WebTask) -> Iterator[dict[str, str]]:
    pages = of.loaded.pages.values()
    there = dict.fromkeys(name for page in pages for name in (page.title, page.submit, page.button) if name)
    for old in there:
        if old in _RENAMED and f"“{old}”" not in task.task:
            yield {"old": old, "new": _RENAMED[old]}


def _barred(of: Wishes, task: WebTask) -> WebTask | None:
    """The task with something that its user forbids, and that it does not need."""
    buttons = [popup.buttons[0] for popup in of.site.popups]
    seen = {fold(title_of(taken.view)) for taken in of.run(task).taken}
    spare: list[SitePage] = [page for page in of.loaded.pages.values() if fold(page.title) not in seen]
    barred = [Condition(kind="choice", field=name) for name in buttons]
    barred += [Condition(kind="at", page=page.title) for page in spare]
    if not barred:
        return None
    stricter = task.model_copy(update={"never": (barred[0],)})
    return stricter.model_copy(update={"task": message(stricter, of.list_page)})
