"""A server that speaks the OpenAI protocol, fast and as badly as asked: for tests and benchmarks, never for data.

    python benchmarks/mock_server.py --port 0 --latency lognormal:0.03,0.6 --faults 429=.1,content_json=.05
    http://127.0.0.1:41817/v1            <- first line of its output: the base URL

What it says is a function of the request's body alone (`cached_tokens` apart): valid for the JSON schema that was
asked for, otherwise prose, and without meaning. Which fault strikes is a function of the body, of how often that body
came, and of `--seed`, so a run can be repeated exactly. A fault that makes no sense for a request (a broken schema
where none was asked for) is skipped.

POST /v1/chat/completions (tools, response_format, n, stream) · POST /v1/embeddings · GET /v1/models · files and batch
jobs (mock_batches.py, beside this file) · GET /stats · POST /control with a JSON object of the options below, by their
long names with `_`: changed at once, for later requests; `down: true` cuts every request until `down: false`;
`reset: true` forgets counts and attempts.

/stats: `answered_ok` counts whole, unspoilt 200 answers handed to the socket; `answered_ok_repeats` those of them
whose very body had been answered so before: work that was paid for twice.
"""

import argparse
import asyncio
import base64
import contextlib
import gc
import hashlib
import ipaddress
import json
import math
import os
import re
import signal
import socket
import stat
import string
import struct
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from email.utils import formatdate
from functools import lru_cache, reduce
from pathlib import Path
from random import Random
from re import _parser  # type: ignore[attr-defined]
from statistics import NormalDist
from typing import Any, TextIO, cast
from urllib.parse import unquote

try:
    import orjson
except ImportError:
    orjson = None  # type: ignore[assignment,unused-ignore]
try:
    import uvloop
except ImportError:
    uvloop = None  # type: ignore[assignment,unused-ignore]

sys.path.insert(0, str(Path(__file__).parent))  # not there under -P, nor where a test loads this file
from mock_batches import FATES, LINE_FAULTS, Batches, Denied, Lost

__all__ = ["FAULTS", "Instances", "SchemaError", "main"]

MAX_HEAD = 65_536
MAX_BODY = 64 * 2**20
DEEP = 5
"""Nesting from which only what a schema requires is written."""
CACHE_FROM, CACHE_STEP = 1024, 128
"""Tokens: the shortest cached prefix, and the step in which longer ones grow."""
CREATED = 1_700_000_000
MASK = 2**64 - 1


# --- JSON and chance ----------------------------------------------------------------------------------------------


def loads(data: bytes) -> Any:
    """Parse JSON; lone surrogates, which orjson refuses, are let through. Raises ValueError or RecursionError."""
    if orjson is not None:
        with contextlib.suppress(ValueError):
            return orjson.loads(data)
    return json.loads(data)


def dumps(value: Any) -> bytes:
    """Compact JSON; what orjson cannot write (lone surrogates, huge integers) is written by the standard library."""
    if orjson is not None:
        with contextlib.suppress(TypeError):
            return orjson.dumps(value)
    return json.dumps(value, separators=(",", ":")).encode()


def unit(*numbers: int) -> float:
    """A number in (0, 1) that depends on nothing but the integers given."""
    state = 0x9E3779B97F4A7C15
    for number in numbers:
        state = ((state ^ number) * 0xBF58476D1CE4E5B9) & MASK
        state ^= state >> 31
    state = (state * 0x94D049BB133111EB) & MASK
    return (((state ^ (state >> 29)) >> 11) + 0.5) / 2**53


def digest_of(data: bytes) -> int:
    """64 bits that stand for a body."""
    return int.from_bytes(hashlib.blake2b(data, digest_size=8).digest(), "big")


def tokens_in(text: str | bytes) -> int:
    """A crude count of tokens: a quarter of the length."""
    return (len(text) + 3) // 4


# --- Words --------------------------------------------------------------------------------------------------------

WORDS = """
able acorn across after again agree alder amber ample anchor answer apple april arrow atlas autumn bacon badge baker
balance bamboo banner barley basin basket beacon become before begin below berry beside better birch blanket blossom
border borrow bottle branch brass breeze bridge bright brook bronze brush bucket build butter button cabin camel canal
candle canvas canyon carbon careful carpet carry castle cedar center chalk change chapel cherry circle citrus clear
clever cliff cloud clover coast cobalt coffee collar comet common copper coral corner cotton county cousin cradle crane
cricket crystal current curtain cycle daisy damp dance dawn decide deep delta desert detail dinner direct distant dollar
double dragon drawer drift driver early earth easel eastern echo effort eight elbow ember empty engine enough equal
evening every exact expect fabric falcon family farmer feather fern fiddle field figure filter final finger flame flint
float flour flower follow forest forget fossil fountain fresh frost future galaxy garden gather gentle ginger glacier
glass gold grain granite grass gravel green grove guitar habit hammer harbor harvest hazel heavy helmet heron hidden
hollow honest honey horizon hour humble iceberg indigo inside island ivory jacket jasmine journey juniper kettle keen
kitchen ladder lantern later lavender leather ledger lemon letter level lilac linen liquid little lively lizard lumber
maple marble margin market meadow measure melon middle mirror modest morning mosaic mountain narrow nectar needle north
notice number oak oasis object ocean office olive onion open orange orbit orchard otter oyster paddle paint palace paper
parade pebble pencil pepper piano pigeon pillow planet
""".split()  # noqa: SIM905


def words(rng: Random, low: int, high: int) -> str:
    """`low` to `high` random words."""
    return " ".join([WORDS[byte] for byte in rng.randbytes(rng.randint(low, high))])


def prose(rng: Random) -> str:
    """Three to eight sentences that mean nothing."""
    return " ".join([words(rng, 5, 18).capitalize() + "." for _ in range(rng.randint(3, 8))])


# --- Random instances of a JSON schema ----------------------------------------------------------------------------


class SchemaError(ValueError):
    """A schema that has no instance, or that cannot be read."""


