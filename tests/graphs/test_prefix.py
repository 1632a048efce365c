"""Prompts are laid out for prefix caches: what stays the same comes first, then the passage, then what varies."""

import re
from itertools import pairwise

import pytest

from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import ScriptedModel
from agentinstruct.agents.skill import prompts_folder
from agentinstruct.graphs.state import Context
from agentinstruct.graphs.wiring import graph_of

MATERIAL = ("passage", "apis", "site")
IN_USER = ("passage", "item", "goal", "suggestion", "count", "example")
VARIES = ("category", "item", "goal", "suggestion", "count", "example")
PROMPTS = sorted(prompts_folder().glob("*/**/*.md"))
MILL = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours. Storms broke the dam in 1816 and again in 1903, yet each time the village paid
for new stones. Today a volunteer named Ruth Hale keeps the machinery greased, grinds flour on Saturdays, and explains
to visitors why a mill that runs on the moon never needs rain.
"""


def first_use(template, names):
    """Where the first of these variables is used."""
    found = re.search(rf"{{[{{%][^}}]*\b({'|'.join(names)})\b", template)
    return found.start() if found else None


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_the_material_comes_before_what_varies(path):
    system, user = path.read_text().split("\n# user\n")
    user = user.split("\n# example\n")[0]
    if f"{path.parent.name}/{path.stem}" != "web_agent/edit":  # what its reply's fields mean depends on the goal
        assert first_use(system.split("# system", 1)[-1], IN_USER) is None, "a system text that varies is never cached"
    material, varies = first_use(user, MATERIAL), first_use(user, VARIES)
    if material is not None and varies is not None:
        assert material < varies
    rubric, rest = first_use(user, ["rubric"]), first_use(user, ["request", "response", "dialogue", "visit"])
    if rubric is not None and path.parent.name != "tool_use":  # whose functions are alike for more calls
        assert rubric < rest, "the criteria are alike for every response"


def common(one, other):
    """The characters that two texts begin with alike."""
    return next((i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), len(one))


class Listening(ScriptedModel):
    """The scripted model, which keeps what it was asked."""

    def __init__(self):
        super().__init__()
        self.heard = []

    async def complete(self, request):
        self.heard.append(request)
        return await super().complete(request)


@pytest.mark.parametrize("name", ["text_modification", "fermi", "multiple_choice"])
async def test_calls_on_one_passage_share_most_of_their_beginning(name):
    model = Listening()
    context = Context(model="scripted", categories_per_seed=6, instructions_per_category=1, goals="none")
    async with using(Gateway(lambda spec: model)):
        await graph_of(name).ainvoke({"seed": Seed(text=MILL * 3)}, context=context)
    writers = [one.messages for one in model.heard if one.agent == "instruct"]
    asked = ["\n".join(message["content"] for message in messages) for messages in writers]
    assert len(asked) == 6
    shared = [common(*pair) / max(map(len, pair)) for pair in pairwise(asked)]
    assert sum(shared) / len(shared) > 0.5, shared
