"""What the records cost, by skill and by role."""

from collections.abc import Mapping

from agentinstruct.dataset.spending import Payee, Spent
from agentinstruct.report.charts import Part, bar, lines_table
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html, tag
from agentinstruct.report.section import Section, block, legend
from agentinstruct.report.words import compact, counted, named, number, percent, usd
from agentinstruct.tools.prices import Price, price_of

ROLES = ("transform", "instruct", "suggest", "edit", "answer", "solve", "judge")


def cost_of(spent: Mapping[Payee, Spent], prices: Mapping[str, Price]) -> float | None:
    """USD at list prices; None where a model has none here."""
    parts = [one.cost(price_of(model, prices)) for (_, model), one in spent.items()]
    return None if any(part is None for part in parts) else sum(part or 0.0 for part in parts)


def summed(spent: Mapping[Payee, Spent]) -> Spent:
    """All payees together."""
    total = Spent()
    for one in spent.values():
        total.add(one)
    return total


def cost(found: Gathered) -> Section | None:
    """Tokens, calls and money per accepted record."""
    total = found.measures.counted.purse
    whole = summed(total)
    if not whole.calls:
        return None
    accepted, price = found.measures.counted.total.accepted, cost_of(total, found.prices)
    a_record = (
        f": {compact((whole.read + whole.written) / accepted)} tokens for each accepted record" if accepted else ""
    )
    money = "a model’s price is not known (--prices)" if price is None else f"{usd(price)} at list prices"
    lead = (
        f"{counted(whole.calls, 'call')} read {compact(whole.read)} tokens "
        f"({percent(whole.cached / whole.read if whole.read else 0)} "
        f"from the provider’s cache) and wrote {compact(whole.written)}{a_record}; {money}. Work that was dropped is "
        f"counted.{_counted(whole.calls, found.view.counts.calls)}"
    )
    return Section("cost", "Cost", lead, [_by_skill(found), _by_role(total, found.prices)])


def _counted(calls: int, stored: int) -> str:
    """Why these are not the calls that `status` and the ledger tell, where they are not."""
    if calls == stored:
        return ""
    return (
        " Calls are counted by finished work item, so one whose answer several items share counts for each; the run "
        f"keeps {counted(stored, 'different answer')}, those of unfinished work among them."
    )


def _by_skill(found: Gathered) -> Html:
    rows, most = [], 0.0
    lines: list[tuple[str, dict[str, float], float | None, int, float]] = []
    for skill, purse in found.measures.counted.spent.items():
        accepted = found.measures.counted.funnels[skill].accepted
        share = accepted or 1
        roles = {role: sum(o.read + o.written for (r, _), o in purse.items() if r == role) / share for role in ROLES}
        price = cost_of(purse, found.prices)
        lines.append((skill, roles, None if price is None else price / share, accepted, summed(purse).calls / share))
        most = max(most, sum(roles.values()))
    per = "per accepted record" if any(accepted for *_, accepted, _ in lines) else "in all"
    for skill, roles, price, accepted, calls in sorted(lines, key=lambda line: -sum(line[1].values())):
        parts = [Part(size, f"seq{ROLES.index(role) % 7}", f"{role}: {compact(size)}") for role, size in roles.items()]
        what = "" if accepted or per == "in all" else " (in all: none accepted)"
        rows.append((named(skill) + what, bar(parts, most), compact(sum(roles.values())), number(calls), usd(price)))
    heads = ("skill", f"tokens {per}, by role", "", "calls", "USD")
    played = {role for _, roles, *_ in lines for role, size in roles.items() if size}
    roles_legend = legend(*((f"seq{at % 7}", role) for at, role in enumerate(ROLES) if role in played))
    return block(per.capitalize(), roles_legend, lines_table(f"Cost {per} by skill", heads, rows))


def _by_role(total: Mapping[Payee, Spent], prices: Mapping[str, Price]) -> Html:
    rows = [
        (
            role,
            tag("span", model),
            one.calls,
            one.read,
            percent(one.cached / one.read if one.read else 0),
            one.written,
            usd(one.cost(price_of(model, prices))),
        )
        for (role, model), one in sorted(total.items(), key=lambda pair: -pair[1].read)
    ]
    heads = ("role", "model", "calls", "tokens read", "cached", "written", "USD")
    return block("By role and model", lines_table("Calls and tokens by role and model", heads, rows))
