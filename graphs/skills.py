"""The skills, one graph each. A skill with wiring of its own has a file beside this one."""

from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.rag import build_rag
from agentinstruct.graphs.tool_use import build_tool_use

reading_comprehension = build_flow(load_skill("reading_comprehension"))
text_modification = build_flow(load_skill("text_modification"))
tool_use = build_tool_use(load_skill("tool_use"))
rag = build_rag(load_skill("rag"))
