"""The skills, one graph each. A skill with wiring of its own has a file beside this one."""

from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.tool_use import build_tool_use
from agentinstruct.graphs.web_agent import build_web_agent

reading_comprehension = build_flow(load_skill("reading_comprehension"))
text_modification = build_flow(load_skill("text_modification"))
tool_use = build_tool_use(load_skill("tool_use"))
web_agent = build_web_agent(load_skill("web_agent"))