class Instances:
    """Writes random instances of one schema, a JSON-schema document of draft 4 to 2020-12, from one generator."""

    def __init__(self, root: Any, rng: Random) -> None:
        self.root = root
        self.rng = rng
        self.heights: dict[int, float] = {}

    def make(self, schema: Any, depth: int = 0) -> Any:
        """An instance of `schema`. Raises SchemaError."""
        if depth > 60:
            raise SchemaError("the schema never ends")
        schema = self.flat(schema, depth)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.rng.choice(schema["enum"])
        kind = self.kind(schema)
        if kind in ("object", "array"):
            return self.object(schema, depth) if kind == "object" else self.array(schema, depth)
        return self.scalar(schema, kind)

    def flat(self, schema: Any, depth: int) -> dict[str, Any]:
        """The schema with its references followed, its allOf merged and one branch of each choice taken."""
        for _ in range(100):
            if schema is False:
                raise SchemaError("nothing is valid for the schema false")
            if not isinstance(schema, dict):
                return {}
            key = next((key for key in ("$ref", "allOf", "anyOf", "oneOf") if key in schema), None)
            if key is None:
                return schema
            rest = {name: value for name, value in schema.items() if name != key}
            if key == "allOf":
                schema = reduce(merged, schema[key], rest)
            else:
                chosen = self.resolve(schema[key]) if key == "$ref" else self.branch(schema[key], depth)
                schema = merged(chosen, rest)
        raise SchemaError("the schema's references run in a circle")

    def resolve(self, reference: str) -> Any:
        """What a reference within the document points to."""
        if not reference.startswith("#"):
            raise SchemaError(f"cannot follow the reference {reference}")
        target = self.root
        for part in reference[1:].split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            target = target[int(name)] if isinstance(target, list) else target[name]
        return target

    def branch(self, branches: Sequence[Any], depth: int) -> Any:
        """One of the branches; deep down the one that ends soonest, and elsewhere null only now and then."""
        if depth >= DEEP:
            return min(branches, key=self.height)
        chosen = self.rng.choice(branches)
        if isinstance(chosen, dict) and chosen.get("type") == "null" and self.rng.random() < 0.6:
            chosen = self.rng.choice(branches)
        return chosen

    def height(self, schema: Any, seen: frozenset[str] = frozenset()) -> float:
        """The least nesting that an instance needs; infinite for one that must contain itself."""
        if seen:
            return self.measured(schema, seen)
        key = id(schema)
        if key not in self.heights:
            self.heights[key] = self.measured(schema, seen)
        return self.heights[key]

    def measured(self, schema: Any, seen: frozenset[str]) -> float:
        """`height` without its memory; `seen` are the references on the way here."""
        if not isinstance(schema, dict):
            return 0
        if "$ref" in schema:
            reference = schema["$ref"]
            return math.inf if reference in seen else self.measured(self.resolve(reference), seen | {reference})
        own = [self.measured(part, seen) for part in schema.get("allOf", ())]
        own += [min(self.measured(part, seen) for part in schema[key]) for key in ("anyOf", "oneOf") if schema.get(key)]
        inner = [part for name, part in schema.get("properties", {}).items() if name in schema.get("required", ())]
        if schema.get("minItems"):
            inner += [schema.get("items"), *schema.get("prefixItems", ())]
        own += [1 + self.measured(part, seen) for part in inner]
        return max(own, default=0)

    def kind(self, schema: dict[str, Any]) -> str:
        """The JSON type to write: the stated one, else the one its keywords speak of."""
        stated = schema.get("type")
        if isinstance(stated, list):
            solid = [name for name in stated if name != "null"]
            if not stated:
                raise SchemaError("no type satisfies the schema")
            stated = self.rng.choice(solid) if solid and self.rng.random() < 0.8 else self.rng.choice(stated)
        elif stated is None:
            stated = next((kind for keyword, kind in TELLING.items() if keyword in schema), "string")
        if schema.get("nullable") is True and self.rng.random() < 0.15:
            return "null"
        return str(stated)

    def scalar(self, schema: dict[str, Any], kind: str) -> Any:
        """A value that holds no others."""
        match kind:
            case "string":
                return self.string(schema)
            case "integer" | "number":
                return self.number(schema, whole=kind == "integer")
            case "boolean":
                return self.rng.random() < 0.5
            case "null":
                return None
        raise SchemaError(f"unknown type {kind!r}")

    def object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        """The required properties, and most of the others."""
        known = schema.get("properties") or {}
        required = schema.get("required", ())
        out: dict[str, Any] = {}
        spare = schema.get("maxProperties", math.inf) - len(required)
        for name, part in known.items():
            if name not in required:
                if depth >= DEEP or part is False or spare <= 0 or self.rng.random() < 0.25:
                    continue
                spare -= 1
            out[name] = self.make(part, depth + 1)
        for name in required:
            if name not in out:
                out[name] = self.make(extra_value(schema, name), depth + 1)
        self.fill(out, schema, depth)
        return out

    def fill(self, out: dict[str, Any], schema: dict[str, Any], depth: int) -> None:
        """Add properties up to the least number: known ones first, then made-up ones, where these are allowed."""
        known = schema.get("properties") or {}
        least = bounded(schema, "minProperties", 0)
        free = schema.get("patternProperties") or schema.get("additionalProperties")
        if not known and isinstance(free, dict) and depth < DEEP:
            least = max(least, min(self.rng.randint(1, 3), schema.get("maxProperties", 3)))
        for name, part in known.items():
            if len(out) < least and name not in out and part is not False:
                out[name] = self.make(part, depth + 1)
        for attempt in range(20 * least):
            if len(out) >= least or (schema.get("additionalProperties") is False and not free):
                return
            name = self.key(schema, attempt)
            if name not in out:
                out[name] = self.make(extra_value(schema, name), depth + 1)

    def key(self, schema: dict[str, Any], attempt: int) -> str:
        """A name for a made-up property."""
        names = schema.get("propertyNames")
        if isinstance(names, dict):
            return str(self.make({"type": "string", **names}))
        for pattern in schema.get("patternProperties", ()):
            return from_pattern(pattern, self.rng) or self.rng.choice(WORDS)
        return self.rng.choice(WORDS) + (str(attempt) if attempt > 9 else "")

    def array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        """The fixed items, then a few more."""
        items = schema.get("items", True)
        prefix = schema.get("prefixItems") or ()
        if isinstance(items, list):
            prefix, items = items, schema.get("additionalItems", True)
        low = bounded(schema, "minItems", 0)
        high = schema.get("maxItems", math.inf) if items is not False else len(prefix)
        wanted = max(low, len(prefix), 1 if depth < DEEP and items is not False else 0)
        count = min(high, wanted + self.rng.randint(0, max(0, 3 - depth // 2) if depth < DEEP else 0))
        parts = [*prefix, *self.contained(schema)]
        parts += [items] * (int(count) - len(parts))
        return self.several(parts[: int(max(count, low))], schema, depth)

    def contained(self, schema: dict[str, Any]) -> list[Any]:
        """The schemas of the items that `contains` asks for."""
        if "contains" not in schema:
            return []
        part = {"allOf": [schema["contains"], schema.get("items", True)]}
        return [part] * bounded(schema, "minContains", 1)

    def several(self, parts: Sequence[Any], schema: dict[str, Any], depth: int) -> list[Any]:
        """An instance of each part; equal ones are tried again where items must be unique."""
        out: list[Any] = []
        seen: set[bytes] = set()
        for part in parts:
            for _ in range(100):
                value = self.make(part, depth + 1)
                print_ = dumps(value)
                if not schema.get("uniqueItems") or print_ not in seen:
                    seen.add(print_)
                    out.append(value)
                    break
        return out

    def string(self, schema: dict[str, Any]) -> str:
        """By pattern, by format, or 3 to 25 words cut to length."""
        low, high = bounded(schema, "minLength", 0), schema.get("maxLength", math.inf)
        if "pattern" in schema:
            for _ in range(40):
                text = from_pattern(schema["pattern"], self.rng)
                if text is not None and low <= len(text) <= high:
                    return text
        elif schema.get("format") in FORMATS:
            return FORMATS[schema["format"]](self.rng)
        text = words(self.rng, 3, 25)
        while len(text) < low:
            text += " " + self.rng.choice(WORDS)
        if len(text) > high:
            text = text[: int(high)]
            text = text[:-1] + "s" if text.endswith(" ") else text
        return text

    def number(self, schema: dict[str, Any], whole: bool) -> float:
        """A number within the bounds, of two decimals where these leave room."""
        step = schema.get("multipleOf") or (1 if whole else None)
        low, high = limits(schema, whole, width=100 * (step or 1))
        if step is not None:
            first, last = int(-(-low // step)), int(high // step)
            if first > last:
                raise SchemaError("no number satisfies the schema")
            value: float = self.rng.randint(first, last) * step
            return value if isinstance(step, int) else round(value, 10)
        exact = low + (high - low) * self.rng.uniform(0.05, 0.95)
        short = round(exact, 2)
        return short if low <= short <= high else exact


TELLING = {
    "properties": "object", "additionalProperties": "object", "required": "object", "patternProperties": "object",
    "items": "array", "prefixItems": "array", "minItems": "array", "contains": "array",
    "minimum": "number", "maximum": "number", "exclusiveMinimum": "number", "multipleOf": "number",
}  # fmt: skip
"""The type that a keyword speaks of, for schemas that state none."""


def bounded(schema: dict[str, Any], keyword: str, default: int) -> int:
    """A least size, refused where it would fill the memory."""
    size = int(schema.get(keyword, default))
    if size > 100_000:
        raise SchemaError(f"{keyword} {size} is too large")
    return size


def extra_value(schema: dict[str, Any], name: str) -> Any:
    """The schema of a property that `properties` does not list."""
    for pattern, part in (schema.get("patternProperties") or {}).items():
        if re.search(pattern, name):
            return part
    return schema.get("additionalProperties") or {}


def limits(schema: dict[str, Any], whole: bool, width: float) -> tuple[float, float]:
    """The closed range of a number, an open side put at `width` from the other."""
    low, high = schema.get("minimum", -math.inf), schema.get("maximum", math.inf)
    above, below = schema.get("exclusiveMinimum", False), schema.get("exclusiveMaximum", False)
    above, below = low if above is True else above, high if below is True else below
    if above is not False:
        low = max(low, math.floor(above) + 1 if whole else math.nextafter(above, math.inf))
    if below is not False:
        high = min(high, math.ceil(below) - 1 if whole else math.nextafter(below, -math.inf))
    if low > high:
        raise SchemaError("no number satisfies the schema")
    if low == -math.inf:
        low = 0 if high == math.inf else high - width
    return low, low + width if high == math.inf else high


def merged(first: Any, second: Any) -> Any:
    """One schema that asks for what both ask for."""
    if first is False or second is False:
        return False
    if not isinstance(first, dict) or not isinstance(second, dict):
        return first if isinstance(first, dict) else second
    out = dict(first)
    for key, value in second.items():
        if key not in out or out[key] == value:
            out[key] = value
        elif key in CHOICES:
            out["allOf"] = [*out.get("allOf", ()), {key: value}]
        elif key in JOINED:
            out[key] = JOINED[key](out[key], value)
        else:
            out[key] = value
    return out


def both_types(first: Any, second: Any) -> list[str]:
    """The types that both allow; an integer is a number."""
    one, two = ([types] if isinstance(types, str) else list(types) for types in (first, second))
    shared = [name for name in one if name in two or (name == "integer" and "number" in two)]
    return shared + [name for name in two if name == "integer" and "number" in one and name not in shared]


def both_properties(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    return first | {name: {"allOf": [first[name], part]} if name in first else part for name, part in second.items()}


CHOICES = ("anyOf", "oneOf", "allOf", "$ref", "not")
JOINED: dict[str, Callable[[Any, Any], Any]] = {
    "type": both_types,
    "properties": both_properties,
    "required": lambda first, second: [*first, *(name for name in second if name not in first)],
    "enum": lambda first, second: [value for value in first if value in second],
    "items": lambda first, second: {"allOf": [first, second]},
    "additionalProperties": lambda first, second: merged(first, second),
    **dict.fromkeys(("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"), max),
    **dict.fromkeys(("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"), min),
}
"""How two schemas' values of one keyword become one."""


@lru_cache(maxsize=4096)
def parsed_pattern(pattern: str) -> tuple[Any, re.Pattern[str]] | None:
    try:
        return _parser.parse(pattern), re.compile(pattern)
    except re.error:
        return None


def from_pattern(pattern: str, rng: Random) -> str | None:
    """A text that the pattern finds itself in, or None where it is beyond this writer."""
    parsed = parsed_pattern(pattern)
    if parsed is None:
        return None
    for _ in range(5):
        text = pattern_text(parsed[0], rng, {})
        if parsed[1].search(text):
            return text
    return None


def pattern_text(nodes: Any, rng: Random, groups: dict[int, str]) -> str:
    return "".join([pattern_part(op, argument, rng, groups) for op, argument in nodes])


def pattern_part(op: Any, argument: Any, rng: Random, groups: dict[int, str]) -> str:
    """The text for one node of a parsed pattern."""
    match str(op):
        case "LITERAL":
            return chr(argument)
        case "NOT_LITERAL":
            return rng.choice([char for char in PLAIN if ord(char) != argument])
        case "ANY":
            return rng.choice(string.ascii_lowercase)
        case "IN":
            return rng.choice(members(argument) or "?")
        case "BRANCH":
            return pattern_text(rng.choice(argument[1]), rng, groups)
        case "SUBPATTERN":
            groups[argument[0]] = pattern_text(argument[3], rng, groups)
            return groups[argument[0]]
        case "GROUPREF":
            return groups.get(argument, "")
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            times = rng.randint(argument[0], min(argument[1], argument[0] + 8))
            return "".join(pattern_text(argument[2], rng, groups) for _ in range(min(times, 500)))
    return ""


PLAIN = string.ascii_letters + string.digits + " _-.,"
CLASSES = {"DIGIT": string.digits, "WORD": string.ascii_letters + string.digits + "_", "SPACE": " "}


def members(nodes: Sequence[tuple[Any, Any]]) -> str:
    """The characters of a bracket, of those that are plain where it excludes some."""
    out = ""
    for op, argument in nodes:
        match str(op):
            case "LITERAL":
                out += chr(argument)
            case "RANGE":
                out += "".join(map(chr, range(argument[0], min(argument[1], argument[0] + 200) + 1)))
            case "CATEGORY":
                name = str(argument).removeprefix("CATEGORY_")
                known = CLASSES[name.removeprefix("NOT_")]
                out += known if name in CLASSES else "".join(char for char in PLAIN if char not in known)
    if nodes and str(nodes[0][0]) == "NEGATE":
        return "".join(char for char in PLAIN if char not in out)
    return out


def date(rng: Random) -> str:
    return f"20{rng.randrange(10, 30)}-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"


def clock(rng: Random) -> str:
    return f"{rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}Z"


def host(rng: Random) -> str:
    return f"{rng.choice(WORDS)}.example"


FORMATS: dict[str, Callable[[Random], str]] = {
    "date": date,
    "time": clock,
    "date-time": lambda rng: f"{date(rng)}T{clock(rng)}",
    "duration": lambda rng: f"P{rng.randrange(1, 30)}DT{rng.randrange(1, 24)}H",
    "email": lambda rng: f"{rng.choice(WORDS)}@{host(rng)}",
    "idn-email": lambda rng: f"{rng.choice(WORDS)}@{host(rng)}",
    "hostname": host,
    "idn-hostname": host,
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "ipv4": lambda rng: f"192.0.2.{rng.randrange(1, 255)}",
    "ipv6": lambda rng: f"2001:db8::{rng.randrange(1, 65_535):x}",
    **dict.fromkeys(("uri", "url", "iri"), lambda rng: f"https://{host(rng)}/{rng.choice(WORDS)}"),
    **dict.fromkeys(("uri-reference", "iri-reference", "json-pointer"), lambda rng: f"/{rng.choice(WORDS)}"),
    "regex": lambda rng: f"^{rng.choice(WORDS)}$",
    **dict.fromkeys(("byte", "base64"), lambda rng: base64.b64encode(rng.randbytes(12)).decode()),
}


# --- Faults -------------------------------------------------------------------------------------------------------

SORRY = "I'm sorry, but I can't help with that request."
HTML = b"<!DOCTYPE html>\n<html><head><title>Proxy</title></head><body><h1>Something went wrong</h1></body></html>\n"
GARBAGE = b"\x16\x03\x01\x00\xa5\x00\xff\xfe not HTTP at all \x00\x00\r\n\r\n"

ERRORS: dict[str, tuple[int, str, str | None, str]] = {
    "429": (429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    "429_date": (429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    "429_ms": (429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    "429_bare": (429, "rate_limit_error", "rate_limit_exceeded", "Rate limit reached. Please try again later."),
    "quota": (429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    "400": (400, "invalid_request_error", None, "The request was refused for a reason of its own."),
    "401": (401, "invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    "403": (403, "invalid_request_error", "forbidden", "You are not allowed to use this model."),
    "404": (404, "invalid_request_error", "model_not_found", "The model does not exist."),
    "408": (408, "timeout", None, "The request timed out."),
    "500": (500, "server_error", None, "The server had an error while processing your request."),
    "502": (502, "", None, ""),
    "503": (503, "server_error", None, "The engine is currently overloaded."),
    "529": (529, "overloaded_error", None, "Overloaded."),
}
"""Faults with a status of their own: status, type, code, message."""

WIRE_FAULTS = {
    "timeout": (0, "hang"),
    "reset": (0, "reset"),
    "eof": (0, "close"),
    "reset_body": (2, "reset"),
    "truncated": (2, "close"),
    "stream_cut": (2, "close"),
    "stream_stall": (2, "hang"),
}
"""Faults of the connection: the half (2) or the nothing (0) that is sent, and what follows."""

BODY_FAULTS = ("garbage", "invalid_json", "html", "bad_utf8", "slow", "drip")
SHAPE_FAULTS = ("no_choices", "null_message", "no_usage", "stream_error")
VECTOR_FAULTS = ("emb_short", "emb_nan", "emb_order", "emb_dim")
HARMLESS = ("slow", "drip", "no_usage")
"""Faults that leave the answer whole: they count as answered."""

PRESETS = {
    "nasty": {
        **dict.fromkeys(("429", "500"), 0.03),
        **dict.fromkeys(("429_date", "429_ms", "429_bare", "408", "502", "503", "529"), 0.01),
        **dict.fromkeys(("reset", "reset_body", "eof", "truncated", "garbage", "stream_cut", "stream_error"), 0.01),
        **dict.fromkeys(("invalid_json", "html", "bad_utf8", "no_choices", "null_message", "no_usage"), 0.01),
        **dict.fromkeys(("content_json", "fenced", "wrong_schema", "bad_tool_args", "unknown_tool"), 0.02),
        **dict.fromkeys(("null_content", "empty", "whitespace", "length", "filtered", "refusal", "refusal_text"), 0.01),
        **dict.fromkeys(("repeat", "huge", "surrogate", "timeout", "slow", "drip", "stream_stall"), 0.003),
        **dict.fromkeys(VECTOR_FAULTS, 0.01),
    }
}


@dataclass(slots=True)
class Message:
    """What the model says: text, or calls of tools, each a (name, arguments as JSON text)."""

    content: str | None
    calls: list[tuple[str, str]] = field(default_factory=list)
    structured: bool = False
    """Whether `content` is JSON that was asked for."""
    refusal: str | None = None
    finish: str = "stop"

    def rewrite(self, change: Callable[[str], str]) -> bool:
        """Change the text: the arguments of every call, or the content."""
        self.calls = [(name, change(arguments)) for name, arguments in self.calls]
        if not self.calls:
            self.content = change(self.content or "")
        return True

    def say(self, content: str | None, finish: str = "stop", refusal: str | None = None) -> bool:
        """Say this instead of all else."""
        self.content, self.calls, self.finish, self.refusal = content, [], finish, refusal
        return True

    def cut(self, size: int) -> bool:
        """Stop in the middle, as at a limit of tokens."""
        self.rewrite(lambda text: text[:size])
        self.finish = "length"
        return True

    @property
    def text(self) -> str:
        return self.calls[0][1] if self.calls else self.content or ""


def broken(text: str) -> str:
    """JSON text that no parser takes, lenient ones included."""
    return text.replace(":", " ", 1)[:-1] + "]" if ":" in text else "{" + text + "]"


def inflated(message: Message, text: str) -> bool:
    """Put `text` where the longest string of the answer is."""
    if not (message.structured or message.calls):
        return message.say(text)
    strings = re.findall(r'"(?:[^"\\]|\\.)*"(?!\s*:)', message.text)
    if not strings:
        return False
    longest = max(strings, key=len)
    return message.rewrite(lambda whole: whole.replace(longest, json.dumps(text, ensure_ascii=False), 1))


def renamed(message: Message) -> bool:
    message.calls = [("no_such_tool", arguments) for _, arguments in message.calls]
    return bool(message.calls)


def asked_json(message: Message) -> bool:
    return message.structured or bool(message.calls)


CHATTER = "Sure! Here is the JSON you asked for:\n\n```json\n{}\n```\n\nLet me know if you would like any changes."

MESSAGE_FAULTS: dict[str, Callable[[Message], bool]] = {
    "null_content": lambda message: message.say(None),
    "empty": lambda message: message.say(""),
    "whitespace": lambda message: message.say(" \n\t \n"),
    "length": lambda message: message.cut(len(message.text) // 2),
    "filtered": lambda message: message.say("", finish="content_filter"),
    "refusal": lambda message: message.say(None, refusal=SORRY),
    "refusal_text": lambda message: message.say(SORRY),
    "content_json": lambda message: asked_json(message) and message.rewrite(broken),
    "fenced": lambda message: message.structured and message.rewrite(lambda text: CHATTER.replace("{}", text)),
    "wrong_schema": lambda message: (
        asked_json(message)
        and message.rewrite(
            lambda text: dumps({"unasked": tokens_in(text), "shape": [WORDS[len(text) % 256]]}).decode()
        )
    ),
    "bad_tool_args": lambda message: bool(message.calls) and message.rewrite(broken),
    "unknown_tool": renamed,
    "repeat": lambda message: inflated(message, "the answer is the answer and " * 300),
    "huge": lambda message: inflated(message, "word " * 1_000_000),
    "surrogate": lambda message: inflated(message, "half a pair \ud800 and a nul \x00 inside"),
}
"""Faults of what is said; each tells whether it could be applied."""

FAULTS = (
    *ERRORS, *WIRE_FAULTS, *BODY_FAULTS, *SHAPE_FAULTS, *MESSAGE_FAULTS, *VECTOR_FAULTS,
)  # fmt: skip


# --- Settings -----------------------------------------------------------------------------------------------------


class SettingError(ValueError):
    """An option that cannot be; the message says what can."""


@dataclass(slots=True)
class Settings:
    """The options, all of which POST /control can change. Times in seconds, rates a minute."""

    latency: tuple[str, float, float] = ("fixed", 0.0, 0.0)
    max_concurrent: int = 0
    rpm: float = 0
    tpm: float = 0
    key: str = ""
    models: tuple[str, ...] = ()
    context: int = 0
    faults: dict[str, float] = field(default_factory=dict)
    poison: tuple[tuple[str, str], ...] = ()
    script: tuple[tuple[str, str], ...] = ()
    no_json_schema: bool = False
    no_tools: bool = False
    reasoning: bool = False
    hang_s: float = 600
    slow_s: float = 5
    retry_after: float = 1
    dimensions: int = 256
    seed: int = 0
    down: bool = False
    batch_latency: tuple[str, float, float] = ("fixed", 0.1, 0.0)
    batch_faults: dict[str, float] = field(default_factory=dict)
    batch_fates: list[str] = field(default_factory=list)
    batch_enqueued: int = 0
    no_batch: bool = False

    def change(self, **values: Any) -> None:
        """Set options from their text or JSON form, all or none. Raises SettingError."""
        ready = {}
        for name, value in values.items():
            if name not in READERS:
                raise SettingError(f"no option {name!r}; there are {', '.join(READERS)}")
            try:
                ready[name] = READERS[name](value)
            except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
                raise SettingError(f"{name}: {error}") from error
        for name, value in ready.items():
            setattr(self, name, value)

    def delay(self, digest: int, attempt: int) -> float:
        return self.drawn(self.latency, digest, attempt)

    def drawn(self, latency: tuple[str, float, float], digest: int, attempt: int) -> float:
        kind, first, second = latency
        if kind == "fixed":
            return first
        return first * math.exp(second * NormalDist().inv_cdf(unit(digest, attempt, 1)))

    def fault(self, digest: int, attempt: int, prompt: str) -> str | None:
        """The fault that strikes this attempt, or None."""
        for part, name in self.poison:
            if part in prompt:
                return name
        if self.faults:
            chance = unit(digest, attempt, self.seed, 2)
            for name, share in self.faults.items():
                chance -= share
                if chance < 0:
                    return name
        return None


def known_fault(name: str) -> str:
    if name not in FAULTS:
        raise SettingError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    return name


def read_latency(value: Any) -> tuple[str, float, float]:
    """`fixed:0.2`, plain `0.2`, or `lognormal:MEDIAN,SIGMA`."""
    kind, _, numbers = str(value).rpartition(":")
    first, _, second = numbers.partition(",")
    if kind not in ("", "fixed", "lognormal") or (kind == "lognormal") != bool(second):
        raise SettingError(f"{value!r} is neither fixed:SECONDS nor lognormal:MEDIAN,SIGMA")
    return kind or "fixed", float(first), float(second or 0)


def read_faults(value: Any) -> dict[str, float]:
    """`name=share,…` or an object; the name of a preset stands for its faults."""
    if isinstance(value, str):
        value = dict([*part.split("=", 1), "1"][:2] for part in value.split(",") if part)
    shares: dict[str, float] = {}
    for name, share in value.items():
        shares |= PRESETS[name] if name in PRESETS else {known_fault(name): float(share)}
    if any(share < 0 for share in shares.values()) or sum(shares.values()) > 1 + 1e-9:
        raise SettingError("shares are from 0 to 1 and sum up to no more than 1")
    return shares


def read_line_faults(value: Any) -> dict[str, float]:
    """The same for lines of batch jobs, which can go wrong in ways of their own, and in none of the connection's."""
    if isinstance(value, str):
        value = dict(part.split("=", 1) for part in value.split(",") if part)
    known = (*ERRORS, *SHAPE_FAULTS, *MESSAGE_FAULTS, *LINE_FAULTS)
    for name in value:
        if name not in known:
            raise SettingError(f"no fault {name!r} of a line; there are {', '.join(known)}")
    return {name: float(share) for name, share in value.items()}


def read_fates(value: Any) -> list[str]:
    fates = list(value.split(",") if isinstance(value, str) else value)
    for fate in fates:
        if fate not in FATES:
            raise SettingError(f"no fate {fate!r}; there are {', '.join(FATES)}")
    return fates


def read_poison(value: Any) -> tuple[tuple[str, str], ...]:
    """`SUBSTRING=fault`, or a list of them."""
    pairs = [str(rule).rpartition("=") for rule in ([value] if isinstance(value, str) else value)]
    if any(not part for part, _, _ in pairs):
        raise SettingError("a rule is SUBSTRING=fault")
    return tuple((part, known_fault(name)) for part, _, name in pairs)


def read_script(value: Any) -> tuple[tuple[str, str], ...]:
    """A list of {"contains", "content"}, or the name of a file with one; content that is not text is sent as JSON."""
    if isinstance(value, str):
        value = json.loads(Path(value).read_text(encoding="utf-8")) if value else []
    return tuple(
        (str(rule["contains"]), text if isinstance(text := rule["content"], str) else dumps(text).decode())
        for rule in value
    )


def read_models(value: Any) -> tuple[str, ...]:
    return tuple(name for name in (value.split(",") if isinstance(value, str) else value) if name)


def read_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise SettingError("is true or false")
    return value


READERS: dict[str, Callable[[Any], Any]] = {
    "latency": read_latency, "max_concurrent": int, "rpm": float, "tpm": float, "key": str, "models": read_models,
    "context": int, "faults": read_faults, "poison": read_poison, "script": read_script,
    "no_json_schema": read_bool, "no_tools": read_bool, "reasoning": read_bool,
    "hang_s": float, "slow_s": float, "retry_after": float,
    "dimensions": int, "seed": int, "down": read_bool, "batch_latency": read_latency, "batch_faults": read_line_faults,
    "batch_fates": read_fates, "batch_enqueued": int, "no_batch": read_bool,
}  # fmt: skip
"""How each option is read, from the command line and from /control alike."""


# --- Answers ------------------------------------------------------------------------------------------------------


class Refused(ValueError):
    """A request answered with an error: status, message, and the protocol's `code` and `type`."""

    def __init__(
        self, status: int, message: str, code: str | None = None, kind: str = "invalid_request_error", headers: str = ""
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.kind, self.headers = status, code, kind, headers

    def body(self) -> bytes:
        error = {"message": str(self), "type": self.kind, "param": None, "code": self.code}
        return dumps({"error": error})


SHAPES: dict[str, type | tuple[type, ...]] = {
    "model": str, "messages": list, "tools": list, "tool_choice": (str, dict), "response_format": dict, "n": int,
    "stream": bool, "stream_options": dict, "max_tokens": int, "max_completion_tokens": int,
    "parallel_tool_calls": bool, "input": (str, list), "dimensions": int, "encoding_format": str,
}  # fmt: skip


def checked(body: bytes, needs: str) -> dict[str, Any]:
    """The request, nulls left out. Raises Refused (400) for what is no request."""
    try:
        request = loads(body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, f"the body is not JSON: {error}") from error
    if not isinstance(request, dict):
        raise Refused(400, "the body is not a JSON object")
    request = {name: value for name, value in request.items() if value is not None}
    for name in ("model", needs):
        if not request.get(name):
            raise Refused(400, f"{name} is missing")
    for name, shape in SHAPES.items():
        if name in request and not isinstance(request[name], shape):
            raise Refused(400, f"{name} is of the wrong type")
    return request


def texts(part: Any) -> Iterator[str]:
    """Every text in messages or in an embedding's input; token numbers count as text."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for inner in part:
            yield from texts(inner)
    elif isinstance(part, dict):
        yield from texts(part.get("content", part.get("text")))
    elif isinstance(part, int):
        yield str(part)


def prompt_of(messages: list[Any]) -> str:
    for message in messages:
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise Refused(400, "a message is an object with a role")
    try:
        return "\n".join(texts(messages))
    except RecursionError as error:
        raise Refused(400, "messages are nested too deeply") from error


def chat_messages(request: dict[str, Any], prompt: str, digest: int, settings: Settings) -> list[Message]:
    """The choices: scripted, or random and valid for what was asked."""
    rng = Random(digest)
    fixed = next((text for part, text in settings.script if part in prompt), None)
    out = []
    for _ in range(max(1, min(16, request.get("n", 1)))):
        try:
            message = one_message(request, prompt, rng, fixed)
        except SchemaError as error:
            raise Refused(400, f"Invalid schema: {error}") from error
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise Refused(400, f"Invalid schema: {error!r}") from error
        limit = 4 * request.get("max_completion_tokens", request.get("max_tokens", MAX_BODY))
        if len(message.text) > limit:
            message.cut(max(0, limit))
        out.append(message)
    return out


def one_message(request: dict[str, Any], prompt: str, rng: Random, fixed: str | None) -> Message:
    tools = chosen_tools(request, rng)
    if tools:
        calls = [(tool["name"], fixed or instance(tool.get("parameters"), rng)) for tool in tools]
        return Message(None, calls, finish="tool_calls")
    wanted = request.get("response_format", {})
    kind = wanted.get("type", "text")
    if kind == "json_schema":
        schema = wanted["json_schema"]["schema"]
    else:
        schema = schema_in(prompt)
        if kind == "json_object" and schema is None:
            schema = {"type": "object", "additionalProperties": {"type": ["string", "integer", "boolean"]}}
    if fixed is not None:
        return Message(fixed, structured=schema is not None)
    return Message(prose(rng)) if schema is None else Message(instance(schema, rng), structured=True)


def instance(schema: Any, rng: Random) -> str:
    return dumps(Instances(schema, rng).make(schema or {"type": "object"})).decode()


def chosen_tools(request: dict[str, Any], rng: Random) -> list[dict[str, Any]]:
    """The functions to call: the forced one; one or two if that is free; none after a tool has answered."""
    functions = [tool["function"] for tool in request.get("tools", ()) if tool["type"] == "function"]
    choice = request.get("tool_choice", "auto")
    if isinstance(choice, dict):
        name = choice["function"]["name"]
        return [function for function in functions if function["name"] == name]
    if not functions or choice == "none":
        return []
    if choice != "required" and (request["messages"][-1]["role"] == "tool" or rng.random() < 0.3):
        return []
    several = request.get("parallel_tool_calls", True) and rng.random() < 0.25
    return [rng.choice(functions) for _ in range(2 if several else 1)]


def schema_in(prompt: str) -> dict[str, Any] | None:
    """The last JSON schema of an object that stands in the prompt, for clients that ask for JSON in words."""
    if '"properties"' not in prompt:
        return None
    found = None
    position = prompt.find("{")
    while position >= 0:
        try:
            value, end = json.JSONDecoder().raw_decode(prompt, position)
        except (ValueError, RecursionError):
            end = position + 1
        else:
            found = value if isinstance(value.get("properties"), dict) else found
        position = prompt.find("{", end)
    return found


def chat_body(request: dict[str, Any], messages: list[Message], usage: Any, digest: int, shape: str | None) -> bytes:
    """The whole answer as JSON; `shape` is one of SHAPE_FAULTS or None."""
    choices = []
    for index, message in enumerate(messages):
        said: dict[str, Any] = {"role": "assistant", "content": message.content, "refusal": message.refusal}
        if message.calls:
            said["tool_calls"] = [call_object(call, digest, index, at) for at, call in enumerate(message.calls)]
        choices.append(
            {
                "index": index,
                "message": None if shape == "null_message" else said,
                "logprobs": None,
                "finish_reason": message.finish,
            }
        )
    body = {
        "id": f"chatcmpl-{digest:016x}",
        "object": "chat.completion",
        "created": CREATED,
        "model": request["model"],
        "choices": [] if shape == "no_choices" else choices,
        "system_fingerprint": "fp_mock",
    }
    return dumps(body if shape == "no_usage" else body | {"usage": usage})


def call_object(call: tuple[str, str], digest: int, choice: int, at: int) -> dict[str, Any]:
    function = {"name": call[0], "arguments": call[1]}
    return {"id": f"call_{digest:016x}{choice:x}{at:x}", "type": "function", "function": function}


def stream_events(
    request: dict[str, Any], messages: list[Message], usage: Any, digest: int, shape: str | None
) -> Iterator[bytes]:
    """The answer as server-sent events."""
    options = request.get("stream_options", {})
    with_usage = options.get("include_usage") is True and shape != "no_usage"
    frame = {
        "id": f"chatcmpl-{digest:016x}",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": request["model"],
        "system_fingerprint": "fp_mock",
    }
    if with_usage:
        frame["usage"] = None
    for at, (index, delta, finish) in enumerate(stream_deltas(messages, digest)):
        if shape == "stream_error" and at == 2:
            yield event({"error": {"message": "The server had an error.", "type": "server_error", "code": None}})
            return
        said = None if shape == "null_message" else delta
        choice = {"index": index, "delta": said, "logprobs": None, "finish_reason": finish}
        yield event(frame | {"choices": [] if shape == "no_choices" else [choice]})
    if with_usage:
        yield event(frame | {"choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def stream_deltas(messages: list[Message], digest: int) -> Iterator[tuple[int, dict[str, Any], str | None]]:
    """(choice, delta, finish_reason) of every chunk."""
    for index, message in enumerate(messages):
        yield index, {"role": "assistant", "content": None if message.calls else "", "refusal": None}, None
        for at, call in enumerate(message.calls):
            opening = {"index": at} | call_object((call[0], ""), digest, index, at)
            yield index, {"tool_calls": [opening]}, None
            for piece in pieces(call[1]):
                yield index, {"tool_calls": [{"index": at, "function": {"arguments": piece}}]}, None
        for name, text in (("content", message.content), ("refusal", message.refusal)):
            for piece in pieces(text or ""):
                yield index, {name: piece}, None
        yield index, {}, message.finish


def pieces(text: str) -> list[str]:
    """The text in at most sixteen pieces."""
    size = max(12, len(text) // 16 + 1)
    return [text[at : at + size] for at in range(0, len(text), size)]


def event(chunk: dict[str, Any]) -> bytes:
    return b"data: " + dumps(chunk) + b"\n\n"


def embedding_body(request: dict[str, Any], settings: Settings, usage: dict[str, Any], fault: str | None) -> bytes:
    """A unit vector for each input, a function of its text alone."""
    given = request["input"]
    inputs = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    width = request.get("dimensions", settings.dimensions) + (8 if fault == "emb_dim" else 0)
    if not 0 < width <= 65_536:
        raise Refused(400, "dimensions is from 1 to 65536")
    vectors = [vector("\n".join(texts(part)), width) for part in inputs]
    if fault == "emb_nan":
        vectors[0][0] = math.nan
    as_text = request.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "index": index, "embedding": packed(numbers) if as_text else numbers}
        for index, numbers in enumerate(vectors)
    ]
    data = data[:-1] if fault == "emb_short" else data[::-1] if fault == "emb_order" else data
    body = {"object": "list", "data": data, "model": request["model"], "usage": usage}
    return json.dumps(body).encode() if fault == "emb_nan" else dumps(body)


def vector(text: str, width: int) -> list[float]:
    rng = Random(digest_of(text.encode("utf-8", "surrogatepass")))
    raw = struct.unpack(f"<{width}h", rng.randbytes(2 * width))
    length = math.sqrt(sum(number * number for number in raw)) or 1.0
    return [number / length for number in raw]


def packed(numbers: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


# --- The service: what to answer, and the counts -------------------------------------------------------------------


@dataclass(slots=True)
class Plan:
    """One answer to send: the bytes, when, and what happens to the connection after them."""

    wire: bytes
    status: int
    then: str = "keep"
    """keep · close · reset · hang."""
    delay: float = 0
    drip: bool = False
    digest: int = 0
    fault: str | None = None
    admitted: bool = False
    """Whether it is work in flight, which a refusal at the door is not."""
    answered: bool = False
    tokens: tuple[int, int, int] = (0, 0, 0)
    """Of the prompt, of the completion, cached."""
    path: str = ""
    attempt: int = 0


@dataclass(slots=True)
class Request:
    """One HTTP request, header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    close: bool


REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


def framed(status: int, body: bytes, kind: str = "application/json", headers: str = "", close: bool = False) -> bytes:
    """A whole HTTP answer."""
    head = f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}\r\nContent-Type: {kind}\r\n{headers}"
    end = "Connection: close\r\n\r\n" if close else "\r\n"
    return f"{head}Content-Length: {len(body)}\r\n{end}".encode() + body


def framed_stream(events: list[bytes]) -> bytes:
    """A whole answer of server-sent events, a chunk each."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in events) + b"0\r\n\r\n"


class Bucket:
    """A rate a minute, as a bucket that holds one second's worth and may be overdrawn once."""

    def __init__(self) -> None:
        self.level = math.inf
        self.at = time.monotonic()

    def take(self, rate: float, amount: float) -> bool:
        """Whether `amount` may pass now; rate 0 is no limit."""
        if not rate:
            return True
        now = time.monotonic()
        self.level = min(self.level + (now - self.at) * rate / 60, max(1.0, rate / 60))
        self.at = now
        if self.level < min(1.0, amount):
            return False
        self.level -= amount
        return True


class Service:
    """Turns requests into plans and keeps the counts."""

    def __init__(self, settings: Settings, log: TextIO | None = None) -> None:
        self.settings = settings
        self.log = log
        self.connections: set[Connection] = set()
        self.internal_errors = 0
        self.in_flight = 0
        self.forget()

    def forget(self) -> None:
        """Start all counts, attempts and limits afresh."""
        self.counts: Counter[str] = Counter(dict.fromkeys(("requests", "answered_ok", "answered_ok_repeats"), 0))
        self.by_status: Counter[str] = Counter()
        self.by_fault: Counter[str] = Counter()
        self.tokens = [0, 0, 0]
        self.max_in_flight = self.in_flight
        self.attempts: dict[int, int] = {}
        self.answered: set[int] = set()
        self.prefixes: set[int] = set()
        self.requests_left, self.tokens_left = Bucket(), Bucket()
        self.batches = Batches(self.settings, self.answer_line, self.line_fault, self.job_delay)

    def stats(self) -> dict[str, Any]:
        """What GET /stats answers."""
        return {
            **self.counts,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "by_status": self.by_status,
            "by_fault": self.by_fault,
            "tokens": dict(zip(("prompt", "completion", "cached"), self.tokens, strict=True)),
            "internal_errors": self.internal_errors,
            "batches": self.batches.stats(),
        }

    def plan(self, request: Request) -> Plan:
        """What to answer; everything a client can do wrong ends here as a status."""
        path = request.path.partition("?")[0].rstrip("/").removeprefix("/v1")
        method, handler = ROUTES.get("/models" if path.startswith("/models/") else path, ("", None))
        try:
            if path.startswith(("/files", "/batches")):
                return self.batch(request)
            if handler is None:
                raise Refused(404, f"Unknown request URL: {request.method} {request.path}", "unknown_url")
            if request.method != method:
                raise Refused(405, f"{path} takes {method}, not {request.method}", "method_not_supported")
            return handler(self, request)
        except Refused as error:
            plan = Plan(framed(error.status, error.body(), headers=error.headers), error.status)
            if path in SERVED and request.method == method:
                plan.digest, plan.path = digest_of(request.body), request.path
            return plan

    def models(self, request: Request) -> Plan:
        self.check_key(request)
        names = self.settings.models or ("mock",)
        listed = [{"id": name, "object": "model", "created": CREATED, "owned_by": "mock"} for name in names]
        wanted = request.path.partition("/models/")[2]
        if not wanted:
            return Plan(framed(200, dumps({"object": "list", "data": listed})), 200)
        self.check_model(wanted)
        return Plan(framed(200, dumps(listed[0] | {"id": wanted})), 200)

    def show_stats(self, request: Request) -> Plan:
        return Plan(framed(200, dumps(self.stats())), 200)

    def control(self, request: Request) -> Plan:
        try:
            values = loads(request.body)
            if not isinstance(values, dict):
                raise SettingError("send a JSON object")
            reset = read_bool(values.pop("reset", False))
            self.settings.change(**values)
        except (ValueError, RecursionError) as error:
            raise Refused(400, f"control: {error}") from error
        if reset:
            self.forget()
        if self.settings.down:
            for connection in [known for known in self.connections if known.plan is not None]:
                connection.drop()
        shown = {item.name: getattr(self.settings, item.name) for item in fields(self.settings)}
        return Plan(framed(200, dumps(shown | {"key": "set" if self.settings.key else ""})), 200)

    def check_key(self, request: Request) -> None:
        if self.settings.key and request.headers.get("authorization") != f"Bearer {self.settings.key}":
            raise Refused(401, ERRORS["401"][3], "invalid_api_key")

    def check_model(self, name: str) -> None:
        if self.settings.models and name not in self.settings.models:
            raise Refused(404, f"The model `{name}` does not exist.", "model_not_found")

    def chat(self, http: Request) -> Plan:
        return self.serve(http, "messages")

    def embed(self, http: Request) -> Plan:
        return self.serve(http, "input")

    def serve(self, http: Request, needs: str) -> Plan:
        """A model's answer, or the fault whose turn it is."""
        self.counts["requests"] += 1
        settings = self.settings
        if settings.down:
            return Plan(b"", 0, then="reset", fault="down", path=http.path)
        self.check_key(http)
        request = checked(http.body, needs)
        self.check_model(request["model"])
        prompt = prompt_of(request["messages"]) if needs == "messages" else "\n".join(texts(request["input"]))
        coded = prompt.encode("utf-8", "surrogatepass")
        self.check_support(request, tokens_in(coded))
        self.admit(tokens_in(coded))
        plan = Plan(b"", 200, digest=digest_of(http.body), admitted=True, path=http.path)
        plan.attempt = self.attempts[plan.digest] = self.attempts.get(plan.digest, 0) + 1
        plan.delay = settings.delay(plan.digest, plan.attempt)
        fault = settings.fault(plan.digest, plan.attempt, prompt)
        if fault in ERRORS:
            return self.fail(plan, fault)
        if needs == "messages":
            cached = self.cached(request["model"], coded)
            self.write_chat(plan, request, prompt, (tokens_in(coded), cached), fault)
        else:
            self.write_vectors(plan, request, tokens_in(coded), fault)
        return self.spoil(plan, fault, request.get("stream") is True and needs == "messages")

    def batch(self, http: Request) -> Plan:
        """Files and batch jobs."""
        if self.settings.down:
            return Plan(b"", 0, then="reset")
        self.check_key(http)
        if self.settings.no_batch:
            raise Refused(404, f"Unknown request URL: {http.method} {http.path}", "unknown_url")
        try:
            return Plan(framed(200, self.batches.handle(http.method, http.path, http.headers, http.body)), 200)
        except Denied as error:
            raise Refused(error.status, str(error), error.code) from error
        except Lost as lost:
            return Plan(b"", 0, then=str(lost))

    def answer_line(self, body: bytes, fault: str | None) -> tuple[int, bytes]:
        """What a live call with this body is answered; counted as one."""
        self.counts["requests_batched"] += 1
        try:
            request = checked(body, "messages")
            self.check_model(request["model"])
            prompt = prompt_of(request["messages"])
            tokens = tokens_in(prompt.encode("utf-8", "surrogatepass"))
            self.check_support(request, tokens)
            plan = Plan(b"", 200, digest=digest_of(body), path="/v1/batches")
            if fault in ERRORS:
                self.fail(plan, fault)
            else:
                self.write_chat(plan, request, prompt, (tokens, 0), fault)
                plan.answered = plan.fault is None
        except Refused as error:
            return error.status, error.body()
        self.settle(plan, finished=True)
        return plan.status, plan.wire.partition(b"\r\n\r\n")[2]

    def line_fault(self, body: bytes, faults: Mapping[str, float]) -> str | None:
        """The fault that strikes this line this time."""
        digest = digest_of(body)
        attempt = self.attempts[digest] = self.attempts.get(digest, 0) + 1
        chance = unit(digest, attempt, self.settings.seed, 3)
        for name, share in faults.items():
            chance -= share
            if chance < 0:
                return name
        return None

    def job_delay(self, number: int) -> float:
        return self.settings.drawn(self.settings.batch_latency, number, 1)

    def check_support(self, request: dict[str, Any], tokens: int) -> None:
        """Refuse what this server is set not to understand."""
        limit = self.settings.context
        if limit and tokens > limit:
            text = f"This model's maximum context length is {limit} tokens. Your messages resulted in {tokens} tokens."
            raise Refused(400, text, "context_length_exceeded")
        if self.settings.no_json_schema and request.get("response_format", {}).get("type") == "json_schema":
            raise Refused(400, "response_format json_schema not supported")
        for name, instead in (("max_tokens", "Use 'max_completion_tokens' instead."), ("temperature", "")):
            if self.settings.reasoning and name in request:
                text = f"Unsupported parameter: '{name}' is not supported with this model. {instead}"
                raise Refused(400, text.strip())
        if self.settings.no_tools and request.get("tools"):
            raise Refused(400, "tools not supported")

    def admit(self, tokens: int) -> None:
        """Raise Refused (429) above the limits of requests at once, requests a minute and tokens a minute."""
        limit = self.settings.max_concurrent
        if limit and self.in_flight >= limit:
            raise self.too_many("Too many requests at once.")
        if not self.requests_left.take(self.settings.rpm, 1):
            raise self.too_many("Rate limit reached for requests.")
        if not self.tokens_left.take(self.settings.tpm, tokens):
            raise self.too_many("Rate limit reached for tokens.")

    def too_many(self, text: str) -> Refused:
        headers = f"Retry-After: {self.settings.retry_after:g}\r\n"
        return Refused(429, text, "rate_limit_exceeded", "rate_limit_error", headers)

    def cached(self, model: str, coded: bytes) -> int:
        """Tokens of the longest prefix seen before; this prompt's own are remembered."""
        if len(coded) < 4 * CACHE_FROM:
            return 0
        if len(self.prefixes) > 1_000_000:
            self.prefixes.clear()
        hashed = hashlib.blake2b(model.encode("utf-8", "surrogatepass"), digest_size=8)
        longest, start = 0, 0
        for end in range(4 * CACHE_FROM, len(coded) + 1, 4 * CACHE_STEP):
            hashed.update(coded[start:end])
            start = end
            mark = int.from_bytes(hashed.copy().digest(), "big")
            if mark in self.prefixes:
                longest = end // 4
            else:
                self.prefixes.add(mark)
        return longest

    def fail(self, plan: Plan, fault: str) -> Plan:
        status, kind, code, text = ERRORS[fault]
        wait = self.settings.retry_after
        headers = {
            "429": f"Retry-After: {wait:g}\r\n",
            "503": f"Retry-After: {wait:g}\r\n",
            "429_date": f"Retry-After: {formatdate(math.ceil(time.time() + wait), usegmt=True)}\r\n",
            "429_ms": f"retry-after-ms: {wait * 1000:.0f}\r\n",
        }.get(fault, "")
        if fault == "502":
            plan.wire = framed(status, HTML, "text/html")
        else:
            plan.wire = framed(status, Refused(status, text, code, kind).body(), headers=headers)
        plan.status, plan.fault = status, fault
        return plan

    def write_chat(
        self, plan: Plan, request: dict[str, Any], prompt: str, counted: tuple[int, int], fault: str | None
    ) -> None:
        messages = chat_messages(request, prompt, plan.digest, self.settings)
        if fault in MESSAGE_FAULTS and all(MESSAGE_FAULTS[fault](message) for message in messages):
            plan.fault = fault
        stream = request.get("stream") is True
        if fault in SHAPE_FAULTS and (stream or fault != "stream_error"):
            plan.fault = fault
        said = sum(tokens_in(arguments) for message in messages for _, arguments in message.calls)
        said += sum(tokens_in(message.content or message.refusal or "") for message in messages)
        plan.tokens = (counted[0], said, counted[1])
        usage = {
            "prompt_tokens": counted[0],
            "completion_tokens": said,
            "total_tokens": counted[0] + said,
            "prompt_tokens_details": {"cached_tokens": counted[1]},
        }
        if stream:
            plan.wire = framed_stream(list(stream_events(request, messages, usage, plan.digest, plan.fault)))
        else:
            plan.wire = framed(200, chat_body(request, messages, usage, plan.digest, plan.fault))

    def write_vectors(self, plan: Plan, request: dict[str, Any], tokens: int, fault: str | None) -> None:
        plan.fault = fault if fault in VECTOR_FAULTS else None
        plan.tokens = (tokens, 0, 0)
        usage = {"prompt_tokens": tokens, "total_tokens": tokens}
        plan.wire = framed(200, embedding_body(request, self.settings, usage, plan.fault))

    def spoil(self, plan: Plan, fault: str | None, stream: bool) -> Plan:
        """Apply the faults of the body and of the connection to a finished answer."""
        if fault in WIRE_FAULTS and (stream or not fault.startswith("stream_")):
            part, plan.then = WIRE_FAULTS[fault]
            plan.wire = plan.wire[: cut_point(plan.wire, stream)] if part else b""
            plan.fault = fault
        elif fault in BODY_FAULTS:
            plan.fault = fault
            self.spoil_body(plan, fault, stream)
        plan.status = 0 if plan.then != "keep" and not plan.wire.startswith(b"HTTP/1.1 200") else plan.status
        plan.answered = plan.fault is None or plan.fault in HARMLESS
        return plan

    def spoil_body(self, plan: Plan, fault: str, stream: bool) -> None:
        body = plan.wire.partition(b"\r\n\r\n")[2]
        match fault:
            case "slow":
                plan.delay += self.settings.slow_s
            case "drip":
                plan.drip = True
            case "garbage":
                plan.wire, plan.then = GARBAGE, "close"
            case "html":
                plan.wire = framed(200, HTML, "text/html")
            case "invalid_json" if stream:
                plan.wire = framed_stream([b'data: {"id": "chatcmpl-1", "choices": [{]}\n\n', b"data: [DONE]\n\n"])
            case "invalid_json":
                plan.wire = framed(200, body[: len(body) * 2 // 3])
            case "bad_utf8" if stream:
                plan.wire = framed_stream([b'data: {"id": "\xff\xfe\xc3\x28"}\n\n', b"data: [DONE]\n\n"])
            case "bad_utf8":
                half = len(body) // 2
                plan.wire = framed(200, body[:half] + b"\xff\xfe\xc3\x28" + body[half:])

    def settle(self, plan: Plan, finished: bool) -> None:
        """Count an answer that was handed over, or whose client left before (499)."""
        self.in_flight -= plan.admitted
        status = str(plan.status if finished else 499) if plan.status or not finished else "none"
        if not plan.path:
            return
        self.by_status[status] += 1
        if plan.fault:
            self.by_fault[plan.fault] += 1
        if finished and plan.answered:
            self.counts["answered_ok"] += 1
            self.counts["answered_ok_repeats"] += plan.digest in self.answered
            self.answered.add(plan.digest)
            self.tokens = [total + new for total, new in zip(self.tokens, plan.tokens, strict=True)]
        if self.log is not None:
            line = {"time": round(time.time(), 6), "status": status, "hash": f"{plan.digest:016x}"}
            line |= {"fault": plan.fault, "attempt": plan.attempt, "path": plan.path}
            self.log.write(json.dumps(line) + "\n")


ROUTES: dict[str, tuple[str, Callable[[Service, Request], Plan]]] = {
    "/chat/completions": ("POST", Service.chat),
    "/embeddings": ("POST", Service.embed),
    "/models": ("GET", Service.models),
    "/stats": ("GET", Service.show_stats),
    "/control": ("POST", Service.control),
}

SERVED = ("/chat/completions", "/embeddings")
"""The paths that are counted and logged."""


def cut_point(wire: bytes, stream: bool) -> int:
    """Where to break an answer off: in the middle of its body; for a stream in the middle of a chunk's JSON."""
    start = wire.find(b"\r\n\r\n") + 4
    middle = start + (len(wire) - start) // 2
    if not stream:
        return middle
    at = wire.find(b"data: ", middle)
    return at + 20 if at >= 0 else middle


# --- HTTP ---------------------------------------------------------------------------------------------------------


def parse(buffer: bytearray) -> tuple[Request, int] | int:
    """A request and its length, or the number of bytes to wait for (0: unknown). Raises Refused for what is no HTTP."""
    end = buffer.find(b"\r\n\r\n", 0, MAX_HEAD)
    if end < 0:
        if len(buffer) >= MAX_HEAD:
            raise Refused(431, "the header is too long")
        return 0
    first, *lines = buffer[:end].decode("latin-1").split("\r\n")
    parts = first.split(" ")
    if len(parts) != 3 or parts[2] not in ("HTTP/1.1", "HTTP/1.0"):
        raise Refused(400, "not an HTTP/1.1 request")
    headers = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise Refused(400, "a header line without a colon")
        headers[name.lower()] = value.strip()
    close = headers.get("connection", "").lower() == "close" or parts[2] == "HTTP/1.0"
    if "transfer-encoding" in headers:
        unpacked = dechunked(buffer, end + 4)
        if unpacked is None:
            return 0
        body, total = unpacked
    else:
        total = end + 4 + content_length(headers)
        if len(buffer) < total:
            return total
        body = bytes(buffer[end + 4 : total])
    return Request(parts[0], parts[1], headers, body, close), total


def content_length(headers: dict[str, str]) -> int:
    value = headers.get("content-length", "0")
    if not (value.isascii() and value.isdigit()):
        raise Refused(400, "Content-Length is not a number")
    if len(value) > 12 or int(value) > MAX_BODY:
        raise Refused(413, "the body is too large")
    return int(value)


def dechunked(buffer: bytearray, at: int) -> tuple[bytes, int] | None:
    """A chunked body and where it ends, or None while it is incomplete."""
    out = bytearray()
    while True:
        line_end = buffer.find(b"\r\n", at)
        if line_end < 0:
            if len(buffer) - at > 1000:
                raise Refused(400, "a chunk without a size")
            return None
        size_text = bytes(buffer[at:line_end]).partition(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", size_text):
            raise Refused(400, "a chunk's size is not a number")
        size, at = int(size_text, 16), line_end + 2
        if len(out) + size > MAX_BODY:
            raise Refused(413, "the body is too large")
        if size == 0:
            return ended(buffer, at, out)
        if len(buffer) < at + size + 2:
            return None
        out += buffer[at : at + size]
        at += size + 2


def ended(buffer: bytearray, at: int, body: bytearray) -> tuple[bytes, int] | None:
    """The end of a chunked body, trailers skipped."""
    if buffer.startswith(b"\r\n", at):
        return bytes(body), at + 2
    end = buffer.find(b"\r\n\r\n", at)
    if end < 0 and len(buffer) - at > MAX_HEAD:
        raise Refused(431, "the trailer is too long")
    return None if end < 0 else (bytes(body), end + 4)


class Connection(asyncio.Protocol):
    """One client: HTTP/1.1 with keep-alive, a request at a time, pipelined ones in order."""

    __slots__ = ("buffer", "close", "continued", "need", "plan", "service", "timer", "transport")

    def __init__(self, service: Service) -> None:
        self.service = service
        self.buffer = bytearray()
        self.need = 0
        self.continued = False
        self.close = False
        self.plan: Plan | None = None
        self.timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.service.connections.discard(self)
        if self.timer is not None:
            self.timer.cancel()
        self.settle(finished=False)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        if len(self.buffer) > MAX_BODY + MAX_HEAD:
            self.drop()
        elif self.plan is None and len(self.buffer) >= self.need:
            self.work()

    def work(self) -> None:
        """Answer what is complete in the buffer, until an answer has to wait."""
        while self.buffer and self.plan is None and not self.transport.is_closing():
            try:
                parsed = parse(self.buffer)
            except Refused as error:
                self.transport.write(framed(error.status, error.body(), close=True))
                self.transport.close()
                return
            if isinstance(parsed, int):
                self.need = parsed
                self.encourage()
                return
            request, length = parsed
            del self.buffer[:length]
            self.need, self.continued, self.close = 0, False, request.close
            self.start(self.service.plan(request))

    def encourage(self) -> None:
        """Tell a client that waits for leave to send its body."""
        head = self.buffer.partition(b"\r\n\r\n")
        if head[1] and not self.continued and b"\r\nexpect: 100-continue" in head[0].lower():
            self.continued = True
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def start(self, plan: Plan) -> None:
        self.plan = plan
        service = self.service
        if plan.admitted:
            service.in_flight += 1
            service.max_in_flight = max(service.max_in_flight, service.in_flight)
        if plan.delay > 0:
            self.later(plan.delay, self.send)
        else:
            self.send()

    def later(self, delay: float, step: Callable[[], None]) -> None:
        self.timer = asyncio.get_running_loop().call_later(delay, step)

    def send(self) -> None:
        """Send the answer and do to the connection what the plan says."""
        plan = self.plan
        assert plan is not None
        if plan.drip:
            head = plan.wire.find(b"\r\n\r\n") + 4
            self.transport.write(plan.wire[:head])
            self.drip(plan.wire[head:], 0)
            return
        if plan.then == "keep":
            self.finish(plan.wire)
            return
        if plan.wire:
            self.transport.write(plan.wire)
        match plan.then:
            case "close":
                self.settle(finished=True)
                self.transport.close()
            case "reset" if plan.wire:
                self.later(0.03, self.drop)
            case "reset":
                self.drop()
            case "hang":
                self.later(self.service.settings.hang_s, self.drop)

    def drip(self, body: bytes, at: int) -> None:
        """A byte at a time, all of it in about `slow_s`; more at a time only where a millisecond each is too slow."""
        slow = self.service.settings.slow_s
        size = max(1, math.ceil(len(body) * 0.001 / max(slow, 0.001)))
        if at + size >= len(body):
            self.finish(body[at:])
        else:
            self.transport.write(body[at : at + size])
            self.later(slow * size / len(body), lambda: self.drip(body, at + size))

    def finish(self, last: bytes) -> None:
        """Count, then send what is left: who has the answer finds it in the counts and in the log."""
        self.settle(finished=True)
        self.transport.write(last)
        if self.close:
            self.transport.close()
        elif self.buffer:
            self.work()

    def drop(self) -> None:
        """Reset the connection, as a machine does that has never heard of it."""
        self.settle(finished=self.plan is not None and self.plan.then != "keep")
        sock = self.transport.get_extra_info("socket")
        if sock is not None and not self.transport.is_closing():
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def settle(self, finished: bool) -> None:
        plan, self.plan = self.plan, None
        if plan is not None:
            self.service.settle(plan, finished)


# --- The program --------------------------------------------------------------------------------------------------


def options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="0, the default, takes a free one")
    parser.add_argument("--parent", type=int, default=0, help="quit when this process is gone, or a piped stdin ends")
    parser.add_argument("--log", help="a file for one JSON line per request")
    parser.add_argument("--preset", choices=PRESETS, help="a ready set of faults")
    add = parser.add_argument
    add("--latency", help="fixed:SECONDS or lognormal:MEDIAN,SIGMA")
    add("--max-concurrent", help="429 above so many requests at once")
    add("--rpm", help="429 above so many requests a minute")
    add("--tpm", help="429 above so many prompt tokens a minute")
    add("--key", help="401 for any other bearer")
    add("--models", help="a,b: 404 for any other model")
    add("--context", help="400 above so many prompt tokens")
    add("--faults", help=f"name=probability,… of {', '.join(FAULTS)}")
    add("--poison", action="append", help="SUBSTRING=fault: always, when the prompt contains it; may be repeated")
    add("--script", help='a JSON file: [{"contains": …, "content": …}, …], fixed answers')
    add("--no-json-schema", action="store_true", default=None, help="400 when a json_schema is asked for")
    add("--no-tools", action="store_true", default=None, help="400 when tools are given")
    add("--reasoning", action="store_true", default=None, help="400 on max_tokens and on temperature")
    add("--hang-s", help="how long a timeout or stall hangs (600)")
    add("--slow-s", help="how much slow adds, and how long drip takes (5)")
    add("--retry-after", help="seconds to ask for in a 429 (1)")
    add("--dimensions", help="of embeddings (256)")
    add("--seed", help="another choice of faults")
    add("--batch-latency", help="how long a batch job takes, as --latency (0.1)")
    add("--batch-faults", help="name=probability,… of a batch's lines: expired, missing, not_json and those above")
    add("--batch-fates", help=f"what becomes of the next batch jobs: {', '.join(FATES)}")
    add("--batch-enqueued", help="a batch job fails above so many lines under way")
    add("--no-batch", action="store_true", default=None, help="404 for files and batches")
    return parser


def read_options(arguments: Sequence[str] | None) -> tuple[argparse.Namespace, Settings]:
    parser = options()
    given = parser.parse_args(arguments)
    values = {name: value for name in READERS if (value := getattr(given, name, None)) is not None}
    if given.preset and "faults" not in values:
        values["faults"] = given.preset
    settings = Settings()
    try:
        if not ipaddress.ip_address(given.host).is_loopback:
            raise SettingError(f"host: {given.host} is not a loopback address")
        settings.change(**values)
    except (ValueError, OSError) as error:
        parser.error(str(error))
    return given, settings


async def run(given: argparse.Namespace, service: Service) -> None:
    """Serve until a signal, or until the parent is gone."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda loop, context: report(service, loop, context))
    server = await loop.create_server(lambda: Connection(service), given.host, given.port, backlog=2048)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if given.parent:
        watch_stdin(loop, stop)
    name = f"[{given.host}]" if ":" in given.host else given.host
    print(f"http://{name}:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await until(stop, given.parent)
    server.close()
    for connection in list(service.connections):
        connection.transport.abort()


def report(service: Service, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Count a fault of the server's own; a client that vanished is none."""
    if not isinstance(context.get("exception"), OSError):
        service.internal_errors += 1
        loop.default_exception_handler(context)


def watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Stop when the pipe that stdin is, if it is one, is closed at its other end."""

    def ready() -> None:
        if not os.read(0, 65_536):
            loop.remove_reader(0)
            stop.set()

    with contextlib.suppress(OSError):
        if stat.S_ISFIFO(os.fstat(0).st_mode):
            loop.add_reader(0, ready)


async def until(stop: asyncio.Event, parent: int) -> None:
    """Wait for the event, and for the end of the parent, which is looked for twice a second."""
    while not stop.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), 0.5 if parent else None)
        if parent and not alive(parent):
            return


def alive(pid: int) -> bool:
    """Whether the process runs; one that ended and waits for its own parent to notice does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the options and serve."""
    given, settings = read_options(arguments)
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(Path(given.log).open("a", buffering=1, encoding="utf-8")) if given.log else None
        (uvloop or asyncio).run(run(given, Service(settings, log)))


if __name__ == "__main__":
    main(sys.argv[1:])
