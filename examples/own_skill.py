"""A skill of your own: a folder of YAML and prompts, here examples/skills/trade_offs, and no line of Python."""

from agentinstruct import generate, load_skill

if __name__ == "__main__":
    flow = load_skill("examples/skills/trade_offs")
    print(flow, "checks", ", ".join(flow.checks))
    dataset = generate("examples/seeds/albedo.md", skills=flow.name, model="scripted", verify="annotate", limit=2)
    for record in dataset:
        print(record.category, "→", record.messages[-1].content[:60])
