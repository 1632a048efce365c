"""The scripted examiner: it rates an answer by the words it shares with dialogue and agreed result, an echo low."""

from collections.abc import Callable, Mapping

from agentinstruct.agents.gateway import Request


def examine(request: Request) -> Mapping[str, object]:
    """Both ratings; the same answer gets the same one in either place."""
    inputs = request.inputs
    asked = " ".join(f"{inputs['dialogue']} {inputs['reference']}".split())
    return {"wanted": "What was asked for.", **{name: _rated(inputs[name], asked) for name in ("first", "second")}}


def _rated(answer: str, asked: str) -> dict[str, object]:
    words = _words(answer)
    shared = words & _words(asked)
    echo = len(words) > 20 and " ".join(answer.split()) in asked
    rating = 2 if echo else min(10, 5 + round(5 * len(shared) / max(len(words), 1)))
    return {"findings": f"It shares {len(shared)} words.", "rating": rating}


def _words(text: str) -> set[str]:
    return {word.strip(".,:;!?\"'()[]{}").lower() for word in text.split()} - {""}


def examined(request: Request) -> str:
    """What the scripted model says when it is examined: the beginning of what it was asked."""
    return " ".join(str(request.inputs["request"]).split()[:60])


SCRIPTS: Mapping[str, Callable[[Request], Mapping[str, object] | str]] = {"examiner": examine, "examined": examined}
