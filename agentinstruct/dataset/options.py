"""How a dataset is written, and which of a run's records it is to hold."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.files import nearest
from agentinstruct.dataset.formats import FORMATS, MESSAGES, PREFERENCE
from agentinstruct.dataset.split import Shares
from agentinstruct.dataset.writing import SHARD_ROWS

Handled = Literal["drop", "keep"]
ALL_FORMATS = (MESSAGES, *FORMATS, PREFERENCE)


class Rows(Protocol):
    """Something that holds a run's rows: its journal."""

    @property
    def folder(self) -> Path:
        """The run folder."""

    def records(self) -> Iterator[dict[str, Any]]:
        """Every record, in a fixed order."""

    def dropped(self) -> Iterator[dict[str, Any]]:
        """Every dropped draft, in a fixed order."""


@dataclass(slots=True)
class Sifted(ABC):
    """Some of a run's records, and every dropped draft."""

    journal: Rows

    @property
    def folder(self) -> Path:
        """The run folder."""
        return self.journal.folder

    @abstractmethod
    def records(self) -> Iterator[dict[str, Any]]:
        """The records that are given out."""

    def dropped(self) -> Iterator[dict[str, Any]]:
        """Every dropped draft."""
        return self.journal.dropped()


@dataclass(frozen=True, slots=True)
class Options:
    """What `export` may be asked for."""

    formats: tuple[str, ...] = (MESSAGES,)
    shares: Shares | None = None
    """The parts of the dataset; None: it is not split."""
    accepted_only: bool = False
    without_licences: tuple[str, ...] = ()
    shard_rows: int = SHARD_ROWS
    leaks: Handled = "drop"
    """What becomes of rows that repeat one of a smaller part: dropped, or kept all the same."""

    @classmethod
    def of(cls, formats: Collection[str], split: str, **others: Any) -> "Options":
        """The options as a command gives them.

        Raises:
            SetupError: a format does not exist, or the shares are wrong.
        """
        for name in formats:
            if name not in ALL_FORMATS:
                raise SetupError(f"--format {name}: no such format.{nearest(name, list(ALL_FORMATS))}")
        if others.get("leaks", "drop") not in get_args(Handled):
            raise SetupError(f"--leaks {others['leaks']}: write drop or keep.")
        return cls(tuple(dict.fromkeys(formats)), Shares.parse(split) if split else None, **others)

    def before_cleaning(self, journal: Rows) -> "Picked":
        """The rows that may be given out, so that none is removed for the sake of one that is not.

        What failed is among them where it is wanted for pairs.
        """
        return Picked(journal, replace(self, accepted_only=self.accepted_only and PREFERENCE not in self.formats))

    def noted(self) -> dict[str, Any]:
        """As a manifest holds them."""
        return {
            "formats": list(self.formats),
            "split": dict(self.shares.parts) if self.shares else {},
            "accepted_only": self.accepted_only,
            "without_licences": list(self.without_licences),
            "shard_rows": self.shard_rows,
            "leaks": self.leaks,
        }

    @classmethod
    def read(cls, noted: Mapping[str, Any]) -> "Options":
        """What a manifest holds of them."""
        shares = Shares(dict(noted["split"])) if noted["split"] else None
        formats, without = tuple(noted["formats"]), tuple(noted["without_licences"])
        leaks = noted.get("leaks", "drop")
        return cls(formats, shares, noted["accepted_only"], without, noted["shard_rows"], leaks)


@dataclass(slots=True)
class Picked(Sifted):
    """The records that the options let through."""

    options: Options

    def records(self) -> Iterator[dict[str, Any]]:
        """The records that are given out."""
        without, only = set(self.options.without_licences), self.options.accepted_only
        for row in self.journal.records():
            if row["licence"] not in without and (row["accepted"] or not only):
                yield row
