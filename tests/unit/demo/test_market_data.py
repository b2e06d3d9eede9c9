from __future__ import annotations

import itertools
import random
import subprocess
import sys

import pytest

from otel_trading.demo import market_data
from otel_trading.errors import StackError


def test_bars_are_the_real_prices_of_autumn_2008() -> None:
    first, *_ = bars = market_data.bars("AAPL")
    assert (first.date, first.open, first.close, first.volume) == ("2008-09-25", 129.8, 131.93, 35930200)
    crash = next(bar for bar in bars if bar.date == "2008-09-29")
    assert (crash.high, crash.low, crash.close) == (119.68, 100.59, 105.26)
    assert [bar.date for bar in bars] == sorted(bar.date for bar in bars)


@pytest.mark.parametrize("symbol", market_data.SYMBOLS)
def test_no_split_hides_in_the_replay_for_two_hours(symbol: str) -> None:
    days = market_data.bars(symbol)[:1000]
    jumps = [after.open / before.close for before, after in itertools.pairwise(days)]
    assert min(jumps) > 0.8
    assert max(jumps) < 1.3


@pytest.mark.parametrize("seed", range(20))
def test_a_path_visits_the_four_prices_of_its_bar_and_never_leaves_it(seed: int) -> None:
    for bar in market_data.bars("GOOG")[:10]:
        prices = market_data.path(bar, random.Random(seed))  # noqa: S311  a path, not a secret
        assert len(prices) == market_data.TICKS_PER_DAY
        assert prices[0] == pytest.approx(bar.open, abs=0.006)
        assert prices[-1] == pytest.approx(bar.close, abs=0.006)
        assert max(prices) == pytest.approx(bar.high, abs=0.006)
        assert min(prices) == pytest.approx(bar.low, abs=0.006)


def test_a_falling_day_makes_its_high_before_its_low() -> None:
    bar = market_data.Bar("X", "2008-01-02", open=100, high=110, low=80, close=85, volume=1)
    prices = market_data.path(bar, random.Random(3))  # noqa: S311  a path, not a secret
    assert prices.index(110) < prices.index(80)


def test_the_same_seed_gives_the_same_ticks() -> None:
    def ticks(seed: int) -> list[market_data.Tick]:
        return list(itertools.islice(market_data.replay("IBM", seed=seed), 500))

    assert ticks(7) == ticks(7)
    assert ticks(7) != ticks(8)


def test_after_the_last_day_the_first_comes_again() -> None:
    days = len(market_data.bars("MSFT"))
    ticks = itertools.islice(market_data.replay("MSFT", seed=1), days * market_data.TICKS_PER_DAY + 1)
    *_, again = ticks
    assert again.date == market_data.START


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bokeh_sampledata", None)
    with pytest.raises(StackError, match=r"pip install 'otel-trading\[demo\]'"):
        market_data.bars("AAPL")


def test_reading_does_not_load_pandas() -> None:
    script = "import sys; from otel_trading.demo import market_data; market_data.bars('AAPL'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    loaded = done.stdout.split()

    assert "otel_trading.demo.market_data" in loaded
    assert "pandas" not in loaded
