"""Files that people write (prompts, skills): read strictly, and refused in words that say what to change."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from agentinstruct.agents.quick_yaml import NotPlainError, load

Model = TypeVar("Model", bound=BaseModel)
_LISTED = 50
"""So many names are listed; of more, only the nearest."""
MakeError = Callable[[str], Exception]


def read_text(path: Path, error: MakeError) -> str:
    """The text of a UTF-8 file."""
    try:
        return path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
    except (OSError, UnicodeDecodeError) as cause:
        raise error(f"{path}: cannot be read as UTF-8 text ({cause}).") from cause


def read_yaml(text: str, where: str, error: MakeError) -> Any:
    """YAML 1.2 without tags; a key given twice is an error."""
    with suppress(NotPlainError):
        return load(text)
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except YAMLError as cause:
        raise error(f"{where}: not valid YAML: {' '.join(str(cause).split())}") from cause


def checked(model: type[Model], data: object, where: str, error: MakeError) -> Model:
    """The data as this model; an error names each wrong key and the nearest valid one."""
    try:
        return model.model_validate(data)
    except ValidationError as cause:
        problems = [_problem(model, dict(item)) for item in cause.errors(include_url=False)]
        raise error(f"{where}: " + "; ".join(problems)) from cause


def nearest(word: str, known: Callable[[], list[str]] | list[str]) -> str:
    """A hint such as ` Did you mean 'flaw'?`, or when nothing is near the whole list, if it is short."""
    names = known() if callable(known) else known
    begun = [name for name in sorted(names) if len(word) > 2 and name.startswith(word)]
    close = begun or get_close_matches(word, names, n=1)
    if close:
        return f" Did you mean {close[0]!r}?"
    if len(names) > _LISTED:
        near = get_close_matches(word, names, n=3, cutoff=0)
        return f" There are {len(names)}; the nearest are {', '.join(near)}."
    return f" There are: {', '.join(sorted(names))}."


def _problem(model: type[BaseModel], item: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"unknown key {where!r}.{nearest(str(item['loc'][-1]), _keys(model, item['loc'][:-1]))}"
    return f"{where or 'the whole file'}: {item['msg']}"


def _keys(model: type[BaseModel], path: Sequence[int | str]) -> list[str]:
    """The keys that may stand where a path into a file leads."""
    for part in path:
        field = model.model_fields.get(str(part))
        inner = _model_in(field.annotation) if field else None
        model = inner or model  # a row's number or name leads into the model the field holds
    return list(model.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
