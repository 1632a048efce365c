"""One skill for scripts: what it makes, and its graph, the very object that a run, a server and Studio use."""

import os
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from pathlib import Path
from typing import Any

from typing_extensions import Unpack

from agentinstruct.agents.checks import policy
from agentinstruct.agents.errors import SkillError
from agentinstruct.agents.gateway import Gateway, using
from agentinstruct.agents.models import Endpoints
from agentinstruct.agents.records import Seed
from agentinstruct.agents.skill import OWN_SKILLS, Category, Goal, Skill, skill_folders, skill_names
from agentinstruct.agents.skill import load_skill as read_skill
from agentinstruct.api.feed import fed
from agentinstruct.api.loops import run_here
from agentinstruct.api.models import GivenEndpoints, settle
from agentinstruct.api.options import Settings, read_options, show_options
from agentinstruct.graphs.doors import Flow
from agentinstruct.graphs.state import Context, FlowState
from agentinstruct.graphs.wiring import graph_of

_LONGEST_FLOW = 60
"""Steps, as in a run."""


class SkillFlow:
    """A skill that can be looked at and run on one seed.

    `graph` is a compiled LangGraph graph: `graph.ainvoke({"seed": {"text": …}}, context=Context(model=…))`, a node or
    subgraph of a graph of your own, or an entry of your `langgraph.json`.
    """

    def __init__(self, skill: Skill, graph: Flow) -> None:
        self.skill = skill
        """All of its data: prompts, layouts, rubric, fingerprints."""
        self.graph = graph

    @property
    def name(self) -> str:
        """Its name, which is its folder's."""
        return self.skill.name

    @property
    def description(self) -> str:
        """What it makes, in a sentence or two."""
        return self.skill.file.description

    @property
    def transforms(self) -> Mapping[str, str]:
        """How it rewrites seeds: names and briefs."""
        return self.skill.file.transforms

    @property
    def categories(self) -> Mapping[str, Category]:
        """Its taxonomy: kinds of instruction by name, each with `title`, `form`, `brief` and `examples`."""
        return self.skill.categories

    @property
    def goals(self) -> Mapping[str, Goal]:
        """How it refines items: goals by name, each with `title` and `brief`."""
        return self.skill.goals

    @property
    def checks(self) -> Mapping[str, str]:
        """What is checked before a draft is accepted: names, and what each check proves."""
        names = dict.fromkeys(name for category in self.categories for name in self.skill.checks_of(category))
        found = [check for stage in ("item", "response") for check in policy(tuple(names), stage)]
        return {check.name: check.proves for check in found}

    async def ainvoke(self, input: Seed | Mapping[str, Any], /, **settings: Unpack[Settings]) -> FlowState:
        """Run one seed through the graph.

        Args:
            input: A `Seed`, or a mapping of its fields, of which `text` alone must be given.
            settings: The fields of `Context`, where a model may also be an object (see `agenerate`), or a whole one
                as `context`; `base_url` and `timeout_s` of `openai:` models.

        Returns:
            The graph's last state: `records`, `dropped` with stage and reason, `passage`, and every draft.

        Raises:
            SetupError: a setting is wrong; says which. ProviderError: the model failed after all retries.

        >>> import asyncio
        >>> from agentinstruct import load_skill
        >>> flow = load_skill("text_modification")
        >>> seed = {"text": "The harbour froze on 4 January. Forty ships waited outside until March."}
        >>> state = asyncio.run(flow.ainvoke(seed, model="scripted", verify="annotate"))
        >>> print(state["records"][0].skill)
        text_modification
        """
        context, serving = _served(settings, "ainvoke")
        async with serving:
            state = await self.graph.ainvoke({"seed": _seed(input)}, _config(), context=context)
        done: FlowState = dict(state)  # type: ignore[assignment]
        return done

    def invoke(self, input: Seed | Mapping[str, Any], /, **settings: Unpack[Settings]) -> FlowState:
        """As `ainvoke`, and wait for it; in a notebook too."""
        return run_here(self.ainvoke(input, **settings))

    async def astream(
        self, input: Seed | Mapping[str, Any], /, **settings: Unpack[Settings]
    ) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Run one seed and give each step as it is done: the node's name, and what it added to the state.

        Arguments and errors are those of `ainvoke`.
        """
        context, serving = _served(settings, "astream")
        seed = {"seed": _seed(input)}

        async def walk(tell: Callable[[dict[str, Any]], None]) -> None:
            async with serving:
                async for step in self.graph.astream(seed, _config(), context=context, stream_mode="updates"):
                    tell(step)

        async with aclosing(fed(walk)) as steps:
            async for step in steps:
                for node, update in step.items():
                    yield node, update or {}

    def __repr__(self) -> str:
        counts = f"{len(self.transforms)} transforms, {len(self.categories)} categories, {len(self.goals)} goals"
        return f"<SkillFlow {self.name}: {counts}>"


show_options(Settings, SkillFlow.ainvoke, SkillFlow.invoke, SkillFlow.astream)


def load_skill(name: str | os.PathLike[str]) -> SkillFlow:
    """A skill and its graph.

    Args:
        name: One of `skills()`; or the folder of a skill of your own (a path with a separator in it), which is read
            anew. From then on this process knows it by the folder's name, for `generate` too; for other processes and
            the command line, list its parent folder in AGENTINSTRUCT_SKILLS.

    Raises:
        SkillError, PromptError: there is none, or something in its folder is wrong; names file and key.

    >>> from agentinstruct import load_skill
    >>> flow = load_skill("reading_comprehension")
    >>> print(flow)
    <SkillFlow reading_comprehension: 9 transforms, 43 categories, 3 goals>
    >>> print(flow.goals["unanswerable"].title)
    Make the question unanswerable
    """
    match list(named([name])):
        case [known]:
            return SkillFlow(read_skill(known), graph_of(known))
    raise SkillError(f"{name!r}: give the name of one skill, or a folder. There are: {', '.join(skill_names())}.")


def skills() -> list[str]:
    """The names of all skills, in order.

    >>> from agentinstruct import skills
    >>> print(len(skills()), skills()[0])
    17 analytical_reasoning
    """
    return skill_names()


def named(given: str | os.PathLike[str] | Iterable[str | os.PathLike[str]]) -> Iterator[str]:
    """The names of skills that are given by name or by folder; folders are known by their names from then on.

    Raises:
        SkillError: a folder holds no skill, or its name is that of another.
    """
    for one in [given] if isinstance(given, str | os.PathLike) else given:
        text = os.fspath(one)
        if not isinstance(one, os.PathLike) and os.sep not in text and "/" not in text:
            yield from filter(None, map(str.strip, text.split(",")))
            continue
        yield _own(Path(text))


def _own(folder: Path) -> str:
    folder = folder.resolve()
    if not (folder / "skill.yaml").is_file():
        raise SkillError(f"{folder}: no skill.yaml is there. Give the folder of a skill.")
    known = skill_folders()
    if folder not in map(Path.resolve, known.values()):
        if folder.name in known:
            raise SkillError(f"{folder}: {known[folder.name]} is a skill of that name. Rename the folder.")
        listed = filter(None, (os.environ.get(OWN_SKILLS), str(folder.parent)))
        os.environ[OWN_SKILLS] = os.pathsep.join(listed)
    read_skill.cache_clear()
    graph_of.cache_clear()
    return folder.name


def _seed(seed: Seed | Mapping[str, Any]) -> Any:
    if isinstance(seed, str):
        raise TypeError("a seed is a Seed or a mapping: give {'text': …}")
    return seed if isinstance(seed, Seed) else dict(seed)


def _config() -> Any:
    return {"recursion_limit": _LONGEST_FLOW}


def _served(settings: Mapping[str, Any], caller: str) -> tuple[Context, AbstractAsyncContextManager[Any]]:
    """The flow's settings, and what serves its models: this loop's gateway unless some need one of their own."""
    read = read_options(Settings, settings, caller)
    context, models = settle(read)
    if not models and not {"base_url", "timeout_s"} & read.keys():
        return context, nullcontext()
    places = Endpoints(base_url=read.get("base_url", ""), timeout_s=read.get("timeout_s", 300.0))
    return context, using(Gateway(GivenEndpoints.over(places, models).open))
