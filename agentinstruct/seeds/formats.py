"""Which reader a file name asks for; nothing here looks into a file."""

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

Reader = Literal["text", "code", "lines", "csv", "parquet", "html", "pdf", "docx", "epub", "ipynb", "json"]
Compression = Literal["", "gz", "zst"]

LANGUAGES = {
    "bash": "sh bash",
    "c": "c h",
    "clojure": "clj",
    "cpp": "cc cpp cxx hh hpp hxx",
    "csharp": "cs",
    "css": "css scss",
    "dart": "dart",
    "elixir": "ex exs",
    "erlang": "erl",
    "fortran": "f90 f95 f03",
    "go": "go",
    "haskell": "hs",
    "java": "java",
    "javascript": "js mjs cjs jsx",
    "julia": "jl",
    "kotlin": "kt kts",
    "lisp": "lisp el scm",
    "lua": "lua",
    "objectivec": "m",
    "ocaml": "ml mli",
    "perl": "pl pm",
    "php": "php",
    "python": "py pyi",
    "r": "r",
    "ruby": "rb",
    "rust": "rs",
    "scala": "scala",
    "sql": "sql",
    "swift": "swift",
    "tsx": "tsx",
    "typescript": "ts mts",
    "zig": "zig",
}
"""Programming language → its suffixes."""

GRAMMARS = {
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "go": ("tree_sitter_go", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "python": ("tree_sitter_python", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
}
"""Programming language → module of its tree-sitter grammar, and the function that returns it."""

_READERS: dict[str, Reader] = {
    **dict.fromkeys(("txt", "text", "md", "markdown", "rst"), "text"),
    **dict.fromkeys(("html", "htm", "xhtml"), "html"),
    **dict.fromkeys(("jsonl", "ndjson"), "lines"),
    **dict.fromkeys(("csv", "tsv"), "csv"),
    "parquet": "parquet",
    "pdf": "pdf",
    "docx": "docx",
    "epub": "epub",
    "ipynb": "ipynb",
    "json": "json",
}
_LANGUAGE = {suffix: language for language, suffixes in LANGUAGES.items() for suffix in suffixes.split()}

# About the files around them, not material itself.
_ASIDE = re.compile(r"(SOURCES|LICEN[CS]E|COPYING|COPYRIGHT|NOTICE|AUTHORS|REUSE)([.-].*)?|.*\.license", re.I)


@dataclass(frozen=True, slots=True)
class Format:
    """How to read a file: its reader, its compression and the suffix that told."""

    reader: Reader
    compression: Compression = ""
    suffix: str = ""
    language: str = ""


def format_of(path: str) -> Format | None:
    """The format that a file's name tells, or None when it tells none."""
    suffixes = [suffix[1:].lower() for suffix in PurePath(path).suffixes]
    compression: Compression = ""
    if suffixes and suffixes[-1] in ("gz", "zst"):
        compression = "gz" if suffixes.pop() == "gz" else "zst"
    suffix = suffixes[-1] if suffixes else ""
    if language := _LANGUAGE.get(suffix):
        return Format("code", compression, suffix, language)
    reader = _READERS.get(suffix)
    return Format(reader, compression, suffix) if reader else None


def is_aside(name: str) -> bool:
    """Whether a file tells about its folder (SOURCES.md, LICENSE, …) rather than being material of it."""
    return _ASIDE.fullmatch(name) is not None
