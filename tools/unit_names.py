"""The names of units that models and people write, and what pint calls each: a closed list.

A closed list rather than all that pint can read, so that no text from a model is ever a definition, and so that
`grains of sand`, `cups` and `rounds` count things instead of measuring them.
"""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType

DEFINITIONS = (
    "info_bit = [information]",
    "info_byte = 8 info_bit",
    *(f"{code} = [currency_{code}]" for code in ("usd", "eur", "gbp", "jpy", "inr", "cny", "chf")),
)
"""What pint lacks: it counts bits as plain numbers, and knows no money. Each currency is a dimension of its own."""

_PREFIXES = {
    "nano": "n", "micro": "µ", "milli": "m", "centi": "c", "deci": "d", "kilo": "k", "mega": "M", "giga": "G",
    "tera": "T", "peta": "P", "exa": "E", "zetta": "Z", "yotta": "Y",
}  # fmt: skip
_PREFIXED = {
    "metre": ("m", "metre meter"),
    "gram": ("g", "gram gramme"),
    "second": ("s", "second"),
    "litre": ("L", "litre liter"),
    "watt": ("W", "watt"),
    "watt_hour": ("Wh", "watthour"),
    "joule": ("J", "joule"),
    "newton": ("N", "newton"),
    "pascal": ("Pa", "pascal"),
    "volt": ("V", "volt"),
    "ampere": ("A", "ampere amp"),
    "hertz": ("Hz", "hertz"),
    "mole": ("mol", "mole"),
    "electron_volt": ("eV", "electronvolt"),
    "calorie": ("cal", "calorie"),
    "info_bit": ("bit", "bit"),
    "info_byte": ("B", "byte"),
    "tonne": ("t", "tonne"),
}
_PLAIN = """
minute: min mins minute
hour: h hr hrs hour
day: d day workday weekday
week: wk wks week
fortnight: fortnight
month: mo month
year: yr yrs a year annum
decade: decade
century: century centuries
inch: in inch inches
foot: ft foot feet
yard: yd yds yard
mile: mi mile
nautical_mile: nmi
astronomical_unit: au
light_year: ly lightyear
hectare: ha hectare
acre: acre
gallon: gal gallon
pint: pt
fluid_ounce: floz
pound: lb lbs pound
ounce: oz ounce
metric_ton: tonne mt
short_ton: ton
kelvin: K kelvin
delta_degree_Celsius: °C degC celsius
delta_degree_Fahrenheit: °F degF fahrenheit
horsepower: hp horsepower
btu: BTU Btu
bar: bar
atmosphere: atm
percent: % percent
degree: deg degree °
radian: rad radian
revolutions_per_minute: rpm
usd: $ USD dollar
eur: € EUR euro
gbp: £ GBP
jpy: ¥ JPY yen
inr: ₹ INR rupee
cny: CNY yuan
chf: CHF franc
"""
_COMPOUND = {
    "mph": "mile/hour", "kph": "km/hour", "kmh": "km/hour", "kmph": "km/hour", "mpg": "mile/gallon",
    "bps": "bit/second", "kbps": "kbit/second", "Mbps": "Mbit/second", "Gbps": "Gbit/second", "fps": "frame/second",
    "m2": "m^2", "m3": "m^3", "km2": "km^2", "km3": "km^3", "cm2": "cm^2", "cm3": "cm^3", "mm2": "mm^2", "mm3": "mm^3",
    "ft2": "ft^2", "ft3": "ft^3", "sqm": "m^2", "sqft": "ft^2", "sqkm": "km^2", "cc": "cm^3", "ccm": "cm^3",
    "person-day": "person day", "kWp": "kW",
}  # fmt: skip
COMPOUND: Mapping[str, str] = MappingProxyType(_COMPOUND)
SCALES: Mapping[str, float] = MappingProxyType(
    {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12, "dozen": 12.0}
)
UNITLESS = frozenset(
    [
        *("1", "none", "dimensionless", "count", "number", "ratio", "fraction", "share", "times"),
        *("unitless", "factor", "probability", "unit", "x", "n/a", "-"),
    ]
)
_IRREGULAR = {"people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child"}
_IRREGULAR |= {"lives": "life", "leaves": "leaf", "loaves": "loaf", "shelves": "shelf", "feet": "foot", "mice": "mouse"}
_IRREGULAR |= {"teeth": "tooth", "geese": "goose", "buses": "bus", "gases": "gas", "lenses": "lens", "knives": "knife"}


@lru_cache(maxsize=1)
def known_units() -> Mapping[str, str]:
    """Every accepted name of a unit of measure → pint's name of it; symbols keep their case."""
    return MappingProxyType(dict(_aliases()))


def unit_named(word: str) -> str:
    """What pint calls the unit of this name, however it is capitalised where that is unambiguous; empty when none."""
    known = known_units()
    if word in known:
        return known[word]
    small = word.casefold()
    if len(small) > 3 or small in ("km", "kg", "cm", "mm", "kwh", "hr", "min"):
        return known.get(small) or known.get(singular(small)) or _loose().get(small, "")
    return ""


@lru_cache(maxsize=1)
def _loose() -> Mapping[str, str]:
    """Symbols without their case, where only one unit has that spelling."""
    spellings: dict[str, set[str]] = {}
    for name, unit in known_units().items():
        spellings.setdefault(name.casefold(), set()).add(unit)
    return {name: next(iter(units)) for name, units in spellings.items() if len(units) == 1}


def singular(word: str) -> str:
    """A noun in the singular, as far as its ending tells."""
    small = word.casefold()
    if small in _IRREGULAR:
        return _IRREGULAR[small]
    if small.endswith("ies") and len(small) > 4:
        return f"{small[:-3]}y"
    if small.endswith(("ses", "xes", "ches", "shes", "zes")) and len(small) > 4:
        return small[:-2] if not small.endswith(("ases", "uses", "ises")) else small[:-1]
    return small[:-1] if small.endswith("s") and not small.endswith(("ss", "us", "is")) and len(small) > 3 else small


def _aliases() -> Iterator[tuple[str, str]]:
    for line in _PLAIN.strip().splitlines():
        unit, _, names = line.partition(":")
        for name in names.split():
            yield name, unit
            if len(name) > 3 and name.isascii() and name.isalpha():
                yield f"{name}s", unit
    for unit, (symbol, words) in _PREFIXED.items():
        for prefix, sign in {"": "", **_PREFIXES}.items():
            yield f"{sign}{symbol}", f"{prefix}{unit}"
            for word in words.split():
                yield f"{prefix}{word}", f"{prefix}{unit}"
                yield f"{prefix}{word}s", f"{prefix}{unit}"
    yield from (("l", "litre"), ("ml", "millilitre"), ("Mt", "megatonne"), ("sec", "second"), ("secs", "second"))
    yield from (("GB", "gigainfo_byte"), ("kB", "kiloinfo_byte"), ("KB", "kiloinfo_byte"), ("Cal", "kilocalorie"))
    yield from (("um", "micrometre"), ("us", "microsecond"), ("ug", "microgram"), ("kilo", "kilogram"))
