"""Who does the work: records, prompts, skills, agents, the gateway to models. Knows no graph."""
