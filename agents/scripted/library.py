"""The scripted model's libraries: a store of jobs around the functions it is shown, and data that makes them run."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from random import Random
from typing import Any

from agentinstruct.agents.scripted.signatures import words
from agentinstruct.tools.simulator import Api, ApiParameter

Found = dict[str, Any]

OWNERS = ("Dana Reyes", "Lee Park", "Marta Silva", "Tom Okafor", "Ines Vogel", "Priya Nair")
NAMES = (
    *("nightly report", "index rebuild", "invoice check", "route update", "stock count"),
    *("mail digest", "photo import", "badge renewal", "yearly audit", "seat plan"),
)
FIELDS = ("job_id", "name", "owner", "priority", "status")
VERBS = frozenset(("find", "add", "reassign", "count", "cancel", "get"))
STATUSES = ("open", "running", "done")
TEXTS = ("crate 12", "parcel 7", "sensor north", "ticket 40", "tray B", "lot 318", "cabinet 5")
FITTING = {
    "time": ("08:15", "10:40", "14:05", "17:55"),
    "priority": ("3", "4", "6", "8"),
    "delay": ("15", "40", "75", "90"),
    "index": ("14", "27", "33", "58"),
    "heap": ("intake", "returns", "night shift", "repairs"),
    "list": ("waiting list", "guest list", "parts list", "price list"),
}
"""Texts for parameters whose names say what they hold."""
_DULL = frozenset(
    ("to", "from", "get", "set", "find", "add", "is", "of", "the", "and", "for", "new", "left", "right", "all", "job")
)
_TAKES_IN = frozenset(
    ("add", "insert", "push", "put", "enter", "enterabs", "enqueue", "append", "insort", "create", "register", "save")
)
_MEASURES = frozenset(("size", "len", "length", "count"))
_FORMULA = re.compile(r"`(.+)`")


def hypothesised(apis: Sequence[Api], wanted: int) -> list[Found]:
    """Functions of a store of jobs that use such a library: as many as wanted, the ones others rest on first."""
    noun = f"{subject(apis)}_job"
    spoken = noun.replace("_", " ")
    owner = _parameter("owner", f"Full name of the person the {spoken} belongs to.")
    job = _parameter("job_id", f"Identifier of the {spoken}, such as {_prefix(noun)}-101.")
    name = _parameter("name", f"Short name of the {spoken}.")
    priority = _parameter("priority", "Priority from 1 (low) to 9 (high).", type="integer")
    status = _parameter("status", "Only jobs in this state.", required=False, enum=[*STATUSES, "cancelled"])
    row = f"The {spoken}: job_id, name, owner, priority, status."
    unknown = f"Fails if there is no {spoken} with this id."
    anyone = owner | {"required": False}
    found = [
        _api(f"find_{noun}s", f"Finds {spoken}s by owner and status.", [anyone, status], f"A list. {row}"),
        _api(f"add_{noun}", f"Adds a {spoken} that is open.", [name, owner, priority], row),
        _api(f"reassign_{noun}", f"Hands a {spoken} over to another owner.", [job, owner], row, [unknown]),
        _api(f"count_{noun}s", f"Counts the {spoken}s of an owner.", [owner], "The number."),
        _api(f"cancel_{noun}", f"Cancels a {spoken} that is not done.", [job], row, [unknown, "Fails if it is done."]),
        _api(f"get_{noun}", f"Looks a {spoken} up by its id.", [job], row, [unknown]),
    ]
    return found[:wanted]


def subject(apis: Sequence[Api]) -> str:
    """What a library is about: the word most of its functions' names share."""
    named = [word for api in apis for word in words(api.name).split() if word.isalpha() and len(word) > 2]
    named = [word for word in named if word not in _DULL]
    for stem, count in Counter(word[:4] for word in named).most_common(1):
        if count > 2 and len(stem) == 4:
            return _shared([word for word in named if word.startswith(stem)])
    return next((word for word, _ in Counter(named).most_common(1)), "library")


def _shared(alike: Sequence[str]) -> str:
    """The longest beginning that words share."""
    first = min(alike, key=len)
    while not all(word.startswith(first) for word in alike):
        first = first[:-1]
    return first


def noun_of(apis: Sequence[Api]) -> str:
    """The things a store of jobs holds, as its functions call them; empty where the library has no store."""
    return next((match[1] for api in apis if (match := re.fullmatch(r"find_(\w+_job)s", api.name))), "")


def kind_of(api: Api, noun: str) -> str:
    """What a function does to the store (`find`, `add`, …), or `plain` for all others."""
    verb, _, rest = api.name.partition("_")
    return verb if noun and verb in VERBS and rest in (noun, f"{noun}s") else "plain"


