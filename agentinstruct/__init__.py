"""AgentInstruct: documents and code in; a verified, diverse, challenging instruction dataset out."""
