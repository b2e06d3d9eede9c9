"""A script that trades at the stand-in of TWS with the library of the test, and what must not break it."""

from __future__ import annotations

import asyncio
import gc
import weakref
from typing import TYPE_CHECKING, Any, Final

import pytest
from venues.tws import ACCOUNT, COMMISSION, PRICE, Tws

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path
    from typing import TypeAlias

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

    Session: TypeAlias = "Callable[[Callable[[Any], Coroutine[Any, Any, None]]], None]"

__all__ = ["BadInput", "check"]

SCRIPT: Final = """
import json
from CLIENT import IB, LimitOrder, MarketOrder, Stock

log = {"fills": 0, "ticks": 0, "done": []}

def count(tickers):
    log["ticks"] += len(tickers)

ib = IB()
ib.pendingTickersEvent += count
ib.execDetailsEvent += lambda trade, fill: log.__setitem__("fills", log["fills"] + 1)
ib.connect("127.0.0.1", PORT, clientId=7)
apple = Stock("AAPL", "SMART", "USD", conId=14)
ib.reqMktData(apple)
ib.reqPnL(ib.managedAccounts()[0])

def finish(trade):
    while not trade.isDone():
        ib.waitOnUpdate(5)
    log["done"].append(trade.orderStatus.status)

finish(ib.placeOrder(apple, MarketOrder("BUY", 10, orderRef="PLANTED")))
finish(ib.placeOrder(Stock("MARGIN", "SMART", "USD", conId=16), MarketOrder("BUY", 1)))
resting = ib.placeOrder(apple, LimitOrder("SELL", 10, 110))
while resting.orderStatus.status != "Submitted":
    ib.waitOnUpdate(5)
ib.cancelOrder(resting.order)
finish(resting)
ib.placeOrder(Stock("DROP", "SMART", "USD", conId=14), MarketOrder("BUY", 3))
try:
    ib.sleep(5)
except ConnectionError:
    pass
ib.connect("127.0.0.1", PORT, clientId=7)
log["executions"] = len(ib.fills())
log["fees"] = sum(fill.commissionReport.commission for fill in ib.fills())
ib.sleep(3.5)
print(json.dumps(log), flush=True)
input()
"""
_VENUE: Final = 'trading_venue_name="ibkr"'


def check(stack: Stack, folder: Path, client: str) -> None:
    """Run the script with a library and compare; the broken connection costs no execution and counts none twice."""
    service = f"{client}-bot".replace("_", "-")
    with Tws() as tws:
        text = SCRIPT.replace("CLIENT", client).replace("PORT", str(tws.port))
        with unchanged(folder, service, text, environment(stack, OTEL_TRADING_CURRENCY="USD")) as log:
            assert_held(stack, service, _expected(log))
            assert log["done"] == ["Filled", "Cancelled", "Cancelled"]
            assert (log["fills"], log["executions"], log["fees"]) == (2, 3, 3.0)
            assert_nothing_planted(stack, service)


def _expected(log: Any) -> dict[str, float]:
    status = "sum(trading_order_transitions_total{{$,trading_order_status='{}'}})"
    sent = "sum(trading_order_requests_total{{$,trading_order_operation='{}'}})"
    why = 'trading_order_reject_reason="insufficient_funds",trading_order_reject_source="broker"'
    return {
        f"sum(trading_execution_fills_total{{$,{_VENUE}}})": log["executions"],
        "sum(trading_execution_fee_total{$})": log["fees"],
        sent.format("new"): 4,
        sent.format("cancel"): 1,
        status.format("filled"): 2,
        status.format("rejected"): 1,
        status.format("canceled"): 1,
        f"trading_order_rejections_total{{$,{why}}}": 1,
        "trading_position_quantity{$,trading_instrument_symbol='AAPL'}": 10,
        "trading_position_quantity{$,trading_instrument_symbol='DROP'}": 3,
        "trading_portfolio_value{$}": 5000,
        "trading_connection_reconnects_total{$,trading_connection_name='tws'}": 1,
        "sum(trading_connection_status{$,trading_connection_name='tws',trading_connection_state='connected'})": 1,
        "trading_market_data_messages_total{$,trading_instrument_symbol='AAPL'}": log["ticks"],
        "trading_venue_request_duration_seconds_count{$,trading_venue_operation='connect'}": 2,
    }


