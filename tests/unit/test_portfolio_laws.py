"""What holds of a portfolio whatever happens: the identity of P&L, independence of order, one currency per book."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from snapshot_support import CURRENCY, DAY, START, SYMBOLS, new_tracker, seen, take, terms
from unit_support import Clock, attributes, losses, series

from otel_trading import meter, trackers
from otel_trading.semconv import attributes as a
from otel_trading.trackers import PortfolioTracker, Trackers
from otel_trading.trackers.portfolio import Contract

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

PNL = "trading.portfolio.pnl"
QUANTITY = "trading.position.quantity"
cents = st.integers(1, 50_000).map(lambda number: number / 100)
fees = st.integers(-200, 200).map(lambda number: number / 100)
costs = st.sampled_from(["average", "fifo"])
quietly = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _permuted(rows: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[list[Any], list[Any]]]:
    lists = st.lists(rows, min_size=1, max_size=14)
    return lists.flatmap(lambda listed: st.tuples(st.just(listed), st.permutations(listed)))


def _figures(fills: list[tuple[int, float, float]], cost: str) -> dict[str, float]:
    """Realized, unrealized and quantity after these fills of one symbol, marked at 100."""
    tracker = new_tracker(Clock(), cost)
    key = attributes(symbol="A", currency="USD")
    for quantity, price, fee in fills:
        tracker.filled(key, quantity, price, fee)
    tracker.marked(key, 100.0)
    (book,) = tracker._books.values()
    held = tracker._positions.get(key)
    return {
        **{kind: float(value) for kind, value in book.figures.items()},
        "quantity": float(held.quantity if held else 0),
    }


@quietly
@given(_permuted(st.tuples(st.integers(1, 30), cents, fees)), st.sampled_from([1, -1]), costs)
def test_what_only_adds_to_a_position_may_come_in_any_order(
    capmeter: CapturingMeter, orders: tuple[list[Any], list[Any]], side: int, cost: str
) -> None:
    del capmeter
    first, second = ([(side * size, price, fee) for size, price, fee in order] for order in orders)

    assert _figures(first, cost) == pytest.approx(_figures(second, cost), rel=1e-12, abs=1e-12)


@quietly
@given(_permuted(st.tuples(st.integers(-30, 30).filter(bool), cents, fees)), costs)
def test_the_sum_of_profit_is_the_same_in_any_order_of_fills(
    capmeter: CapturingMeter, orders: tuple[list[Any], list[Any]], cost: str
) -> None:
    """How it divides into realized and unrealized is not: what is closed depends on what was open."""
    del capmeter
    one, other = (_figures(order, cost) for order in orders)
    first, second = (figures["realized"] + figures["unrealized"] for figures in (one, other))

    assert first == pytest.approx(second, rel=1e-12, abs=1e-9)
    assert one["quantity"] == other["quantity"]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("fill"), st.sampled_from(SYMBOLS), st.integers(-30, 30).filter(bool), cents, fees),
        st.tuples(st.just("mark"), st.sampled_from(SYMBOLS), cents),
        st.tuples(st.just("fund"), st.sampled_from(SYMBOLS), fees),
        st.tuples(st.just("deposit"), st.sampled_from(SYMBOLS), fees),
        st.tuples(st.just("split"), st.sampled_from(SYMBOLS), st.sampled_from([2.0, 0.25, 3.0])),
    ),
    max_size=30,
)


class Ledger:
    """Equity as a bookkeeper has it, in fractions: money in, money out, and what is held at its last price."""

    worth = {  # noqa: RUF012
        "ACME": lambda price: price,
        "ES": lambda price: 50 * price,
        "XBTUSD": lambda price: Fraction(-1) / price,
    }

    def __init__(self) -> None:
        self.cash = dict.fromkeys(SYMBOLS, Fraction(0))
        self.held = dict.fromkeys(SYMBOLS, Fraction(0))
        self.price = dict.fromkeys(SYMBOLS, Fraction(1))

    def take(self, step: tuple[Any, ...]) -> None:
        kind, symbol, *rest = step
        figures = [Fraction(repr(number)) for number in rest]
        if kind == "fill":
            quantity, self.price[symbol], fee = figures
            self.held[symbol] += quantity
            self.cash[symbol] -= quantity * self.worth[symbol](self.price[symbol]) + fee
        elif kind == "mark" and self.held[symbol]:
            (self.price[symbol],) = figures
        elif kind in {"fund", "deposit"}:
            self.cash[symbol] += figures[0]
        elif kind == "split":
            self.held[symbol] *= figures[0]
            worth = self.worth[symbol](self.price[symbol]) / figures[0]
            self.price[symbol] = -1 / worth if symbol == "XBTUSD" else worth / self.worth[symbol](Fraction(1))

    def equity(self, symbol: str) -> float:
        return float(self.cash[symbol] + self.held[symbol] * self.worth[symbol](self.price[symbol]))


@quietly
@given(steps, costs)
def test_equity_is_what_a_bookkeeper_has(capmeter: CapturingMeter, happened: list[tuple[Any, ...]], cost: str) -> None:
    """Linear, with a multiplier and inverse; fees, funding, deposits and splits; each currency its own book."""
    clock, ledger = Clock(START), Ledger()
    tracker = new_tracker(clock, cost)
    terms(tracker)
    for symbol in SYMBOLS:
        take(tracker, clock, ("deposit", symbol, 0.0))
    for step in happened:
        take(tracker, clock, step)
        ledger.take(step)
    found = series(capmeter, "trading.portfolio.value", a.CURRENCY.name)

    for symbol in SYMBOLS:
        assert found[CURRENCY[symbol]] == pytest.approx(ledger.equity(symbol), rel=1e-9, abs=1e-9)
    for key, book in tracker._books.items():
        held = [position for own, position in tracker._positions.items() if own.without(a.SYMBOL) == key]
        assert float(book.unrealized) == pytest.approx(float(sum(p.unrealized for p in held)), rel=1e-9, abs=1e-12)


@quietly
@given(steps, costs)
def test_a_currency_knows_nothing_of_another(
    capmeter: CapturingMeter, happened: list[tuple[Any, ...]], cost: str
) -> None:
    """All at once is, for each currency, what it is alone: every figure that a collection shows."""
    del capmeter
    clock = Clock(START)
    together = new_tracker(clock, cost)
    terms(together)
    for step in happened:
        take(together, clock, step)
    shown = seen(together)
    for symbol in SYMBOLS:
        alone = new_tracker(clock, cost)
        terms(alone)
        for step in happened:
            if step[1] == symbol:
                take(alone, clock, step)
        mine = (a.CURRENCY.name, CURRENCY[symbol])
        for metric, rows in seen(alone).items():
            assert [row for row in rows if mine in row[0]] == [row for row in shown[metric] if mine in row[0]]


@quietly
@given(steps, costs)
def test_no_figure_is_ever_a_negative_zero(
    capmeter: CapturingMeter, happened: list[tuple[Any, ...]], cost: str
) -> None:
    del capmeter
    clock = Clock(START)
    tracker = new_tracker(clock, cost)
    terms(tracker)
    for number, step in enumerate(happened):
        take(tracker, clock, step)
        if number % 7 == 6:
            clock.now += DAY

    for metric, rows in seen(tracker).items():
        assert "-0.0" not in {str(value) for _, value in rows}, metric


def test_ten_thousand_new_symbols_leave_the_portfolio_bounded_and_right(production: CapturingMeter) -> None:
    """Through the helper a thousand are known by name; of the others fills and money count, and no position is."""
    for number in range(10_000):
        meter.order_filled(symbol=f"S{number}", side="buy", price=10, quantity=1, currency="USD", fee=0.5)
    meter.price_marked(symbol="S7", price=12)
    found: dict[str, list[float]] = {}
    for sample in production.samples():  # once: a collection of so many takes its time
        found.setdefault(sample.name, []).append(sample.value)

    assert sum(found["trading.execution.fills"]) == 10_000
    assert sum(found["trading.execution.notional"]) == 100_000
    assert len(found[QUANTITY]) == 1000
    assert sorted(found[PNL]) == [-500, 2]
    assert sum(found["trading.sdk.attribute.overflows"]) >= 9000
    assert sum(found["trading.sdk.dropped"]) >= 9000


def test_ten_thousand_positions_are_held_and_no_more(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    del capmeter
    refused: list[str] = []
    monkeypatch.setattr("otel_trading.trackers.portfolio.lose", lambda reason, _message: refused.append(reason))
    tracker = PortfolioTracker()
    for number in range(10_003):
        tracker.filled(attributes(symbol=f"S{number}", currency="USD"), 1, 10.0)
    assert len(tracker._positions) == 10_000
    assert refused == ["series_limit"] * 3

    tracker.filled(attributes(symbol="S0", currency="USD"), -1, 11.0)  # one that ends makes room
    tracker.filled(attributes(symbol="NEW", currency="USD"), 1, 10.0)
    assert len(refused) == 3


def test_a_fill_without_a_currency_is_counted_as_such_and_moves_no_money(production: CapturingMeter) -> None:
    meter.order_filled(symbol="A", side="buy", price=10, quantity=1)

    assert production.value("trading.execution.fills") == 1
    assert production.samples("trading.execution.notional") == production.samples(QUANTITY) == []
    assert losses(production) == {"invalid_value": 1}


@pytest.mark.parametrize(
    "call",
    [
        lambda: meter.order_filled(symbol="A", side="buy", price=10, quantity=1, currency="USD"),
        lambda: meter.position(symbol="A", quantity=1, currency="USD"),
        lambda: meter.equity(value=1, currency="USD"),
        lambda: meter.portfolio_snapshot() and meter.deposited(value=1, currency="USD"),
    ],
)
def test_a_clock_that_raises_is_no_exception_of_the_bots(production: CapturingMeter, call: Any) -> None:
    def broken() -> float:
        message = "no time"
        raise OSError(message)

    trackers.set_default(Trackers(PortfolioTracker(broken)))
    call()
    meter.health(name="api", ok=True)

    assert set(losses(production)) == {"internal_error"}
    assert production.value("trading.resilience.health_check.status", name="api", state="pass") == 1


def test_a_clock_that_goes_backwards_gives_no_negative_time_and_no_second_session(capmeter: CapturingMeter) -> None:
    clock = Clock(START)
    tracker = PortfolioTracker(clock)
    key = attributes(symbol="A", currency="USD")
    tracker.paid_in(key, 1000.0)
    tracker.filled(key, 1, 100.0)
    for now in (START + DAY, START - 3600, START - 2 * DAY, START + DAY + 1):
        clock.now = now
        tracker.marked(key, 100.0)
    clock.now = START - 5 * DAY
    tracker.filled(key, -1, 110.0)

    (duration,) = capmeter.samples("trading.trade.duration")
    assert duration.sum == 0
    assert sum(sample.value for sample in capmeter.samples("trading.portfolio.session.return")) == 1
    assert capmeter.value("trading.portfolio.value") == 1010


def test_tasks_and_their_threads_add_up_exactly(capmeter: CapturingMeter) -> None:
    tracker = PortfolioTracker()
    key = attributes(symbol="A", currency="USD")

    def fill() -> None:
        for _ in range(50):
            tracker.filled(key, 0.1, 10.0, 0.01)

    async def trade() -> None:
        for _ in range(50):
            tracker.filled(key, 0.1, 10.0, 0.01)
            await asyncio.sleep(0)

    async def main() -> None:
        await asyncio.gather(*(trade() for _ in range(4)), *(asyncio.to_thread(fill) for _ in range(4)))

    asyncio.run(main())

    assert capmeter.value(QUANTITY) == 40
    assert capmeter.value(PNL, type="realized") == -4


def test_an_inverse_flip_goes_through_zero(capmeter: CapturingMeter) -> None:
    """Long 100 from 10 to 20, then short 100 from 20 to 25: 100 * (1/10 - 1/20) and -100 * (1/20 - 1/25) coins."""
    tracker = PortfolioTracker(Clock())
    key = attributes(symbol="XBTUSD", currency="XBT")
    tracker.contract(key, Contract(Decimal(1), inverse=True))
    for quantity, price in ((100, 10.0), (-200, 20.0), (100, 25.0)):
        tracker.filled(key, quantity, price)

    assert capmeter.value(PNL, type="realized") == pytest.approx(5 - 1)
    assert series(capmeter, "trading.trade.closures", a.TRADE_OUTCOME.name) == {"win": 1, "loss": 1}
