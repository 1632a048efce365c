"""An exported dataset on the Hugging Face Hub: private by default, one commit, only what the manifest names.

    manifest ─ digests hold? ─ licences allow it? ─→ repository made ─→ files uploaded ─→ one commit

A push that was stopped goes on where it was: the Hub tells which files it has already, and until the commit nobody
sees a half of it. The token is the client's own business (`HF_TOKEN`, or `hf auth login`) and is in no message.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, cast

import orjson

from agentinstruct.agents.errors import ProviderDown, ProviderError, RunError, SetupError
from agentinstruct.dataset.clean_files import REMOVED
from agentinstruct.dataset.leaks import LEAKS
from agentinstruct.dataset.licences import UNKNOWN, forbids
from agentinstruct.dataset.writing import digest

if TYPE_CHECKING:
    from huggingface_hub import HfApi

MANIFEST, AT_HOME = "manifest.json", {"dropped.jsonl", REMOVED, LEAKS}
"""What was dropped, removed or left out quotes sources, whatever their licence, and benchmarks, and trains nobody."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pushed:
    """Where a dataset went."""

    url: str
    files: int
    bytes: int
    private: bool


def push(folder: Path, repository: str, *, private: bool = True, told: Callable[[str], None] = _log.warning) -> Pushed:
    """Upload the dataset in a folder; a repository that is there already stays as private as it is.

    Args:
        folder: An exported dataset: a run's folder, or where `export --out` wrote.
        repository: `name` or `owner/name`.
        private: Whether a new repository is private.
        told: Called with what the user should know.

    Raises:
        RunError: there is no dataset, it was changed, or a licence forbids to pass it on.
        ProviderError: the Hub does not take it; says why.
    """
    manifest = _sealed(folder)
    _check_licences(manifest["licences"], told)
    try:
        from huggingface_hub import HfApi, errors
    except ImportError as error:
        raise SetupError("push needs the Hugging Face client: pip install 'agentinstruct[hub]'") from error
    # The root of what the client's HTTP library raises, whichever that is in this version.
    unreachable = cast(type[Exception], errors.HfHubHTTPError.__bases__[0])
    try:
        return _pushed(HfApi(), folder, repository, manifest["files"], private=private)
    except errors.HFValidationError as error:
        raise SetupError(f"{repository}: {error}") from error
    except errors.LocalTokenNotFoundError as error:
        raise SetupError("the Hub asks who you are: set HF_TOKEN, or run `hf auth login`") from error
    except errors.HfHubHTTPError as error:
        raise _refused(error, repository) from error
    except (unreachable, OSError, ValueError) as error:
        raise ProviderError(f"{repository}: {type(error).__name__}: {error}. Give the same command again.") from error


def _sealed(folder: Path) -> dict[str, Any]:
    """The manifest of the dataset in this folder, whose files are as it says."""
    try:
        manifest: dict[str, Any] = orjson.loads((folder / MANIFEST).read_bytes())
        files: Mapping[str, Any] = manifest["files"]
        licences = manifest["licences"]
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as problem:
        raise RunError(f"{folder}: no exported dataset ({problem}). First: agentinstruct export {folder}") from problem
    if not isinstance(licences, dict):
        raise RunError(f"{folder}/{MANIFEST}: not ours. Delete it, and export again.")
    for name, seal in files.items():
        path = folder / name
        if ".." in Path(name).parts or path.is_symlink() or not path.is_file() or digest(path) != seal["sha256"]:
            raise RunError(f"{path}: not as it was exported. Export again: agentinstruct export RUN --out {folder}")
    return manifest


def _check_licences(licences: Mapping[str, int], told: Callable[[str], None]) -> None:
    forbidden = {name: rows for name, rows in licences.items() if forbids(name)}
    if forbidden:
        listed = ", ".join(f"{name} ({rows} records)" for name, rows in sorted(forbidden.items()))
        options = " ".join(f"--without-licence '{name}'" for name in sorted(forbidden))
        raise RunError(
            f"licences that forbid to pass on what is made from their sources: {listed}. Export without: {options}"
        )
    if rows := licences.get(UNKNOWN, 0):
        told(f"{rows} records come from sources of unknown licence. Make sure that you may pass them on.")


def _pushed(api: "HfApi", folder: Path, repository: str, files: Iterable[str], *, private: bool) -> Pushed:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    repo = api.create_repo(repository, repo_type="dataset", private=private, exist_ok=True).repo_id
    names = [*(name for name in files if name not in AT_HOME), MANIFEST]
    gone = set(_earlier(api, repo)) - set(names)
    commit = api.create_commit(
        repo,
        [
            *(CommitOperationDelete(name) for name in sorted(gone)),
            *(CommitOperationAdd(name, folder / name) for name in names),
        ],
        commit_message="Dataset exported by AgentInstruct",
        repo_type="dataset",
    )
    url = str(commit.commit_url).partition("/commit/")[0]
    size = sum((folder / name).stat().st_size for name in names)
    return Pushed(url, len(names), size, bool(api.repo_info(repo, repo_type="dataset").private))


def _earlier(api: "HfApi", repo: str) -> Iterator[str]:
    """The files of the dataset that was pushed there before, as far as they are still there."""
    there = set(api.list_repo_files(repo, repo_type="dataset"))
    if MANIFEST in there:
        with TemporaryDirectory() as place, suppress(orjson.JSONDecodeError, KeyError, TypeError):
            path = api.hf_hub_download(repo, MANIFEST, repo_type="dataset", local_dir=place)
            yield from there.intersection(orjson.loads(Path(path).read_bytes())["files"])


def _refused(error: Any, repository: str) -> ProviderError:
    """The Hub's refusal in words that say what to do."""
    status = getattr(error.response, "status_code", 0)
    said = ""
    with suppress(ValueError, AttributeError, KeyError, TypeError):
        said = f": {error.response.json()['error'][:300]}"
    if status in (401, 403):
        return ProviderDown(f"{repository}: the Hub refuses ({status}). Set HF_TOKEN to a token that may write there.")
    return ProviderError(f"{repository}: the Hub answered {status}{said}. Give the same command again.")
