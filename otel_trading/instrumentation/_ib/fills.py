"""Executions: each is booked once, together with the commission that TWS reports a moment later."""

from __future__ import annotations

import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation._ib import names
from otel_trading.instrumentation._ib.later import later

if TYPE_CHECKING:
    from otel_trading.instrumentation._ib.later import Handle

__all__ = ["WAIT", "Fills"]

#: Seconds for which a fill waits for its commission; one that comes later is booked as a fee of its own.
WAIT: Final = 2.0
_MAX_HELD: Final = 1000
#: A correction has the id of what it corrects but for the digits after the last of four dots: the same execution.
_CORRECTED: Final = re.compile(r"^(.+\..+\.\d+)\.\d+$")


@dataclass(slots=True)
class _Held:
    fill: Any
    keywords: dict[str, Any]
    handle: Handle | None = None


class Fills:
    """Holds at most 1,000 fills for at most `WAIT` seconds, and as many ids of those that were booked without fee."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, _Held] = OrderedDict()
        self._unpaid: OrderedDict[str, str | None] = OrderedDict()  # with the account

    def executed(self, fill: Any, client_id: str | None, account: str | None) -> None:
        """Take an execution, and its commission when the library has it already."""
        execution = fill.execution
        if fill.contract.secType == "BAG":
            return  # the sum of its legs, which are executions too
        found = _CORRECTED.match(execution.execId)
        held = _Held(
            fill,
            {
                "client_id": client_id,
                "account": account,
                "venue": names.VENUE,
                "execution_id": found[1] if found else execution.execId,
            },
        )
        if fill.commissionReport.execId:
            _book(held, fill.commissionReport)
            return
        if len(self._held) >= _MAX_HELD:
            self._give_up(next(iter(self._held)))
        self._held[execution.execId] = held
        held.handle = later(WAIT, lambda: self._give_up(execution.execId))

    def charged(self, fill: Any, report: Any) -> None:
        """Take a commission; of an execution that nobody saw it says nothing."""
        held = self._held.pop(report.execId, None)
        if held is not None:
            if held.handle is not None:
                held.handle.cancel()
            _book(held, report)
        elif report.execId in self._unpaid:
            _charge(fill, report, self._unpaid.pop(report.execId))

    def flush(self) -> None:
        """Book what waits: nothing more comes on this connection."""
        for name in list(self._held):
            self._give_up(name)

    def _give_up(self, name: str) -> None:
        held = self._held.pop(name, None)
        if held is None:
            return
        if held.handle is not None:
            held.handle.cancel()
        self._unpaid[name] = held.keywords["account"]
        if len(self._unpaid) > _MAX_HELD:
            self._unpaid.popitem(last=False)
        _book(held, None)


def _book(held: _Held, report: Any) -> None:
    contract, execution = held.fill.contract, held.fill.execution
    units = names.multiplier(contract)
    if units != 1:
        meter.contract(symbol=names.symbol(contract), multiplier=units, venue=names.VENUE)
    fee = report.commission if report is not None and report.currency in {"", contract.currency} else None
    meter.order_filled(
        symbol=names.symbol(contract),
        side=names.SIDE.get(execution.side),
        price=execution.price,
        quantity=float(execution.shares),
        currency=contract.currency or None,
        liquidity=names.LIQUIDITY.get(int(execution.lastLiquidity)),
        fee=fee,
        **held.keywords,
    )
    if report is not None and fee is None:
        _charge(held.fill, report, held.keywords["account"])


def _charge(fill: Any, report: Any, account: str | None) -> None:
    if report.commission > 0:
        meter.fee_charged(
            value=report.commission,
            type="commission",
            symbol=names.symbol(fill.contract),
            currency=report.currency or fill.contract.currency,
            venue=names.VENUE,
            account=account,
        )
