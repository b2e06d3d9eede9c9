"""Hooks on the base classes of ccxt, through which every venue goes."""

from __future__ import annotations

import time
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from otel_trading import meter
from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hooks import covering, quietly
from otel_trading.instrumentation.ccxt import _orders, _streams
from otel_trading.instrumentation.ccxt._calls import CALL, Call
from otel_trading.instrumentation.ccxt._unified import dress

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["BASE"]

#: Below this a throttle did not wait: it only looked.
_WAITED: Final = 0.001
#: What a call of `fetch2` carries before it is signed.
_PARAMS: Final = 3
#: When the request of this task left, as Unix seconds.
_sent: ContextVar[float] = ContextVar("otel_trading_ccxt_sent")


def _fetch2(wrapped: Callable[..., Any], _exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = CALL.get()
    if call is not None:
        call.params = args[_PARAMS] if len(args) > _PARAMS else kwargs.get("params")
        call.failed = False
    return wrapped(*args, **kwargs)


def _fetch(wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    call = CALL.get() or Call(exchange, "request")
    _sent.set(time.time())
    with covering(), call.request():
        try:
            return wrapped(*args, **kwargs)
        except Exception:
            call.failed = True
            raise


async def _fetch_async(
    wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    call = CALL.get() or Call(exchange, "request")
    _sent.set(time.time())
    with covering(), call.request():
        try:
            return await wrapped(*args, **kwargs)
        except Exception:
            call.failed = True
            raise


def _throttle(wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    wait, begin = meter.rate_limit_wait(name="requests", venue=exchange.id).__enter__(), time.perf_counter()
    result = wrapped(*args, **kwargs)
    if time.perf_counter() - begin > _WAITED:
        wait.__exit__(None, None, None)  # one that is left open records nothing
    return result


async def _throttle_async(
    wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    wait, begin = meter.rate_limit_wait(name="requests", venue=exchange.id).__enter__(), time.perf_counter()
    result = await wrapped(*args, **kwargs)
    if time.perf_counter() - begin > _WAITED:
        wait.__exit__(None, None, None)
    return result


def _reply(wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    _read_reply(exchange, *args[:5])
    return wrapped(*args, **kwargs)


@quietly
def _read_reply(exchange: Any, status: Any, _text: Any, _url: Any, _method: Any, headers: Any) -> None:
    _replies.tell(exchange.id, int(status), headers, _sent.get())


def _order(wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    _read_order(exchange, result)
    return result


@quietly
def _read_order(exchange: Any, result: Any) -> None:
    call = CALL.get()
    if call is None or not call.takes_result:
        _orders.reported(exchange, result)


def _trade(wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    trade: Any = result
    if isinstance(trade, dict) and trade.get("order") is not None:  # cheap: public trades come by the thousand
        _read_trade(exchange, result)
    return result


@quietly
def _read_trade(exchange: Any, result: Any) -> None:
    _orders.executed(exchange, result)


async def _close(wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = await wrapped(*args, **kwargs)
    _streams.closed(exchange)
    return result


def _construct(wrapped: Callable[..., Any], exchange: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    dress(exchange.__class__)  # before it runs: ccxt then makes its camel case names of what is hooked
    return wrapped(*args, **kwargs)


#: By module, what to wrap of the class that it declares.
BASE: Final[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
    "ccxt.base.exchange": {
        "__init__": _construct,
        "fetch": _fetch,
        "fetch2": _fetch2,
        "on_rest_response": _reply,
        "safe_order": _order,
        "safe_trade": _trade,
        "throttle": _throttle,
    },
    "ccxt.async_support.base.exchange": {
        "close": _close,
        "fetch": _fetch_async,
        "fetch2": _fetch2,
        "throttle": _throttle_async,
    },
    "ccxt.async_support.base.ws.client": {
        "open": _streams.opened,
        "on_close": _streams.ended,
        "on_error": _streams.failed,
    },
}
