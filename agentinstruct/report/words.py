"""Numbers as people read them."""

from agentinstruct.dataset.measure_figures import Figure


def percent(value: float | None) -> str:
    """A share: whole per cent, with a decimal near its ends."""
    if value is None:
        return "–"
    near_end = 0 < abs(value) < 0.1 or 0.9 < abs(value) < 0.9995
    return _signed(f"{value:.1%}" if near_end else f"{value:.0%}")


def number(value: float | None, digits: int = 1) -> str:
    """A number with separators."""
    if value is None:
        return "–"
    return _signed(f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:,.{digits}f}")


def interval(figure: Figure, *, shares: bool = False) -> str:
    """Its 95 % interval, or nothing."""
    if figure.low is None or figure.high is None:
        return ""
    write = percent if shares else number
    return f"{write(figure.low)} to {write(figure.high)}"


def usd(value: float | None) -> str:
    """Dollars: four decimals of what is small."""
    if value is None:
        return "?"
    return f"${value:,.2f}" if value >= 1 or not value else f"${value:.4f}"


def compact(value: float) -> str:
    """A large number in few characters: 9.3 M."""
    for size, unit in ((1e9, " G"), (1e6, " M"), (1e4, " k")):
        if value >= size:
            scaled = value / (1e3 if unit == " k" else size)
            return f"{scaled:,.1f}{unit}" if scaled < 100 else f"{scaled:,.0f}{unit}"
    return number(value, 0 if value >= 10 else 1)


def named(name: str) -> str:
    """`reading_comprehension` as a title."""
    return name.replace("_", " ")


def counted(count: int, one: str, many: str = "") -> str:
    """`1 draft`, `2 drafts`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _signed(written: str) -> str:
    """With a minus sign of its own, which nothing at all has not."""
    return written.replace("-", "−") if any(digit in "123456789" for digit in written) else written.lstrip("-")
