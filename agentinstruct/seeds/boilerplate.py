"""Lines that belong to a site or a publisher and not to a text: taken out before it is cut into chunks.

Cautious by design: of a page, a line goes only when it is short and all of it is a phrase known from menus and
notices; of any text, only what lies outside the start and end marks of a Project Gutenberg book.
"""

import re

_MAX_LINE = 160
_LINE = re.compile(
    r"\W*("
    r"skip to (main )?(content|navigation)|(back|return) to (the )?top|table of contents|on this page|"
    r"(this|our) (web)?site uses cookies.*|we use cookies.*|(accept|reject)( all)?( cookies)?|"
    r"cookie (policy|settings|preferences)|"
    r"privacy policy|terms (of (use|service)|and conditions)|sign (in|up)|log ?in|subscribe( now)?|"
    r"share (this|on).{0,40}|"
    r"(edit|improve) this page|report (a|an) (bug|issue)|print(er-friendly)?( version)?|advertisement|"
    r"(previous|next)( (page|topic|chapter|section))?|(prev|next|home|up|index|menu|search|contents|close)|"
    r"all rights reserved|(copyright )?(©|\(c\)) ?\d{4}.{0,80}all rights reserved|"
    r"page \d+( of \d+)?|last (updated|modified|edited).{0,40}|read more|loading|please enable javascript.*"
    r")\W*",
    re.I,
)
_GUTENBERG_START = re.compile(r"^\*\*\* ?START OF (?:THE|THIS) PROJECT GUTENBERG.*$", re.M)
_GUTENBERG_END = re.compile(
    r"^(?:\*\*\* ?END OF (?:THE|THIS) PROJECT GUTENBERG.*|End of (?:the )?Project Gutenberg.*)$", re.M
)


def without_boilerplate(text: str, page: bool) -> str:
    """The text without its publisher's notices and, of a web `page`, without the lines of its menus."""
    if start := _GUTENBERG_START.search(text):
        text = text[start.end() :]
    if end := _GUTENBERG_END.search(text):
        text = text[: end.start()]
    if page:
        text = "\n".join(line for line in text.split("\n") if len(line) > _MAX_LINE or not is_boilerplate(line))
    return text


def is_boilerplate(line: str) -> bool:
    """Whether all of a line is a phrase of menus and notices."""
    return _LINE.fullmatch(line[: 2 * _MAX_LINE].strip()) is not None
