"""What is asked about a problem, computed: the one choice or value that the question's words single out."""

from collections.abc import Callable

from agentinstruct.tools.solver.problem import SUFFICIENCY, Choice, Problem, ProblemError, Query, Undecided, Wanted
from agentinstruct.tools.solver.proof import Proof


def reply(query: Query) -> str:
    """The label of the one choice that is right, or the value asked for.

    Raises:
        ProblemError: the problem, the question or a choice cannot be read.
        Undecided: it has no solution, no choice is right, or several are.
    """
    if len({choice.label for choice in query.choices}) < len(query.choices):
        raise ProblemError("two choices have one label")
    proof = Proof(query.problem)
    if query.wanted != "conflict" and not proof.consistent():
        raise Undecided("nothing satisfies all the constraints")
    if query.wanted == "value":
        return str(proof.value(query.asked))
    if query.wanted == "sufficient":
        return _sufficient(query)
    return _only(query, _TESTS[query.wanted](query, proof))


def _only(query: Query, right: Callable[[Choice], bool]) -> str:
    labels = [choice.label for choice in query.choices if right(choice)]
    if len(labels) != 1:
        named = ", ".join(labels) or "none"
        raise Undecided(f"one choice should be right ({query.wanted}), of {len(query.choices)} there are: {named}")
    return labels[0]


def _must(query: Query, proof: Proof) -> Callable[[Choice], bool]:
    return lambda choice: proof.entails(choice.claim)


def _could(query: Query, proof: Proof) -> Callable[[Choice], bool]:
    return lambda choice: proof.possible(choice.claim)


def _cannot(query: Query, proof: Proof) -> Callable[[Choice], bool]:
    return lambda choice: not proof.possible(choice.claim)


def _same(query: Query, proof: Proof) -> Callable[[Choice], bool]:
    """The rule `asked` is taken out; the right choice brings back the very same solutions."""
    if query.asked not in query.problem.constraints:
        raise ProblemError("`asked` must be one of the constraints, letter for letter")
    rest = query.problem.less(query.asked)
    without = Proof(rest)
    if without.entails(query.asked):
        raise Undecided("the rule to be replaced changes nothing")

    def same(choice: Choice) -> bool:
        return proof.entails(choice.claim) and Proof(rest.plus(choice.claim)).entails(query.asked)

    return same


def _determines(query: Query, proof: Proof) -> Callable[[Choice], bool]:
    if _settled(query.problem, query.asked):
        raise Undecided("it is settled without any of the choices")
    return lambda choice: _settled(query.problem.plus(choice.claim), query.asked)


def _settled(problem: Problem, asked: str) -> bool:
    """Whether there is exactly one solution, or one value of `asked`."""
    proof = Proof(problem)
    if not asked:
        return len(proof.solutions(2)) == 1
    try:
        proof.value(asked)
    except Undecided:
        return False
    return True


def _sufficient(query: Query) -> str:
    if len(query.choices) != 2:
        raise ProblemError("data sufficiency has two statements")
    first, second = (choice.claim for choice in query.choices)
    if not Proof(query.problem).consistent(first, second):
        raise Undecided("the two statements contradict each other")
    alone = [_settled(query.problem.plus(claim), query.asked) for claim in (first, second)]
    if all(alone):
        return SUFFICIENCY[3]
    if any(alone):
        return SUFFICIENCY[alone.index(True)]
    return SUFFICIENCY[2 if _settled(query.problem.plus(first, second), query.asked) else 4]


def _conflict(query: Query, proof: Proof) -> Callable[[Choice], bool]:
    claims = [choice.claim for choice in query.choices]
    if proof.consistent(*claims):
        raise Undecided("the statements can all hold together")
    return lambda choice: proof.consistent(*(claim for claim in claims if claim != choice.claim))


_TESTS: dict[Wanted, Callable[[Query, Proof], Callable[[Choice], bool]]] = {
    "must": _must,
    "could": _could,
    "cannot": _cannot,
    "same": _same,
    "determines": _determines,
    "conflict": _conflict,
}
