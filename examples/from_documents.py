"""Documents in, a dataset out; run it again and it goes on where it stopped, without one call bought twice."""

from agentinstruct import generate

if __name__ == "__main__":
    dataset = generate(
        "examples/seeds/*.md",
        out="runs/example",
        model="scripted",  # a stand-in: name a real model, such as openai:gpt-4.1-mini, for real data
        limit=10,
        progress=True,
    )
    for one in dataset.summary.yields():
        print(f"{one.skill:24} {one.accepted:3} of {one.drafts:3} drafts accepted")
    print(f"{len(dataset)} records in {dataset.path}, ${dataset.cost:.2f}")
    for notice in dataset.notices:
        print(notice)
