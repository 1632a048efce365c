"""What can be asked of a run and of a flow, and of what kind it must be: for editors, `help` and the program alike."""

import os
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from functools import cache
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from agentinstruct.agents.errors import SetupError
from agentinstruct.graphs.state import Context, Count
from agentinstruct.run.progress import Progress
from agentinstruct.run.target import Per

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from agentinstruct.agents.calls import Model

    ModelLike = str | Model | BaseChatModel
    """A model's name, as `--model` takes it; or a LangChain chat model, or anything with the methods of `Model`."""
else:
    ModelLike = Any

Names = str | Sequence[str]
"""One name, several by comma, or a sequence of them."""


class Settings(TypedDict, total=False):
    """The settings of a flow: those of `Context`, with models that may be objects and names that may be lists."""

    model: ModelLike
    transform_model: ModelLike
    instruct_model: ModelLike
    suggest_model: ModelLike
    edit_model: ModelLike
    answer_model: ModelLike
    solve_model: ModelLike
    judge_model: ModelLike
    verify: Literal["strict", "annotate", "off"]
    transforms: Names
    categories: Names
    without: Names
    goals: Names
    categories_per_seed: Count
    instructions_per_category: Count
    suggestions_per_goal: Count
    rounds: Annotated[int, Field(ge=-1, le=10)]
    solvers: Annotated[int, Field(ge=1, le=15)]
    seed: int
    context: Context
    base_url: str
    timeout_s: Annotated[float, Field(ge=1)]


class Options(Settings, total=False):
    """All options of a run: the settings of its flows, and those of `agentinstruct run`."""

    out: str | os.PathLike[str]
    skills: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]
    limit: Annotated[int, Field(ge=0)]
    column: str
    chunk_chars: Annotated[int, Field(ge=201)]
    licence: str
    mix: str
    skills_per_seed: Annotated[int, Field(ge=1, le=50)]
    route: Literal["features", "agent"]
    embeddings: str
    target: Annotated[int, Field(ge=0)]
    per: Per
    budget: Annotated[float, Field(ge=0)] | None
    max_calls: Annotated[int, Field(ge=0)]
    prices: Path
    cache: Path
    batch: str
    max_concurrency: Annotated[int, Field(ge=1)]
    workers: Annotated[int, Field(ge=1, le=256)]
    retry_failed: bool
    progress: bool | Callable[[Progress], None]


_FILTERS = {"skills", "transforms", "categories", "goals"}
"""What takes a list, of which none at all means everything."""


@cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def read_options(kind: Any, given: Mapping[str, Any], caller: str) -> dict[str, Any]:
    """The options, each of the type it must have.

    Raises:
        SetupError: one has a value it cannot have; says which.
        TypeError: there is no such option; says the nearest.
    """
    for name in given:
        if name not in kind.__annotations__:
            near = get_close_matches(name, kind.__annotations__, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{caller}() has no option {name!r}.{hint}")
    try:
        read: dict[str, Any] = _reader(kind).validate_python(dict(given))
    except ValidationError as error:
        problems = [f"{item['loc'][0]}: {item['msg']}, not {item['input']!r}" for item in error.errors()]
        raise SetupError("; ".join(problems)) from error
    for name in _FILTERS & read.keys():
        if isinstance(read[name], Sequence) and not isinstance(read[name], str) and not any(read[name]):
            raise SetupError(f"{name}: an empty list, which would mean all. Leave it out for all, or name some.")
    return read


def show_options(kind: Any, *functions: Callable[..., Any]) -> None:
    """Have `help` and editors show each option of functions that take `**options` of this kind."""
    for function in functions:
        own = signature(function)
        fixed = [one for one in own.parameters.values() if one.kind is not Parameter.VAR_KEYWORD]
        options = [
            Parameter(name, Parameter.KEYWORD_ONLY, default=..., annotation=annotation)
            for name, annotation in kind.__annotations__.items()
        ]
        function.__signature__ = Signature([*fixed, *options], return_annotation=own.return_annotation)  # type: ignore[attr-defined]
