"""Where the two libraries are hooked: no wire code, a listener per `IB` object and its few calls that send."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any, ClassVar, Final

from otel_trading import meter
from otel_trading.instrumentation._hooks import LazyInstrumentor, quietly
from otel_trading.instrumentation._ib import names, orders
from otel_trading.instrumentation._ib.feeds import kind_of_tick
from otel_trading.instrumentation._ib.watcher import Watcher
from otel_trading.semconv import execution, market_data, order, portfolio, venue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["EMITS", "IBInstrumentor"]

EMITS: Final[tuple[Metric, ...]] = (
    order.REQUESTS,
    order.TRANSITIONS,
    order.REJECTIONS,
    execution.FILLS,
    execution.FEE,
    portfolio.VALUE,
    portfolio.PNL,
    portfolio.BALANCE,
    portfolio.POSITION_QUANTITY,
    market_data.AGE,
    market_data.CONNECTION_STATUS,
    market_data.CONNECTION_RECONNECTS,
    venue.REQUEST_DURATION,
    venue.RATE_LIMIT_REJECTIONS,
    venue.RATE_LIMIT_WAIT_DURATION,
)
_watchers: Final[weakref.WeakKeyDictionary[Any, Watcher]] = weakref.WeakKeyDictionary()


def _init(wrapped: Callable[..., Any], ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    wrapped(*args, **kwargs)
    _watch(ib)


@quietly
def _watch(ib: Any) -> None:
    if ib not in _watchers:  # a subclass may call it twice
        _watchers[ib] = Watcher(ib)


def _place(wrapped: Callable[..., Any], ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)  # its events count what went out
    except Exception as error:
        contract = args[0] if args else kwargs.get("contract")
        _unsent(ib, "new", contract, args[1] if len(args) > 1 else kwargs.get("order"), error)
        raise


def _cancel(wrapped: Callable[..., Any], ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    order = args[0] if args else kwargs.get("order")
    try:
        trade = wrapped(*args, **kwargs)
    except Exception as error:
        _unsent(ib, "cancel", None, order, error)
        raise
    _canceled(ib, trade, order)
    return trade


@quietly
def _canceled(ib: Any, trade: Any, order: Any) -> None:
    watcher = _watchers.get(ib)
    if watcher is not None and trade is not None:
        orders.sent(watcher.client, "cancel", trade.contract, order, account=watcher.alias(order.account))
    elif watcher is not None:
        meter.order_sent(operation="cancel", venue=names.VENUE)


@quietly
def _unsent(ib: Any, operation: Any, contract: Any, order: Any, error: BaseException) -> None:
    watcher = _watchers.get(ib)
    if watcher is None:
        return
    if contract is None:
        meter.order_sent(operation=operation, venue=names.VENUE, error=error)
    else:
        orders.sent(watcher.client, operation, contract, order, account=watcher.alias(order.account), error=error)


def _cancel_all(wrapped: Callable[..., Any], _ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        result = wrapped(*args, **kwargs)
    except Exception as error:
        orders.all_canceled(error)
        raise
    orders.all_canceled()
    return result


def _connect(wrapped: Callable[..., Any], ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _connecting(ib, wrapped(*args, **kwargs))


async def _connecting(ib: Any, attempt: Any) -> Any:
    watcher = _watchers.get(ib)
    if watcher is None:
        return await attempt
    watcher.begun()
    try:
        with meter.venue_call(operation="connect", venue=names.VENUE):
            return await attempt
    except BaseException as error:
        watcher.failed(error)
        raise
    finally:
        watcher.connection.connecting = False


def _disconnect(wrapped: Callable[..., Any], ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    watcher = _watchers.get(ib)
    if watcher is None:
        return wrapped(*args, **kwargs)
    watcher.connection.leaving = True
    try:
        return wrapped(*args, **kwargs)
    finally:
        watcher.connection.leaving = False


def _subscribing(kind: Callable[..., Any], *, ends: bool = False) -> Callable[..., Any]:
    """Return the wrapper of a call that begins or ends a feed; of a snapshot nothing follows."""

    @quietly
    def tell(ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        watcher = _watchers.get(ib)
        contract = args[0] if args else kwargs["contract"]
        feed = kind(*args[1:], **{name: value for name, value in kwargs.items() if name != "contract"})
        if watcher is not None and feed is not None:
            (watcher.feeds.unsubscribed if ends else watcher.feeds.subscribed)(contract, feed)

    def call(wrapped: Callable[..., Any], ib: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        result = wrapped(*args, **kwargs)
        tell(ib, args, kwargs)
        return result

    return call


def _quotes(
    genericTickList: str = "",  # noqa: ARG001, N803  as the library names it
    snapshot: bool = False,  # noqa: FBT001, FBT002
    *_rest: Any,
    **_more: Any,
) -> str | None:
    return None if snapshot else "ticker"


def _ticks(tickType: str = "", *_rest: Any, **_more: Any) -> str:  # noqa: N803  as the library names it
    return kind_of_tick(tickType)


def _depth(*_rest: Any, **_more: Any) -> str:
    return "order_book"


_IB: Final[Mapping[str, Callable[..., Any]]] = {
    "IB.__init__": _init,
    "IB.placeOrder": _place,
    "IB.cancelOrder": _cancel,
    "IB.reqGlobalCancel": _cancel_all,
    "IB.connectAsync": _connect,
    "IB.disconnect": _disconnect,
    "IB.reqMktData": _subscribing(_quotes),
    "IB.cancelMktData": _subscribing(_quotes, ends=True),
    "IB.reqTickByTickData": _subscribing(_ticks),
    "IB.cancelTickByTickData": _subscribing(_ticks, ends=True),
    "IB.reqMktDepth": _subscribing(_depth),
    "IB.cancelMktDepth": _subscribing(_depth, ends=True),
}


class IBInstrumentor(LazyInstrumentor):
    """Listens to every `IB` object that is made while it is on; a subclass names the library."""

    library: ClassVar[str]
    emits = EMITS

    def __init_subclass__(cls) -> None:
        """Hook the module of the library that the subclass names."""
        cls.hooks = {f"{cls.library}.ib": _IB}

    def _left(self, module: Any) -> None:
        super()._left(module)
        for ib, watcher in list(_watchers.items()):
            if isinstance(ib, module.IB):
                watcher.leave(ib)
                del _watchers[ib]
