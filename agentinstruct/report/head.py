"""The top of the page: what this is, its headline numbers, and what is worth a look."""

import time

from agentinstruct.dataset.measure_yield import Funnel
from agentinstruct.report.costs import cost_of, summed
from agentinstruct.report.findings import findings
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html, tag
from agentinstruct.report.words import compact, counted, interval, percent, usd

STATES = {
    "running": "It still works: these are the figures so far.",
    "exporting": "It is writing its dataset.",
    "starting": "It is starting.",
    "estimated": "A sample of its work was measured; `agentinstruct run` with the same options goes on with it.",
    "silent": "A process holds it but has told nothing for a while.",
    "stopped": "It was stopped; the same command goes on with it.",
    "budget reached": "Its budget was reached; the same command with a larger one goes on.",
    "failed": "It failed; the same command goes on with it.",
    "killed": "It was killed; the same command goes on with it.",
    "unknown": "Nobody runs it; the same command goes on with it.",
}


def head(found: Gathered) -> Html:
    """Title, state and headline numbers."""
    total, view = found.measures.counted.total, found.view
    at = time.strftime("%d %B %Y, %H:%M", time.localtime(view.now))
    state = tag("span", view.state, cls=f"state {'bad' if view.state in ('failed', 'killed') else 'well'}")
    skills = sum(bool(one.accepted) for one in found.measures.counted.funnels.values())
    made = f"{counted(total.accepted, 'accepted record')} of {counted(skills, 'skill')}"
    title = tag("h1", made if total.accepted else _nothing(total))
    where = tag("p", tag("span", view.folder.name, cls="run"), state, STATES.get(view.state, ""), cls="standing")
    why = tag("p", view.told.why, cls="why") if view.told and view.told.why else None
    notices = [tag("p", notice, cls="note") for notice in view.notices]
    return tag("header", tag("p", f"Dataset report · {at}", cls="eyebrow"), title, where, why, notices, _tiles(found))


def _nothing(total: Funnel) -> str:
    """The title where no record was accepted."""
    if total.records:
        return f"{counted(total.records, 'record')}, none accepted"
    return f"No record: {counted(total.drafts, 'draft')} dropped" if total.drafts else "No record yet"


def _tiles(found: Gathered) -> Html:
    tiles = [*_made(found), *_paid(found)]
    spread = found.measures.diversity.get("") or next(iter(found.measures.diversity.values()), None)
    if spread and spread.vendi.value:
        tiles.append(("Vendi score", f"{spread.vendi.value:.0f}", f"of {spread.sampled} sampled instructions"))
    cells = [tag("div", tag("dt", name), tag("dd", value, cls="big"), tag("dd", words)) for name, value, words in tiles]
    return tag("dl", cells, cls="tiles")


def _made(found: Gathered) -> list[tuple[str, str, str]]:
    total = found.measures.counted.total
    cells = [cell for one in found.measures.coverage.values() for cell in one.categories if cell.known]
    drafts = f"of {counted(total.drafts, 'draft')}, {interval(total.passed, shares=True)}"
    refined = total.refined / total.records if total.records else None
    covered = f"{sum(bool(cell.accepted) for cell in cells):,} of {len(cells):,}"
    return [
        ("yield", percent(total.passed.value), drafts if total.drafts else "no draft yet"),
        ("refined", percent(refined), "of records refine another item"),
        ("categories", covered, "have an accepted record"),
    ]


def _paid(found: Gathered) -> list[tuple[str, str, str]]:
    purse, accepted = found.measures.counted.purse, found.measures.counted.total.accepted
    whole, price = summed(purse), cost_of(purse, found.prices)
    tokens = compact((whole.read + whole.written) / accepted) if accepted else "–"
    each = f"{usd(price / accepted)} an accepted record" if price and accepted else "at list prices"
    return [("tokens a record", tokens, f"in {counted(whole.calls, 'call')}"), ("cost", usd(price), each)]


def noteworthy(found: Gathered) -> Html | None:
    """The findings, each with a link to where it is shown."""
    told = findings(found)
    if not told:
        return None
    items = [tag("li", tag("a", words, href=f"#{section}")) for section, words in told]
    return tag("aside", tag("h2", "Worth a look", id="look"), tag("ul", items), aria_labelledby="look", cls="look")
