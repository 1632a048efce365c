"""A small table engine: data in eight notations → typed tables, questions about them, and texts held against them."""

from agentinstruct.tools.tables.cells import typed
from agentinstruct.tools.tables.names import names_in, uncovered
from agentinstruct.tools.tables.query import ask, chosen
from agentinstruct.tools.tables.read import Data, read, readable
from agentinstruct.tools.tables.table import Column, Table, TableError, Value, joined
from agentinstruct.tools.tables.trace import Finding, traceable

__all__ = [
    "Column",
    "Data",
    "Finding",
    "Table",
    "TableError",
    "Value",
    "ask",
    "chosen",
    "joined",
    "names_in",
    "read",
    "readable",
    "traceable",
    "typed",
    "uncovered",
]
