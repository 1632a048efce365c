"""How much one caller, and all callers together, may ask for.

AGENTINSTRUCT_SERVER_LIMITS names those that shall be others: `document=50000,rounds=2,usd=20`.
"""

import os
from functools import cache
from math import inf

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agentinstruct.agents.errors import SetupError
from agentinstruct.agents.files import nearest
from agentinstruct.graphs.teacher_state import LONGEST, MOST_DOCUMENTS

VARIABLE = "AGENTINSTRUCT_SERVER_LIMITS"


class Limits(BaseModel):
    """Every number that bounds a request or the server."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=True)

    body_mb: float = Field(8, gt=0, description="Megabytes of a request.")
    document: int = Field(LONGEST, gt=0, le=LONGEST, description="Characters of one text in it.")
    seed_text: int = Field(50_000, gt=0, description="Characters of a seed, which is not cut.")
    documents: int = Field(
        MOST_DOCUMENTS, gt=0, le=MOST_DOCUMENTS, description="Documents, drafts and the like in it, each."
    )
    depth: int = Field(64, gt=0, description="Lists and objects inside each other.")
    count: int = Field(10, ge=0, description="Most of each number in Context that has no limit of its own here.")
    rounds: int = Field(3, ge=0, description="Rounds of refinement.")
    solvers: int = Field(5, ge=1, description="Solvers of an item.")
    skills_per_seed: int = Field(17, ge=1, description="Skills of a seed.")
    most_seeds: int = Field(200, ge=1, description="Seeds of a dataset.")
    seed_chars: int = Field(20_000, ge=1, description="Characters of each.")
    at_once: int = Field(16, ge=1, description="Its work items side by side.")
    datasets: int = Field(2, ge=1, description="Datasets that are made for a user at the same time.")
    runs: int = Field(120, ge=1, description="Runs that a user may start in a minute.")
    concurrency: int = Field(64, ge=1, description="Calls under way to one model, of all users together.")
    usd: float = Field(inf, gt=0, description="Money for model calls until the server is started anew.")
    calls: float = Field(inf, gt=0, description="Model calls until then.")


@cache
def server_limits() -> Limits:
    """The limits of this server, read once.

    Raises:
        SetupError: a name is not known, or a value is none; says which.
    """
    named = [part.partition("=") for part in os.environ.get(VARIABLE, "").split(",") if part.strip()]
    given = {name.strip(): value.strip() for name, _, value in named}
    for name in given:
        if name not in Limits.model_fields:
            raise SetupError(f"{VARIABLE}: no limit {name!r}.{nearest(name, list(Limits.model_fields))}")
    try:
        return Limits.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise SetupError(f"{VARIABLE}: {first['loc'][0]}: {first['msg']}.") from None
