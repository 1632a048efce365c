"""How the scripted model reads a reading-comprehension item, from its parts or from a user's whole turn."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agentinstruct.agents.scripted.world import World, world

_Q = r'"([^"\n]+)"'
STEMS = {
    "short": re.compile(
        rf'(?:How does the|After "[^"\n]+" comes a) sentence that begins {_Q}(?: go on\?|: how does it go on\?)'
    ),
    "list": re.compile(r'How do the sentences that begin (?:"[^"\n]+"(?:, | and )?)+ go on\?'),
    "quote": re.compile(rf"Which sentence (?:begins|comes after the one that begins) {_Q}\? Quote it in full\."),
    "number": re.compile(rf"What is (?:twice )?the number after {_Q}(?: (?:plus|minus) the number after {_Q})*\?"),
    "pair": re.compile(r"(?:Read closely\. )?Which of these two statements stands in the text\?"),
    "choice": re.compile(
        r"(?:Read closely: the options differ in few words\. )?"
        r"(?:[A-Z][^\n.?!:]*: )?(?:Which of these does the text state\?|The text states all of these EXCEPT which\?)"
    ),
    "blank": re.compile(r'(?:In|Read closely: in) the text, "[^"\n]*_{2,}[^"\n]*"'),
    "match": re.compile(
        r"Match (?:each beginning with|every one of these beginnings to) the words that go on from it\."
    ),
    "order": re.compile(r"In which order does the text make (?:these|all of these) statements\?"),
    "tristate": re.compile(rf"(?:Read closely: a|A)ccording to the text, {_Q}"),
    "essay": re.compile(rf"How does the text (?:support|support, step by step,) the statement {_Q}\?"),
}
_CHOICES = re.compile(r"(?:^[A-J]\. .*(?:\n|\Z))+", re.MULTILINE)
_LEFTS = re.compile(r"((?:^\d\. .*\n)+)\s*\n((?:^[a-j]\. .*(?:\n|\Z))+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Problem:
    """An item to solve: a question on a text, with what it quotes and offers."""

    form: str
    question: str
    text: World
    options: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    """The second column of a matching item; its first is in `options`."""

    @property
    def quoted(self) -> tuple[str, ...]:
        """What the question quotes."""
        return tuple(re.findall(_Q, self.question))

    @property
    def odd_one_out(self) -> bool:
        """Whether the option asked for is the one that does not hold."""
        return bool(re.search(r"\b(?:EXCEPT|NOT)\b|must be false|least likely", self.question))


def posed(form: str, question: str, passage: str, options: str) -> Problem:
    """The item whose parts are known."""
    lefts, rights = columns(options)
    return Problem(form or kind_of(question), question, world(passage), lefts, rights)


def asked(request: str, form: str = "") -> Problem | None:
    """The item in a user's turn, whatever its layout; None when the turn holds none of ours."""
    kinds = [form] if form in STEMS else list(STEMS)
    for kind in kinds:
        if found := STEMS[kind].search(request):
            before, rest = request[: found.start()], request[found.end() :]
            block = _LEFTS.search(rest) if kind == "match" else _CHOICES.search(rest)
            if block and kind in ("choice", "pair", "blank", "match", "order"):
                rest = f"{rest[: block.start()]}\n\n{rest[block.end() :]}"
            lefts, rights = columns(block[0] if block else "")
            return Problem(kind, found[0], world(f"{before}\n\n{rest}"), lefts, rights)
    return None


def seen(view: str, passage: str, form: str) -> Problem:
    """The item as other agents see it, its key and its writer's notes not looked at."""
    block = (_LEFTS if form == "match" else _CHOICES).search(view)
    question = view[: block.start()] if block else view.partition("\nKey: ")[0]
    ours = STEMS[form].search(question) if form in STEMS else None
    return posed(form, ours[0] if ours else question.strip(), passage, block[0] if block else "")


def columns(options: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The options without their labels; for a matching item, its two columns."""
    if block := _LEFTS.search(options):
        return tuple(_unlabelled(block[1])), tuple(_unlabelled(block[2]))
    return tuple(_unlabelled(options)), ()


def kind_of(question: str) -> str:
    """The form of one of our questions."""
    return next((form for form, stem in STEMS.items() if stem.search(question)), "short")


def _unlabelled(block: str) -> Iterator[str]:
    for line in block.splitlines():
        if found := re.match(r"(?:[A-Ja-j]|\d)\. (.*)", line):
            yield found[1].strip()
