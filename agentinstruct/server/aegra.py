"""langgraph.json for Aegra, which loads graphs from files: `python -m agentinstruct.server.aegra > aegra.json`."""

import json
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any


def as_aegra_reads(config: dict[str, Any]) -> dict[str, Any]:
    """The same graphs, auth and routes; no dependencies, which it would put before the installed package."""
    return {
        "graphs": {name: {**graph, "path": _file(graph["path"])} for name, graph in config["graphs"].items()},
        "auth": {"path": config["auth"]["path"]},
        "http": {key: config["http"][key] for key in ("app", "enable_custom_route_auth")},
    }


def _file(path: str) -> str:
    module, _, name = path.partition(":")
    found = find_spec(module)
    assert found and found.origin
    return f"{found.origin}:{name}"


if __name__ == "__main__":
    sys.stdout.write(json.dumps(as_aegra_reads(json.loads(Path("langgraph.json").read_text())), indent=2) + "\n")
