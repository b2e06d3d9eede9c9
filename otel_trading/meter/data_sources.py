"""Data sources: how long a fetch takes, how good the data is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import instruments, spans, trackers
from otel_trading._attributes import Keywords
from otel_trading._guard import guarded
from otel_trading._numbers import number
from otel_trading._timer import Timer, timer
from otel_trading.semconv import attributes as a
from otel_trading.semconv import market_data as metrics
from otel_trading.semconv import spans as declared

if TYPE_CHECKING:
    from otel_trading._numbers import Number
    from otel_trading._timer import Close

__all__ = ["market_data_fetch", "market_data_quality"]

_FETCH: Final = Keywords(
    "market_data_fetch",
    source=a.DATA_SOURCE,
    error=a.ERROR_TYPE,
    symbol=a.SYMBOL,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)
_QUALITY: Final = Keywords(
    "market_data_quality",
    source=a.DATA_SOURCE,
    symbol=a.SYMBOL,
    venue=a.VENUE,
    strategy=a.STRATEGY,
    account=a.ACCOUNT,
)


@timer
def market_data_fetch(
    *,
    source: str,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> Timer:
    """Time a fetch of market data, such as history over REST; a `with` block or a decorator.

    An exception becomes `error.type`. A fetch from the venue that you also trade on may be a `venue_call` instead; one
    from a file or a data vendor is not.

    Args:
        source: Who provides the data.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: `trading.market_data.fetch.duration`, whose count is the number of fetches, and the span
    `trading.market_data.fetch`, parent of the HTTP call's own.
    """

    def start() -> Close:
        return spans.start(declared.FETCH, _FETCH.find(source, None, symbol, venue, strategy, account)).enter().close

    def finish(seconds: float, error: str | None) -> None:
        attributes = _FETCH.resolve(source, error, symbol, venue, strategy, account)
        instruments.of(metrics.FETCH_DURATION).record(seconds, attributes)

    return Timer(finish, start)


@guarded
def market_data_quality(
    *,
    source: str,
    score: Number | None,
    symbol: str | None = None,
    venue: str | None = None,
    strategy: str | None = None,
    account: str | None = None,
) -> None:
    """Take the quality of a data source, by your own measure.

    Args:
        source: Who provides the data.
        score: From 0 to 1, never percent; None when it is not known any more, which ends the series.
        symbol: Venue or ccxt symbol.
        venue: ccxt id, ISO 10383 MIC or broker id.
        strategy: Name of the strategy.
        account: Alias of the account.

    Emits: nothing by itself; feeds `trading.market_data.quality`.
    """
    checked = None if score is None else number(score, "score", minimum=0, maximum=1)
    if score is None or checked is not None:
        attributes = _QUALITY.resolve(source, symbol, venue, strategy, account)
        trackers.default().feeds.scored(attributes, checked)
