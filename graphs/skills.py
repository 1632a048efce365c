"""The skills, one graph each. A skill with wiring of its own has a file beside this one."""

from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.conversation import build_conversation
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.rag import build_rag
from agentinstruct.graphs.tool_use import build_tool_use

creative_content = build_flow(load_skill("creative_content"))
coding = build_flow(load_skill("coding"))
reading_comprehension = build_flow(load_skill("reading_comprehension"))
text_classification = build_flow(load_skill("text_classification"))
text_extraction = build_flow(load_skill("text_extraction"))
text_modification = build_flow(load_skill("text_modification"))
tool_use = build_tool_use(load_skill("tool_use"))
rag = build_rag(load_skill("rag"))
conversation = build_conversation(
    load_skill("conversation"),
    {
        "creative_content": creative_content,
        "reading_comprehension": reading_comprehension,
        "text_modification": text_modification,
    },
)
