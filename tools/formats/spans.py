"""Whether a span stands in a text, whether a value is its normal form, and whether an absent field really is absent.

Spans are compared with their case: white space and typographic variants (quotes, dashes) alone are folded.
"""

import re
import unicodedata
from collections.abc import Iterator
from datetime import date
from typing import Literal

from agentinstruct.tools.constraints.formats import clock_times, full_dates
from agentinstruct.tools.quotes import fold, numbers, same_number

Kind = Literal["text", "number", "date", "time"]
_FOLD = str.maketrans(
    dict.fromkeys("‘’‚‛", "'")
    | dict.fromkeys("“”„‟", '"')
    | dict.fromkeys("‐‑‒–—―−", "-")
    | dict.fromkeys("\u00ad\u200b\u2060\ufeff", None)
)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = re.compile(
    r"\b(jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)[a-z]{0,6}\.?,?\s+(?:of\s+)?(\d{4})\b", re.IGNORECASE
)
_YEAR = re.compile(r"(?<![\d.,/-])(1\d{3}|20\d{2})(?![\d/]|[.,-]\d)")
_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")
_KNOWN = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "url": re.compile(r"\bhttps?://\S+|\bwww\.\S+"),
    "website": re.compile(r"\bhttps?://\S+|\bwww\.\S+"),
    "phone": re.compile(r"(?<![\w.])\+?\(?\d[\d ().-]{6,16}\d(?![\w-])"),
    "isbn": re.compile(r"\bISBN[ :]*[\dX-]{10,17}", re.IGNORECASE),
}
"""Fields whose values can be told by their looks, wherever they stand."""
_EMPTY = re.compile(r"(?:n/?a|none|nil|null|unknown|not (?:given|stated|known|available|applicable)|[-–—?]*)\.?", re.I)


def even(text: str) -> str:
    """The text as spans are compared with it: one kind of quote and dash, single blanks, case kept."""
    return " ".join(unicodedata.normalize("NFKC", text).translate(_FOLD).split())


def stands(span: str, text: str) -> bool:
    """Whether the span stands in the text letter for letter, and not as a piece of a word."""
    wanted = even(span)
    if not wanted:
        return False
    before = r"(?<![^\W_])" if _word(wanted[0]) else ""
    after = r"(?![^\W_])" if _word(wanted[-1]) else ""
    return re.search(before + re.escape(wanted) + after, even(text)) is not None


def _word(letter: str) -> bool:
    """A letter of a script that sets words apart, or a digit."""
    return letter.isalnum() and ord(letter) < 0x3040


def normal(value: str, kind: Kind, span: str) -> bool:
    """Whether a value is a normal form of what the span says.

    text    the same words, whatever their case and outer punctuation
    number  digits, equal to a number that the span states
    date    YYYY-MM-DD, YYYY-MM or YYYY, as far as the span goes
    time    HH:MM, 24 hours
    """
    if kind == "number":
        stated = as_number(value)
        return stated is not None and any(same_number(stated, number) for number in numbers(span))
    if kind == "date":
        return value in set(dates(span))
    if kind == "time":
        return value in set(clock_times(span))
    return _bare(value) == _bare(span) != ""


def as_number(value: str) -> float | None:
    """The number that a text in plain digits is; None for anything else."""
    return float(value) if re.fullmatch(r"-?\d{1,15}(?:\.\d{1,10})?", value.strip()) else None


def dates(span: str) -> Iterator[str]:
    """The dates a span can mean, in ISO form, no more exact than the span itself."""
    full = [day for days in full_dates(span) for day in days]
    for year, month, day in full:
        if _real(year, month, day):
            yield f"{year:04}-{month:02}-{day:02}"
    if full:
        return
    months = list(_MONTH.finditer(span))
    for found in months:
        number = _MONTHS.index(found[1].casefold()[:3]) + 1
        yield f"{found[2]}-{number:02}"
    if not months:
        yield from (found[0] for found in [*_ISO.finditer(span), *_YEAR.finditer(span)])


def _real(year: int, month: int, day: int) -> bool:
    try:
        return bool(date(year, month, day))
    except ValueError:
        return False


def _bare(text: str) -> str:
    return fold(text).strip(" .,;:!?\"'()[]-")


def candidate(name: str, text: str) -> str:
    """What the text gives for a field that is said to be absent from it, or an empty string.

    Looks for a line or a clause labelled with the field's name (`Due date: 3 May`, `due date = 3 May`), and for
    things that can be told by their looks, such as e-mail addresses.
    """
    words = [word for part in name.casefold().split(".") for word in re.split(r"[_\W]+", part) if word]
    if not words:
        return ""
    for word in words:
        if (known := _KNOWN.get(word)) and (found := known.search(text)):
            return found[0]
    label = r"[ _-]?".join(map(re.escape, words[-2:] if "." in name else words))
    labelled = rf"(?im)(?:^|[|;,(])[ \t>*_#-]*{label}s?[*_ \t]*(?:[:=]|\|)[*_ \t]*([^\n|;]{{1,80}})"
    for found in re.finditer(labelled, text):
        if not _EMPTY.fullmatch(found[1].strip(" \t*_")):
            return found[0].strip()
    return ""
