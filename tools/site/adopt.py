"""A real text as a site: its sections become a list with a page for each, its labelled lines become figures.

No model is asked, so every word on such a site is the text's own.
"""

import re
from collections.abc import Iterator

from agentinstruct.tools.simulator import Collection
from agentinstruct.tools.site.spec import Figure, Site, SiteField, SitePage

LEAST, MOST = 3, 24
_HEADING = re.compile(r"#{1,6} +(.+?)#*$|<h[1-6][^>]*>(.+?)</h[1-6]>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z][^<>]{0,200}>", re.IGNORECASE)
_LABELLED = re.compile(r":?([A-Z][\w -]{2,28}):\s+(\S.{0,58}\S)")


def adopt(text: str, title: str = "") -> Site | None:
    """The site that a text makes; None where it has too few sections to walk through."""
    sections = list(_sections(text))[:MOST]
    if len(sections) < LEAST:
        return None
    rows = [[place, name, len(body.split()), body[:110]] for place, (name, body) in enumerate(sections, 1)]
    parts = Collection(name="parts", key="part", fields=["part", "title", "words", "opening"], rows=rows)
    name = _plain(title)[:60] or sections[0][0]
    facts = list(_figures(text))
    counted = Figure(label="Number of parts", value=str(len(sections)))
    pages = [
        SitePage(title="Home", kind="text", text=f"Everything about {name}, in parts.", facts=[counted]),
        SitePage(
            title="Contents",
            kind="list",
            text="All parts, in the order of the text.",
            collection="parts",
            columns=["part", "title", "words"],
            search=True,
            page_size=5,
        ),
        SitePage(title="Key figures", kind="text", text="What stands in the text under a label.", facts=facts),
        SitePage(title="Report an error", kind="form", text="Tell the editors.", under="Home", fields=_REPORT),
    ]
    return Site(name=name, collections=[parts], pages=pages if facts else [*pages[:2], pages[3]])


_REPORT = [
    SiteField(label="Part", kind="number", least=1),
    SiteField(label="What is wrong"),
    SiteField(label="Your e-mail", kind="email", required=False),
]


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """Titles, all different, and what stands under them: by headings, else by paragraphs."""
    seen: set[str] = set()
    for title, body in _headed(text) if _headings(text) >= LEAST else _paragraphs(text):
        name = _plain(title)[:70]
        if name and body and name.casefold() not in seen:
            seen.add(name.casefold())
            yield name, body


def _headings(text: str) -> int:
    return sum(bool(_HEADING.match(line.strip())) for line in text.splitlines())


def _headed(text: str) -> Iterator[tuple[str, str]]:
    title, body = "", ""
    for line in [*text.splitlines(), "# "]:
        found = _HEADING.match(line.strip())
        if found or line == "# ":
            yield title, _plain(body)
            title, body = (found[1] or found[2]) if found else "", ""
        else:
            body += f" {line}"


def _paragraphs(text: str) -> Iterator[tuple[str, str]]:
    for block in re.split(r"\n[ \t]*\n", text):
        words = _plain(block).split()
        if len(words) >= 12:
            yield " ".join(words[:5]).strip(" ,;:.-"), " ".join(words)


def _figures(text: str) -> Iterator[Figure]:
    found: dict[str, str] = {}
    for line in text.splitlines():
        if (labelled := _LABELLED.fullmatch(_plain(line))) and len(found) < 8:
            found.setdefault(labelled[1], labelled[2])
    yield from (Figure(label=label, value=value) for label, value in found.items())


def _plain(text: str) -> str:
    """Text without tags, on one line, and without the quotes that tasks are put in."""
    return " ".join(_TAG.sub(" ", text).translate(_QUOTES).split()).strip("*_# ")


_QUOTES = str.maketrans('“”„‟|[]·"', "''''/()-'")
