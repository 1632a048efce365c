"""What Studio asks of the server, by plain HTTP."""

import json

import httpx
import pytest

TEXT = "The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day it fills."
CONTEXT = {"model": "scripted", "verify": "annotate", "transforms": "identity", "categories_per_seed": 1, "rounds": 0}
SKILL = "reading_comprehension"


@pytest.fixture
def http(served):
    with httpx.Client(base_url=served, timeout=60, trust_env=False) as client:
        yield client


def asked(http, method, path, body=None):
    answer = http.request(method, path, json=body)
    assert answer.status_code == 200, f"{path}: {answer.text}"
    return answer.json()


def events(http, path, body):
    """The events of a stream, in order, with their data."""
    found, name = [], ""
    with http.stream("POST", path, json=body) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                found.append((name, json.loads(value)))
    return found


def test_it_answers_health_and_says_what_it_is(http):
    assert asked(http, "GET", "/ok")["ok"] is True
    assert asked(http, "GET", "/info")["version"]


def test_assistants_drawings_and_forms(http):
    listed = asked(http, "POST", "/assistants/search", {"limit": 100})
    assert len(listed) >= 17
    (skill,) = [one for one in listed if one["graph_id"] == SKILL]
    drawing = asked(http, "GET", f"/assistants/{skill['assistant_id']}/graph?xray=true")
    assert {"plan", "instruct", "verify"} <= {node["id"] for node in drawing["nodes"]}
    schemas = asked(http, "GET", f"/assistants/{skill['assistant_id']}/schemas")
    assert schemas["input_schema"]["required"] == ["seed"]
    assert {"state_schema", "output_schema", "context_schema"} <= schemas.keys()


def test_a_thread_is_streamed_halted_resumed_looked_back_on_and_forked(http):
    thread = asked(http, "POST", "/threads", {})["thread_id"]
    body = {"assistant_id": SKILL, "input": {"seed": {"text": TEXT}}, "context": CONTEXT}
    modes = {"stream_mode": ["updates", "values"], "stream_subgraphs": True, "interrupt_before": ["verify"]}
    seen = events(http, f"/threads/{thread}/runs/stream", body | modes)
    assert seen[0][0] == "metadata" and "error" not in dict(seen)
    steps = [name for event, data in seen if event == "updates" for name in data]
    assert steps == ["plan", "identity", "instruct", "answer", "__interrupt__"]
    state = asked(http, "GET", f"/threads/{thread}/state")
    assert state["next"] == ["verify"]
    resumed = {"assistant_id": SKILL, "input": None, "context": CONTEXT}
    done = asked(http, "POST", f"/threads/{thread}/runs/wait", resumed)
    assert done["records"] or done["dropped"]
    history = asked(http, "POST", f"/threads/{thread}/history", {"limit": 20})
    before = next(one for one in history if one["next"] == ["answer"])
    edit = {"values": {"drafts": before["values"]["drafts"][:1]}, "checkpoint": before["checkpoint"]}
    fork = asked(http, "POST", f"/threads/{thread}/state", edit)
    again = asked(http, "POST", f"/threads/{thread}/runs/wait", resumed | {"checkpoint": fork["checkpoint"]})
    assert len(again["drafts"]) == 1 < len(done["drafts"])


def test_a_review_is_an_interrupt_that_is_answered_by_a_command(http):
    thread, context = asked(http, "POST", "/threads", {})["thread_id"], CONTEXT | {"review": True}
    body = {"assistant_id": SKILL, "input": {"seed": {"text": TEXT}}, "context": context}
    asked(http, "POST", f"/threads/{thread}/runs/wait", body)
    assert asked(http, "GET", f"/threads/{thread}")["status"] == "interrupted"
    answer = {"assistant_id": SKILL, "command": {"resume": [{"id": "*", "action": "accept"}]}, "context": context}
    assert asked(http, "POST", f"/threads/{thread}/runs/wait", answer)["records"]
    assert asked(http, "GET", f"/threads/{thread}")["status"] == "idle"


def test_an_error_is_told_in_words(http):
    body = {"assistant_id": SKILL, "input": {"seed": {"text": TEXT}}, "context": CONTEXT | {"categories": "rhymes"}}
    assert "rhymes" in asked(http, "POST", "/runs/wait", body)["__error__"]["message"]
