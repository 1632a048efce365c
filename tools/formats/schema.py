"""JSON-schema validation that fetches nothing: a schema from a model may name no other document."""

from typing import Any


def _fetch_nothing(uri: str) -> Any:
    raise ValueError(f"the schema refers to {uri}, and nothing is fetched")


def schema_faults(schema: dict[str, Any], value: Any) -> list[str]:
    """How a value departs from a JSON schema (draft 2020-12), each fault with its place; empty when it is valid.

    A schema that is itself wrong, or that refers outside itself, is one fault.
    Needs the package jsonschema-rs (extra `formats`).
    """
    from jsonschema_rs import Draft202012Validator, FancyRegexOptions

    try:
        options = FancyRegexOptions(backtrack_limit=100_000)
        validator = Draft202012Validator(
            schema, retriever=_fetch_nothing, validate_formats=True, pattern_options=options
        )
        found = [(list(error.instance_path), error.message) for error in validator.iter_errors(value)]
    except ValueError as error:
        return [f"the schema cannot be used: {str(error).splitlines()[0]}"]
    return [f"{'.'.join(map(str, path)) or 'the value'}: {message}" for path, message in found]
