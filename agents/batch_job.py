"""A batch job as we know it, and what a run folder must remember of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol


@dataclass(slots=True)
class Job:
    """One file of calls on its way through a provider; all of one model, since a batch takes no more."""

    id: str
    """Ours: by it a job is found in the provider's listing when the run was killed before it was told the job's id."""
    model: str
    base_url: str
    created: float
    calls: dict[str, int] = field(default_factory=dict)
    """The keys of its calls, and how often each has been sent, this time included."""
    worst: float = 0.0
    """The most that they can cost, in USD."""
    file: str = ""
    """The provider's id of the input file, once it is there; before, there is no job to be found."""
    batch: str = ""
    """The provider's id of the job, once it has told it."""


class JobStore(Protocol):
    """What survives a kill: the jobs whose answers are not all in the journal yet."""

    run: str
    """The run's own id."""

    def jobs(self) -> list[Job]:
        """All jobs that are remembered, oldest first."""

    def write(self, job: Job, lines: Iterable[bytes]) -> Path:
        """Put a job's input file together; its path."""

    def remember(self, job: Job) -> None:
        """Keep a job as it is now; on the disk when this returns."""

    def forget(self, job: Job) -> None:
        """Its answers are in the journal: put that on the disk, then drop the job."""
