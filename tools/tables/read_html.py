"""Tables in HTML, by the standard library's parser: captions, headings and cells; scripts and styles are left out."""

from collections.abc import Iterator
from html.parser import HTMLParser

from agentinstruct.tools.tables.cells import typed
from agentinstruct.tools.tables.table import Table, TableError


class _Tables(HTMLParser):
    """Collects captions and rows of cells."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[tuple[str, list[list[str]]]] = []
        self._into = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open a table, a row, a cell or a caption."""
        if tag == "table":
            self.found.append(("", []))
        elif tag == "tr" and self.found:
            self.found[-1][1].append([])
        elif tag in ("td", "th") and self.found and self.found[-1][1]:
            self.found[-1][1][-1].append("")
        self._into = tag if tag in ("td", "th", "caption", "script", "style") else self._into

    def handle_endtag(self, tag: str) -> None:
        """Close what text goes into."""
        if tag == self._into:
            self._into = ""

    def handle_data(self, data: str) -> None:
        """Text of a cell or a caption."""
        if not self.found:
            return
        caption, rows = self.found[-1]
        if self._into == "caption":
            self.found[-1] = (f"{caption} {data}".strip(), rows)
        elif self._into in ("td", "th") and rows and rows[-1]:
            rows[-1][-1] = f"{rows[-1][-1]}{data}".strip()


def html_tables(text: str) -> Iterator[Table]:
    """The tables of an HTML text that have a heading row and rows of the same width."""
    parser = _Tables()
    parser.feed(text)
    parser.close()
    for caption, rows in parser.found:
        full = [row for row in rows if row]
        if len(full) < 2:
            continue
        try:
            yield typed(caption, full[0], full[1:])
        except TableError:
            continue
