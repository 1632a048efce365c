"""Readers for the formats that an answer can be asked in, each of which takes the format and nothing around it.

    text ─ read_json · read_yaml · read_csv · read_markdown_table · read_list · read_pairs ─ value | FormatError
    value + JSON schema ─ schema_faults
    span + text ─ stands;  span + value ─ normal;  a field said to be absent + text ─ candidate

They are checks as much as readers: what is not wholly in the format is an error that says where.
"""

from agentinstruct.tools.formats.errors import FormatError
from agentinstruct.tools.formats.json_text import embedded_json, read_json
from agentinstruct.tools.formats.lines import read_list, read_pairs, read_yaml
from agentinstruct.tools.formats.schema import schema_faults
from agentinstruct.tools.formats.spans import candidate, normal, stands
from agentinstruct.tools.formats.tables import Table, read_csv, read_markdown_table, write_csv, write_markdown_table

__all__ = [
    "FormatError",
    "Table",
    "candidate",
    "embedded_json",
    "normal",
    "read_csv",
    "read_json",
    "read_list",
    "read_markdown_table",
    "read_pairs",
    "read_yaml",
    "schema_faults",
    "stands",
    "write_csv",
    "write_markdown_table",
]
