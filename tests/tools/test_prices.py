"""Prices: what calls cost, and price files that are refused."""

from pathlib import Path

import pytest

from agentinstruct.tools.prices import Price, PricesError, batch_table, price_of, price_table


def test_a_call_costs_what_the_table_says() -> None:
    price = price_of("openai:gpt-4.1-mini", price_table())
    assert price is not None
    assert price.of(1_000_000, 400_000, 100_000) == pytest.approx(0.6 * 0.4 + 0.4 * 0.1 + 0.1 * 1.6)


def test_ones_own_models_cost_nothing_and_unknown_ones_are_not_guessed() -> None:
    table = price_table()
    assert price_of("local:0.5b", table).of(10**9, 0, 10**9) == 0  # type: ignore[union-attr]
    assert price_of("openai:house-model", table) is None


def test_no_call_earns_money() -> None:
    """Where a server counts the cached tokens apart from those it read."""
    assert Price(2.5, 1.25, 10).of(100, 5000, 10) == pytest.approx((5000 * 1.25 + 10 * 10) / 1e6)


def test_a_file_goes_before_the_table(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    path.write_text('{"models": {"house-model": [1, 0.5, 2], "gpt-4o": [0, 0, 0]}}')
    table = price_table(path)
    assert price_of("openai:house-model", table).of(2_000_000, 0, 500_000) == 3  # type: ignore[union-attr]
    assert price_of("openai:gpt-4o", table).of(1, 1, 1) == 0  # type: ignore[union-attr]
    assert "gpt-4.1" in table


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "cannot be read as JSON"),
        ("[]", 'has no "models"'),
        ("{}", 'has no "models"'),
        ('{"models": [1, 2, 3]}', 'has no "models"'),
        ('{"models": {"m": [1, 2]}}', 'price of "m" must be [input, cached, output]'),
        ('{"models": {"m": {"input": 1, "cached": 1}}}', '(it is {"input": 1, "cached": 1})'),
        ('{"models": {"m": ["a", 1, 2]}}', '(it is ["a", 1, 2])'),
        ('{"models": {"m": [true, 1, 2]}}', "(it is [true, 1, 2])"),
        ('{"models": {"m": [NaN, 1, 2]}}', "(it is [NaN, 1, 2])"),
        ('{"models": {"m": [1, 1, -2]}}', "(it is [1, 1, -2])"),
        ('{"models": {}, "bacth": 0.4}', 'unknown key "bacth". Did you mean "batch"?'),
        ('{"model": {}}', 'unknown key "model". Did you mean "models"?'),
        ('{"models": {}, "gpt-4o": [1, 1, 2]}', "There are: models, batch, date, source."),
    ],
)
def test_a_wrong_file_is_named_and_what_is_wrong_in_it(content: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(content)
    with pytest.raises(PricesError) as refused:
        price_table(path)
    assert str(path) in str(refused.value) and words in str(refused.value) and "__init__" not in str(refused.value)


def test_by_batch_a_call_costs_half_or_what_the_file_says(tmp_path: Path) -> None:
    live, half = price_table()["gpt-4.1"], batch_table()["gpt-4.1"]
    assert (half.input, half.cached, half.output) == (live.input / 2, live.cached / 2, live.output / 2)
    path = tmp_path / "prices.json"
    path.write_text('{"models": {"house-model": [1, 0.5, 2]}, "batch": 0.25}')
    assert batch_table(path)["house-model"].output == 0.5
    assert batch_table(path)["gpt-4.1"].output == live.output / 4


@pytest.mark.parametrize("share", ['"half"', "true", "-1", "11", "NaN", "[0.5]"])
def test_a_share_of_the_price_that_is_none_is_refused(tmp_path: Path, share: str) -> None:
    path = tmp_path / "prices.json"
    path.write_text(f'{{"models": {{}}, "batch": {share}}}')
    with pytest.raises(PricesError, match='"batch" must be a number'):
        batch_table(path)
