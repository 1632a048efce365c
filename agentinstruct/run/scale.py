"""What a given number of accepted records would take, reckoned from a quote: money, GPUs, CPUs, disk.

    per accepted record, as measured: calls · tokens read, read from a cache, written · bytes of journal
    × records wanted ─→ cost at list prices (prefixes cached or not, by batch or not) · hours of GPU and CPU · disk

Only proportions: `agentinstruct estimate` says what lies between what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agentinstruct.agents.errors import SetupError
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig
from agentinstruct.run.quote import Quote
from agentinstruct.tools.prices import Price, price_of

CPU_MS = 0.8
"""CPU of the client a call, in ms: the dearest case of docs/benchmarks.md."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Tokens a second that one busy GPU reads (those of cached prefixes cost it nothing) and writes."""

    read: float
    write: float

    @classmethod
    def of(cls, text: str) -> "Pace":
        """Of `READ,WRITE`. Raises `SetupError`."""
        try:
            read, write = map(float, text.split(","))
        except ValueError as error:
            raise SetupError(f"--gpu-tokens {text}: give READ,WRITE: tokens a second of one GPU.") from error
        if read <= 0 or write <= 0:
            raise SetupError(f"--gpu-tokens {text}: both must be more than 0.")
        return cls(read, write)


@dataclass(frozen=True, slots=True)
class Scale:
    """What so many accepted records take."""

    records: int
    seeds: float
    calls: float
    read: float
    cached: float
    written: float
    costs: dict[str, float]
    """USD by way of buying; nothing where a price is not known."""
    gpu_hours: float | None
    cpu_hours: float
    journal_bytes: float


def at_scale(quote: Quote, config: RunConfig, records: int, pace: Pace | None) -> Scale:
    """The quote stretched to a number of accepted records.

    Raises:
        SetupError: no sampled item gave an accepted record.
    """
    accepted = quote.total["accepted"].value if quote.total else 0.0
    if not accepted:
        raise SetupError("--at-scale: no sampled item gave an accepted record to go by. Give a larger --sample.")
    factor = records / accepted
    total = {name: quote.total[name].value * factor for name in ("calls", "input_tokens", "cached_tokens")}
    written = quote.total["output_tokens"].value * factor
    seeds = quote.seeds * quote.passes * factor
    fresh = total["input_tokens"] - total["cached_tokens"]
    return Scale(
        records=records,
        seeds=seeds,
        calls=total["calls"],
        read=total["input_tokens"],
        cached=total["cached_tokens"],
        written=written,
        costs={} if quote.unpriced else costs(quote, config, factor),
        gpu_hours=(fresh / pace.read + written / pace.write) / 3600 if pace else None,
        cpu_hours=total["calls"] * CPU_MS / 3.6e6,
        journal_bytes=_bytes(quote, config.out, records, seeds),
    )


def costs(quote: Quote, config: RunConfig, factor: float) -> dict[str, float]:
    """USD at list prices, with prefixes cached as they were and with none, call by call and by batch job."""
    ways = {"call by call": config.price_table(), "by batch job": config.batch_prices()}
    return {
        f"{way}, {words}": factor * sum(_cost(model, parts, table, share) for (_, model), parts in quote.payees.items())
        for way, table in ways.items()
        for words, share in (("prefixes cached as seen", 1.0), ("nothing cached", 0.0))
    }


def _cost(model: str, parts: Mapping[str, float], table: dict[str, Price], share: float) -> float:
    price = price_of(model, table) or Price(0, 0, 0)
    cached = parts["cached_tokens"] * share
    fresh = parts["input_tokens"] - cached
    return (fresh * price.input + cached * price.cached + parts["output_tokens"] * price.output) / 1e6


def _sampled(quote: Quote) -> float:
    """Accepted records of the sample."""
    parts = ((parts["accepted"].value, quote.needed[skill]) for skill, parts in quote.skills.items())
    shares = (accepted / max(1, needed) for accepted, needed in parts)
    return sum(share * quote.sampled[skill] for skill, share in zip(quote.skills, shares, strict=True))


def _bytes(quote: Quote, folder: Path, records: int, seeds: float) -> float:
    """What the journal takes: what came of the sample, by record; what reading found of all seeds, by seed."""
    whole = sum(path.stat().st_size for path in (*folder.glob("*.seg"), *folder.glob("ledger.sqlite*")))
    with Journal.read(folder) as journal:
        pieces = journal.piece_bytes()
    return max(0, whole - pieces) / _sampled(quote) * records + pieces / quote.seeds * seeds
