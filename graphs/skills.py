"""The skills, one graph each. A skill with wiring of its own has a file beside this one."""

from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.conversation import build_conversation
from agentinstruct.graphs.flow import build_flow
from agentinstruct.graphs.rag import build_rag
from agentinstruct.graphs.tool_use import build_tool_use
from agentinstruct.graphs.web_agent import build_web_agent

data_to_text = build_flow(load_skill("data_to_text"))
fermi = build_flow(load_skill("fermi"))
creative_content = build_flow(load_skill("creative_content"))
coding = build_flow(load_skill("coding"))
multiple_choice = build_flow(load_skill("multiple_choice"))
open_domain_qa = build_flow(load_skill("open_domain_qa"))
few_shot_reasoning = build_flow(load_skill("few_shot_reasoning"))
reading_comprehension = build_flow(load_skill("reading_comprehension"))
text_classification = build_flow(load_skill("text_classification"))
text_extraction = build_flow(load_skill("text_extraction"))
text_modification = build_flow(load_skill("text_modification"))
analytical_reasoning = build_flow(load_skill("analytical_reasoning"))
brain_teaser = build_flow(load_skill("brain_teaser"))
tool_use = build_tool_use(load_skill("tool_use"))
rag = build_rag(load_skill("rag"))
web_agent = build_web_agent(load_skill("web_agent"))
conversation = build_conversation(
    load_skill("conversation"),
    (
        *(analytical_reasoning, brain_teaser, coding, creative_content, data_to_text, fermi, few_shot_reasoning),
        *(multiple_choice, open_domain_qa, rag, reading_comprehension),
        *(text_classification, text_extraction, text_modification),
    ),
)
