"""The mock server's files and batch jobs, through the official client: what it takes for OpenAI's is OpenAI's."""

import json
import time

import openai
import pytest

LINE = {"method": "POST", "url": "/v1/chat/completions"}
FRESH = {"batch_latency": "0.05", "batch_faults": {}, "batch_fates": [], "batch_enqueued": 0, "no_batch": False}


def bodies(count):
    return [{"model": "any", "messages": [{"role": "user", "content": f"Question {n}"}]} for n in range(count)]


def lines(asked):
    return [LINE | {"custom_id": f"call {number}", "body": body} for number, body in enumerate(asked)]


@pytest.fixture(scope="module")
def shared(shared_openai_server):
    return shared_openai_server()


@pytest.fixture
def server(shared):
    shared.control(**FRESH, key="", reset=True)
    yield shared
    assert shared.stats()["internal_errors"] == 0


@pytest.fixture
def client(server):
    with openai.OpenAI(base_url=server.base_url, api_key="mine", max_retries=0) as made:
        yield made


def begin(client, content, **more):
    data = content if isinstance(content, bytes) else "\n".join(map(json.dumps, content)).encode()
    file = client.files.create(file=("in.jsonl", data), purpose="batch")
    options = {"endpoint": "/v1/chat/completions", "completion_window": "24h"} | more
    return client.batches.create(input_file_id=file.id, **options)


def ended(client, job):
    while (job := client.batches.retrieve(job.id)).status in ("validating", "in_progress", "finalizing"):
        time.sleep(0.01)
    return job


def results(client, file):
    return [json.loads(line) for line in client.files.content(file).text.splitlines()] if file else []


def test_a_batch_says_what_live_calls_say(server, client):
    asked = bodies(5)
    job = ended(client, begin(client, lines(asked), metadata={"run": "mine"}))
    assert (job.status, job.metadata, job.error_file_id) == ("completed", {"run": "mine"}, None)
    assert (job.request_counts.total, job.request_counts.completed) == (5, 5)
    said = {row["custom_id"]: row["response"]["body"]["choices"] for row in results(client, job.output_file_id)}
    for number, body in enumerate(asked):
        live = client.chat.completions.create(**body)
        assert said[f"call {number}"][0]["message"]["content"] == live.choices[0].message.content
    counts = server.stats()
    assert (counts["requests"], counts["requests_batched"], counts["answered_ok_repeats"]) == (5, 5, 5)


def test_the_list_has_all_jobs_newest_first_a_page_at_a_time(client):
    made = [begin(client, lines(bodies(1))).id for _ in range(7)]
    assert [job.id for job in client.batches.list(limit=3)] == made[::-1]


@pytest.mark.parametrize(
    ("fault", "status"), [("500", 500), ("429", 429), ("expired", None), ("refusal", 200), ("null_content", 200)]
)
def test_lines_that_fail_are_in_the_error_file(server, client, fault, status):
    server.control(batch_faults={fault: 1})
    job = ended(client, begin(client, lines(bodies(2))))
    (first, _) = results(client, job.output_file_id if status == 200 else job.error_file_id)
    assert first["custom_id"] == "call 0"
    assert (first["response"] or {}).get("status_code") == status
    assert bool(first["error"]) == (fault == "expired")


@pytest.mark.parametrize(("fate", "done"), [("expired", 2), ("cancelled", 2), ("failed", 0), ("failed_model", 0)])
def test_what_becomes_of_a_job(server, client, fate, done):
    server.control(batch_fates=[fate])
    job = ended(client, begin(client, lines(bodies(4))))
    assert job.status == fate.partition("_")[0]
    assert len(results(client, job.output_file_id)) == done
    assert bool(job.errors) == (job.status == "failed")
    assert ended(client, begin(client, lines(bodies(4)))).status == "completed"


def test_a_stuck_job_can_be_cancelled(server, client):
    server.control(batch_fates=["stuck"])
    job = begin(client, lines(bodies(4)))
    assert client.batches.cancel(job.id).status == "cancelled"


@pytest.mark.parametrize(
    "content",
    [
        b"not json", b"", b'{"custom_id": "a"}', lines(bodies(1)) * 2,
        lines([bodies(1)[0], bodies(1)[0] | {"model": "other"}]), [lines(bodies(1))[0] | {"url": "/v1/embeddings"}],
    ],
)  # fmt: skip
def test_a_file_that_is_wrong_fails(client, content):
    job = begin(client, content)
    assert job.status == "failed"
    assert job.errors.data[0].code


def test_what_is_not_there_or_not_allowed_is_refused(server, client):
    for ask in (client.batches.retrieve, client.files.content, client.files.retrieve, client.batches.cancel):
        with pytest.raises(openai.NotFoundError):
            ask("nothing")
    with pytest.raises(openai.BadRequestError):
        client.files.create(file=("in.jsonl", b"{}"), purpose="fine-tune")
    server.control(no_batch=True)
    with pytest.raises(openai.NotFoundError):
        begin(client, lines(bodies(1)))
    server.control(no_batch=False, key="another")
    with pytest.raises(openai.AuthenticationError):
        begin(client, lines(bodies(1)))


def test_a_lost_job_is_made_and_an_unheard_one_is_not(server, client):
    server.control(batch_fates=["lost", "unheard"])
    for _ in range(2):
        with pytest.raises(openai.APIConnectionError):
            begin(client, lines(bodies(1)))
    assert server.stats()["batches"]["jobs"] == 1
