"""python-binance, `Client`, `AsyncClient` and sockets: orders, fills, calls, budgets, clocks, feeds, connections.

| Read from                                            | Emitted                                               |
| ---------------------------------------------------- | ----------------------------------------------------- |
| every request, by ccxt's word for it                 | `trading.venue.request.duration`                      |
| orders over REST and the WebSocket API, batches of   | `trading.order.requests`, `.request.duration`,        |
| futures, and a cancel with a new order in its place  | `.transitions`, `.acknowledgement.duration`           |
| `BinanceAPIException` for a new order                | `trading.order.rejections`, by the reason of FIX 103  |
| replies, trades of the account and the user's stream | `trading.order.fill.duration`, `trading.execution.*`  |
| X-MBX headers, status 418 or 429, exchangeInfo       | `trading.rate_limit.*`                                |
| `Date`, and more exactly the server's time           | `trading.venue.clock.offset`                          |
| messages of market streams                           | `trading.market_data.messages`, `.age`, `.delay`      |
| numbers of books, and a queue that runs over         | `trading.market_data.gaps`                            |
| sockets, named by their host                         | `trading.connection.*`                                |

The venue is binance, binanceusdm, binancecoinm or binanceus, the symbol Binance's. `error.type` is Binance's code, else
the class. The currency of a symbol follows from its name until the bot asks for exchange information. An order whose
execution status Binance does not know (-1000, -1001, -1006, -1007, or a 5xx) is not rejected: it stays unacknowledged
until a report says more. An execution counts once, by its id. Of a feed with more than ten messages a second
the delay is that of a sample. No parameter, header, URL or text of an error is recorded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from otel_trading.instrumentation import _replies
from otel_trading.instrumentation._hooks import LazyInstrumentor
from otel_trading.instrumentation._orders import EMITS
from otel_trading.instrumentation.python_binance import _calls, _streams
from otel_trading.semconv import market_data, venue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["PythonBinanceInstrumentor"]

_SOCKET = "ReconnectingWebsocket"


class PythonBinanceInstrumentor(LazyInstrumentor):
    """Hooks the methods through which every request and every message goes."""

    versions = "python-binance >= 1.0.28, < 2"
    tested = ("1.0.28", "1.0.37")
    emits: ClassVar[tuple[Metric, ...]] = (
        *_replies.EMITS,
        venue.REQUEST_DURATION,
        *EMITS,
        market_data.MESSAGES,
        market_data.AGE,
        market_data.DELAY,
        market_data.GAPS,
        market_data.CONNECTION_STATUS,
        market_data.CONNECTION_RECONNECTS,
        market_data.CONNECTION_UPTIME,
    )
    hooks: ClassVar[Mapping[str, Mapping[str, Callable[..., Any]]]] = {
        "binance.client": {"Client._request": _calls.requested, "Client._handle_response": _calls.handled},
        "binance.async_client": {
            "AsyncClient._request": _calls.requested_async,
            "AsyncClient._handle_response": _calls.handled_async,
        },
        "binance.ws.reconnecting_websocket": {
            f"{_SOCKET}.connect": _streams.connected,
            f"{_SOCKET}._handle_message": _streams.received,
            f"{_SOCKET}._reconnect": _streams.lost,
            f"{_SOCKET}._read_loop": _streams.told,
            f"{_SOCKET}.__aexit__": _streams.left,
        },
        "binance.ws.websocket_api": {"WebsocketAPI.request": _calls.asked},
    }
