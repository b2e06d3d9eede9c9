"""What TWS states of accounts: positions, equity, margin, cash, P&L."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._ib import names
from otel_trading.instrumentation._ib.later import later

if TYPE_CHECKING:
    from otel_trading.instrumentation._ib.later import Handle

__all__ = ["Accounts"]

#: Seconds after which a position is stated: those fills that made it are booked by then (`fills.WAIT`), and only those.
SETTLE: Final = 3.0
_BASE: Final = "BASE"
_TAGS: Final = frozenset({"NetLiquidation", "MaintMarginReq", "EquityWithLoanValue", "CashBalance"})


class Accounts:
    """The last word of TWS about each account."""

    def __init__(self) -> None:
        self._positions: dict[tuple[str, int], tuple[Any, Handle | None]] = {}
        self._entered: set[tuple[str, int]] = set()
        self._base: dict[str, str] = {}

    def position(self, position: Any, account: str | None) -> None:
        """State a position once the fills that made it are booked; only the first statement brings a price.

        The entry price of TWS holds the commission, which the fills hold too.
        """
        key = position.account, position.contract.conId
        waiting = self._positions.pop(key, None)
        if waiting is not None and waiting[1] is not None:
            waiting[1].cancel()
        self._positions[key] = position, None
        handle = later(SETTLE, lambda: self._state(key, account))
        if key in self._positions:
            self._positions[key] = position, handle

    def traded(self, account: str, contract: Any) -> None:
        """Take note that fills tell the entry price of a position."""
        self._entered.add((account, contract.conId))

    def flush(self) -> None:
        """Forget positions that wait: the next connection states all of them anew."""
        for _, handle in self._positions.values():
            if handle is not None:
                handle.cancel()
        self._positions.clear()

    def _state(self, key: tuple[str, int], account: str | None) -> None:
        position, _ = self._positions.pop(key)
        contract = position.contract
        symbol, units = names.symbol(contract), names.multiplier(contract)
        if units != 1:
            meter.contract(symbol=symbol, multiplier=units, venue=names.VENUE)
        new = key not in self._entered and names.known(position.avgCost)
        self._entered.add(key)
        meter.position(
            symbol=symbol,
            quantity=float(position.position),
            price=position.avgCost / units if new else None,
            currency=contract.currency or None,
            venue=names.VENUE,
            account=account,
        )

    def value(self, value: Any, account: str | None) -> None:
        """Take one value of an account; most of the hundred tags are not ours."""
        if value.tag not in _TAGS or value.modelCode or value.currency == _BASE:
            return
        amount = float(value.value)
        of: dict[str, Any] = {"currency": value.currency or None, "venue": names.VENUE, "account": account}
        if value.tag == "NetLiquidation":
            self._base[value.account] = value.currency
            meter.equity(value=amount, **of)
        elif value.tag == "MaintMarginReq":
            meter.margin(usage=amount, **of)
        elif value.tag == "EquityWithLoanValue":
            meter.margin(limit=max(amount, 0.0), **of)
        else:
            meter.balance(free=max(amount, 0.0), debt=max(-amount, 0.0), **of)

    def pnl(self, pnl: Any, account: str | None) -> None:
        """Take the P&L that a bot asked for with `reqPnL`; its currency is that of the account's equity."""
        of: dict[str, Any] = {"currency": self._base.get(pnl.account), "venue": names.VENUE, "account": account}
        realized, open_, today = pnl.realizedPnL, pnl.unrealizedPnL, pnl.dailyPnL
        if pnl.modelCode or not (names.known(realized) and names.known(open_)):
            return
        meter.pnl(type="realized", session=realized, **of)
        meter.pnl(type="unrealized", value=open_, session=today - realized if names.known(today) else None, **of)
