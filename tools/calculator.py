"""The calculator as a LangChain tool: `calculate.evaluate` for agents that may work things out while they answer."""

from typing import TYPE_CHECKING

from agentinstruct.tools.calculate import CalculateError, evaluate

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool


def calculator_tool() -> "BaseTool":
    """The tool `calculator`; a bad expression comes back as an error that says what is wrong."""
    from langchain_core.tools import tool

    @tool
    def calculator(expression: str) -> str:
        """Work out an arithmetic expression, such as (1200 - 950) / 950 * 100 or sqrt(2) * 40. Returns its value."""
        try:
            value = evaluate(expression)
        except CalculateError as error:
            return f"error: {error}"
        return f"{value:.12g}" if isinstance(value, float) else str(value)

    return calculator
