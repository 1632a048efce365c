"""Whether a run buys by batch job: where it is asked for, or where jobs of an earlier sitting are still open."""

from dataclasses import replace

from agentinstruct.agents.batch import Batches
from agentinstruct.agents.batch_answers import Books
from agentinstruct.agents.budget import Budget
from agentinstruct.agents.calls import CallStore
from agentinstruct.agents.limits import Statistics
from agentinstruct.run.jobs import Jobs
from agentinstruct.run.journal import Journal
from agentinstruct.run.plan import RunConfig


def batches_of(
    config: RunConfig, journal: Journal, store: CallStore, statistics: Statistics, budget: Budget
) -> Batches | None:
    """What sends a run's calls by batch job, where they are to go that way or went before."""
    jobs = Jobs(journal)
    if not config.batch.roles and not jobs.jobs():
        return None
    books = Books(journal, store, statistics, config.batch_prices(), budget)
    return Batches(config.endpoints.open, jobs, books, replace(books, prices=config.price_table()), config.batch)
