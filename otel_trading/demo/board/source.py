"""Where the board's samples come from: Prometheus' HTTP API, or the endpoint that the bot itself offers."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import requests
from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_trading.semconv import Metric

__all__ = ["Endpoint", "Prometheus", "Sample", "Samples", "Source"]

_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series."""

    series: str
    labels: Mapping[str, str]
    value: float


class Samples:
    """Everything that one fetch brought.

    Args:
        samples: The samples.
        time: When they were fetched, monotonic seconds.
    """

    def __init__(self, samples: Iterable[Sample] = (), time: float = 0.0) -> None:
        self.time = time
        self._by_series: dict[str, list[Sample]] = {}
        for sample in samples:
            self._by_series.setdefault(sample.series, []).append(sample)

    def __bool__(self) -> bool:
        """Whether anything came."""
        return bool(self._by_series)

    def of(self, metric: Metric, suffix: str = "", **labels: str) -> list[Sample]:
        """Return the samples of a metric.

        Args:
            metric: Of the convention.
            suffix: For histograms `_bucket`, `_sum` or `_count`.
            labels: Only those with these label values.
        """
        found = self._by_series.get(metric.prometheus + suffix, [])
        return [sample for sample in found if labels.items() <= sample.labels.items()]

    def total(self, metric: Metric, suffix: str = "", **labels: str) -> float | None:
        """Return the sum over the samples of a metric, or None when there is none."""
        found = self.of(metric, suffix, **labels)
        return sum(sample.value for sample in found) if found else None


class Source(Protocol):
    """Brings samples."""

    def fetch(self) -> Samples:
        """Return what is there now; empty when nothing is.

        Raises:
            requests.RequestException: Nobody answers.
        """
        ...


class Prometheus:
    """Prometheus' HTTP API.

    Args:
        url: Where it is.
        service: `service.name` of the bot.
        metrics: What to ask for.
    """

    def __init__(self, url: str, service: str, metrics: Iterable[Metric]) -> None:
        self._url = url.rstrip("/")
        names = "|".join(sorted(series for metric in metrics for series in metric.series))
        # One instant query for all: the rates are ours, so that both roads take the same one.
        self._query = f'{{__name__=~"{names}",service_name="{service}"}}'

    def fetch(self) -> Samples:
        """Return what Prometheus holds now."""
        data = get(f"{self._url}/api/v1/query", data={"query": self._query})
        return Samples((_sample(row) for row in data["result"]), time.monotonic())

    def alerts(self) -> list[dict[str, Any]]:
        """Return the alerts that are pending or fire."""
        alerts: list[dict[str, Any]] = get(f"{self._url}/api/v1/alerts")["alerts"]
        return alerts


class Endpoint:
    """The bot's own /metrics.

    Args:
        url: Where it is.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def fetch(self) -> Samples:
        """Return what the bot offers now."""
        reply = requests.get(self._url, timeout=_TIMEOUT)
        reply.raise_for_status()
        families = text_string_to_metric_families(reply.text)
        rows = (Sample(row.name, row.labels, row.value) for family in families for row in family.samples)
        return Samples(rows, time.monotonic())


def get(url: str, data: dict[str, str] | None = None) -> Any:
    """Return the `data` of a reply of Prometheus' API.

    Raises:
        requests.RequestException: Nobody answers, or with an error.
    """
    reply = requests.post(url, data=data, timeout=_TIMEOUT) if data else requests.get(url, timeout=_TIMEOUT)
    reply.raise_for_status()
    return reply.json()["data"]


def _sample(row: Mapping[str, Any]) -> Sample:
    labels: dict[str, str] = dict(row["metric"])
    return Sample(labels.pop("__name__"), labels, float(row["value"][1]))
