"""What calls cost: a dated table of list prices, and a file of the user's own over it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from math import inf
from pathlib import Path

FREE = ("local", "scripted")
_KEYS = ("models", "batch", "date", "source")
_PARTS = ("input", "cached", "output")


class PricesError(ValueError):
    """A price file cannot be used."""


@dataclass(frozen=True, slots=True)
class Price:
    """USD per million tokens."""

    input: float
    cached: float
    output: float

    def __mul__(self, factor: float) -> "Price":
        """The price at a discount or a surcharge."""
        return Price(self.input * factor, self.cached * factor, self.output * factor)

    def of(self, read: int, cached: int, written: int) -> float:
        """The cost in USD of tokens read (cached ones included), of those cached, and of tokens written."""
        return (max(0, read - cached) * self.input + cached * self.cached + written * self.output) / 1e6


@lru_cache(maxsize=8)
def price_table(path: Path | None = None) -> dict[str, Price]:
    """Prices by model name; the user's file, `{"models": {NAME: [input, cached, output]}}`, goes before the table.

    What a call costs by batch job, as a share of that, is the file's `"batch"`: see `batch_table`.

    Raises:
        PricesError: the file cannot be read or is of another form; says what is wrong.
    """
    table = _read(Path(__file__).with_name("prices.json"))
    return table if path is None else table | _read(path)


def price_date() -> str:
    """Of when the table is."""
    return str(json.loads(Path(__file__).with_name("prices.json").read_text(encoding="utf-8"))["date"])


@lru_cache(maxsize=8)
def batch_table(path: Path | None = None) -> dict[str, Price]:
    """The same prices for calls by batch job: times the file's `"batch"`, else the table's.

    Raises:
        PricesError: the file cannot be read or is of another form; says what is wrong.
    """
    table = price_table(path)
    factor = _factor(Path(__file__).with_name("prices.json"), 1.0)
    if path is not None:
        factor = _factor(path, factor)
    return {name: price * factor for name, price in table.items()}


def price_of(spec: str, table: Mapping[str, Price]) -> Price | None:
    """The price of a model spec such as `openai:gpt-4o`; nothing for models of one's own, None when not known."""
    provider, _, name = spec.partition(":")
    return Price(0, 0, 0) if provider in FREE else table.get(name)


def _factor(path: Path, usual: float) -> float:
    factor = json.loads(path.read_text(encoding="utf-8")).get("batch", usual)
    if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 <= factor <= 10:
        raise PricesError(f'{path}: "batch" must be a number, such as 0.5 for half the price (it is {factor!r}).')
    return float(factor)


def _read(path: Path) -> dict[str, Price]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PricesError(f"{path}: cannot be read as JSON ({error}).") from error
    for key in found if isinstance(found, dict) else ():
        if key not in _KEYS:
            raise PricesError(f'{path}: unknown key "{key}".{_nearest(key)}')
    if not isinstance(found, dict) or not isinstance(found.get("models"), dict):
        raise PricesError(f'{path}: must hold {{"models": {{"NAME": [input, cached, output]}}}}; it has no "models".')
    return {name: _price(row, f'{path}: the price of "{name}"') for name, row in found["models"].items()}


def _price(row: object, what: str) -> Price:
    if isinstance(row, list) and len(row) == len(_PARTS) and all(map(_is_price, row)):
        return Price(*row)
    raise PricesError(f"{what} must be [{', '.join(_PARTS)}] in USD per million tokens (it is {json.dumps(row)}).")


def _is_price(part: object) -> bool:
    return isinstance(part, int | float) and not isinstance(part, bool) and 0 <= part < inf


def _nearest(key: str) -> str:
    close = get_close_matches(key, _KEYS, n=1)
    return f' Did you mean "{close[0]}"?' if close else f" There are: {', '.join(_KEYS)}."
