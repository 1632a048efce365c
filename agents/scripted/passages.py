"""The scripted model's transforms: the seed's own sentences, word for word, within the frame of a genre."""

from collections.abc import Callable, Sequence

from agentinstruct.agents.scripted.world import world

Frame = Callable[[Sequence[str]], list[str]]
"""Sentences → the paragraphs of a passage."""

_LINKS = (
    "This deserves a moment's attention, because the rest depends on it.",
    "An example may help: 3 readers out of 20 pass over this point without seeing it.",
    "Put differently, the matter is less simple than it looks at first sight.",
    "Whoever keeps this in mind will follow what comes next more easily.",
)


def passage(name: str, text: str) -> str:
    """The passage a transform of this name makes of a text; empty when the text has no sentence to keep."""
    telling = world(text).telling
    frame = FRAMES.get(name, _plain)
    return "\n\n".join(frame(telling)) if telling else ""


def _argument(sentences: Sequence[str]) -> list[str]:
    return [
        "Some hold that little follows from the facts at hand; in a survey, 14 of 60 people said so.",
        " ".join(sentences),
        "It follows that the matter should be decided now, because a decision in 2 years would cost twice as much.",
    ]


def _spoken(speakers: Sequence[str], sentences: Sequence[str]) -> list[str]:
    return [f"{speakers[i % len(speakers)]}: {sentence}" for i, sentence in enumerate(sentences)]


def _debate(sentences: Sequence[str]) -> list[str]:
    opening = "Moderator: The debate lasts 40 minutes before 120 listeners."
    closing = "Opponent: I grant what was said last, yet I hold the opposite view of the whole."
    return [opening, *_spoken(("Proponent", "Opponent"), sentences), closing]


def _conversation(sentences: Sequence[str]) -> list[str]:
    return ["Mara: I have 15 minutes before my train at 10, so tell me.", *_spoken(("Jonas", "Mara"), sentences)]


def _meeting(sentences: Sequence[str]) -> list[str]:
    return [
        "Chair: It is 9 o'clock, and 4 of us are present.",
        *_spoken(("Rivera", "Chen", "Okafor"), sentences),
        "Chair: It is decided that Chen writes this up within 6 days and that Rivera checks it.",
    ]


def _poem(sentences: Sequence[str]) -> list[str]:
    stanzas = []
    for sentence in sentences:
        words = sentence.split()
        lines = [" ".join(words[at : at + 6]) for at in range(0, len(words), 6)]
        stanzas.append("\n".join(lines))
    return stanzas


def _satire(sentences: Sequence[str]) -> list[str]:
    return [
        "The committee for the obvious is proud to announce what everybody knew already.",
        *sentences,
        "A medal is being struck, and the 12 members have awarded it to themselves.",
    ]


def _instructional(sentences: Sequence[str]) -> list[str]:
    steps = "\n".join(f"{number}. {sentence}" for number, sentence in enumerate(sentences, 1))
    return [
        "You need 25 minutes for this and 3 sheets of paper.",
        steps,
        "If a step fails, go back to the one before it and try again.",
    ]


def _long_text(sentences: Sequence[str]) -> list[str]:
    found = ["The following account goes through the matter point by point."]
    for i, sentence in enumerate(sentences):
        found.append(f"{sentence} {_LINKS[i]}" if i < len(_LINKS) else sentence)
    return [*found, "So much for the 5 points that matter most."]


def _plain(sentences: Sequence[str]) -> list[str]:
    return [" ".join(sentences)]


FRAMES: dict[str, Frame] = {
    "argument": _argument,
    "debate": _debate,
    "conversation": _conversation,
    "meeting": _meeting,
    "poem": _poem,
    "satire": _satire,
    "instructional": _instructional,
    "long_text": _long_text,
}
