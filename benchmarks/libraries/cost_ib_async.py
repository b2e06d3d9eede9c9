"""ib_async: quotes as its decoder reads them from TWS, and an order with its fill, on the real decoder and wrapper."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import ib_async
from cost import compare

from otel_trading.instrumentation.ib_async import IbAsyncInstrumentor

if TYPE_CHECKING:
    from collections.abc import Callable

CONTRACT = ib_async.Stock("AAPL", "SMART", "USD", conId=14)
loop = asyncio.new_event_loop()
asyncio.set_event_loop(loop)


class Bot:
    """Makes its `IB` anew at each switch of the instrumentation, as a bot that starts does."""

    def __init__(self) -> None:
        self.instrumentor = IbAsyncInstrumentor()
        self.packets = 0
        self.start()

    def start(self) -> None:
        self.ib = ib_async.IB()
        client: Any = self.ib.client
        client.connState, client._apiReady, client._accounts, client._serverVersion = 2, True, ["U1"], 157  # noqa: SLF001  connected to nobody
        client.decoder.serverVersion = 157
        client.conn.sendMsg = lambda _: None
        client.MaxRequests = 0
        self.ib.wrapper.clientId = 7
        self.ib.reqMktData(CONTRACT)

    def instrument(self) -> None:
        self.instrumentor.instrument()
        self.start()

    def uninstrument(self) -> None:
        self.instrumentor.uninstrument()
        self.start()

    def hear(self, *fields: object) -> None:
        text = "".join(f"{field}\0" for field in fields).encode()
        self.ib.client._onSocketHasData(len(text).to_bytes(4, "big") + text)  # noqa: SLF001  what asyncio calls

    def quote(self) -> None:
        self.packets += 1
        self.hear(1, 6, next(iter(self.ib.wrapper.reqId2Ticker)), 1, 100 + self.packets % 7, 10, 0)

    def order(self) -> None:
        self.packets += 1
        trade = self.ib.placeOrder(CONTRACT, ib_async.MarketOrder("BUY", 1))
        number, name = trade.order.orderId, f"a.{self.packets}"
        what = (14, "AAPL", "STK", "", 0, "", "", "SMART", "USD", "AAPL", "AAPL")
        self.hear(3, number, "Submitted", 0, 1, 0, 9, 0, 0, 7, "", 0)
        where = (name, "20260105  10:00:00", "U1", "ISLAND", "BOT", 1, 100, 9, 7, 0, 1, 100, "", "", "", "", 2)
        self.hear(11, -1, number, *what, *where)
        self.hear(3, number, "Filled", 1, 0, 100, 9, 0, 100, 7, "", 0)
        self.hear(59, 1, name, 1, "USD", "", "", "")


async def measure(name: str, call: Callable[[Bot], Callable[[], None]]) -> None:
    bot = Bot()
    compare(name, call(bot), bot)


loop.run_until_complete(measure("ib_async: a quote, decoded", lambda bot: bot.quote))
loop.run_until_complete(measure("ib_async: an order with its three reports, decoded", lambda bot: bot.order))
