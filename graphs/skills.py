"""The skills, one graph each. A skill with wiring of its own has a file beside this one."""

from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.tool_use import build_tool_use

coding = build_flow(load_skill("coding"))
few_shot_reasoning = build_flow(load_skill("few_shot_reasoning"))
reading_comprehension = build_flow(load_skill("reading_comprehension"))
text_modification = build_flow(load_skill("text_modification"))
tool_use = build_tool_use(load_skill("tool_use"))
