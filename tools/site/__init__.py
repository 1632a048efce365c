"""A simulated web site: declared as pages, rows and fields, visited by a browser that our code runs.

    Site ─ load ─ Browser ⇄ Action      Wanted ─ blocked? ─ solve ─ Run

A site has exactly the pages its declaration says, the same each time; no code of a model runs. Whether a goal is
reached, and whether it can be, is computed.
"""

from agentinstruct.tools.site.browser import Action, Browser, Outcome, read_action
from agentinstruct.tools.site.errand import Errand, Walker
from agentinstruct.tools.site.goal import blocked, fits, holds, key, unmet
from agentinstruct.tools.site.load import Loaded, Table, load
from agentinstruct.tools.site.solve import Knowledge, Run, Taken, errand_of, follow, resume, solve
from agentinstruct.tools.site.spec import (
    Account,
    Condition,
    Figure,
    Lookup,
    Popup,
    Query,
    Site,
    SiteField,
    SitePage,
    Wanted,
    Where,
)
from agentinstruct.tools.site.view import Element, View, read_view

__all__ = [
    "Account",
    "Action",
    "Browser",
    "Condition",
    "Element",
    "Errand",
    "Figure",
    "Knowledge",
    "Loaded",
    "Lookup",
    "Outcome",
    "Popup",
    "Query",
    "Run",
    "Site",
    "SiteField",
    "SitePage",
    "Table",
    "Taken",
    "View",
    "Walker",
    "Wanted",
    "Where",
    "blocked",
    "errand_of",
    "fits",
    "follow",
    "holds",
    "key",
    "load",
    "read_action",
    "read_view",
    "resume",
    "solve",
    "unmet",
]
