"""Market data that does not come, or not as it should."""

from __future__ import annotations

from itertools import count

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, from_then_on, scenario

#: Rules of rates ask for an hour of history, one sample a minute: in a hurry, so many seconds.
_HISTORY = 64


@scenario("MarketDataStale", thresholds={"market_data_age_seconds": 2})
def stale(cause: Cause) -> None:
    """A feed falls silent after its first quote, and comes back when the fault is over."""
    _quote()
    cause.hold()
    for _ in from_then_on():
        _quote()


@scenario("FeedConnectedButSilent", thresholds={"market_data_age_seconds": 3_600})
def silent(cause: Cause) -> None:
    """The connection of a feed stands and brings nothing after the first quote."""
    meter.connection_changed(name="public", state="connected")
    _quote()
    cause.hold()
    for _ in from_then_on():
        _quote()


@scenario("FeedRateCollapse")
def collapse(cause: Cause) -> None:
    """A feed of twenty quotes a second brings one a second."""
    for number in count():
        if not cause.holds(every=0.05):
            break
        if number < _HISTORY * 20 or number % 20 == 0:
            _quote()
    for _ in from_then_on(every=0.05):
        _quote()


@scenario("SequenceGapBurst")
def gaps(cause: Cause) -> None:
    """Every message of a feed comes with a gap before it."""
    for number in count():
        if not cause.holds(every=0.05):
            break
        _quote(sequence=10 * number)
    for _ in from_then_on():
        _quote()


def _quote(sequence: int | None = None) -> None:
    meter.market_data_received(
        source="exchange", kind="quote", symbol="BTC/USD", connection="public", sequence=sequence
    )
