"""Seeds of texts that somebody hands over, instead of paths: what they say of their source is a label, never opened."""

from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import dataclass

from agentinstruct.agents.records import Seed
from agentinstruct.seeds.boilerplate import without_boilerplate
from agentinstruct.seeds.decoding import code_cuts_of, heading
from agentinstruct.seeds.document import Document, SeedOptions, Skipped, told
from agentinstruct.seeds.formats import LANGUAGES
from agentinstruct.seeds.licence import licence_of
from agentinstruct.seeds.quality import judgement
from agentinstruct.seeds.read import Judge, seeds_of
from agentinstruct.seeds.text import clean
from agentinstruct.seeds.worker import Worker

TEXT, MARKDOWN = "text", "markdown"
FORMATS = (TEXT, MARKDOWN, *LANGUAGES)
"""Plain text, Markdown, or the programming language of code."""


@dataclass(frozen=True, slots=True)
class Given:
    """A text as it was handed over."""

    text: str
    source: str
    title: str = ""
    form: str = TEXT
    licence: str = ""


def given_seeds(
    texts: Iterable[Given | Seed | Skipped], options: SeedOptions, judge: Judge = judgement
) -> Generator[Seed | Skipped, None, None]:
    """The seeds of texts, cut and judged as those of files are; what is a seed already stays as it is."""
    with closing(Worker(options)) as worker:
        read = (told(_document(one, options, worker)) if isinstance(one, Given) else one for one in texts)
        yield from seeds_of(read, options, judge)


def _document(given: Given, options: SeedOptions, worker: Worker) -> Document:
    text, code = clean(given.text), given.form in LANGUAGES
    return Document(
        source=given.source,
        text=text if code else without_boilerplate(text, page=False),
        modality="code" if code else "prose",
        language=given.form if code else "",
        title=given.title or ("" if code else heading(text)),
        licence=given.licence or options.licence or licence_of(text),
        markdown=given.form == MARKDOWN,
        cuts=code_cuts_of(text, given.form, options, worker) if code else (),
    )
