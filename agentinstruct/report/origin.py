"""Where the records come from: sources, licences, models, prompts by fingerprint, settings; what each figure is."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from agentinstruct.report.about import ABOUT
from agentinstruct.report.charts import Part, bar, lines_table
from agentinstruct.report.gather import Gathered
from agentinstruct.report.html import Html, tag
from agentinstruct.report.section import Section, block, more
from agentinstruct.report.words import counted, named

SOURCES = 15


def provenance(found: Gathered) -> Section:
    """Everything that made the records."""
    counted_, settings = found.measures.counted, found.settings
    models = settings.get("models", {})
    prompts = {name: digest for files in settings.get("skills", {}).values() for name, digest in files.items()}
    lead = (
        f"Run {found.view.manifest.run}, begun {found.view.manifest.created}. Every record carries its own lineage: "
        "source and span, "
        "transform, parent, suggestion, each call and each verdict."
    )
    body = [
        _listing("Licences of the sources", "licence", counted_.licences),
        _listing("Languages", "language", counted_.languages),
        _listing("Sources", "source", counted_.sources),
        block(
            "Models",
            lines_table(
                "Model of each role",
                ("role", "model"),
                [(role, tag("span", str(model))) for role, model in _roles(models).items()],
                cls="words",
            ),
        ),
        more(
            f"Settings, all {len(_flat('', settings))}", _pairs("Settings", ("setting", "value"), _flat("", settings))
        ),
        more(
            f"{counted(len(prompts), 'prompt and data file')} with fingerprints",
            _pairs("Fingerprints", ("file", "fingerprint"), prompts),
        ),
        more(
            "What each figure is",
            tag("dl", [(tag("dt", name), tag("dd", words)) for name, words in ABOUT.items()], cls="about"),
        ),
    ]
    return Section("provenance", "Provenance", lead, body)


def _roles(models: Mapping[str, str]) -> Mapping[str, str]:
    """The model of each role; of all at once where they are one."""
    return {"every role": next(iter(models.values()))} if len(set(models.values())) == 1 else models


def _listing(title: str, head: str, counts: Counter[str]) -> Html | None:
    if not counts:
        return None
    most = max(counts.values())
    rows = [(name, bar([Part(n, "good", f"{n:,}")], most), n) for name, n in counts.most_common(SOURCES)]
    rest = len(counts) - SOURCES
    return block(
        title,
        lines_table(f"Records by {head}", (head, "", "records"), rows),
        tag("p", f"and {rest:,} more", cls="note") if rest > 0 else None,
    )


def _pairs(caption: str, heads: tuple[str, str], pairs: Mapping[str, Any]) -> Html:
    return lines_table(
        caption, heads, [(name, tag("span", str(value))) for name, value in sorted(pairs.items())], cls="words"
    )


def _flat(prefix: str, settings: Mapping[str, Any]) -> dict[str, str]:
    """Nested settings by dotted name; the skills' files are listed elsewhere."""
    found: dict[str, str] = {}
    for key, value in settings.items():
        name = f"{prefix}.{key}" if prefix else key
        if name == "skills":
            found[name] = ", ".join(map(named, value))
        elif isinstance(value, dict):
            found |= _flat(name, value)
        else:
            found[name] = str(value)
    return found
