"""`run.json`: what this folder is a run of, so that two different runs are never mixed in one."""

import os
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import MANIFEST, open_file, storage_error, sync_folder

SCHEMA = 1
_ABSENT = object()
_OPTIONS = {
    "embeddings": "--embeddings",
    "context.instructions_per_category": "--per-category",
    "context.suggestions_per_goal": "--per-goal",
    "seeds.max_chars": "--chunk-chars",
} | {
    f"{part}.{name}": f"--{name.replace('_', '-')}"
    for part, names in (
        (
            "context",
            ("verify", "transforms", "categories", "goals", "categories_per_seed", "rounds", "solvers", "seed"),
        ),
        ("mix", ("mix", "skills_per_seed", "route")),
        ("seeds", ("column", "licence")),
    )
    for name in names
}
"""What some settings are called where they are given."""
_MODEL_OF = "models."
Change = tuple[str, str, str]
"""A key, and its value before and now, as it is shown."""
_FEW = 3
"""So many skills are named."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The stored `run.json`; `run` is a random id that ties the ledger to this folder."""

    run: str
    created: str
    settings: dict[str, Any]


def read_manifest(folder: Path) -> Manifest:
    """Raises `RunError` if there is none, it cannot be read, or another version of the program wrote it."""
    path = folder / MANIFEST
    try:
        stored = orjson.loads(path.read_bytes())
        schema, manifest = stored["schema"], Manifest(stored["run"], stored["created"], dict(stored["settings"]))
    except FileNotFoundError as problem:
        raise RunError(f"{folder}: no run here (no {MANIFEST}). Give the folder of a run.") from problem
    except OSError as problem:
        raise storage_error(path, problem) from problem
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as problem:
        raise RunError(f"{path}: not a run's manifest ({problem}). Restore it, or choose another --out.") from problem
    if schema != SCHEMA:
        wrote, then = ("a newer", "update agentinstruct") if _newer(schema) else ("an older", "use that version")
        raise RunError(
            f"{path}: written by {wrote} version of agentinstruct (schema {schema}, this one reads {SCHEMA}): "
            f"{then}, or choose another --out."
        )
    return manifest


def settle_manifest(folder: Path, settings: Mapping[str, Any], heard: Callable[[set[str]], set[str]]) -> Manifest:
    """Stores the settings of a new run, or raises `RunError` unless they are those of the run found here.

    A run that has nothing yet takes the new ones: it stopped at a misspelt model or path, which may be put right.
    So may a role's model later, as long as no finished work is of it.

    Args:
        folder: The run's.
        settings: Those of now.
        heard: Says which of some models had a part in what is finished.
    """
    wanted: dict[str, Any] = orjson.loads(orjson.dumps(dict(settings)))
    if not (folder / MANIFEST).exists():
        _write(folder, Manifest(uuid.uuid4().hex, time.strftime("%Y-%m-%dT%H:%M:%S%z"), wanted))
    manifest = read_manifest(folder)
    changes = list(_differences("", manifest.settings, wanted))
    if changes and (_empty(folder) or _renamed(manifest.settings, changes, heard)):
        _write(folder, replace(manifest, settings=wanted))
        return read_manifest(folder)
    if changes:
        listed = "\n".join(f"  {_OPTIONS.get(key, key)}: {before} → {now}" for key, before, now in changes)
        raise RunError(
            f"{folder}: holds a run with other settings (stored → given):\n{listed}\n"
            "Use another --out for a new run, or give the old values to go on with this one."
        )
    return manifest


def _empty(folder: Path) -> bool:
    return not any(path.stat().st_size for path in folder.glob("*.seg"))


def _renamed(before: dict[str, Any], changes: list[Change], heard: Callable[[set[str]], set[str]]) -> bool:
    """Whether nothing differs but models that had no part in what is finished."""
    roles = [key.removeprefix(_MODEL_OF) for key, *_ in changes if key.startswith(_MODEL_OF)]
    return len(roles) == len(changes) and not heard({before["models"].get(role, "") for role in roles})


def _newer(schema: object) -> bool:
    return isinstance(schema, int) and schema > SCHEMA


def _write(folder: Path, manifest: Manifest) -> None:
    document = {"schema": SCHEMA, **asdict(manifest)}
    data, temporary = orjson.dumps(document, option=orjson.OPT_INDENT_2), folder / f"{MANIFEST}.tmp"
    handle = open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.rename(folder / MANIFEST)
        sync_folder(folder)
    except OSError as problem:
        raise storage_error(folder / MANIFEST, problem) from problem


def _differences(prefix: str, before: Any, now: Any) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(now, dict):
        if prefix == "skills" and before.keys() != now.keys():
            yield prefix, _counted(before), _counted(now)
            return
        for key in sorted(before.keys() | now.keys()):
            name = f"{prefix}.{key}" if prefix else key
            yield from _differences(name, before.get(key, _ABSENT), now.get(key, _ABSENT))
    elif before != now or type(before) is not type(now):
        yield prefix, _shown(before), _shown(now)


def _counted(skills: Mapping[str, Any]) -> str:
    return ", ".join(sorted(skills)) if len(skills) <= _FEW else f"{len(skills)} of them"


def _shown(value: Any) -> str:
    if value is _ABSENT:
        return "(not set)"
    text = orjson.dumps(value).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"
