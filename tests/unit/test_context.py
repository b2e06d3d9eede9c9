from __future__ import annotations

import asyncio
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from otel_trading import _context, meter
from otel_trading.errors import ConfigError, ConventionError
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter


def _strategy() -> str | None:
    return _context.current().values.get(a.STRATEGY.name)


@pytest.fixture(autouse=True)
def fresh(capmeter: CapturingMeter) -> None:
    """Defaults start anew with a capmeter."""
    del capmeter


def test_without_a_word_the_mode_is_live() -> None:
    assert _context.current().values == {a.MODE.name: "live"}


def test_the_environment_gives_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_MODE", "Paper")
    monkeypatch.setenv("OTEL_TRADING_VENUE", "KRAKEN")
    monkeypatch.setenv("OTEL_TRADING_CURRENCY", "usd")

    values = _context.current().values

    assert values == {a.MODE.name: "paper", a.VENUE.name: "kraken", a.CURRENCY.name: "USD"}


def test_a_mode_that_does_not_exist_raises_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_MODE", "real")

    with pytest.raises(ConfigError, match=r"OTEL_TRADING_MODE is 'real'\. Allowed: live, paper"):
        _context.current()


@pytest.mark.parametrize("strict", ["0", "1"])
def test_a_wrong_default_mode_raises_even_in_production(monkeypatch: pytest.MonkeyPatch, strict: str) -> None:
    monkeypatch.setenv("OTEL_TRADING_STRICT", strict)

    with pytest.raises(ConventionError, match="mode='real' does not exist"):
        meter.defaults(mode="real")  # type: ignore[arg-type]


def test_defaults_add_up_and_the_last_one_wins() -> None:
    meter.defaults(strategy="one", venue="kraken")
    meter.defaults(strategy="two")

    assert _context.current().values == {a.MODE.name: "live", a.VENUE.name: "kraken", a.STRATEGY.name: "two"}


def test_defaults_hold_in_every_thread() -> None:
    meter.defaults(strategy="one")
    seen: list[str | None] = []

    thread = threading.Thread(target=lambda: seen.append(_strategy()))
    thread.start()
    thread.join()

    assert seen == ["one"]


def test_scopes_nest_and_end_even_after_an_exception() -> None:
    with meter.scope(strategy="outer"):
        with suppress(RuntimeError), meter.scope(strategy="inner", venue="kraken"):
            assert _strategy() == "inner"
            raise RuntimeError
        assert _strategy() == "outer"
        assert a.VENUE.name not in _context.current().values
    assert _strategy() is None


def test_a_scope_does_not_leak_into_another_thread() -> None:
    seen: list[str | None] = []
    with meter.scope(strategy="mine"):
        thread = threading.Thread(target=lambda: seen.append(_strategy()))
        thread.start()
        thread.join()

    assert seen == [None]


def test_concurrent_tasks_keep_their_own_scope_and_children_inherit_it() -> None:
    async def child() -> str | None:
        await asyncio.sleep(0)
        return _strategy()

    async def work(name: str) -> tuple[str | None, str | None]:
        with meter.scope(strategy=name):
            inherited = await asyncio.create_task(child())
            return _strategy(), inherited

    async def main() -> list[tuple[str | None, str | None]]:
        return await asyncio.gather(*(work(str(number)) for number in range(20)))

    assert asyncio.run(main()) == [(str(number), str(number)) for number in range(20)]


def test_equal_scopes_give_the_same_defaults_so_that_caches_hit() -> None:
    with meter.scope(strategy="one"):
        first = _context.current()
    with meter.scope(strategy="one"):
        assert _context.current() is first


def test_the_interned_defaults_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_context, "_MAX_INTERNED", 10)

    for number in range(100):
        with meter.scope(strategy=str(number)):
            assert _strategy() == str(number)

    assert len(_context._interned) <= 10


def test_a_scope_labels_what_is_recorded_in_it(capmeter: CapturingMeter) -> None:
    with meter.scope(mode="backtest", strategy="one"):
        meter.signal_emitted(type="buy")
    meter.signal_emitted(type="buy")

    assert capmeter.value("trading.signal.emissions", mode="backtest", strategy="one") == 1
    assert capmeter.value("trading.signal.emissions", mode="live") == 1
