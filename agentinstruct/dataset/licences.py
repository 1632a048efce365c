"""What the licences of the sources say of passing on what was made from them. No legal advice: it reads names only."""

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType

_FORBIDS = re.compile(
    r"(?<![a-z])nd(?![a-z])|no[- ]?deriv|proprietary|all rights reserved|confidential|no[- ]redistrib"
)
_HUB: Mapping[str, str] = MappingProxyType(
    {
        "AGPL-3.0": "agpl-3.0",
        "Apache-2.0": "apache-2.0",
        "BSD-2-Clause": "bsd-2-clause",
        "BSD-3-Clause": "bsd-3-clause",
        "CC0-1.0": "cc0-1.0",
        "CC-BY-4.0": "cc-by-4.0",
        "CC-BY-SA-3.0": "cc-by-sa-3.0",
        "CC-BY-SA-4.0": "cc-by-sa-4.0",
        "CC-BY-NC-4.0": "cc-by-nc-4.0",
        "GFDL": "gfdl",
        "MIT": "mit",
        "MPL-2.0": "mpl-2.0",
    }
)
UNKNOWN = "unknown"


def forbids(licence: str) -> bool:
    """Whether a licence, by its name, does not let one pass on works made from the source."""
    return bool(_FORBIDS.search(licence.lower()))


def hub_licence(licences: Iterable[str]) -> str:
    """How the Hugging Face Hub calls the one licence of a dataset; `other` where there are several or it knows none."""
    names = set(licences)
    return _HUB.get(names.pop(), "other") if len(names) == 1 else "other"
