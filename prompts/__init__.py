"""The prompts and skills: Markdown and YAML only, no code."""
