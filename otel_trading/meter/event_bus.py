"""Event buses of others: what was published and processed, what waits, who listens."""

from __future__ import annotations

import inspect
from enum import Enum
from functools import wraps
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakSet

from otel_trading import instruments, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._timer import Timer, error_type, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import plumbing as metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading._numbers import Number

__all__ = ["event_handler", "event_published", "watch_event_bus"]

_EVENT: Final = Keywords(
    "event_published",
    "event_handler",
    type=a.EVENT_TYPE,
    error=a.ERROR_TYPE,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_BUS: Final = Keywords("watch_event_bus", type=a.EVENT_TYPE, venue=a.VENUE, strategy=a.STRATEGY, account=a.ACCOUNT)
_wrapped: Final[WeakSet[Callable[..., Any]]] = WeakSet()


@guarded
def event_published(
    *,
    type: str,  # noqa: A002  the convention's word
    error: str | BaseException | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Count an event put on the bus.

    Args:
        type: Type of the event, never an id.
        error: Why the bus did not take it.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.event_bus.published.events`.
    """
    attributes = _EVENT.resolve(type, error_type(error), venue, strategy, account)
    instruments.of(metrics.PUBLISHED_EVENTS).record(1, attributes)


@timer
def event_handler(
    *,
    type: str,  # noqa: A002  the convention's word
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> Timer:
    """Time the handling of one event and count it; a `with` block or a decorator, sync or async.

    Args:
        type: Type of the event, never an id.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.event_bus.processed.events` and `trading.event_bus.process.duration`.
    """

    def finish(seconds: float, error: str | None) -> None:
        attributes = _EVENT.resolve(type, error, venue, strategy, account)
        instruments.of(metrics.PROCESSED_EVENTS).record(1, attributes)
        instruments.of(metrics.PROCESS_DURATION).record(seconds, attributes)

    return Timer(finish)


@guarded
def watch_event_bus(
    bus: object,
    /,
    *,
    publish: str | None = None,
    process: str | None = None,
    queue_size: Callable[[], Number] | None = None,
    subscribers: Callable[[], Number] | None = None,
    type: str | None = None,  # noqa: A002  the convention's word
    enabled: bool = True,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Attach to an event bus; it delivers as before, and a second time changes nothing.

    The two methods take the event, or its type, first. A text or an enum is the type itself; of any other object its
    class is.

    Args:
        bus: The bus.
        publish: Name of its method that puts an event on the bus.
        process: Name of its method that handles one event.
        queue_size: Returns how many events wait now; called in the thread that exports.
        subscribers: Returns how many handlers are subscribed now; called there too.
        type: Type of event that the two figures are about; left out for the whole bus.
        enabled: False leaves the bus alone.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.event_bus.published.events`, `.processed.events` and `.process.duration`; feeds
        `trading.event_bus.queue.size` and `.subscriber.count`.
    """
    if not enabled:
        return
    place = {"venue": venue, "strategy": strategy, "account": account}

    def published(kind: str) -> Timer:
        return Timer(lambda _, error: event_published(type=kind, error=error, **place))

    def processed(kind: str) -> Timer:
        return event_handler(type=kind, **place)

    for method, timed in ((publish, published), (process, processed)):
        if method is not None:
            _wrap(bus, method, timed)
    attributes, tracker = _BUS.resolve(type, venue, strategy, account), trackers.default().buses
    if queue_size is not None:
        tracker.queue_size.watch(attributes, queue_size)
    if subscribers is not None:
        tracker.subscribers.watch(attributes, subscribers)


def _wrap(bus: object, name: str, timed: Callable[[str], Timer]) -> None:
    method = getattr(bus, name)
    if method in _wrapped:
        return
    if inspect.iscoroutinefunction(method):

        @wraps(method)
        async def watched_async(event: object, *args: Any, **kwargs: Any) -> Any:
            with timed(_type(event)):
                return await method(event, *args, **kwargs)

        watched: Callable[..., Any] = watched_async
    else:

        @wraps(method)
        def watched_sync(event: object, *args: Any, **kwargs: Any) -> Any:
            with timed(_type(event)):
                return method(event, *args, **kwargs)

        watched = watched_sync
    _wrapped.add(watched)
    setattr(bus, name, watched)


def _type(event: object) -> str:
    """Return what an event is called: never an id, never its content."""
    if isinstance(event, Enum):
        return str(event.value)
    if isinstance(event, str):
        return event
    return (event if isinstance(event, type) else type(event)).__name__
