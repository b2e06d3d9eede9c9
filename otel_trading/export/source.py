"""Reads Prometheus' history piece by piece: each answer is as large as the last ones let expect, never the whole."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from otel_trading.errors import ConfigError, StackError
from otel_trading.export.period import Period
from otel_trading.stack import loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    _Piece = Callable[[int, int], list[dict[str, Any]]]

__all__ = ["Sample", "at", "samples", "steps"]

#: One answer holds about so many samples: some 10 MB of JSON.
_WANTED: Final = 200_000
#: How many units the first piece is long, and how many times longer than the last the next may be.
_FIRST: Final = 10
_GROWTH: Final = 8
_SECOND: Final = 1_000
_LONGEST: Final = 6 * 3_600_000
#: Prometheus gives 11,000 points of one series at most.
_MOST_POINTS: Final = 10_000
_TIMEOUT: Final = 120.0
_REFUSED: Final = (400, 422)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of one series; the value as Prometheus writes it, which loses nothing.

    Attributes:
        time: Milliseconds since 1970.
        labels: With `__name__`, where there is one.
        value: Such as `0.1`, `NaN`, `+Inf`.
    """

    time: int
    labels: dict[str, str]
    value: str


def samples(url: str, selector: str, period: Period) -> Iterator[Sample]:
    """Give every stored sample of the series of a selector, in order of time.

    Args:
        url: Prometheus'.
        selector: PromQL that only selects.
        period: Of which time.

    Raises:
        ConfigError: Prometheus refuses the selector.
        StackError: It does not answer.
    """

    def _piece(start: int, end: int) -> list[dict[str, Any]]:
        # A range is open on its left, so that pieces neither overlap nor leave a gap.
        return _ask(url, "query", query=f"{selector}[{end - start}ms]", time=_seconds(end))

    yield from _pieces(period, _piece, _SECOND, _LONGEST)


def steps(url: str, expression: str, period: Period, step: int) -> Iterator[Sample]:
    """Give what an expression was at each step, in order of time.

    Args:
        url: Prometheus'.
        expression: PromQL.
        period: Of which time; steps are multiples of themselves, so that two exports meet.
        step: In milliseconds.

    Raises:
        ConfigError: Prometheus refuses the expression.
        StackError: It does not answer.
    """
    first, last = (period.start // step + 1) * step, period.end // step * step
    if first > last:
        return

    def _piece(start: int, end: int) -> list[dict[str, Any]]:
        return _ask(
            url,
            "query_range",
            query=expression,
            start=_seconds(start + step),
            end=_seconds(end),
            step=_seconds(step),
        )

    yield from _pieces(Period(first - step, last), _piece, step, _MOST_POINTS * step)


def at(url: str, expression: str, moment: int) -> list[Sample]:
    """Return what an expression is at one moment.

    Raises:
        ConfigError: Prometheus refuses the expression.
        StackError: It does not answer.
    """
    found = _ask(url, "query", query=expression, time=_seconds(moment))
    return [Sample(round(row["value"][0] * 1000), row["metric"], row["value"][1]) for row in found]


def _pieces(period: Period, piece: _Piece, unit: int, longest: int) -> Iterator[Sample]:
    start, length = period.start, min(_FIRST * unit, longest)
    while start < period.end:
        end = min(start + length, period.end)
        try:
            rows = piece(start, end)
        except _TooMuchError as error:
            if length <= unit:
                raise ConfigError(str(error)) from error
            length = max(length // _GROWTH // unit, 1) * unit
            continue
        found = [
            Sample(round(moment * 1000), row["metric"], value)
            for row in rows
            for moment, value in row.get("values", ())
        ]
        yield from sorted(found, key=lambda one: (one.time, sorted(one.labels.items())))
        growth = min(_WANTED / len(found), _GROWTH) if found else _GROWTH
        length = max(int(min(length * growth, longest)) // unit, 1) * unit
        start = end


class _TooMuchError(Exception):
    """One piece holds more samples than Prometheus loads for one question."""


def _seconds(moment: int) -> str:
    return f"{moment // 1000}.{moment % 1000:03d}"


def _ask(url: str, path: str, **query: str) -> list[dict[str, Any]]:
    body = urllib.parse.urlencode(query).encode()
    try:
        data = json.loads(loopback.ask(f"{url}/api/v1/{path}", _TIMEOUT, body=body))["data"]
        kind, result = data["resultType"], data["result"]
    except urllib.error.HTTPError as error:
        raise _refusal(error, url, query["query"]) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"Prometheus does not answer at {url}: {error}. See: otel-trading status"
        raise StackError(message) from error
    if kind not in {"matrix", "vector"}:
        message = f"{query['query']!r} is a {kind}, not series. Name a metric, or ask about one."
        raise ConfigError(message)
    rows: list[dict[str, Any]] = result
    return rows


def _refusal(error: urllib.error.HTTPError, url: str, asked: str) -> Exception:
    why = _reason(loopback.words(error))
    if error.code not in _REFUSED:
        return StackError(f"Prometheus at {url} says {error.code}: {why}. See: otel-trading status")
    if "too many samples" in why:
        return _TooMuchError(f"Prometheus refuses {asked!r}: {why}. Ask for less at once.")
    hint = " An expression needs --step, such as --step 1m." if "only allowed for vector selectors" in why else ""
    return ConfigError(f"Prometheus refuses {asked!r}: {why}.{hint}")


def _reason(said: str) -> str:
    try:
        return str(json.loads(said)["error"])
    except (ValueError, KeyError, TypeError):
        return said
