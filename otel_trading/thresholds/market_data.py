"""What market data is compared with."""

from __future__ import annotations

from typing import Final

from otel_trading.semconv import attributes as a
from otel_trading.semconv import market_data
from otel_trading.thresholds._model import Threshold

AGE: Final = Threshold(
    name="market_data_age_seconds",
    brief=(
        "Seconds since the last message of a feed, by kind of data. Bars are taken to be of one minute. Kinds that "
        "come when they come (funding, account, news, other) have no default: set one where silence means trouble."
    ),
    default={"quote": 30, "order_book": 30, "ticker": 60, "trade": 120, "bar": 180},
    allowed=(1, 604_800),
    of=(market_data.AGE,),
    key=a.DATA_KIND,
    group="fast",
)

RATE: Final = Threshold(
    name="feed_rate_ratio",
    brief="Messages of a feed per second over five minutes, as a share of its average over the last day, 0 to 1.",
    default=0.2,
    allowed=(0, 1),
    of=(market_data.MESSAGES,),
    higher_is_stricter=True,
    group="slow",
)
GAPS: Final = Threshold(
    name="sequence_gaps",
    brief="Breaks in the sequence numbers of a source in five minutes.",
    default=5,
    allowed=(0, 1e6),
    of=(market_data.GAPS,),
)
RECONNECTS: Final = Threshold(
    name="connection_reconnects",
    brief="Reconnects of one connection in ten minutes.",
    default=5,
    allowed=(0, 1e4),
    of=(market_data.CONNECTION_RECONNECTS,),
)
