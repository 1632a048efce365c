"""What is one user's is nobody else's: every verb, every resource."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from langgraph_sdk.client import LangGraphClient

from tests.server.conftest import CONTEXT, SEED, Served

Client = Callable[[str], LangGraphClient]
GRAPH = "text_modification"


async def refused(call: Any) -> None:
    """Not found, or a conflict with what one may not see."""
    with pytest.raises(httpx.HTTPStatusError) as raised:
        await call
    assert raised.value.response.status_code in (404, 409)


async def test_the_graphs_are_everybodys_to_read_and_nobodys_to_change(client: Client) -> None:
    bob = client("bob")
    (graph,) = await bob.assistants.search(graph_id=GRAPH, metadata={"created_by": "system"})
    its = graph["assistant_id"]
    assert (await bob.assistants.get_schemas(its))["input_schema"] and await bob.assistants.get_graph(its, xray=True)
    assert await bob.assistants.get_versions(its)
    for call in (
        bob.assistants.update(its, name="mine"),
        bob.assistants.delete(its),
        bob.assistants.set_latest(its, 1),
    ):
        await refused(call)


async def test_a_thread_and_its_runs_are_its_owners(client: Client) -> None:
    alice, bob = client("alice"), client("bob")
    thread = await alice.threads.create(metadata={"owner": "bob"})
    its = thread["thread_id"]
    assert thread["metadata"] and thread["metadata"]["owner"] == "alice"
    await alice.runs.wait(its, GRAPH, input=SEED, context=CONTEXT)
    (run,) = await alice.runs.list(its)
    checkpoint: Any = (await alice.threads.get_state(its))["checkpoint"]
    for call in (
        bob.threads.get(its),
        bob.threads.get_state(its),
        bob.threads.get_state(its, checkpoint=checkpoint),
        bob.threads.get_history(its),
        bob.threads.copy(its),
        bob.threads.update(its, metadata={"owner": "bob"}),
        bob.threads.update_state(its, {"drafts": []}),
        bob.threads.delete(its),
        bob.threads.create(thread_id=its),
        bob.threads.create(thread_id=its, if_exists="do_nothing"),
        bob.runs.list(its),
        bob.runs.get(its, run["run_id"]),
        bob.runs.join(its, run["run_id"]),
        bob.runs.cancel(its, run["run_id"]),
        bob.runs.delete(its, run["run_id"]),
        bob.runs.create(its, GRAPH, input=SEED),
        bob.runs.wait(its, GRAPH, input=SEED),
        bob.crons.create_for_thread(its, GRAPH, schedule="0 0 1 1 *", input=SEED),
        bob.http.post("/runs/cancel", json={"status": "all"}),
        bob.http.post("/threads/prune", json={"thread_ids": [its], "strategy": "delete"}),
    ):
        await refused(call)
    assert its not in str(await bob.threads.search(metadata={"owner": "alice"}, limit=100))
    assert its in str(await alice.threads.search(limit=100))
    assert await bob.threads.count() == len(await bob.threads.search(limit=100))
    copied: Any = await alice.threads.copy(its)
    assert copied["metadata"]["owner"] == "alice"
    await alice.threads.update(its, metadata={"owner": "bob"})
    assert (await alice.threads.get_state(its))["values"]


async def test_a_stream_of_a_thread_is_its_owners(server: Served) -> None:
    with server.http("alice") as alice, server.http("bob") as bob:
        thread = alice.post("/threads", json={}).json()["thread_id"]
        start = {"assistant_id": GRAPH, "input": SEED, "config": {"configurable": CONTEXT}}
        started = alice.post(f"/threads/{thread}/commands", json={"id": 1, "method": "run.start", "params": start})
        assert started.json()["type"] == "success"
        stolen = bob.post(f"/threads/{thread}/commands", json={"id": 1, "method": "run.start", "params": start})
        assert stolen.status_code in (403, 404) or stolen.json()["type"] == "error"
        seen = bob.post(f"/threads/{thread}/stream/events", json={"channels": ["values"]}, timeout=20)
        assert "Albedo" not in seen.text
        for replayed in ({}, {"last-event-id": "-"}):
            seen = bob.get(f"/threads/{thread}/stream", headers=replayed, timeout=20)
            assert "Albedo" not in seen.text and "not found" in seen.text


async def test_an_assistant_is_its_makers(client: Client) -> None:
    alice, bob = client("alice"), client("bob")
    forged = {"created_by": "system", "owner": "bob"}
    made = await alice.assistants.create(GRAPH, context=CONTEXT, name="hard ones", metadata=forged)
    its = made["assistant_id"]
    assert made["metadata"] == {"owner": "alice", "created_by": "alice"}
    changed = await alice.assistants.update(its, metadata=forged)
    assert changed["metadata"] == {"owner": "alice", "created_by": "alice"}
    for call in (
        bob.assistants.get(its),
        bob.assistants.get_graph(its),
        bob.assistants.get_schemas(its),
        bob.assistants.get_subgraphs(its),
        bob.assistants.get_versions(its),
        bob.assistants.update(its, name="mine"),
        bob.assistants.set_latest(its, 1),
        bob.assistants.delete(its),
        bob.assistants.create(GRAPH, assistant_id=its),
        bob.assistants.create(GRAPH, assistant_id=its, if_exists="do_nothing"),
        bob.runs.wait(None, its, input=SEED),
        bob.runs.create(None, its, input=SEED),
        bob.crons.create(its, schedule="0 0 1 1 *", input=SEED),
    ):
        await refused(call)
    assert not await bob.assistants.search(name="hard ones") and not await bob.assistants.count(name="hard ones")
    state: Any = await alice.runs.wait(None, its, input=SEED)
    assert state["records"]


async def test_a_cron_is_its_makers(client: Client) -> None:
    alice, bob = client("alice"), client("bob")
    made: Any = await alice.crons.create(GRAPH, schedule="0 0 1 1 *", input=SEED, metadata={"owner": "bob"})
    assert not await bob.crons.search() and not await bob.crons.count() and await alice.crons.search()
    await refused(bob.crons.update(made["cron_id"], schedule="* * * * *"))
    await refused(bob.crons.delete(made["cron_id"]))
    await alice.crons.delete(made["cron_id"])


async def test_each_user_has_a_store_of_their_own(client: Client) -> None:
    alice, bob = client("alice"), client("bob")
    await alice.store.put_item(["notes"], "one", {"text": "hers"})
    item = await alice.store.get_item(["notes"], "one")
    assert item["value"] == {"text": "hers"} and await alice.store.get_item(item["namespace"], "one")
    for place in (["notes"], ["alice", "notes"]):
        assert not await bob.store.get_item(place, "one")
        assert not (await bob.store.search_items(place))["items"]
        await bob.store.delete_item(place, "one")
    for place in ([], ["alice"]):
        assert "hers" not in str(await bob.store.search_items(place))
        named: Any = await bob.store.list_namespaces(prefix=place)
        assert all(space[0] == "bob" for space in named["namespaces"])
    assert await alice.store.get_item(["notes"], "one")


def test_a_task_of_a2a_is_its_callers(server: Served) -> None:
    def rpc(method: str, **parameters: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}

    message = {"role": "user", "messageId": "1", "parts": [{"kind": "data", "data": SEED}]}
    with server.http("alice") as alice, server.http("bob") as bob:
        alice.headers["accept"] = bob.headers["accept"] = "application/json"
        its = alice.post("/assistants", json={"graph_id": GRAPH, "context": CONTEXT}).json()["assistant_id"]
        (graph,) = bob.post("/assistants/search", json={"graph_id": GRAPH}).json()
        task = alice.post(f"/a2a/{its}", json=rpc("message/send", message=message)).json()["result"]
        got = rpc("tasks/get", id=task["id"], contextId=task["contextId"])
        assert alice.post(f"/a2a/{its}", json=got).json()["result"]["id"] == task["id"]
        for assistant in (its, graph["assistant_id"]):
            assert "not found" in bob.post(f"/a2a/{assistant}", json=got).json()["error"]["message"]
            there = rpc("message/send", message={**message, "contextId": task["contextId"]})
            assert "not found" in bob.post(f"/a2a/{assistant}", json=there).json()["error"]["message"]
        card = bob.get("/.well-known/agent-card.json", params={"assistant_id": its})
        assert "not found" in card.text
