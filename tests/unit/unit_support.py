"""What several unit tests ask of a capmeter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading import semconv
from otel_trading._attributes import AttributeSet
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter


def losses(captured: CapturingMeter) -> dict[str, float]:
    """Return how many measurements were dropped, by reason."""
    samples = captured.samples(semconv.sdk.DROPPED.name)
    return {sample.attributes[a.SDK_REASON.name]: sample.value for sample in samples}


def series(captured: CapturingMeter, name: str, label: str) -> dict[str, float]:
    """Return the values of a metric by one of its attributes."""
    return {sample.attributes[label]: sample.value for sample in captured.samples(name)}


def attributes(**words: str) -> AttributeSet:
    """Return an attribute set in live mode; words are names of the constants in `semconv.attributes`, lower case."""
    return AttributeSet(
        {a.MODE.name: "live", **{getattr(a, word.upper()).name: value for word, value in words.items()}}
    )


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self, now: float = 1_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now
