"""The batch jobs of a run, in its folder: one small file each until all of a job's answers are in the journal.

folder/batches/ID.json     which calls the job carries, and what the provider calls it
               ID.jsonl    its input file, until it is sent
"""

import os
import re
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import orjson

from agentinstruct.agents.batch_job import Job
from agentinstruct.agents.errors import RunError
from agentinstruct.run.folder import open_file, storage_error, subfolder, sync_folder
from agentinstruct.run.journal import Journal

FOLDER, LINES = "batches", ".jsonl"
_ID = re.compile(r"[0-9a-f]{32}")


class Jobs:
    """The run folder's memory of its batch jobs; belongs to the process that holds the journal."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._folder = journal.folder / FOLDER
        self.run = journal.manifest.run

    def jobs(self) -> list[Job]:
        """All jobs that are remembered, oldest first. Raises `RunError` where a file cannot be read."""
        try:
            for left in (*self._folder.glob(f"*{LINES}"), *self._folder.glob("*.tmp")):  # of a process that was killed
                left.unlink()
        except OSError as problem:
            raise storage_error(self._folder, problem) from problem
        return open_jobs(self._journal.folder)

    def remember(self, job: Job) -> None:
        """Keep a job as it is now; on the disk when this returns. Raises `RunError`."""
        path = self._path(job)
        try:
            subfolder(self._folder)
            temporary = path.with_suffix(".tmp")
            with os.fdopen(open_file(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
                file.write(orjson.dumps(asdict(job)))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(path)
            sync_folder(self._folder)
            if job.batch:
                path.with_suffix(LINES).unlink(missing_ok=True)
        except OSError as problem:
            raise storage_error(path, problem) from problem

    def forget(self, job: Job) -> None:
        """Put the answers on the disk, then drop the job. Raises `RunError`."""
        self._journal.flush()
        try:
            self._path(job).unlink(missing_ok=True)
            self._path(job).with_suffix(LINES).unlink(missing_ok=True)
        except OSError as problem:
            raise storage_error(self._path(job), problem) from problem

    def write(self, job: Job, lines: Iterable[bytes]) -> Path:
        """Put a job's input file together; its path. Raises `RunError`."""
        path = self._path(job).with_suffix(LINES)
        try:
            subfolder(self._folder)
            with os.fdopen(open_file(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
                file.writelines(lines)
        except OSError as problem:
            raise storage_error(path, problem) from problem
        return path

    def _path(self, job: Job) -> Path:
        return self._folder / f"{job.id}.json"


def open_jobs(folder: Path) -> list[Job]:
    """The jobs of a run whose answers are not all in its journal yet, oldest first. Raises `RunError`."""
    found = [_read(path) for path in (folder / FOLDER).glob("*.json") if _ID.fullmatch(path.stem)]
    return sorted(filter(None, found), key=lambda job: (job.created, job.id))


def _read(path: Path) -> Job | None:
    try:
        job = Job(**orjson.loads(path.read_bytes()))
        if job.id == path.stem and all(isinstance(times, int) for times in job.calls.values()):
            return job
        raise ValueError("it names another job")
    except FileNotFoundError:  # just now it was over, in the process that runs it
        return None
    except OSError as problem:
        raise storage_error(path, problem) from problem
    except (orjson.JSONDecodeError, TypeError, ValueError, AttributeError) as problem:
        raise RunError(
            f"{path}: not a batch job's file ({problem}). Restore it, or remove it to buy its calls again."
        ) from problem
