"""For your own tests: the `capmeter` fixture, and one scripted day of trading that touches every metric.

::

    def test_my_bot_counts_fills(capmeter):
        bot.on_fill(fill)
        assert capmeter.value("trading.execution.fills", venue="kraken") == 1

`capmeter` exports nothing and replaces no global provider: it binds our own instruments to a reader in memory.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest

from otel_trading import _context, _locks, instruments, semconv, trackers
from otel_trading._attributes import WORDS
from otel_trading._day import day_of_trading

if TYPE_CHECKING:
    from collections.abc import Iterator

    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    from otel_trading.semconv import Metric

__all__ = ["CapturingMeter", "Sample", "capmeter", "day_of_trading"]

_COMMON: Final = {word: attribute.name for word, attribute in WORDS.items()}


@dataclass(frozen=True, slots=True)
class Sample:
    """One series as it would leave: for a histogram `value` is its count and `sum` its sum."""

    name: str
    attributes: dict[str, str]
    value: float
    sum: float | None = None


class CapturingMeter:
    """Reads what was recorded, without an export."""

    def __init__(self, reader: InMemoryMetricReader) -> None:
        self._reader = reader

    def samples(self, name: str | None = None) -> list[Sample]:
        """Return every series, or those of one metric; each call collects anew."""
        with _locks.inside:
            data = self._reader.get_metrics_data()
        found = [
            _sample(metric.name, point)
            for resource in (data.resource_metrics if data else ())
            for scope in resource.scope_metrics
            for metric in scope.metrics
            for point in metric.data.data_points
        ]
        return found if name is None else [sample for sample in found if sample.name == _known(name, found)]

    def value(self, name: str, /, **attributes: str) -> float:
        """Return the sum over the series of a metric that carry these attributes; a histogram gives its count.

        Args:
            name: OpenTelemetry name of the metric.
            attributes: Helper keywords (`venue`, `symbol`, `strategy`, `account`, `currency`), the last word of an
                attribute (`side` for `trading.order.side`), the one before `name` (`operation` for
                `trading.operation.name`), or its name with underscores.

        Raises:
            AssertionError: When nothing was recorded under this name and these attributes.
        """
        samples = [sample for sample in self.samples(name) if _carries(sample, attributes)]
        if not samples:
            message = f"No series of {name} carries {attributes}. There are: {self.samples(name)}"
            raise AssertionError(message)
        return sum(sample.value for sample in samples)

    def prometheus(self) -> dict[str, list[Sample]]:
        """Return the samples under their Prometheus names; own instruments of a user keep their OTel name."""
        named: dict[str, list[Sample]] = {}
        for sample in self.samples():
            metric = semconv.BY_NAME.get(sample.name)
            named.setdefault(metric.prometheus if metric else sample.name, []).append(sample)
        return named

    def assert_conforms(self) -> None:
        """Check every `trading.*` series against the convention.

        Raises:
            AssertionError: With every name, attribute and value that the convention does not know.
        """
        findings = [finding for sample in self.samples() for finding in _findings(sample)]
        assert not findings, "\n".join(findings)  # noqa: S101  an assertion helper


@pytest.fixture
def capmeter() -> Iterator[CapturingMeter]:
    """Bind the instruments to a reader in memory and start with fresh trackers and defaults."""
    from opentelemetry.sdk.metrics import MeterProvider  # noqa: PLC0415  every pytest run loads this plugin
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader  # noqa: PLC0415

    from otel_trading.sdk.views import views  # noqa: PLC0415

    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], views=views(), shutdown_on_exit=False)
    before = instruments.bind(provider)
    trackers_before = trackers.set_default(None)
    defaults_before = _context.swap(None)
    try:
        yield CapturingMeter(reader)
    finally:
        _context.swap(defaults_before)
        trackers.set_default(trackers_before)
        instruments.restore(before)
        provider.shutdown()


def _sample(name: str, point: object) -> Sample:
    attributes = {str(key): str(value) for key, value in getattr(point, "attributes", {}).items()}
    if hasattr(point, "bucket_counts"):
        return Sample(name, attributes, float(getattr(point, "count", 0)), float(getattr(point, "sum", 0.0)))
    return Sample(name, attributes, float(getattr(point, "value", 0.0)))


def _known(name: str, samples: list[Sample]) -> str:
    names = {sample.name for sample in samples}
    if name not in names and name not in semconv.BY_NAME:
        near = difflib.get_close_matches(name, names | set(semconv.BY_NAME), n=1)
        message = f"{name!r} is no metric. {f'Did you mean {near[0]!r}?' if near else ''}"
        raise AssertionError(message)
    return name


def _carries(sample: Sample, wanted: dict[str, str]) -> bool:
    return all(value in _find(sample, word) for word, value in wanted.items())


def _find(sample: Sample, word: str) -> list[str]:
    """Return the values of every attribute that the word may mean: `type` is the order's, the signal's, the error's."""
    if word in _COMMON:
        return [value for name, value in sample.attributes.items() if name == _COMMON[word]]
    return [value for name, value in sample.attributes.items() if word in _words(name)]


def _words(name: str) -> set[str]:
    short = name.removesuffix(".name")
    return {name, name.replace(".", "_"), name.rsplit(".", 1)[-1], short.rsplit(".", 1)[-1]}


def _findings(sample: Sample) -> list[str]:
    metric = semconv.BY_NAME.get(sample.name)
    if metric is None:
        return [f"{sample.name} is not in the convention."] if sample.name.startswith("trading.") else []
    name, carried = sample.name, sample.attributes
    return [
        *(f"{name} carries {key}, which it does not have." for key in carried if key not in metric.keys),
        *(f"{name} lacks {key}." for key in _missing(metric, sample)),
        *(f"{name} has {key}={value!r}." for key, value in carried.items() if not _allowed(key, value)),
    ]


def _missing(metric: Metric, sample: Sample) -> list[str]:
    required = [use.attribute.name for use in metric.uses if use.level is semconv.Level.REQUIRED]
    return [name for name in required if name not in sample.attributes]


def _allowed(key: str, value: str) -> bool:
    attribute = semconv.attributes.ALL.get(key)
    return attribute is None or not attribute.values or value in attribute.values
