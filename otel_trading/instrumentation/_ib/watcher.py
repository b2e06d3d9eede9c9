"""Listens to the events of one `IB` object."""

from __future__ import annotations

import weakref
from datetime import datetime, timezone
from typing import Any, Final

from otel_trading.instrumentation._hooks import quietly
from otel_trading.instrumentation._ib import names, orders
from otel_trading.instrumentation._ib.accounts import Accounts
from otel_trading.instrumentation._ib.connection import Connection
from otel_trading.instrumentation._ib.feeds import Feeds
from otel_trading.instrumentation._ib.fills import Fills

__all__ = ["Watcher"]

#: The listener of each event of `IB`, and of its `client`.
_EVENTS: Final = {
    "connectedEvent": "connected",
    "disconnectedEvent": "disconnected",
    "newOrderEvent": "ordered",
    "orderModifyEvent": "modified",
    "orderStatusEvent": "status_changed",
    "execDetailsEvent": "executed",
    "commissionReportEvent": "charged",
    "positionEvent": "positioned",
    "accountValueEvent": "valued",
    "pnlEvent": "earned",
    "errorEvent": "told",
    "timeoutEvent": "silent",
    "pendingTickersEvent": "arrived",
}
_CLIENT_EVENTS: Final = {"throttleStart": "throttled", "throttleEnd": "released"}


class Watcher:
    """All that is known of one `IB` object, which it does not keep alive.

    Args:
        ib: Of ib_async or ib_insync, just made: our listeners come before the bot's own.
    """

    #: When the first connection of this process stood: executions before it were an earlier process's to count.
    _since: datetime | None = None

    def __init__(self, ib: Any) -> None:
        self._ib = weakref.ref(ib)
        self.connection = Connection()
        self.feeds = Feeds()
        self._accounts = Accounts()
        self._fills = Fills()
        self._aliases: dict[str, str] = {}
        for event, listener in _EVENTS.items():
            getattr(ib, event).connect(getattr(self, listener))
        for event, listener in _CLIENT_EVENTS.items():
            getattr(ib.client, event).connect(getattr(self, listener))

    @property
    def client(self) -> Any:
        """Its client; a reference of our own would keep the object alive."""
        ib = self._ib()
        return None if ib is None else ib.client

    def leave(self, ib: Any) -> None:
        """Stop to listen; what waits is booked."""
        for event, listener in _EVENTS.items():
            getattr(ib, event).disconnect(getattr(self, listener))
        for event, listener in _CLIENT_EVENTS.items():
            getattr(ib.client, event).disconnect(getattr(self, listener))
        self._fills.flush()
        self._accounts.flush()

    def alias(self, number: str) -> str | None:
        """Return account1, account2 ... in TWS's order where it manages several; never the number itself."""
        return self._aliases.get(number)

    def _learn(self) -> None:
        ib = self._ib()
        numbers: list[str] = ib.managedAccounts() if ib is not None else []
        if len(numbers) > 1:
            self._aliases = {number: f"account{place}" for place, number in enumerate(numbers, 1)}

    @quietly
    def begun(self) -> None:
        """Say that the connection is being made."""
        self.connection.start()

    @quietly
    def failed(self, error: BaseException) -> None:
        """Say that it could not be made."""
        self.connection.failed(error)

    @quietly
    def connected(self) -> None:
        """Say that it stands, and book what was executed while it did not."""
        self._learn()
        self.connection.up()
        ib = self._ib()
        since = Watcher._since
        if since is None or ib is None:
            Watcher._since = datetime.now(timezone.utc)
            return
        for fill in ib.fills():
            if fill.execution.time >= since.replace(microsecond=0):
                self._execute(fill, fill.execution)

    @quietly
    def disconnected(self) -> None:
        """Book what waits: the next connection replays executions, and each counts once."""
        self._fills.flush()
        self._accounts.flush()
        if self.connection.down():
            self.feeds.end()

    @quietly
    def ordered(self, trade: Any) -> None:
        """Count a new order."""
        orders.sent(self.client, "new", trade.contract, trade.order, account=self.alias(trade.order.account))

    @quietly
    def modified(self, trade: Any) -> None:
        """Count a replace."""
        orders.sent(self.client, "replace", trade.contract, trade.order, account=self.alias(trade.order.account))

    @quietly
    def status_changed(self, trade: Any) -> None:
        """Enter the order into its state."""
        orders.status_changed(self.client, trade, self.alias(trade.order.account))

    @quietly
    def executed(self, trade: Any, fill: Any) -> None:
        """Take an execution as it happens."""
        legs = trade.contract.secType == "BAG"
        self._execute(fill, None if legs else trade.order)

    def _execute(self, fill: Any, order: Any) -> None:
        number = fill.execution.acctNumber
        self._accounts.traded(number, fill.contract)
        client_id = None if order is None else names.client_id(self.client, order)
        self._fills.executed(fill, client_id, self.alias(number))

    @quietly
    def charged(self, _trade: Any, fill: Any, report: Any) -> None:
        """Take the commission of an execution."""
        self._fills.charged(fill, report)

    @quietly
    def positioned(self, position: Any) -> None:
        """Take a position."""
        self._learn()
        self._accounts.position(position, self.alias(position.account))

    @quietly
    def valued(self, value: Any) -> None:
        """Take a value of an account."""
        self._accounts.value(value, self.alias(value.account))

    @quietly
    def earned(self, pnl: Any) -> None:
        """Take the P&L of an account."""
        self._accounts.pnl(pnl, self.alias(pnl.account))

    @quietly
    def told(self, _request: int, code: int, said: str, _contract: Any) -> None:
        """Take a code of TWS; its words are looked at for the name of a data farm and not recorded."""
        self.connection.told(code, said)

    @quietly
    def silent(self, _seconds: float) -> None:
        """Take the silence that the bot asked to be told of with `setTimeout`."""
        self.connection.silent()

    @quietly
    def arrived(self, tickers: Any) -> None:
        """Take market data."""
        self.connection.heard()
        self.feeds.arrived(tickers)

    @quietly
    def throttled(self) -> None:
        """Time how long the library holds requests back."""
        self.connection.throttled()

    @quietly
    def released(self) -> None:
        """End that time."""
        self.connection.released()
