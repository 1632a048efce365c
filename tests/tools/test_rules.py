"""Hidden rules: families, puzzles that are proven against them, and how examples are written and read."""

from random import Random

import pytest

from agentinstruct.tools.rules import (
    FAMILIES,
    STYLES,
    Puzzle,
    Shot,
    Style,
    answers,
    composed,
    farther,
    fewer,
    odd,
    read_block,
    sample,
    spoilt,
    tagged,
)

TEXT = """The ferry from Holtenau carried 12 carts and 40 sheep on market days, and the ferryman, old Brix, took a penny
for each. In winter, when the river froze, farmers crossed on foot, with sledges, from Laboe to Kiel. A storm in 1903
broke the landing stage; the village of Wik paid 24 pounds for new planks. After that, a steam launch came twice a day,
and Brix sold his boat to a painter called Nolde, who kept chickens in it."""


def puzzles(family: str, count: int = 8) -> list[Puzzle]:
    found = [sample(family, TEXT, Random(i)) for i in range(count)]
    return [puzzle for puzzle in found if puzzle]


@pytest.mark.parametrize("family", FAMILIES)
def test_the_examples_decide_the_query(family: str) -> None:
    found = puzzles(family)
    assert len(found) > 6
    assert len({puzzle.key for puzzle in found}) > 1
    assert found == puzzles(family), "the same draw gives the same puzzle"
    for puzzle in found:
        assert puzzle == Puzzle.model_validate(puzzle.model_dump(mode="json"))
        assert all(puzzle.of.apply(puzzle.rule, shot.given) == shot.made for shot in puzzle.shots)
        assert puzzle.made(puzzle.query) == puzzle.key and puzzle.answers() == {puzzle.key}
        assert 1 <= len(puzzle.shots) <= 8 and puzzle.words


def test_examples_that_leave_a_choice_are_told_from_those_that_do_not() -> None:
    one = [Shot(given="level", made="level-level")]
    assert answers("words", one, "tide") > {"tide-tide", "edit-edit"}
    assert answers("words", [*one, Shot(given="sand", made="sand-sand")], "tide") == {"tide-tide"}
    assert answers("words", [Shot(given="sand", made="quite else")], "tide") == frozenset()
    assert len(answers("sums", [Shot(given="2, 2, 2", made="2")], "3, 5, 8")) > 5


@pytest.mark.parametrize("family", FAMILIES)
def test_refinements_decide_too(family: str) -> None:
    made = {change.__name__: 0 for change in (fewer, tagged, farther)}
    for puzzle in puzzles(family):
        for change in (fewer, tagged, farther):
            harder = change(puzzle, Random(1))
            if harder is None:
                continue
            made[change.__name__] += 1
            assert harder.answers() == {harder.key} and harder != puzzle
            assert harder.made(harder.query) == harder.key
    assert all(count > 2 for count in made.values()), made


@pytest.mark.parametrize("family", ["words", "signs", "analogies"])
def test_two_rules_are_shown_apart_and_asked_together(family: str) -> None:
    found = [both for puzzle in puzzles(family) if (both := composed(puzzle, Random(2)))]
    assert len(found) > 4
    for puzzle in found:
        assert {shot.mark for shot in puzzle.shots} == {"A", "B"}
        first = puzzle.of.apply(puzzle.rule, puzzle.query)
        assert puzzle.of.apply(puzzle.second, first or "") == puzzle.key
    assert composed(puzzles("sums")[0], Random(1)) is None


@pytest.mark.parametrize("family", ["words", "signs", "sums"])
def test_only_one_example_can_be_the_odd_one(family: str) -> None:
    found = [puzzle for i in range(6) if (puzzle := spoilt(family, TEXT, Random(i)))]
    assert len(found) > 4 and len({puzzle.wrong for puzzle in found}) > 1
    for puzzle in found:
        assert odd(family, puzzle.shots) == {puzzle.wrong} == {int(puzzle.key)}


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_written_can_be_read(style: str, family: str) -> None:
    if style in ("arrow", "bar") and family in ("extractions", "formats"):
        return
    for puzzle in puzzles(family, 3):
        harder = tagged(puzzle, Random(1)) or puzzle
        query = Shot(given=harder.query, made="", tag=harder.query_tag)
        written = Style(style, "Entry", "Result")
        shots, read = read_block(written.block(harder.shots, query))
        assert shots == list(harder.shots) and read == query
        assert written.completed(query, "done").endswith(" done")


def test_marks_are_read_too() -> None:
    puzzle = next(both for one in puzzles("words") if (both := composed(one, Random(2))))
    block = Style("lines").block(puzzle.shots, Shot(given=puzzle.query, made="", mark="A"))
    shots, query = read_block(block)
    assert query and query.given == puzzle.query
    assert answers("words", shots, query.given) == {puzzle.key}


def test_a_text_without_words_gives_nothing() -> None:
    assert all(sample(family, "1 2 3", Random(0)) is None for family in ("words", "labels", "language", "analogies"))
