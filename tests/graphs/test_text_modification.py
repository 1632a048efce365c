"""Text modification on the scripted model, under the strict policy: exact demands are met, or the draft is dropped."""

from collections.abc import Mapping
from typing import Any

import pytest

from agentinstruct.agents.gateway import Gateway, Request, using
from agentinstruct.agents.records import Seed
from agentinstruct.agents.scripted import Script, ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.graphs.skills import text_modification
from agentinstruct.graphs.state import Context, FlowState

SKILL = load_skill("text_modification")
TEXT = """The committee met at 3:30 pm on 5 March 2024. Anna Schmidt, who had the colour samples, showed them to
everybody in the room.

Nobody objected to the plan, because the old paint had been on the walls for 12 years. The work will begin in spring."""
SHORT = "The tide mill in the harbour ground corn twice a day. Its wheel turned only when the pond was full."


async def flow(
    category: str, scripts: Mapping[str, Script] | None = None, text: str = TEXT, **chosen: Any
) -> FlowState:
    async with using(Gateway(lambda spec: ScriptedModel(scripts or {}))):
        return await text_modification.ainvoke(
            {"seed": Seed(text=text)}, context=Context(model="scripted", categories=category, **chosen)
        )


def changed(state: FlowState) -> str:
    return state["records"][0].messages[-1].content


@pytest.mark.parametrize("text", [TEXT, SHORT], ids=["paragraphs", "two sentences"])
@pytest.mark.parametrize("category", SKILL.categories)
async def test_every_type_yields_an_original_and_a_harder_record_for_each_suggestion(category: str, text: str) -> None:
    state = await flow(category, text=text)
    assert not state["dropped"]
    assert [record.depth for record in state["records"]] == [0, 1, 1]
    original, *harder = state["records"]
    for record in harder:
        assert record.goal == "harder"
        assert record.parent == original.id
        assert record.messages[-1].content != record.context
    assert len({record.messages[-2].content for record in state["records"]}) == 3


async def test_exact_changes_are_what_the_instruction_says() -> None:
    assert changed(await flow("text_capitalization", rounds=0)) == TEXT.upper()
    assert "2024-03-05" in changed(await flow("data_normalization", rounds=0))
    assert "Anna" not in changed(await flow("text_obfuscation", rounds=0))
    assert changed(await flow("text_formatting", rounds=0)).startswith("- The committee met")


@pytest.mark.parametrize(
    ("category", "said", "reason"),
    [
        ("text_capitalization", TEXT.lower(), "constraints"),
        ("text_capitalization", f"{TEXT.upper()} AND MORE.", "constraints"),
        ("keyword_replacement", TEXT.replace("committee", "board"), "constraints"),
        ("text_translation", f"{TEXT} Indeed.", "constraints"),
        ("text_annotation", "[Note: the text is gone.]", "constraints"),
        ("sentiment_modification", TEXT, "constraints"),
        ("paraphrasing", f"Sure, here is the text: {TEXT}", "constraints"),
        ("content_rewriting", "Dear reader, nothing of note happened.", "judge"),
    ],
)
async def test_responses_that_do_not_meet_the_instruction_are_dropped(category: str, said: str, reason: str) -> None:
    state = await flow(category, {"answer": lambda _: said}, rounds=0)
    assert [(d.stage, d.reason) for d in state["dropped"]] == [("verify", reason)]
    assert not state["records"]


async def test_an_edit_that_leaves_the_instruction_as_it_was_is_dropped() -> None:
    written: list[Any] = []

    def instruct(request: Request) -> Any:
        reply: Any = scripted_reply(request)
        written.append(reply["items"][0])
        return reply

    scripts: dict[str, Script] = {"instruct": instruct, "edit": lambda _: {"item": written[0]}}
    state = await flow("text_capitalization", scripts, suggestions_per_goal=1)
    assert [(d.stage.split("/")[0], d.reason) for d in state["dropped"]] == [("edit", "changed")]
    assert [record.depth for record in state["records"]] == [0]


async def test_demands_a_text_cannot_meet_cost_the_draft_and_not_the_run() -> None:
    state = await flow("text_translation", text="昨日、私は東京に行きました。とても暑かったです。", rounds=0)
    assert len(state["records"]) + len(state["dropped"]) == 1
