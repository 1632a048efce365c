import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agentinstruct.tools.calculate import CalculateError, check_expression, evaluate
from agentinstruct.tools.calculate_functions import FUNCTIONS


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3 - 4 / 8", 6.5),
        ("7 // 2 + 7 % 4 + 2 ** 10", 1030),
        ("-(3) + +2", -1),
        ("(12.5 - 10) / 10 * 100", 25.0),
        ("1 < 2 <= 2 and not 3 == 4", True),
        ("0 or 'none'", "none"),
        ("'yes' if 2 in [1, 2] else 'no'", "yes"),
        ("'a' not in ('b', 'c')", True),
        ("true and not false and null == None", True),
        ("'ab' + 'cd'", "abcd"),
        ("[1] + [2]", [1, 2]),
        ("[5, 6, 7][1]", 6),
        ("round(2.346, 2) + abs(-1)", 3.35),
        ("round(7 / 2.0 + 0.2)", 4),
        ("max(3, 9) - min([3, 9])", 6),
        ("sum([1, 2, 3]) / len([1, 2, 3])", 2.0),
        ("mean(2, 4) + median([1, 5, 9])", 8.0),
        ("dot([2, 3], [10, 1])", 23),
        ("floor(2.7) + ceil(2.1) + sqrt(9)", 8.0),
        ("sorted(unique(split('b a b')))", ["a", "b"]),
        ("join(', ', reverse([1, 2]))", "2, 1"),
        ("concat(upper('a'), lower('B'), title('cd'), strip(' e '), 1, true)", "AbCde1true"),
        ("replace('1,200', ',', '')", "1200"),
        ("int('12') + float('0.5')", 12.5),
        ("contains('Green Tea', 'tea') and startswith('abc', 'a') and endswith('abc', 'c')", True),
        ("count([1, 2, 1], 1) + count('banana', 'a') + count(['x'])", 6),
        ("first([4, 5]) + last([4, 5])", 9),
        ("reverse('abc')", "cba"),
        ("days_between('2024-02-27', '2024-03-01')", 3),
        ("add_days('2023-12-30', 3)", "2024-01-02"),
    ],
)
def test_expressions_have_the_value_arithmetic_gives_them(expression, value):
    assert evaluate(expression) == value


def test_names_are_looked_up_and_may_hold_lists_and_rows():
    names = {"price": 2.5, "counts": [1, 2], "row": {"title": "Tea"}}
    assert evaluate("price * sum(counts)", names) == 7.5
    assert evaluate("row['title']", names) == "Tea"


def test_only_the_taken_branch_is_worked_out():
    assert evaluate("0 if n == 0 else 1 / n", {"n": 0}) == 0
    assert evaluate("n != 0 and 1 / n > 2", {"n": 0}) is False


@pytest.mark.parametrize(
    "expression",
    [
        *("", "1 +", "a b", "x = 1", "\x00", "1; 2", "(" * 400, "-" * 900 + "1", "not " * 200 + "1", "1" * 5000),
        *("().__class__", "'a'.upper()", "[x for x in [1]]", "lambda: 1", "f'{1}'", "{1: 2}", "{1}", "[1][0:1]"),
        *("__import__('os')", "eval('1')", "open('x')", "getattr(1, 'real')", "sorted([2, 1], reverse=True)"),
        *("(len)(*[1])", "len", "unknown", "unknown(1)", "1j", "b'a'", "...", "(y := 1)", "await x", "[*[1]]"),
        *("9 ** 9 ** 9", "2 ** 65", "10 ** 64", "1e300 * 1e300", "1e999", "(-8) ** 0.5", "0 ** -1", "1 / 0"),
        *(
            "'a' * 9999",
            "[0] * 9999",
            "'%9999d' % 1",
            "round(1, -100)",
            "round(1.5, 'a')",
            "replace('aaaa', '', 'b' * 2)",
        ),
        *("'a' + 1", "True + True", "1 < 'a'", "sorted([1, 'a'])", "sum(['a'])", "sum('12')", "mean([])", "max()"),
        *("int('x')", "first([])", "[1][5]", "{}['a']", "len(1)", "add_days('2024-01-01', 1e30)", "dot([1], [1, 2])"),
        *("add_days('soon', 1)", "join(',', 3)", "1 in 2", "-'a'", "split('a', '')"),
    ],
)
def test_what_is_not_allowed_or_has_no_value_is_a_calculate_error(expression):
    with pytest.raises(CalculateError):
        evaluate(expression)


