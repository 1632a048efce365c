"""The options that commands share, and the settings they add up to."""

import inspect
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agentinstruct.agents.errors import ModelError

if TYPE_CHECKING:
    from agentinstruct.agents.batch import BatchOptions
    from agentinstruct.agents.models import Endpoints
    from agentinstruct.graphs.state import Context

_SERVED = "openai:"
MODEL_HELP = (
    "Model of every role, or of one: --model openai:gpt-4.1-mini --model judge=local. "
    "local · local:0.5b · local:FILE.gguf · openai:NAME · <langchain provider>:NAME · scripted. "
    "None given: AGENTINSTRUCT_MODEL, else local, the embedded 1.5B. solve is judge's where it has none of its own."
)
Models = Annotated[list[str] | None, typer.Option("--model", "-m", help=MODEL_HELP)]
BaseUrls = Annotated[
    list[str] | None,
    typer.Option("--base-url", help="Where openai: models are served; NAME=URL for one model. Else OPENAI_BASE_URL."),
]
Verify = Annotated[
    str, typer.Option(help="strict: only what passes; annotate: all, with verdicts; off: no model checks.")
]
Categories = Annotated[str, typer.Option(help="Only these categories, by comma.")]
Transforms = Annotated[str, typer.Option(help="Only these transforms, by comma.")]
Goals = Annotated[str, typer.Option(help="Only these refinement goals, by comma; none: no refinement.")]
Rounds = Annotated[int, typer.Option(min=-1, max=10, help="Rounds of refinement; -1: the skill's own, 0: none.")]
PerSeed = Annotated[
    int, typer.Option("--categories-per-seed", min=0, max=50, help="Categories drawn per seed; 0: the skill's own.")
]
PerCategory = Annotated[
    int, typer.Option("--per-category", min=0, max=50, help="Instructions per category; 0: the skill's own.")
]
PerGoal = Annotated[
    int, typer.Option("--per-goal", min=0, max=50, help="Suggestions per item and goal; 0: the goal's own.")
]
Solvers = Annotated[int, typer.Option(min=1, max=15, help="Independent solvers that vote on a key.")]
RunSeed = Annotated[int, typer.Option("--seed", help="Random seed: the same one makes the same choices.")]
Timeout = Annotated[float, typer.Option("--timeout", min=1, help="Longest wait for one answer, in seconds.")]
RetryPause = Annotated[
    float, typer.Option(min=0, help="Longest pause before a second try, in seconds; it doubles with each further one.")
]
LogFiles = Annotated[
    Path | None, typer.Option("--log-file", help="Append events here as JSON lines, without any text.")
]
LogLevels = Annotated[str, typer.Option("--log-level", help="From which events on: debug · info · warning · error.")]
LogContent = Annotated[bool, typer.Option("--log-content", help="Log texts too: prompts, replies, error messages.")]
Embeddings = Annotated[str, typer.Option(help="What embeds seeds for retrieval: local · openai:NAME · hash · none.")]
BudgetUsd = Annotated[
    float | None,
    typer.Option("--budget", min=0, help="USD that the run may cost in all; it then stops in order. See --prices."),
]
MaxCalls = Annotated[int, typer.Option(min=0, help="Answers of models that the run may buy in all; 0: no limit.")]
Engine = Annotated[str, typer.Option(help="Where workers run: local · ray.")]
Address = Annotated[str, typer.Option(help="Of the Ray cluster, HOST:PORT; empty: the one of this machine.")]
Column = Annotated[str, typer.Option(help="Text column of jsonl, csv and parquet files.")]


def make_context(models: list[str] | None, **settings: str | int) -> "Context":
    """The flow settings; `--model` values are `SPEC` or `ROLE=SPEC`.

    Raises:
        ModelError: a role does not exist.
    """
    from agentinstruct.agents.files import nearest
    from agentinstruct.graphs.state import ROLES, Context

    chosen: dict[str, str] = {}
    for value in models or []:
        role, separator, spec = value.partition("=")
        if separator and role not in ROLES:
            raise ModelError(f"--model {value}: no role {role!r}.{nearest(role, list(ROLES))}")
        chosen[f"{role}_model" if separator else "model"] = spec if separator else value
    return Context(**chosen, **settings)  # type: ignore[arg-type]


def make_endpoints(urls: list[str] | None, timeout_s: float, specs: Iterable[str]) -> "Endpoints":
    """Where `openai:` models are served; `specs` are the models there are, chat and embeddings.

    Raises:
        ModelError: an address is none, or is of a model that is not among them: its calls would go elsewhere.
    """
    from agentinstruct.agents.files import nearest
    from agentinstruct.agents.models import Endpoints
    from agentinstruct.agents.transport import nameless

    served = sorted({spec.removeprefix(_SERVED) for spec in specs if spec.startswith(_SERVED)})
    base, by_model = "", {}
    for value in urls or []:
        if value.startswith(("http://", "https://")):
            base = value
            continue
        name, _, url = value.partition("=")
        if not url.startswith(("http://", "https://")):
            raise ModelError(f"--base-url {nameless(value)}: must be http://… or https://…, or NAME=URL.")
        if name not in served:
            hint = nearest(name, served) if served else " It has no openai:NAME."
            raise ModelError(f"--base-url {nameless(value)}: no model of this run is called {name!r}.{hint}")
        by_model[name] = url
    return Endpoints(base_url=base, by_model=by_model, timeout_s=timeout_s)


def with_options_of(source: Callable[..., Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command that takes `**options` the options of another function, after its own."""

    def dressed(command: Callable[..., None]) -> Callable[..., None]:
        mine = inspect.signature(command, eval_str=True)
        own = [one for one in mine.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        theirs = list(inspect.signature(source).parameters.values())
        first = [one for one in theirs if one.default is inspect.Parameter.empty]
        rest = [one for one in theirs if one not in first]
        parameters = [one.replace(kind=inspect.Parameter.POSITIONAL_OR_KEYWORD) for one in (*first, *own, *rest)]
        command.__signature__ = mine.replace(parameters=parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        return command

    return dressed


def make_batch(listed: str, context: "Context", poll_s: float, most_calls: int, most_mb: float) -> "BatchOptions":
    """Which roles' calls go by batch job.

    Raises:
        ModelError: a role does not exist, or its model has no batch jobs.
    """
    from agentinstruct.agents.batch import PROVIDER, BatchOptions
    from agentinstruct.agents.files import nearest
    from agentinstruct.graphs.state import ROLES

    named = [name.strip() for name in listed.split(",") if name.strip()]
    able = {role for role in ROLES if context.model_of(role).startswith(PROVIDER)}
    for name in named:
        if name not in (*ROLES, "all"):
            raise ModelError(f"--batch {listed}: write all, or roles by comma.{nearest(name, list(ROLES))}")
        if name not in able and not (name == "all" and able):
            model = "the models" if name == "all" else f"{name}'s model, {context.model_of(name)},"  # type: ignore[arg-type]
            raise ModelError(f"--batch {listed}: {model} cannot be called by batch job; only openai:NAME can.")
    roles = able if "all" in named else able & set(named)
    return BatchOptions(frozenset(roles), poll_s, most_calls, int(most_mb * 1e6))
