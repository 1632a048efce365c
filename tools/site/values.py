"""What a form's field takes, and what it says when it does not."""

import re
from datetime import date

from agentinstruct.tools.quotes import fold
from agentinstruct.tools.site.spec import SiteField

_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d{1,6})?", re.ASCII)
YES = ("yes", "true", "on")


def complaint(field: SiteField, value: str) -> str:
    """Why a value is not taken; empty when it is."""
    said = value.strip()
    if not said or (field.kind == "checkbox" and fold(said) not in YES):
        return f"{field.label} is required." if field.required else ""
    return _wrong(field, said)


def _wrong(field: SiteField, said: str) -> str:
    if field.kind == "email" and not _EMAIL.fullmatch(said):
        return f"{field.label} must be an address such as name@example.org."
    if field.kind == "date" and not _is_date(said):
        return f"{field.label} must be a date such as 2025-03-09."
    if field.kind == "number":
        return _out_of_range(field, said)
    if field.kind == "choice" and fold(said) not in map(fold, field.options):
        return f"{field.label} must be one of: {', '.join(field.options)}."
    return ""


def _out_of_range(field: SiteField, said: str) -> str:
    if not _NUMBER.fullmatch(said):
        return f"{field.label} must be a number in digits."
    if field.least is not None and float(said) < field.least:
        return f"{field.label} must be at least {field.least:g}."
    if field.most is not None and float(said) > field.most:
        return f"{field.label} must be at most {field.most:g}."
    return ""


def _is_date(said: str) -> bool:
    try:
        return date.fromisoformat(said).isoformat() == said
    except ValueError:
        return False


def same(value: str, wanted: str) -> bool:
    """Whether a field holds what is wanted; case and spacing do not matter, nor how yes and numbers are put."""
    one, other = fold(value), fold(wanted)
    if one == other or (one in YES and other in YES):
        return True
    return bool(_NUMBER.fullmatch(one) and _NUMBER.fullmatch(other)) and float(one) == float(other)
