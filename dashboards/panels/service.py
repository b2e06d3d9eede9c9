"""Service: the bot's own HTTP server and what it calls, by OpenTelemetry's stable names.

https://opentelemetry.io/docs/specs/semconv/http/http-metrics/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import _house as house
from .. import _promql as promql

if TYPE_CHECKING:
    from grafana_foundation_sdk.builders import stat, timeseries

_SERVED, _CALLED = "http_server_request_duration_seconds", "http_client_request_duration_seconds"
_ROUTE: Final = "http_route"
_STATUS: Final = "http_response_status_code"
_HOST: Final = "server_address"
#: Without a status nothing was answered, or an exception passed the instrumentation.
_BAD: Final = f'{_STATUS}=~"5..|"'
_NONE: Final = "No data: this bot serves no HTTP, or runs without its instrumentation"
_RATE: Final = "$__rate_interval"


def _per_second(name: str, by: tuple[str, ...] = (), *matchers: str) -> str:
    return f"sum {_by(by)}(rate({promql.foreign(f'{name}_count', *matchers)}[{_RATE}]))"


def _slow(name: str, by: tuple[str, ...] = ()) -> str:
    return f"histogram_quantile(0.95, sum {_by(('le', *by))}(rate({promql.foreign(f'{name}_bucket')}[{_RATE}])))"


def _by(labels: tuple[str, ...]) -> str:
    return f"by ({', '.join(labels)}) " if labels else ""


def request_rate() -> stat.Panel:
    """How much is asked?"""
    query = house.latest(_per_second(_SERVED), "requests")
    return house.number("Requests", "Requests served per second.", house.PER_SECOND, query).no_value(_NONE)


def error_share() -> stat.Panel:
    """How much fails?"""
    share = promql.ratio(_per_second(_SERVED, (), _BAD), _per_second(_SERVED))
    about = "Share of requests that failed: a status of 500 or more, or none."
    panel = house.number("Error rate", about, house.SHARE, house.latest(share, "errors"), steps=house.rising(0.05, 0.1))
    return panel.no_value(_NONE)


def latency_now() -> stat.Panel:
    """How long does it take?"""
    query = house.latest(_slow(_SERVED), "p95")
    about = "95 of 100 requests are served faster."
    panel = house.number("API latency", about, house.SECONDS, query, steps=house.rising(1, 2))
    return panel.no_value(_NONE)


def requests() -> timeseries.Panel:
    """What is asked?"""
    query = house.query(_per_second(_SERVED, (_ROUTE,)), promql.legend(_ROUTE))
    return house.lines("Requests by route", "Requests served.", house.PER_SECOND, query).min(0).no_value(_NONE)


def latency() -> timeseries.Panel:
    """Which route is slow?"""
    query = house.query(_slow(_SERVED, (_ROUTE,)), promql.legend(_ROUTE))
    about = "Time to serve a request, by route; 95 of 100 are faster."
    return house.lines("API request latency", about, house.SECONDS, query).min(0).no_value(_NONE)


def errors() -> timeseries.Panel:
    """Which route fails?"""
    share = promql.ratio(_per_second(_SERVED, (_ROUTE,), _BAD), _per_second(_SERVED, (_ROUTE,)))
    about = "Share of requests that failed: a status of 500 or more, or none, by route."
    panel = house.lines("Error rate by route", about, house.SHARE, house.query(share, promql.legend(_ROUTE)))
    return panel.min(0).no_value(_NONE)


def by_status() -> timeseries.Panel:
    """How do requests end?"""
    query = house.query(f"60 * {_per_second(_SERVED, (_STATUS,))}", promql.legend(_STATUS))
    return house.events("Requests by status", "Requests served, by status.", house.PER_MINUTE, query).no_value(_NONE)


def calls() -> timeseries.Panel:
    """Whom does it call?"""
    query = house.query(_per_second(_CALLED, (_HOST,)), promql.legend(_HOST))
    return house.lines("Calls by host", "Requests made to others.", house.PER_SECOND, query).min(0).no_value(_NONE)


def call_latency() -> timeseries.Panel:
    """Who is slow?"""
    query = house.query(_slow(_CALLED, (_HOST,)), promql.legend(_HOST))
    about = "Time of requests to others, by host; 95 of 100 are faster."
    return house.lines("Call latency", about, house.SECONDS, query).min(0).no_value(_NONE)


def call_errors() -> timeseries.Panel:
    """Who fails?"""
    bad = _per_second(_CALLED, (_HOST, _STATUS), f'{_STATUS}=~"[45]..|"')
    query = house.query(f"60 * {bad}", promql.legend(_HOST, _STATUS))
    return house.events("Calls to others failed", "Requests to others that failed, by status.", house.PER_MINUTE, query)