async def _until(condition: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not condition():  # noqa: ASYNC110  of a foreign object
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), 10)


class BadInput:
    """Every test of it runs for each of the two libraries, in whose file it is imported with its own fixtures."""

    library: Any
    instrumentor: Any

    @pytest.fixture
    def session(self, capmeter: CapturingMeter) -> Iterator[Session]:
        """Give a function that runs a coroutine with a connected `IB`; nothing may have gone wrong unseen."""
        with Tws() as tws:

            async def run(test: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
                ib = self.library.IB()
                await ib.connectAsync("127.0.0.1", tws.port, clientId=7)
                try:
                    await test(ib)
                finally:
                    ib.disconnect()

            self.instrumentor.instrument()
            try:
                yield lambda test: asyncio.run(run(test))
            finally:
                self.instrumentor.uninstrument()
        assert not [one for one in capmeter.samples("trading.sdk.dropped") if "internal_error" in str(one)]
        assert "PLANTED" not in str(capmeter.samples())
        capmeter.assert_conforms()

    def order(self, ib: Any, symbol: str = "AAPL", kind: str = "MKT") -> Any:
        return ib.placeOrder(
            self.library.Stock(symbol, "SMART", "USD", conId=14),
            self.library.Order(action="BUY", totalQuantity=2, orderType=kind, lmtPrice=90, orderRef="PLANTED"),
        )

    def test_counts_once_however_often_it_is_instrumented(self, session: Session, capmeter: CapturingMeter) -> None:
        self.instrumentor.instrument()

        async def trades(ib: Any) -> None:
            self.order(ib)
            await _until(lambda: [bool(fill.commissionReport.execId) for fill in ib.fills()] == [True, True])

        session(trades)
        assert capmeter.value("trading.order.requests", operation="new") == 1
        assert capmeter.value("trading.execution.fills") == 2
        assert capmeter.value("trading.execution.fee") == 2 * COMMISSION
        assert capmeter.value("trading.execution.notional") == 2 * PRICE

    def test_a_strange_status_changes_nothing(self, session: Session, capmeter: CapturingMeter) -> None:
        async def reports(ib: Any) -> None:
            trade = self.order(ib, kind="LMT")
            await _until(lambda: trade.orderStatus.status == "Submitted")
            before = capmeter.value("trading.order.transitions")
            number = trade.order.orderId
            ib.wrapper.orderStatus(number, "PLANTED", 0, 2, 0, 7, 0, 0, 7, "", 0)
            assert capmeter.value("trading.order.transitions") == before
            assert trade.orderStatus.status == "PLANTED"

        session(reports)

    def test_the_own_callbacks_stay(self, session: Session) -> None:
        async def listens(ib: Any) -> None:
            heard: list[Any] = []
            ib.newOrderEvent += heard.append
            trades = [self.order(ib, kind="LMT")]
            self.instrumentor.uninstrument()
            trades.append(self.order(ib, kind="LMT"))
            assert heard == trades

        session(listens)

    def test_what_raises_still_raises(self, session: Session, capmeter: CapturingMeter) -> None:
        async def fails(ib: Any) -> None:
            ib.disconnect()
            with pytest.raises(ConnectionError, match="Not connected"):
                self.order(ib)
            with pytest.raises(ConnectionError, match="Not connected"):
                ib.reqGlobalCancel()
            with pytest.raises(ConnectionRefusedError):
                await ib.connectAsync("127.0.0.1", 1, clientId=7)

        session(fails)
        assert capmeter.value("trading.order.requests", operation="new", error_type="ConnectionError") == 1
        assert capmeter.value("trading.order.requests", operation="mass_cancel", error_type="ConnectionError") == 1
        assert capmeter.value("trading.venue.request.duration", error_type="ConnectionRefusedError") == 1

    def test_a_cancelled_connect_is_cancelled(self, session: Session) -> None:
        async def hangs(ib: Any) -> None:
            ib.disconnect()
            with Tws() as other:
                attempt = asyncio.ensure_future(ib.connectAsync("127.0.0.1", other.port, clientId=7))
                await asyncio.sleep(0)
                attempt.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await attempt

        session(hangs)

    def test_a_subclass_of_the_bot_stays_its_own(self, session: Session, capmeter: CapturingMeter) -> None:
        library = self.library

        class Paper(library.IB):  # type: ignore[misc, name-defined]
            def placeOrder(self, contract: Any, order: Any) -> Any:  # noqa: N802  the library's
                return contract, order

        async def orders(_: Any) -> None:
            assert self.order(Paper())[1].orderRef == "PLANTED"

        session(orders)
        assert not capmeter.samples("trading.order.requests")

    def test_uninstrumenting_books_what_waits(self, session: Session, capmeter: CapturingMeter) -> None:
        async def leaves(ib: Any) -> None:
            trade = self.order(ib, kind="LMT")
            await _until(lambda: trade.orderStatus.status == "Submitted")
            execution = self.library.Execution(
                execId="a", acctNumber=ACCOUNT, side="BOT", shares=1, price=9, permId=trade.orderStatus.permId
            )
            ib.wrapper.execDetails(-1, trade.contract, execution)
            assert not capmeter.samples("trading.execution.fills")
            self.instrumentor.uninstrument()
            assert capmeter.value("trading.execution.fills") == 1
            self.order(ib, kind="LMT")
            assert capmeter.value("trading.order.requests", operation="new") == 1

        session(leaves)

    def test_a_position_may_overtake_its_fill_and_a_trade_is_net_of_fees(
        self, session: Session, capmeter: CapturingMeter
    ) -> None:
        async def trades(ib: Any) -> None:
            trade = self.order(ib, kind="LMT")
            await _until(lambda: trade.orderStatus.status == "Submitted")
            ib.wrapper.position(ACCOUNT, trade.contract, 2.0, PRICE)
            await asyncio.sleep(0.05)  # what waits for nothing has happened by then
            for side in ("BOT", "SLD"):
                execution = self.library.Execution(
                    execId=side, acctNumber=ACCOUNT, side=side, shares=2, price=PRICE, permId=trade.orderStatus.permId
                )
                ib.wrapper.execDetails(-1, trade.contract, execution)
                ib.wrapper.commissionReport(
                    self.library.CommissionReport(execId=side, commission=COMMISSION, currency="USD")
                )
                if side == "BOT":
                    assert capmeter.value("trading.position.quantity") == 2

        session(trades)
        assert capmeter.value("trading.trade.closures", outcome="loss") == 1
        assert [one.sum for one in capmeter.samples("trading.trade.return")] == [2 * COMMISSION / (2 * PRICE)]

    def test_codes_of_tws_are_states(self, session: Session, capmeter: CapturingMeter) -> None:
        async def tells(ib: Any) -> None:
            for code, state in {1100: "disconnected", 1102: "connected", 2103: "degraded", 2104: "connected"}.items():
                name = "tws" if code < 2000 else "market_data_farm"
                ib.wrapper.error(-1, code, "PLANTED:usfarm", *self.more)
                assert capmeter.value("trading.connection.status", connection=name, state=state) == 1
            ib.wrapper.error(-1, 100, "PLANTED", *self.more)
            ib.wrapper.error(-1, 1100, "PLANTED", *self.more)
            ib.timeoutEvent.emit(60.0)  # silence is no news of what is lost
            assert capmeter.value("trading.connection.status", connection="tws", state="disconnected") == 1

        session(tells)
        assert capmeter.value("trading.rate_limit.rejections", error_type="100") == 1

    #: What the library's `Wrapper.error` takes besides.
    more: tuple[str, ...] = ("",)

    def test_nothing_is_kept_alive(self, session: Session) -> None:
        async def forgets(_: Any) -> None:
            other = self.library.IB()
            gone = weakref.ref(other)
            del other
            gc.collect()
            assert gone() is None

        session(forgets)
