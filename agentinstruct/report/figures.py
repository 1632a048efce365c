"""Every figure as JSON, under names that stay: values with interval and count, and what each of them is."""

from dataclasses import asdict
from typing import Any

import orjson

from agentinstruct.dataset.measure_yield import Counted, Funnel
from agentinstruct.report.about import ABOUT
from agentinstruct.report.costs import cost_of, summed
from agentinstruct.report.findings import findings
from agentinstruct.report.gather import Gathered


def as_json(found: Gathered) -> bytes:
    """All figures of a run."""
    measures, covered = found.measures, found.measures.coverage.items()
    document = {
        "run": found.view.manifest.run,
        "created": found.view.manifest.created,
        "state": found.view.state,
        "about": ABOUT,
        "findings": [words for _, words in findings(found)],
        "yield": _yield(measures.counted),
        "reasons": _reasons(measures.counted),
        "checks": _checks(measures.counted),
        "coverage": {skill: {"covered": one.covered, "never": one.never} | asdict(one) for skill, one in covered},
        "agreement": measures.agreement,
        "keys": measures.keys,
        "texts": {skill: {"sampled": one.sampled, **one.traits} for skill, one in measures.texts.items()},
        "diversity": {skill or "all": one for skill, one in measures.diversity.items()}
        | {"embeddings": measures.embeddings},
        "refinement": measures.hardness,
        "cost": _cost(found),
        "bias": measures.bias,
        "records": {
            "repeated": measures.counted.repeated,
            "licences": measures.counted.licences,
            "languages": measures.counted.languages,
        },
        "settings": found.settings,
        "failures": [fault._asdict() for fault in found.view.faults],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS)


def _reasons(counted: Counted) -> list[dict[str, Any]]:
    return [
        {"skill": skill, "stage": stage, "reason": reason, "drafts": count}
        for (skill, stage, reason), count in counted.reasons.most_common()
    ]


def _checks(counted: Counted) -> list[dict[str, Any]]:
    return [
        {"skill": skill, "check": check, "kind": kind, "asked": one.asked, "failed": one.failed}
        for (skill, check, kind), one in sorted(counted.checks.items())
    ]


def _yield(counted: Counted) -> dict[str, Any]:
    return {
        "all": _funnel(counted.total),
        "skills": {skill: _funnel(one) for skill, one in sorted(counted.funnels.items())},
    }


def _funnel(one: Funnel) -> dict[str, Any]:
    return {
        "work_items": one.work,
        "drafts": one.drafts,
        "records": one.records,
        "accepted": one.accepted,
        "refined": one.refined,
        "declined": one.declined,
        "unsuggested": one.unsuggested,
        "dropped": one.lost,
        "yield": one.passed,
    }


def _cost(found: Gathered) -> dict[str, Any]:
    costs = {}
    for skill, purse in found.measures.counted.spent.items():
        accepted, whole = found.measures.counted.funnels[skill].accepted, summed(purse)
        price = cost_of(purse, found.prices)
        costs[skill] = {
            "calls": whole.calls,
            "input_tokens": whole.read,
            "cached_tokens": whole.cached,
            "output_tokens": whole.written,
            "usd": price,
            "usd_per_accepted": price / accepted if price is not None and accepted else None,
            "tokens_per_accepted": (whole.read + whole.written) / accepted if accepted else None,
            "roles": [
                {
                    "role": role,
                    "model": model,
                    "calls": one.calls,
                    "input_tokens": one.read,
                    "output_tokens": one.written,
                }
                for (role, model), one in sorted(purse.items())
            ],
        }
    return costs
