"""What a file says about its licence: an SPDX tag, a well-known notice, or the REUSE.toml beside it."""

import re
import tomllib
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path, PurePath
from typing import Any

from agentinstruct.seeds.compressed import read_whole
from agentinstruct.seeds.document import Unusable
from agentinstruct.seeds.files import open_file

_WINDOW = 6000
_SPDX = re.compile(
    r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+\-]{2,40}(?: (?:AND|OR|WITH) [A-Za-z0-9.+\-]{2,40}){0,4})"
)
_CC = re.compile(r"creativecommons\.org/licenses/(by(?:-nc)?(?:-sa|-nd)?)/(\d\.\d)")
_NOTICES = tuple(
    (name, notice.lower())
    for name, notice in (
        ("CC0-1.0", "creativecommons.org/publicdomain/zero"),
        ("MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"),
        ("Apache-2.0", "Licensed under the Apache License, Version 2.0"),
        ("MPL-2.0", "Mozilla Public License, v. 2.0"),
        ("MPL-2.0", "Mozilla Public License, version 2.0"),
        ("AGPL-3.0", "GNU Affero General Public License"),
        ("LGPL", "GNU Lesser General Public License"),
        ("GFDL", "GNU Free Documentation License"),
        ("GPL", "GNU General Public License"),
        ("BSD-3-Clause", "Neither the name of"),
        ("BSD-2-Clause", "Redistribution and use in source and binary forms"),
        ("PSF-2.0", "Python Software Foundation License"),
        ("public domain", "This file is in the public domain"),
        ("public domain", "The author disclaims copyright to this source code"),
        ("public domain", "START OF THE PROJECT GUTENBERG EBOOK"),
        ("public domain", "START OF THIS PROJECT GUTENBERG EBOOK"),
    )
)
_MARKS = re.compile(r"[\s*#/;]+")


def licence_of(text: str) -> str:
    """The licence that the first or last lines of a text name, or `unknown`."""
    ends = text if len(text) <= 2 * _WINDOW else f"{text[:_WINDOW]}\n{text[-_WINDOW:]}"
    if tag := _SPDX.search(ends):
        return tag[1]
    if creative := _CC.search(ends):
        return f"CC-{creative[1].upper()}-{creative[2]}"
    ends = ends.lower()
    words = _MARKS.sub(" ", ends)
    return next((name for name, notice in _NOTICES if notice in words or notice in ends), "unknown")


def declared_licence(path: str) -> str:
    """The licence that a `REUSE.toml` in the file's folder declares for it (reuse.software), or an empty string."""
    folder, name = str(PurePath(path).parent), PurePath(path).name
    for annotation in reversed(_annotations(folder)):
        patterns = annotation.get("path", [])
        licence = annotation.get("SPDX-License-Identifier")
        if isinstance(licence, str) and any(
            isinstance(pattern, str) and fnmatchcase(name, pattern)
            for pattern in ([patterns] if isinstance(patterns, str) else patterns)
        ):
            return licence
    return ""


@lru_cache(maxsize=64)
def _annotations(folder: str) -> tuple[dict[str, Any], ...]:
    try:
        with open_file(str(Path(folder) / "REUSE.toml"), follow=False) as file:
            declared = tomllib.loads(read_whole(file, "", max_mb=1).decode()).get("annotations", [])
    except (Unusable, ValueError, RecursionError):
        return ()
    return tuple(entry for entry in declared if isinstance(entry, dict)) if isinstance(declared, list) else ()
