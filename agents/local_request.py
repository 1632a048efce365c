"""What the embedded model is sent: inert text, a bounded reply, and its schema as a compact grammar."""

import json
import re
from typing import Any

_DEFAULT_MAX_TOKENS = 1024
# Text of these shapes would reach the model as real control tokens and could open a turn of its own.
_CONTROL = re.compile(r"<(?=[|｜][^\s|｜]{1,40}[|｜]>|(?:start|end)_of_turn>)|\[(?=/?INST\])")


class RequestError(ValueError):
    """The engine refused this request: too long for the context, or a schema it cannot enforce."""


def inert(body: dict[str, Any]) -> dict[str, Any]:
    """The body as the engine gets it: streamed (so that it can be stopped), bounded, with inert text."""
    if body.get("tools") or body.get("n", 1) != 1:
        raise RequestError("the embedded model takes no `tools` and gives one reply; ask with a reply schema")
    limit = body.get("max_tokens") or body.get("max_completion_tokens") or _DEFAULT_MAX_TOKENS
    messages = [message | {"content": _text(message.get("content"))} for message in body["messages"]]
    kept = {key: value for key, value in body.items() if key not in {"model", "n", "max_completion_tokens"}}
    switches = {"stream": True, "timings_per_token": True, "cache_prompt": True}
    template = {"chat_template_kwargs": {"enable_thinking": False}}
    return template | kept | switches | {"messages": messages, "max_tokens": limit}


def _text(content: object) -> str:
    # Parts other than text could make the engine open files and addresses named in them.
    if content is not None and not isinstance(content, str):
        raise RequestError("the embedded model reads text only; message content must be a string")
    return _CONTROL.sub(lambda match: f"{match[0]} ", content or "")


def constrained(request: dict[str, Any]) -> dict[str, Any]:
    """The request with its reply schema as a grammar that wastes no tokens on free white space."""
    wanted = request.get("response_format") or {}
    if wanted.get("type") != "json_schema":
        return request
    kept = {key: value for key, value in request.items() if key != "response_format"}
    return kept | {"grammar": _grammar(wanted["json_schema"]["schema"])}


def _grammar(schema: dict[str, Any]) -> str:
    from xllamacpp import json_schema_to_grammar

    closed = _closed(schema)
    grammar = str(json_schema_to_grammar(closed))
    if not grammar.startswith("%llguidance"):
        return grammar
    # One space after `:` and `,`, as in what models have read: without it a text begins with a stray comma.
    spacing = {"whitespace_flexible": False, "key_separator": ": ", "item_separator": ", "}
    compact = closed | {"x-guidance": spacing | {"lenient": True, "coerce_one_of": True}}
    return f"%llguidance {{}}\nstart: %json {json.dumps(compact)}"


def check_enforced(request: dict[str, Any], choice: dict[str, Any]) -> None:
    """Raise `RequestError` when a reply that should be JSON is not.

    The engine drops a grammar that it cannot compile without a word.
    """
    wanted = (request.get("response_format") or {}).get("type", "text")
    if wanted == "text" or choice["finish_reason"] != "stop":
        return
    try:
        json.loads(choice["message"]["content"])
    except ValueError as error:
        raise RequestError(
            "the engine could not enforce the reply schema; leave out look-around patterns and unknown types"
        ) from error


def _closed(schema: Any) -> Any:
    """The schema with objects that list their properties closed: a small model would invent more."""
    if not isinstance(schema, dict):
        return schema
    closed = {"additionalProperties": False, **schema} if "properties" in schema else dict(schema)
    for key in closed.keys() & {"properties", "$defs"}:
        closed[key] = {name: _closed(part) for name, part in closed[key].items()}
    for key in closed.keys() & {"anyOf", "oneOf", "prefixItems"}:
        closed[key] = [_closed(part) for part in closed[key]]
    for key in closed.keys() & {"items", "additionalProperties"}:
        closed[key] = _closed(closed[key])
    return closed
