"""Which human language a text is in, from a model that ships with its package: nothing is ever fetched."""

from agentinstruct.tools.detector import detector

_SAMPLE = 1000
_MIN_SCORE = 0.35


def language_of(text: str, least: float = _MIN_SCORE) -> str:
    """ISO 639-1 code (639-3 where there is none), or an empty string when it cannot be told, surer than `least`."""
    sample = " ".join(text[: 2 * _SAMPLE].split())[:_SAMPLE]
    found = detector().detect(sample, model="lite") if sample else []
    return str(found[0]["lang"]) if found and found[0]["score"] >= least else ""
