"""The skills, one graph each. A skill with wiring of its own has a file beside this one."""

from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.tool_use import build_tool_use

data_to_text = build_flow(load_skill("data_to_text"))
fermi = build_flow(load_skill("fermi"))
reading_comprehension = build_flow(load_skill("reading_comprehension"))
text_modification = build_flow(load_skill("text_modification"))
tool_use = build_tool_use(load_skill("tool_use"))
