"""What can be told of code that a model wrote: its fence and language, whether it parses, whether tests prove it.

blocks("…```python\\nx = 1\\n```…")[0].language == "python"
parses("func main() {}", "go") is True
(await prove(solution, tests)).proved          tests pass on it, fail on a hollow one and on most mutants
run_query(tables, "SELECT name FROM ships").rows
"""

from agentinstruct.tools.code.fences import Block, blocks, fenced, label_fault, unfenced
from agentinstruct.tools.code.languages import LANGUAGES, language_of
from agentinstruct.tools.code.mutants import Mutant, mutants
from agentinstruct.tools.code.mutation import SHARE, Proof, prove
from agentinstruct.tools.code.parse import parses, syntax_fault
from agentinstruct.tools.code.python_tool import python_tool
from agentinstruct.tools.code.sql import Rows, SqlError, query_mutants, run_query

__all__ = [
    "LANGUAGES",
    "SHARE",
    "Block",
    "Mutant",
    "Proof",
    "Rows",
    "SqlError",
    "blocks",
    "fenced",
    "label_fault",
    "language_of",
    "mutants",
    "parses",
    "prove",
    "python_tool",
    "query_mutants",
    "run_query",
    "syntax_fault",
    "unfenced",
]