def test_amplification_is_stopped_before_it_costs_memory():
    long = "a" * 4000
    for expression in ("t + t", "replace(t, 'a', t)", "join(t, split(replace(t, 'a', 'b ')))", "concat(t, t)"):
        with pytest.raises(CalculateError):
            evaluate(expression, {"t": long})


def test_values_that_are_not_json_are_refused():
    deep: list = []
    for _ in range(500):
        deep = [deep]
    for value in (object(), float("nan"), {1, 2}, b"x", deep):
        with pytest.raises(CalculateError):
            evaluate("x == x", {"x": value})


def test_check_finds_unknown_names_and_functions_without_working_anything_out():
    check_expression("a / 0 if b else round(a)", {"a", "b"})
    for wrong in ("a + c", "compile(a)", "a.real", "a +", "a" * 2000):
        with pytest.raises(CalculateError):
            check_expression(wrong, {"a", "b"})


def test_no_warning_of_the_parser_gets_out():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        assert evaluate("'\\d'") == "\\d"
    assert not seen


@settings(deadline=None)
@given(st.text(max_size=80), st.dictionaries(st.sampled_from("abc"), st.integers() | st.text() | st.floats()))
def test_any_text_gives_a_value_or_a_calculate_error(expression, names):
    _evaluates_or_declines(expression, names)


_FUNCTIONS = tuple(FUNCTIONS)
_SIGNS = ("+", "-", "*", "/", "//", "%", "**", "<", "==", "in", "and", "or")
_VALUES = ("a", "b", "1", "0", "-2.5", "1e9", "'x y'", "''", "[1, 'a']", "null", "true", "'2024-01-01'")
_WORDS = st.sampled_from((*_FUNCTIONS, *_SIGNS, *_VALUES, "(", ")", "[", "]", ",", "not", "if", "else"))


@settings(deadline=None)
@given(st.lists(_WORDS, max_size=14).map(" ".join), st.dictionaries(st.sampled_from("abc"), st.integers() | st.text()))
def test_any_mix_of_the_grammar_gives_a_value_or_a_calculate_error(expression, names):
    _evaluates_or_declines(expression, names)


_TREES = st.recursive(
    st.sampled_from(_VALUES),
    lambda part: st.one_of(
        st.tuples(part, st.sampled_from(_SIGNS), part).map(lambda t: "({} {} {})".format(*t)),
        st.tuples(st.sampled_from(_FUNCTIONS), st.lists(part, max_size=3)).map(lambda t: f"{t[0]}({', '.join(t[1])})"),
        st.tuples(part, part).map(lambda t: f"{t[0]}[{t[1]}]"),
        st.tuples(part, part, part).map(lambda t: "({} if {} else {})".format(*t)),
    ),
    max_leaves=12,
)


@settings(deadline=None)
@given(_TREES, st.integers() | st.text() | st.floats() | st.lists(st.integers()))
def test_any_well_formed_tree_gives_a_value_or_a_calculate_error(expression, value):
    _evaluates_or_declines(expression, {"a": value, "b": [value, "x"]})


def _evaluates_or_declines(expression, names):
    try:
        value = evaluate(expression, names)
    except CalculateError as error:
        assert str(error)
    else:
        assert value is None or isinstance(value, bool | int | float | str | list | dict)
