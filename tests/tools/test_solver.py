"""The constraint solver: what its language takes, what it proves, and that its two engines agree."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinstruct.tools.solver import (
    Choice,
    Problem,
    ProblemError,
    Proof,
    Query,
    Undecided,
    Variable,
    entails,
    identifier,
    possible,
    reply,
    solve,
    worlds,
)


def seats(*rules: str, names: str = "abc") -> Problem:
    variables = [Variable(name=name, kind="int", low=1, high=len(names)) for name in names]
    return Problem(variables=tuple(variables), constraints=(f"all_different({', '.join(names)})", *rules))


def query(wanted: str, *claims: str, rules: tuple[str, ...] = ("a < b",), asked: str = "") -> Query:
    choices = tuple(Choice(label="ABCDE"[i], claim=claim) for i, claim in enumerate(claims))
    return Query(problem=seats(*rules), wanted=wanted, asked=asked, choices=choices)


def test_uniqueness_is_proved() -> None:
    assert solve(seats("a < b", "b < c")) == [{"a": 1, "b": 2, "c": 3}]
    assert len(solve(seats("a < b"))) == 2
    assert len(solve(seats("a < b"), 100)) == 3
    assert solve(seats("a < b", "b < a")) == []


def test_what_must_could_and_cannot_be() -> None:
    problem = seats("a < b")
    assert entails(problem, "a != 3") and not entails(problem, "a == 1")
    assert possible(problem, "c == 1") and not possible(problem, "b == 1")


@pytest.mark.parametrize(
    ("asked", "label"),
    [
        (query("must", "a == 1", "a != 3", "c == 3"), "B"),
        (query("could", "b == 1", "a == 3", "c == 2"), "C"),
        (query("cannot", "a == 2", "c == 1", "b == 1"), "C"),
        (query("same", "a != 3", "b > a", "c == 3", asked="a < b"), "B"),
        (query("determines", "c != 1", "c == 2", "b == 3"), "B"),
        (query("conflict", "c == 1", "c == 3", "a == 1"), "A"),
        (query("sufficient", "c == 1", "b == 3", asked="c"), "A"),
        (query("sufficient", "c != 1", "b != 3", asked="a"), "E"),
        (query("sufficient", "c != 3", "c != 2", asked="c"), "C"),
        (query("value", rules=("a < b", "b < c"), asked="b + 10"), "12"),
    ],
)
def test_questions_are_answered(asked: Query, label: str) -> None:
    if asked.wanted == "sufficient" and label == "E":
        asked = asked.model_copy(update={"problem": seats("a < b", names="abcd")})
    assert reply(asked) == label


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        (query("must", "a == 1", "b == 3"), "none"),
        (query("must", "a != 3", "b != 1"), "A, B"),
        (query("could", "c == 1", "c == 2"), "A, B"),
        (query("must", "a == 1", rules=("a < b", "b < a")), "nothing satisfies"),
        (query("value", asked="a"), "more than one value"),
        (query("conflict", "c == 1", "a == 2"), "all hold together"),
        (query("same", "a != 3", asked="a < b", rules=("a < b", "b == 3", "a == 1")), "changes nothing"),
    ],
)
def test_questions_without_one_reply_are_undecided(asked: Query, problem: str) -> None:
    with pytest.raises(Undecided, match=problem):
        reply(asked)


@pytest.mark.parametrize(
    "source",
    [
        "__import__('os')",
        "a.real",
        "[a for a in (1,)]",
        "lambda: 1",
        "open('x')",
        "a := 1",
        "f'{a}'",
        "a ** 9",
        "a / 2",
        "a // b",
        "a",
        "a and b",
        "a == 'green'",
        "all_different(a)",
        "some(a)",
        "1 <",
        "a == 1.5",
        "a == " + "1 + " * 900 + "1",
        "not " * 500 + "(a == 1)",
    ],
)
def test_what_is_not_the_language_is_refused(source: str) -> None:
    with pytest.raises(ProblemError):
        Proof(seats(source))
    with pytest.raises(ProblemError):
        worlds(seats(source))


@pytest.mark.parametrize(
    "variable",
    [
        {"name": "a", "kind": "int", "low": 2, "high": 1},
        {"name": "a", "kind": "int", "low": 0, "high": 10**9},
        {"name": "a", "kind": "name"},
        {"name": "a", "kind": "name", "values": ["x", "x"]},
    ],
)
def test_domains_are_bounded(variable: dict) -> None:
    with pytest.raises(ProblemError):
        Proof(Problem(variables=(Variable(**variable),), constraints=()))


def test_names_and_classes() -> None:
    colours = tuple(Variable(name=name, kind="name", values=("red", "blue")) for name in ("hat", "coat"))
    problem = Problem(variables=colours, constraints=("hat != coat", "hat == 'red'"))
    assert solve(problem) == [{"hat": "red", "coat": "blue"}]
    kinds = tuple(Variable(name=name, kind="class") for name in ("bakers", "tall", "early"))
    syllogism = Problem(variables=kinds, constraints=("every(bakers, tall)", "some(bakers, early)"))
    assert entails(syllogism, "some(tall, early)")
    assert not entails(syllogism, "every(tall, bakers)") and possible(syllogism, "no(bakers, not early)")


def test_a_problem_is_json() -> None:
    asked = query("must", "a == 1")
    assert Query.model_validate(json.loads(asked.model_dump_json())) == asked


def test_too_large_a_search_is_refused_and_not_begun_for_ever() -> None:
    wide = Problem(variables=tuple(Variable(name=f"v{i}", kind="int", high=99) for i in range(9)), constraints=())
    with pytest.raises(ProblemError, match="more than"):
        worlds(wide)


def test_identifiers() -> None:
    assert identifier("The Red House") == "the_red_house"
    assert identifier("7 up!") == "x_7_up"


TERMS = st.sampled_from(["a", "b", "c", "1", "2", "a + 1", "distance(a, b)", "max(b, c)"])
ATOMS = st.builds(lambda x, op, y: f"{x} {op} {y}", TERMS, st.sampled_from(["==", "!=", "<", "<="]), TERMS)
CLAIMS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("implies({}, {})".format, inner, inner),
        st.builds("iff({}, {})".format, inner, inner),
        st.builds("exactly(1, {}, {})".format, inner, inner),
        st.builds("(({}) and not ({}))".format, inner, inner),
        st.builds("(({}) or ({}))".format, inner, inner),
    ),
    max_leaves=4,
)


@given(CLAIMS, CLAIMS)
@settings(max_examples=60, deadline=None)
def test_both_engines_find_the_same(rule: str, claim: str) -> None:
    problem = seats(rule)
    listed, proved = worlds(problem), Proof(problem)
    assert len(proved.solutions(10)) == len(listed.found)
    assert proved.possible(claim) == bool(listed.where(claim))
    assert proved.entails(claim) == (listed.where(claim) == listed.all)
