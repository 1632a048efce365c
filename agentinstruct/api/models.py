"""Models that are objects: each is given the name under which records, the journal and prices know it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from agentinstruct.agents.errors import ModelError
from agentinstruct.agents.gateway import Completion, Model, Request
from agentinstruct.agents.models import Endpoints, LangChainModel
from agentinstruct.graphs.state import Context


@dataclass(frozen=True, slots=True)
class Borrowed:
    """A model that its owner closes."""

    model: Model

    @property
    def width(self) -> int:
        """As many requests at once as the model takes; 0: as many as the run makes."""
        return self.model.width

    async def complete(self, request: Request) -> Completion:
        """The model's answer."""
        return await self.model.complete(request)

    async def aclose(self) -> None:
        """Leave it open."""


@dataclass(frozen=True, slots=True)
class GivenEndpoints(Endpoints):
    """Endpoints, with models that are there already."""

    given: Mapping[str, Model] = field(default_factory=dict, repr=False)

    @classmethod
    def over(cls, places: Endpoints, given: Mapping[str, Model]) -> Self:
        """The same endpoints, with these models by their names."""
        return cls(**{part.name: getattr(places, part.name) for part in fields(Endpoints)}, given=given)

    def open(self, spec: str) -> Model:
        """The model of a name."""
        # Endpoints is a slotted dataclass: super() without arguments does not find it.
        return self.given[spec] if spec in self.given else Endpoints.open(self, spec)


def settle(options: Mapping[str, Any]) -> tuple[Context, dict[str, Model]]:
    """The flow settings among some options, and the models among them that are objects, by the names they get.

    Raises:
        ModelError: one is no model, or two different ones have one name.
    """
    values, given, named = asdict(options.get("context") or Context()), dict[str, Model](), dict[str, Any]()
    for name in values.keys() & options.keys():
        value = options[name]
        if name.endswith("model") and not isinstance(value, str):
            spec = _name_of(name, value)
            if named.setdefault(spec, value) is not value:
                raise ModelError(f"{name}: two different models are called {spec!r}. Give one a `name` of its own.")
            given[spec] = _opened(value, spec)
            value = spec
        values[name] = value if isinstance(value, str | int) else ",".join(value)
    return Context(**values), given


def _name_of(option: str, model: Any) -> str:
    """Its own name, else what LangChain's tracers call it, else its class."""
    if not hasattr(model, "ainvoke") and not hasattr(model, "complete"):
        raise ModelError(
            f"{option}: {type(model).__name__} is no model. Give a name such as openai:gpt-4.1-mini, a LangChain chat "
            "model, or an object with the methods of agentinstruct.Model."
        )
    if isinstance(own := getattr(model, "name", None), str) and own:
        return own
    known = model._get_ls_params() if hasattr(model, "_get_ls_params") else {}
    parts = (known.get("ls_provider"), known.get("ls_model_name"))
    return ":".join(map(str, parts)) if all(parts) else type(model).__name__


def _opened(model: Any, spec: str) -> Model:
    return Borrowed(model) if hasattr(model, "complete") else LangChainModel(model, spec)