def simulated(apis: Sequence[Api]) -> Found:
    """The data and the behaviours of a library; functions that nothing is known of stay without one."""
    noun, draw = noun_of(apis), Random(subject(apis))
    plain = [api for api in apis if kind_of(api, noun) == "plain"]
    collections = [_jobs(noun, draw)] if noun else []
    if takers := [api for api in plain if _takes_in(api)]:
        collections.append(_entries(takers, draw))
    behaviours = [_on_jobs(api, noun) for api in apis if api not in plain]
    behaviours += [one for api in plain for one in _plain(api, bool(takers))]
    empty = {"name": "notes", "key": "note_id", "fields": ["note_id", "text"], "rows": [["N-1", "Opened."]]}
    nothing = {"api": "none", "operation": "search", "collection": "notes"}
    return {"collections": collections or [empty], "behaviours": behaviours or [nothing]}


def sample(parameter: ApiParameter, draw: Random) -> Any:
    """A value that a caller could pass."""
    if parameter.enum:
        return draw.choice(parameter.enum)
    if parameter.type == "string" and (fitting := [v for word, v in FITTING.items() if word in parameter.name.lower()]):
        return draw.choice(fitting[0])
    made: Mapping[str, Callable[[], Any]] = {
        "integer": lambda: draw.randint(13, 96),
        "number": lambda: draw.randint(13, 96) / 100,
        "boolean": lambda: True,
        "array": lambda: [draw.randint(13, 96) for _ in range(3)],
    }
    return made[parameter.type]() if parameter.type in made else draw.choice(TEXTS)


def _parameter(name: str, description: str, **more: Any) -> Found:
    plain = {"type": "string", "required": True, "items": "string", "enum": [], "default": None}
    return {"name": name, "description": description} | plain | more


def _api(name: str, description: str, parameters: list[Found], returns: str, errors: Sequence[str] = ()) -> Found:
    said = {"name": name, "description": description, "returns": returns}
    return said | {"parameters": parameters, "errors": list(errors)}


def _prefix(noun: str) -> str:
    return noun[:4].strip("_").upper()


def _jobs(noun: str, draw: Random) -> Found:
    """Six jobs: one owner has two, one job is done, and each owner's jobs differ in state."""
    owners, names = draw.sample(OWNERS, 4), draw.sample(NAMES, 6)
    states = ("open", "running", "open", "done", "open", "running")
    held = (owners[0], owners[0], owners[1], owners[1], owners[2], owners[3])
    priorities = draw.sample(range(1, 10), 6)
    rows = [
        [f"{_prefix(noun)}-{101 + place}", *cells]
        for place, cells in enumerate(zip(names, held, priorities, states, strict=True))
    ]
    return {
        "name": f"{noun}s",
        "key": "job_id",
        "fields": list(FIELDS),
        "rows": rows,
    }


def _on_jobs(api: Api, noun: str) -> Found:
    links = [{"parameter": one.name, "field": one.name, "match": "equals"} for one in api.parameters]
    linked, keyed = {"links": links}, {"key_parameter": "job_id"}
    done = {"guard": "status != 'done'", "error": "A job that is done cannot be cancelled."}
    what: dict[str, Found] = {
        "find": {"operation": "search", **linked},
        "add": {"operation": "create", **linked, "changes": [{"field": "status", "expression": "'open'"}]},
        "reassign": {"operation": "update", **keyed, "links": links[1:]},
        "count": {"operation": "compute", **linked, "expression": "len(job_id)"},
        "cancel": {"operation": "update", **keyed, **done}
        | {"changes": [{"field": "status", "expression": "'cancelled'"}]},
        "get": {"operation": "get", **keyed},
    }
    return {"api": api.name, "collection": f"{noun}s", **what[kind_of(api, noun)]}


def _takes_in(api: Api) -> bool:
    held = [one for one in api.parameters if one.type not in ("array", "object")]
    return bool(held) and _verb(api) in _TAKES_IN and not _FORMULA.search(api.returns)


def _verb(api: Api) -> str:
    """The first word of a method's or a function's own name."""
    spoken = words(api.name).split()
    known = (verb for word in spoken for verb in sorted(_TAKES_IN | _MEASURES) if word in (verb, f"heap{verb}"))
    return next(known, spoken[0])


def _entries(takers: Sequence[Api], draw: Random) -> Found:
    """What functions that take something in have taken in so far."""
    parameters = {one.name: one for api in takers for one in api.parameters if one.type not in ("array", "object")}
    rows = [[f"E-{n}", *(sample(one, draw) for one in parameters.values())] for n in range(1, 5)]
    return {"name": "entries", "key": "entry_id", "fields": ["entry_id", *parameters], "rows": rows}


def _plain(api: Api, stored: bool) -> Iterator[Found]:
    if formula := _FORMULA.search(api.returns):
        yield {"api": api.name, "operation": "compute", "expression": formula[1]}
    elif _takes_in(api):
        links = [{"parameter": p.name, "field": p.name} for p in api.parameters if p.type not in ("array", "object")]
        yield {"api": api.name, "operation": "create", "collection": "entries", "links": links}
    elif stored and _verb(api) in _MEASURES and not api.parameters:
        yield {"api": api.name, "operation": "compute", "collection": "entries", "expression": "len(entry_id)"}
