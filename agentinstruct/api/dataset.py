"""What a run leaves behind, as Python sees it: a view of its folder that reads rows when they are asked for."""

import shutil
import weakref
from collections.abc import Iterator
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from agentinstruct.agents.errors import RunError, SetupError
from agentinstruct.agents.records import Dropped, Record
from agentinstruct.dataset.export import export
from agentinstruct.run.journal import Journal
from agentinstruct.run.manifest import read_manifest
from agentinstruct.run.summary import Summary, summarise
from agentinstruct.run.tally import together
from agentinstruct.run.target import chosen, read_target

if TYPE_CHECKING:
    import datasets
    import pandas

    from agentinstruct.run.execute import Finished


class Dataset:
    """The records of a run: iterate over it, measure it, hand it to a trainer.

    A run's own folder gives the same as the call that made it: `Dataset("runs/mine")`. Rows are read from disk each
    time, in the order of their ids. A temporary folder goes with its dataset: `save` what you want to keep.

    >>> from agentinstruct import generate
    >>> dataset = generate("examples/seeds/albedo.md", skills="text_modification", model="scripted", limit=1)
    >>> record = next(iter(dataset))
    >>> print(record.skill, record.source, all(verdict.passed for verdict in record.verdicts))
    text_modification examples/seeds/albedo.md True
    """

    path: Path
    """The run folder."""
    notices: tuple[str, ...] = ()
    """What the run did without and why it ended early, a sentence each; empty for a folder that is opened later."""

    def __init__(self, path: str | Path, *, finished: "Finished | None" = None, temporary: bool = False) -> None:
        """Open the folder of a run that has ended.

        Raises:
            RunError: it holds none.
        """
        self.path = Path(path).absolute()
        self._manifest()
        read_manifest(self.path)
        if finished:
            self.notices = tuple(_notices(finished))
            self.__dict__["summary"] = finished.summary
        if temporary:
            weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def __iter__(self) -> Iterator[Record]:
        """Every record, with its lineage."""
        return map(Record.model_validate, self.rows())

    def __len__(self) -> int:
        """The number of records."""
        return sum(self._manifest()["records"].values())

    def __repr__(self) -> str:
        told = "".join(f"; {notice}" for notice in self.notices)
        return f"<Dataset of {len(self)} records in {self.path}{told}>"

    def rows(self) -> Iterator[dict[str, Any]]:
        """Every record as `data/*.jsonl` has it: plain dicts, with `messages` as chat trainers read them."""
        for path in self._files("data"):
            yield from _lines(path)

    def messages(self) -> Iterator[dict[str, Any]]:
        """What a trainer needs of each record and no more: `messages`, and `tools` where it has some."""
        return ({key: row[key] for key in ("messages", "tools") if key in row} for row in self.rows())

    def dropped(self) -> Iterator[Dropped]:
        """Every draft that did not make it, with stage and reason."""
        for line in _lines(self.path / "dropped.jsonl"):  # a generator of the dataset's own keeps a temporary folder
            yield Dropped.model_validate(line)

    @cached_property
    def summary(self) -> Summary:
        """Totals over all sittings: records and dropped by skill and stage, reasons, checks, tokens."""
        with Journal.read(self.path) as journal:
            return summarise(journal)

    @property
    def cost(self) -> float:
        """What all sittings cost, in USD at list prices; models without a known price cost nothing here."""
        with Journal.read(self.path) as journal:
            return journal.counts().cost

    def save(self, folder: str | Path) -> None:
        """Write the dataset into a folder that is new, empty or an earlier dataset of ours.

        The run stays where it is: what is saved can be read and trained on, not resumed.

        Raises:
            RunError: the folder holds something else.
        """
        with Journal.read(self.path) as journal:
            export(chosen(journal, read_target(self.path)), Path(folder))

    def to_pandas(self) -> "pandas.DataFrame":
        """All records as a DataFrame, a row each. Raises `SetupError` where pandas is not installed."""
        try:
            import pandas
        except ImportError as error:
            raise SetupError("to_pandas needs pandas: pip install pandas") from error
        return pandas.DataFrame(list(self.rows()))

    def to_datasets(self) -> "datasets.DatasetDict":
        """All records as Hugging Face has them, by split; `tools` and `arguments` are JSON strings there.

        Raises:
            SetupError: `datasets` is not installed.
        """
        try:
            import datasets
        except ImportError as error:
            raise SetupError("to_datasets needs Hugging Face's datasets: pip install datasets") from error
        from pyarrow.parquet import read_table

        tables: dict[str, list[Path]] = {}
        for path in self._files("parquet"):
            tables.setdefault(path.stem.partition("-")[0], []).append(path)
        return datasets.DatasetDict(
            {
                split: datasets.Dataset(datasets.table.InMemoryTable(read_table(paths)), split=datasets.Split(split))
                for split, paths in tables.items()
            }
        )

    def _files(self, folder: str) -> list[Path]:
        """The dataset's files in one of its folders, those of its parts too."""
        names = [name for name in self._manifest()["files"] if name.startswith(f"{folder}/")]
        return [self.path / name for name in sorted(names, key=lambda name: (Path(name).name, name))]

    def _manifest(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = orjson.loads((self.path / "manifest.json").read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise RunError(f"{self.path}: no dataset of ours is there ({error}). Give the folder of a run.") from error
        return found

    def _repr_html_(self) -> str:
        """What a notebook shows of it."""
        heads = "".join(f"<th>{name}</th>" for name in ("skill", "records", "accepted", "drafts", "yield"))
        rows = "".join(
            f"<tr><td>{escape(one.skill)}</td><td>{one.records:,}</td><td>{one.accepted:,}</td>"
            f"<td>{one.drafts:,}</td><td>{one.share:.0%}</td></tr>"
            for one in self.summary.yields()
        )
        told = "".join(f"<br>{escape(notice)}" for notice in self.notices)
        return f"<b>{len(self):,} records</b> in {escape(str(self.path))}{told}<table>{heads}{rows}</table>"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for line in file:
            yield orjson.loads(line)


def _notices(finished: "Finished") -> Iterator[str]:
    progress = finished.progress
    if progress.spent:
        yield f"Budget reached: {progress.spent}. A larger one and the same folder go on."
    if progress.failed:
        yield f"{progress.failed} work items failed at the model and wait for another try; the last: {progress.trouble}"
    if progress.set_aside:
        yield f"{progress.set_aside} work items failed too often and are set aside: see retry_failed."
    for one in together(finished.missing):
        yield f"{one.group or 'target'}: {one.accepted:,} of {one.wanted:,}: {one.why}"
    if progress.skipped:
        reasons = ", ".join(f"{reason} {count}" for reason, count in progress.skipped.most_common())
        yield f"Seeds left out: {reasons}."
    yield from progress.notices
