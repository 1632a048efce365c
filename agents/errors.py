"""Every way this program fails, and whose move it is.

    AgentInstructError
    ├── SetupError      yours to fix, found before the first call; shown without a traceback
    │   ├── PromptError     a prompt file is wrong: names the file and what to change
    │   ├── SkillError      a skill folder is wrong: names the file, the key and the nearest valid one
    │   ├── ModelError      no such model, key or package: names the setting to change
    │   ├── SeedError       the paths or the column asked for hold no seeds
    │   └── RunError        the run folder is in use, holds another run, or cannot be written
    ├── ProviderError   the endpoint's doing: retried in the gateway, then the work item waits for a resume
    │   └── ProviderDown    nothing gets through, or nothing ever will (key, quota, model): the run stops
    ├── BudgetReached   a clean stop: the dataset so far is valid
    └── ReplyError      the model's doing: the draft becomes a `Dropped`, the run goes on

Anything else is a bug and stops the run with its traceback. Three are built-in errors too, because a LangGraph server
tells its clients, Studio among them, the messages of no others.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MISNAMED = "Check --base-url and the model's name."
"""What a server that knows no such model is told of with: a name can be put right in the same run."""
UNUSABLE = (ValueError, ArithmeticError, LookupError, RecursionError)
"""What computing with a model's words can raise where they make no sense: values out of range, names not there."""


class AgentInstructError(Exception):
    """Any failure this program foresees."""


class SetupError(AgentInstructError, ValueError):
    """Something the user can put right; the message says how."""


class PromptError(SetupError):
    """A prompt file cannot be used."""


class SkillError(SetupError):
    """A skill's `skill.yaml` or `taxonomy.yaml` cannot be used."""


class ModelError(SetupError):
    """A model name, key, package or file is missing or wrong."""


class SeedError(SetupError):
    """No seeds can be read from what was given."""


class RunError(SetupError):
    """The run folder cannot be used as asked."""


class ProviderError(AgentInstructError, RuntimeError):
    """A call failed at the endpoint after all its retries."""


class ProviderDown(ProviderError):
    """The endpoint cannot serve this run at all; retrying now is pointless."""


class BudgetReached(AgentInstructError, RuntimeError):
    """The spending cap was reached."""


class ReplyError(AgentInstructError):
    """A model's reply could not be used: wrong shape, refusal, cut off or empty."""

    def __init__(self, reason: str, detail: str = "", calls: tuple[Any, ...] = (), *, paid: bool = False) -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail
        self.paid = paid
        """Whether the model has done the work and no answer shows what it cost."""
        self.calls = calls
        """The calls (`records.Call`) that were paid for it."""


@contextmanager
def reply_at_fault(reason: str, *calls: Any) -> Iterator[None]:
    """Work with a model's reply: what makes no sense in it is the reply's fault, not the program's.

    Raises:
        ReplyError: the work met one of `UNUSABLE`.
    """
    try:
        yield
    except UNUSABLE as error:
        if isinstance(error, AgentInstructError):
            raise
        raise ReplyError(reason, f"{type(error).__name__}: {error}"[:400], calls=calls) from error
