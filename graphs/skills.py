"""The skills, one graph each, as a server and Studio name them. How each is wired is in `wiring.py`."""

from agentinstruct.agents.preload import preload
from agentinstruct.graphs.wiring import graph_of

preload()
analytical_reasoning = graph_of("analytical_reasoning")
brain_teaser = graph_of("brain_teaser")
coding = graph_of("coding")
conversation = graph_of("conversation")
creative_content = graph_of("creative_content")
data_to_text = graph_of("data_to_text")
fermi = graph_of("fermi")
few_shot_reasoning = graph_of("few_shot_reasoning")
multiple_choice = graph_of("multiple_choice")
open_domain_qa = graph_of("open_domain_qa")
rag = graph_of("rag")
reading_comprehension = graph_of("reading_comprehension")
text_classification = graph_of("text_classification")
text_extraction = graph_of("text_extraction")
text_modification = graph_of("text_modification")
tool_use = graph_of("tool_use")
web_agent = graph_of("web_agent")
