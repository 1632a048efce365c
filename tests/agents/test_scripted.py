import time
from random import Random
from typing import Any

import orjson
import pytest
from pydantic import BaseModel, ValidationError

from agentinstruct.agents.agent import strict_schema
from agentinstruct.agents.errors import ReplyError
from agentinstruct.agents.forms import FORMS, final_answer
from agentinstruct.agents.gateway import Completion, Gateway, Patience, Request, RetryableError
from agentinstruct.agents.replies import Judgement, Rewritten, Solution, Suggestions
from agentinstruct.agents.scripted import ScriptedModel, scripted_reply
from agentinstruct.agents.skill import load_skill
from agentinstruct.agents.toolcalls import ToolTask

TEXT = """The lighthouse at Carn Point was built in 1862 by a crew of 48 men from the northern villages. Its lamp could
be seen for 21 miles on a clear night, farther than any other light on that coast.

The keeper and his two daughters lived in the stone cottage beside the tower for nearly 30 years. They grew cabbages
behind a wall, because the salt wind killed everything that stood taller than a hand. In the winter of 1879 a steamer
struck the reef while the lamp was being cleaned. The inquiry found that the keeper had followed every printed rule."""
SKILL = load_skill("reading_comprehension")
LAYOUTS = [(form, i) for form, layouts in SKILL.file.layouts.items() for i in range(len(layouts))]


def request(agent: str, reply: type[BaseModel] | None = None, subject: str = "", **inputs: Any) -> Request:
    schema = strict_schema(reply) if reply else None
    name = reply.__name__ if reply else "Reply"
    said = [{"role": "user", "content": "one two three"}]
    return Request(agent, "judge", "scripted", said, schema=schema, schema_name=name, subject=subject, inputs=inputs)


def written(form: str, text: str = TEXT, title: str = "Any") -> Any:
    """The first item the script writes in a form, arranged as the program does it."""
    category = {"form": form, "title": title, "name": "any"}
    reply: Any = scripted_reply(request("instruct", passage=text, category=category, count=1))
    return FORMS[form].model_validate(reply["items"][0])


@pytest.mark.parametrize(("form", "number"), LAYOUTS)
def test_the_teacher_answers_from_the_turn_alone_in_every_layout(form: str, number: int) -> None:
    item = written(form).arrange(Random(3))
    turn = SKILL.layouts[form][number].fill({"passage": TEXT, "question": item.question, "options": item.options})
    turn = f"You are a patient teacher. Read page 7 and judge by it.\n\n{turn}"
    said = str(scripted_reply(request("answer", request=turn, form=form)))
    if FORMS[form].definite:
        assert FORMS[form].agrees(item.key, final_answer(said))
    else:
        assert all(point in said for point in item.written["points"])


@pytest.mark.parametrize("form", sorted({form for form, _ in LAYOUTS} - {"essay"}))
def test_the_solver_finds_the_key_and_does_not_find_it_in_another_text(form: str) -> None:
    item = written(form).arrange(Random(5))
    asked = {"question": item.question, "options": item.options, "form": form}
    found = Solution.model_validate(scripted_reply(request("solve", Solution, passage=TEXT, **asked)))
    assert found.answerable
    assert FORMS[form].agrees(item.key, found.answer)
    elsewhere = "Bees dance for one another. The dance tells the way to the flowers."
    lost = Solution.model_validate(scripted_reply(request("solve", Solution, passage=elsewhere, **asked)))
    assert not lost.answerable or lost.answer == "Not Given"


def test_a_question_of_somebody_else_gets_the_sentence_nearest_to_it() -> None:
    asked = {"question": "What did the inquiry find about the keeper?", "options": "", "form": "short"}
    found = Solution.model_validate(scripted_reply(request("solve", Solution, passage=TEXT, **asked)))
    assert "had followed every printed rule" in found.answer


def test_except_items_have_the_odd_one_as_their_key() -> None:
    item = written("choice", title="EXCEPT and Negation")
    assert "EXCEPT" in item.question
    assert item.right not in TEXT.replace("\n", " ")
    assert all(wrong in TEXT.replace("\n", " ") for wrong in item.wrong)


@pytest.mark.parametrize("reply", [Solution, Judgement, Suggestions, ToolTask, *FORMS.values()])
def test_an_agent_without_a_script_gets_a_reply_of_its_type(reply: type[BaseModel]) -> None:
    said = scripted_reply(request("somebody_new", reply, passage=TEXT))
    try:
        reply.model_validate(said)
    except ValidationError as error:
        kinds = {problem["type"] for problem in error.errors()}
        assert kinds <= {"value_error"}, "only what a schema cannot say may be wrong"


def test_an_agent_without_script_or_schema_says_some_of_its_words() -> None:
    assert str(scripted_reply(request("somebody_new", passage="a b c"))).split() == ["a", "b", "c"]


async def test_the_same_request_gets_the_same_reply_with_words_counted_as_tokens() -> None:
    asked = request("somebody_new", Solution, passage=TEXT)
    first, second = [await ScriptedModel().complete(asked) for _ in range(2)]
    assert first == second
    assert first.input_tokens == 3
    assert first.output_tokens == len(first.text.split()) > 3
    Solution.model_validate(orjson.loads(first.text))


async def test_the_most_particular_script_speaks_and_none_means_the_next_one() -> None:
    scripts = {
        "solve": lambda _: "by agent",
        "role:judge": lambda _: "by role",
        "rc/solve": lambda _: "by skill",
        "rc/flaw/solve": lambda request: "by category" if request.inputs else None,
    }
    model = ScriptedModel(scripts)

    async def said(agent: str, subject: str, **inputs: Any) -> str:
        return (await model.complete(request(agent, None, subject, **inputs))).text

    assert await said("solve", "rc/flaw", passage="x") == "by category"
    assert await said("solve", "rc/flaw") == "by skill"
    assert await said("solve", "tm/flaw") == "by agent"
    assert await said("options", "tm/flaw") == "by role"


async def test_a_script_may_say_a_value_a_mapping_a_text_or_a_whole_completion() -> None:
    value = Rewritten(suitable=False, reason="no", text="")
    whole = Completion("x", finish_reason="length")
    replies = iter([value, {"a": 1}, "plain", whole])
    model = ScriptedModel({"solve": lambda _: next(replies)})
    said = [await model.complete(request("solve")) for _ in range(4)]
    assert orjson.loads(said[0].text) == value.model_dump()
    assert orjson.loads(said[1].text) == {"a": 1}
    assert said[2].text == "plain"
    assert said[3] is whole


async def test_a_script_can_simulate_faults() -> None:
    left = iter([RetryableError("busy"), RetryableError("busy"), None])

    def script(_: Request) -> str:
        if fault := next(left):
            raise fault
        return "at last"

    gateway = Gateway(lambda spec: ScriptedModel({"solve": script}), patience=Patience(base_s=0))
    assert (await gateway.complete(request("solve"))).text == "at last"
    assert gateway.statistics.retries == 2

    def refuse(_: Request) -> str:
        raise ReplyError("refusal", "no")

    with pytest.raises(ReplyError, match="refusal"):
        await ScriptedModel({"solve": refuse}).complete(request("solve"))


async def test_latency_is_waited_for() -> None:
    start = time.perf_counter()
    await ScriptedModel(latency_s=0.05).complete(request("solve", passage="x"))
    assert time.perf_counter() - start >= 0.05
