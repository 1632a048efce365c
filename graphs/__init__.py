"""How the work flows: one LangGraph graph per skill. The only importer of langgraph."""
