"""The skills, one graph each. A skill with wiring of its own has a file beside this one."""

from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.tool_use import build_tool_use

reading_comprehension = build_flow(load_skill("reading_comprehension"))
text_modification = build_flow(load_skill("text_modification"))
analytical_reasoning = build_flow(load_skill("analytical_reasoning"))
brain_teaser = build_flow(load_skill("brain_teaser"))
tool_use = build_tool_use(load_skill("tool_use"))
