"""What a run tells: its log, OpenTelemetry and LangSmith, each when asked for; and nobody anything when not."""

import asyncio
import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentinstruct.agents.gateway import Completion, Gateway, Patience, Request, RetryableError

KEY = "sk-never-to-be-seen-5f2a91"
PROGRAM = [sys.executable, "-m", "agentinstruct.cli.main"]
CLEAN = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "OTEL_", "LANGSMITH_", "LANGCHAIN_"))}
SEED = """The tide mill stands where the creek meets the sea, and it has ground corn since 1742. Twice a day the pond
behind it fills with salt water. When the sea draws back, the miller opens the gate, and the stored water turns the
great oak wheel for about five hours. Storms broke the dam in 1816 and again in 1903, yet each time the village paid
for new stones. Today a volunteer named Ruth Hale keeps the machinery greased, and grinds flour on Saturdays.
"""
SECRETS = ("tide mill", "stored water", "oak wheel", "Ruth Hale", KEY)
"""What must turn up nowhere but where texts were asked for, and the key not even there."""


@pytest.fixture
def run(tmp_path):
    """Run the program on one short document, with these variables set."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "mill.txt").write_text(SEED)

    def start(server, *more, python=(), **variables):
        model = ["--model", "openai:gpt-4o-mini", "--base-url", server.base_url] if server else ["--model", "scripted"]
        options = ["-s", "reading_comprehension", "--verify", "annotate", "--rounds", "1", "--out", tmp_path / "out"]
        command = ["run", tmp_path / "seeds", *model, *options, *more]
        environment = CLEAN | {"OPENAI_API_KEY": KEY, "PYTHONWARNINGS": "error"} | variables
        words = [*(python or PROGRAM), *map(str, command)]
        return subprocess.run(words, capture_output=True, text=True, env=environment, timeout=90, cwd=tmp_path)

    return start


@pytest.fixture
def receiver():
    """A server that keeps what is posted to it."""
    posted = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            posted.append((self.path, body))
            self._answer({})

        def do_GET(self):
            limits = {"scale_up_qsize_trigger": 1000, "scale_up_nthreads_limit": 4, "scale_down_nempty_trigger": 4}
            sizes = {"size_limit": 100, "size_limit_bytes": 20_000_000, "use_multipart_endpoint": False}
            self._answer({"batch_ingest_config": limits | sizes})

        def _answer(self, content):
            data = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url, server.posted = f"http://127.0.0.1:{server.server_port}", posted
    yield server
    server.shutdown()
    server.server_close()


def lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def manifest(folder):
    return json.loads((folder / "manifest.json").read_text())


# --- The log ---------------------------------------------------------------------------------------------------------


def test_the_log_tells_events_and_no_text(run, openai_server, tmp_path):
    log, server = tmp_path / "log.jsonl", openai_server(faults={"500": 0.3})
    assert run(server, "--log-file", log, "--log-level", "debug").returncode == 0
    events = lines(log)
    assert all({"time", "level", "event"} <= event.keys() for event in events)
    kinds = Counter(event["event"] for event in events)
    assert {"start", "retry", "call", "item done", "stop"} <= kinds.keys()
    (run_id,) = {event["run"] for event in events}
    assert run_id == json.loads((tmp_path / "out" / "run.json").read_text())["run"]
    retry = next(event for event in events if event["event"] == "retry")
    assert retry["skill"] == "reading_comprehension" and len(retry["item"]) == 32
    assert retry["model"] == "openai:gpt-4o-mini" and retry["agent"] and retry["attempt"] >= 1
    assert retry["error"] == "500"
    assert kinds["drop"] == manifest(tmp_path / "out")["dropped"]
    assert events[-1]["event"] == "stop" and events[-1]["state"] == "finished"
    assert not any(secret in log.read_text() for secret in SECRETS)


def test_texts_are_logged_when_asked_for_and_a_key_never(run, openai_server, tmp_path):
    log = tmp_path / "out" / "log.jsonl"
    assert run(openai_server(), "--log-file", log, "--log-level", "debug", "--log-content").returncode == 0
    assert "tide mill" in log.read_text() and KEY not in log.read_text()
    assert run(None, "--log-file", "log2.jsonl").returncode == 2  # another model: refused, and the log not begun
    again = run(openai_server(), "--log-file", log)
    assert again.returncode == 0 and again.stderr == ""
    assert [event["event"] for event in lines(log) if event["event"] in ("start", "resume")] == ["start", "resume"]


def test_failures_are_logged_with_their_class(run, openai_server, tmp_path):
    log = tmp_path / "log.jsonl"
    assert run(openai_server(faults={"quota": 1}), "--log-file", log, "--log-level", "warning").returncode == 69
    assert [(event["event"], event["level"]) for event in lines(log)][-1] == ("stop", "error")
    assert lines(log)[-1]["error"] == "ProviderDown" and "quota" not in log.read_text()


class Moody:
    """A model that answers, then has too much to do, then is not there for a moment."""

    width = 0

    def __init__(self):
        self.calls = 0

    async def complete(self, request):
        self.calls += 1
        number = self.calls
        await asyncio.sleep(0.01)
        if 2 < number <= 6:
            raise RetryableError("HTTP 429: slow down", kind="busy")
        if 6 < number <= 24:
            raise RetryableError("cannot reach it", kind="absent")
        return Completion("ok")

    async def aclose(self):
        pass


async def test_limits_and_the_circuit_breaker_are_told(caplog):
    caplog.set_level("INFO", logger="agentinstruct.events")
    gateway = Gateway(lambda spec: Moody(), patience=Patience(base_s=0.01))
    asked = [{"role": "user", "content": f"tide mill {number}"} for number in range(24)]
    requests = [Request("suggest", "suggest", "openai:moody", [message]) for message in asked]
    await asyncio.gather(*map(gateway.complete, requests))
    await gateway.aclose()
    told = [record for record in caplog.records if record.name == "agentinstruct.events"]
    events = Counter(record.event for record in told)
    assert events["retry"] == 22 and events["limit"] > 0
    assert {record.fields["error"] for record in told if record.event == "retry"} == {"429", "absent"}
    assert events["breaker open"] == events["breaker closed"] == 1
    assert {record.fields["model"] for record in told} == {"openai:moody"}
    assert not any("tide mill" in record.getMessage() or "slow down" in record.getMessage() for record in told)


@pytest.mark.parametrize(
    ("option", "value", "words"), [("--log-file", "nosuch/x", "nosuch/x"), ("--log-level", "loud", "debug")]
)
def test_a_log_that_cannot_be_written_is_told_before_the_first_call(run, openai_server, option, value, words):
    server = openai_server()
    failed = run(server, "--log-file", "log.jsonl", option, value)
    assert failed.returncode == 2 and words in failed.stderr and len(failed.stderr.splitlines()) == 1
    assert server.stats()["requests"] == 0


def test_whoever_embeds_a_run_hears_its_events_by_pythons_logging(tmp_path):
    script = tmp_path / "embed.py"
    script.write_text(
        "import asyncio, logging, sys\n"
        "from pathlib import Path\n"
        "from agentinstruct.graphs.state import Context\n"
        "from agentinstruct.run.execute import execute\n"
        "from agentinstruct.run.plan import RunConfig\n"
        "class Heard(logging.Handler):\n"
        "    def emit(self, record): print(record.event, sorted(record.fields))\n"
        "logging.getLogger('agentinstruct.events').addHandler(Heard())\n"
        "logging.getLogger('agentinstruct.events').setLevel('INFO')\n"
        "config = RunConfig((sys.argv[1],), Path('out'), ('text_modification',), Context(model='scripted'))\n"
        "asyncio.run(execute(config))\n"
    )
    (tmp_path / "mill.txt").write_text(SEED)
    words = [sys.executable, "-W", "error", str(script), "mill.txt"]
    done = subprocess.run(words, capture_output=True, text=True, env=CLEAN, timeout=60, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["start", "stop"]
    assert done.stderr == ""


# --- OpenTelemetry ---------------------------------------------------------------------------------------------------


def spans_of(receiver):
    found = []
    for path, body in receiver.posted:
        if path == "/v1/traces":
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                found += [span for scope in resource.scope_spans for span in scope.spans]
    return found


def metrics_of(receiver):
    """The last points of each metric."""
    found = {}
    for path, body in receiver.posted:
        if path == "/v1/metrics":
            for resource in ExportMetricsServiceRequest.FromString(body).resource_metrics:
                for scope in resource.scope_metrics:
                    found |= {metric.name: metric for metric in scope.metrics}
    return found


def attributes(holder):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}


def total(metric):
    return sum(point.as_int or point.as_double for point in metric.sum.data_points)


def test_traces_and_metrics_arrive_nested_and_hold_no_text(run, openai_server, receiver, tmp_path):
    server = openai_server(faults={"500": 0.3})
    done = run(server, "--verify", "strict", OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    spans, said = spans_of(receiver), json.loads((tmp_path / "out" / "status.json").read_text())["totals"]
    (whole,) = [span for span in spans if span.name == "agentinstruct.run"]
    (item,) = [span for span in spans if span.name == "invoke_workflow reading_comprehension"]
    calls = [span for span in spans if span.name == "chat gpt-4o-mini"]
    assert len(spans) == 2 + len(calls)
    assert [link.span_id for link in item.links] == [whole.span_id] and not item.parent_span_id
    assert {(span.trace_id, span.parent_span_id) for span in calls} == {(item.trace_id, item.span_id)}
    assert attributes(item)["agentinstruct.records"] == sum(manifest(tmp_path / "out")["records"].values())
    answered = [attributes(span) for span in calls if not span.status.code]
    assert len(answered) == said["calls"] and len(calls) - len(answered) == said["retries"] > 0
    assert sum(one["gen_ai.usage.input_tokens"] for one in answered) == said["input_tokens"]
    assert sum(one["gen_ai.usage.output_tokens"] for one in answered) == said["output_tokens"]
    failed = [attributes(span) for span in calls if span.status.code]
    assert {one["error.type"] for one in failed} == {"500"}
    for one in (*answered, *failed):
        assert (one["gen_ai.operation.name"], one["gen_ai.provider.name"]) == ("chat", "openai")
        assert one["server.address"] == "127.0.0.1" and one["gen_ai.agent.name"] and one["agentinstruct.role"]
    metrics = metrics_of(receiver)
    assert sum(point.count for point in metrics["gen_ai.client.operation.duration"].histogram.data_points) == len(calls)
    assert total(metrics["agentinstruct.calls"]) == said["calls"]
    assert total(metrics["agentinstruct.retries"]) == said["retries"]
    assert total(metrics["agentinstruct.cost"]) == pytest.approx(said["cost"])
    assert total(metrics["agentinstruct.dropped"]) == manifest(tmp_path / "out")["dropped"]
    assert total(metrics["agentinstruct.calls.in_flight"]) == 0
    everything = b"".join(body for _, body in receiver.posted)
    assert not any(secret.encode() in everything for secret in SECRETS)


def workers_share(tmp_path):
    """Documents for both of two workers."""
    for number in range(3):
        (tmp_path / "seeds" / f"{number}.txt").write_text(SEED.replace("1742", str(1750 + number)))
    return "--workers", "2", "--transforms", "identity", "--categories-per-seed", "1", "--solvers", "1"


def test_workers_send_their_own_spans_and_the_run_its_totals(run, openai_server, receiver, tmp_path):
    server, more = openai_server(latency="0.05", faults={"500": 0.2}), workers_share(tmp_path)
    done = run(server, *more, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.url)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    spans, said = spans_of(receiver), json.loads((tmp_path / "out" / "status.json").read_text())["totals"]
    items = [span for span in spans if span.name == "invoke_workflow reading_comprehension"]
    calls = [span for span in spans if span.name == "chat gpt-4o-mini"]
    assert len(items) == 4
    assert {(span.trace_id, span.parent_span_id) for span in calls} <= {(one.trace_id, one.span_id) for one in items}
    assert len([span for span in calls if not span.status.code]) == said["calls"]
    assert len([span for span in calls if span.status.code]) == said["retries"] > 0
    points = metrics_of(receiver)["agentinstruct.calls"].sum.data_points
    assert sum(point.as_int for point in points if "journal" not in attributes(point).values()) == said["calls"]
    everything = b"".join(body for _, body in receiver.posted)
    assert not any(secret.encode() in everything for secret in SECRETS)


def test_a_collector_that_is_not_there_costs_workers_a_notice_too(run, openai_server, tmp_path):
    missing = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    done = run(openai_server(latency="0.05"), *workers_share(tmp_path), OTEL_METRICS_EXPORTER="none", **missing)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    assert "opentelemetry says" in done.stdout


def test_texts_are_in_spans_when_asked_for_and_a_key_never(run, openai_server, receiver):
    content = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "true", "OTEL_TRACES_EXPORTER": "otlp"}
    done = run(openai_server(), OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{receiver.url}/v1/traces", **content)
    assert done.returncode == 0, done.stderr
    one = next(attributes(span) for span in spans_of(receiver) if span.name.startswith("chat"))
    (message, *_) = json.loads(one["gen_ai.input.messages"])
    assert message["role"] in ("system", "user") and message["parts"][0]["type"] == "text"
    assert json.loads(one["gen_ai.output.messages"])[0]["role"] == "assistant"
    everything = b"".join(body for _, body in receiver.posted)
    assert b"tide mill" in everything and KEY.encode() not in everything
    assert not metrics_of(receiver)  # nobody asked for any


@pytest.mark.parametrize("off", [{}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}])
def test_without_its_variables_nothing_is_loaded_or_sent(run, receiver, off):
    endpoint = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url} if "OTEL_SDK_DISABLED" in off else {}
    script = "import sys; from agentinstruct.cli.main import app\ntry: app(sys.argv[1:])\nexcept SystemExit: pass\n"
    script += (
        "print('LOADED', *[name for name in sys.modules if 'run.otel_metrics' in name or 'exporter.otlp' in name])"
    )
    done = run(None, python=[sys.executable, "-c", script], **endpoint, **off)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "LOADED" and not receiver.posted


def test_a_missing_extra_or_exporter_is_told_with_what_to_do(run, tmp_path):
    (tmp_path / "none" / "opentelemetry").mkdir(parents=True)
    (tmp_path / "none" / "opentelemetry" / "__init__.py").touch()
    path = os.pathsep.join(filter(None, (str(tmp_path / "none"), CLEAN.get("PYTHONPATH"))))
    failed = run(None, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", PYTHONPATH=path)
    assert failed.returncode == 2
    assert "pip install 'agentinstruct[otel]'" in failed.stderr and "OTEL_SDK_DISABLED=true" in failed.stderr
    failed = run(None, OTEL_TRACES_EXPORTER="zipkin")
    assert failed.returncode == 2 and "OTEL_TRACES_EXPORTER=zipkin" in failed.stderr


def test_a_collector_that_is_not_there_costs_a_notice_and_not_the_run(run):
    done = run(None, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9", OTEL_EXPORTER_OTLP_TIMEOUT="1")
    assert done.returncode == 0 and done.stderr == ""
    assert "opentelemetry says" in done.stdout


# --- LangSmith -------------------------------------------------------------------------------------------------------


def smith_runs(receiver):
    runs = {}
    for path, body in receiver.posted:
        assert path == "/runs/batch"
        for one in [*json.loads(body).get("post", []), *json.loads(body).get("patch", [])]:
            runs.setdefault(one["id"], {}).update({key: value for key, value in one.items() if value is not None})
    return runs


def test_langsmith_gets_the_graphs_with_model_calls_in_them(run, openai_server, receiver, tmp_path):
    on = {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": receiver.url, "LANGSMITH_API_KEY": "ls-x"}
    done = run(openai_server(), **on)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    runs, said = smith_runs(receiver), json.loads((tmp_path / "out" / "status.json").read_text())["totals"]
    (root,) = [one for one in runs.values() if not one.get("parent_run_id")]
    assert root["name"] == "reading_comprehension" and len(root["extra"]["metadata"]["agentinstruct_item"]) == 32
    calls = [one for one in runs.values() if one["run_type"] == "llm"]
    assert len(calls) == said["calls"]
    assert {runs[one["parent_run_id"]]["run_type"] for one in calls} == {"chain"}
    assert {one["trace_id"] for one in calls} == {root["id"]}
    usage = [one["outputs"]["usage_metadata"] for one in calls]
    assert sum(one["input_tokens"] for one in usage) == said["input_tokens"]
    assert {one["extra"]["metadata"]["ls_model_name"] for one in calls} == {"gpt-4o-mini"}
    assert all(one["inputs"]["messages"] and one["outputs"]["messages"] and one["end_time"] for one in calls)
    assert KEY not in json.dumps(runs)


def test_langsmith_gets_the_graphs_of_workers(run, openai_server, receiver, tmp_path):
    on = {"LANGSMITH_TRACING": "true", "LANGSMITH_ENDPOINT": receiver.url, "LANGSMITH_API_KEY": "ls-x"}
    done = run(openai_server(latency="0.05"), *workers_share(tmp_path), **on)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    runs, said = smith_runs(receiver), json.loads((tmp_path / "out" / "status.json").read_text())["totals"]
    roots = [one for one in runs.values() if not one.get("parent_run_id")]
    assert [one["name"] for one in roots] == ["reading_comprehension"] * 4
    calls = [one for one in runs.values() if one["run_type"] == "llm"]
    assert len(calls) == said["calls"] and all(one["end_time"] for one in calls)
    assert {one["trace_id"] for one in calls} <= {one["id"] for one in roots}
    assert KEY not in json.dumps(runs)


@pytest.mark.parametrize("listening", [True, False])
def test_a_langsmith_that_takes_nothing_costs_one_line_and_some_seconds(run, tmp_path, listening):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if listening:  # and never answers
            silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        begun = time.monotonic()
        done = run(None, LANGSMITH_TRACING="true", LANGSMITH_ENDPOINT=url, LANGSMITH_API_KEY="ls-never-to-be-seen")
        assert time.monotonic() - begun < 20  # its own retries take 40
    assert done.returncode == 0 and manifest(tmp_path / "out")["records"]
    assert done.stderr == ""
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("traces may not have arrived: langsmith")]
    assert url in line and "trace=" not in done.stdout and "ls-ne" not in done.stdout


def test_langsmith_without_its_key_is_refused_before_any_call(run, openai_server):
    server = openai_server()
    refused = run(server, LANGSMITH_TRACING="true")
    assert refused.returncode == 2
    assert refused.stderr == (
        "error: LANGSMITH_TRACING is set, but no key: set LANGSMITH_API_KEY, or LANGSMITH_TRACING=false.\n"
    )
    assert server.stats()["requests"] == 0


# --- Nobody else -----------------------------------------------------------------------------------------------------


def test_a_run_connects_to_its_model_and_to_nobody_else(run, openai_server, tmp_path):
    """By an audit hook, on asyncio's own loop: below uvloop no hook would see a connection."""
    script = (
        "import sys\n"
        "seen = open('connections', 'a')\n"
        "def hook(event, arguments):\n"
        "    if event == 'socket.connect': print('connect', arguments[1], file=seen, flush=True)\n"
        "    if event == 'socket.getaddrinfo': print('resolve', arguments[0], file=seen, flush=True)\n"
        "sys.addaudithook(hook)\n"
        "import asyncio, uvloop\n"
        "uvloop.run = asyncio.run\n"
        "from agentinstruct.cli.main import app\n"
        "app(sys.argv[1:])\n"
    )
    server = openai_server()
    done = run(server, "-s", "rag", "-s", "coding", python=[sys.executable, "-c", script])
    assert done.returncode == 0, done.stderr
    port = server.base_url.split(":")[2].split("/")[0]
    assert set((tmp_path / "connections").read_text().splitlines()) == {f"connect ('127.0.0.1', {port})"}
