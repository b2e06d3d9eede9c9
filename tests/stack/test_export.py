"""`otel-trading export`: what a real Prometheus holds, in files, sample by sample and as a report."""

from __future__ import annotations

import csv
import importlib.util
import itertools
import json
import math
import stat
import time
import urllib.error
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from otel_trading.cli import cli
from otel_trading.errors import ConfigError, StackError
from otel_trading.export import files, source
from otel_trading.export.period import Period, written
from otel_trading.semconv import Metric, execution, order, portfolio
from otel_trading.semconv import attributes as a
from otel_trading.stack import loopback
from stack_support import post, prometheus_query, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack

#: Hard for whoever rounds: thirds, the smallest, large ones beyond whole numbers of a float, and what is no number.
_ODD = [0.1 + 0.2, 1 / 3, 5e-324, 1.7976931348623157e308, 2.0**53 + 2, -0.1, 0.0, 1e22, math.inf, -math.inf]
_HOUR = 3_600_000


def _export(stack: Stack, file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["export", str(file), *arguments, "--prometheus", stack.urls["prometheus"]])


def _done(stack: Stack, file: Path, *arguments: str) -> dict[str, Any]:
    done = _export(stack, file, *arguments, "--json")
    assert done.exit_code == 0, (done.output, done.exception)
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def _between(since: int, until: int) -> list[str]:
    return ["--since", written(since), "--until", written(until)]


def _send(stack: Stack, service: str, metric: Metric, points: dict[int, float], **labels: str) -> None:
    """Send values by moment, as an SDK does that was away for a while."""
    given = {"trading.mode": "live", **{name.replace("__", "."): text for name, text in labels.items()}}
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in given.items()]
    counter = metric.kind.data == "counter"
    begun = {"startTimeUnixNano": str((min(points) - 1) * 10**6)} if counter else {}
    data = [
        {"asDouble": _number(value), "timeUnixNano": str(moment * 10**6), "attributes": attributes, **begun}
        for moment, value in points.items()
    ]
    body: dict[str, Any] = {"dataPoints": data}
    kind = {"sum": body | {"aggregationTemporality": 2, "isMonotonic": True}} if counter else {"gauge": body}
    resource = {"service.name": service, "service.instance.id": labels.get("instance", "1")}
    request = {
        "resourceMetrics": [
            {
                "resource": {
                    "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in resource.items()]
                },
                "scopeMetrics": [{"metrics": [{"name": metric.name, "unit": metric.unit.text, **kind}]}],
            }
        ]
    }
    # Not through the Collector, which takes nothing that is an hour old.
    assert post(f"{stack.urls['prometheus']}/api/v1/otlp/v1/metrics", request) == 200


def _number(value: float) -> float | str:
    return value if math.isfinite(value) else str(value).replace("inf", "Infinity")


def _await(stack: Stack, service: str, metric: Metric, count: int) -> None:
    asked = f'sum(count_over_time({metric.prometheus}{{service_name="{service}"}}[6h]))'
    wait_until(
        lambda: [True for row in prometheus_query(stack, asked) if float(row["value"][1]) >= count],
        20,
        f"{count} samples",
    )


def _read(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


@pytest.fixture(scope="module")
def sent(stack: Stack) -> dict[tuple[int, str], float]:
    """Two series with odd values, one every seven seconds of an hour: what was sent by moment and currency."""
    begun = time.time_ns() // 10**6 - 2 * _HOUR
    found: dict[tuple[int, str], float] = {}
    for currency in ("USD", "EUR"):
        points = {begun + 7_003 * number: _ODD[number % len(_ODD)] + number // 100 for number in range(500)}
        _send(stack, "exporter", portfolio.VALUE, points, trading__currency__code=currency)
        found |= {(moment, currency): value for moment, value in points.items()}
    _await(stack, "exporter", portfolio.VALUE, len(found))
    return found


@pytest.mark.seed("S3-64")
@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl", "parquet"])
def test_every_stored_sample_is_there_once_with_its_exact_value(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: dict[tuple[int, str], float], suffix: str
) -> None:
    monkeypatch.setattr(source, "_WANTED", 40)  # many pieces
    file = tmp_path / f"history.{suffix}"
    said = _done(stack, file, 'trading_portfolio_value{service_name="exporter"}', "--since", "3h")
    rows: list[dict[str, Any]]
    if suffix == "csv":
        rows = _read(file)
    elif suffix == "parquet":
        rows = pytest.importorskip("pyarrow.parquet").read_table(file).to_pylist()
        rows = [row | {"time": written(round(row["time"].timestamp() * 1000))} for row in rows]
    else:
        text = file.read_text()
        rows = json.loads(text) if suffix == "json" else [json.loads(line) for line in text.splitlines()]
    assert said["rows"] == len(rows) == len(sent)
    assert {(row["time"], row["trading_currency_code"]): float(row["value"]) for row in rows} == {
        (written(moment), currency): value for (moment, currency), value in sent.items()
    }
    assert [row["time"] for row in rows] == sorted(row["time"] for row in rows)
    assert {row["metric"] for row in rows} == {"trading_portfolio_value"}
    assert list(rows[0])[:2] == ["time", "metric"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_two_exports_meet_without_gap_or_overlap(
    stack: Stack, tmp_path: Path, sent: dict[tuple[int, str], float]
) -> None:
    moments = sorted({moment for moment, _ in sent})
    edge = moments[200]  # a sample right on it
    name = 'trading_portfolio_value{service_name="exporter"}'
    _done(stack, tmp_path / "a.csv", name, *_between(moments[0] - 1, edge))
    _done(stack, tmp_path / "b.csv", name, *_between(edge, moments[-1]))
    rows = _read(tmp_path / "a.csv") + _read(tmp_path / "b.csv")
    assert [row["time"] for row in rows] == [written(moment) for moment in moments for _ in range(2)]


def test_an_expression_is_asked_by_steps_that_do_not_depend_on_the_start(
    stack: Stack, tmp_path: Path, sent: dict[tuple[int, str], float]
) -> None:
    first = min(moment for moment, _ in sent)
    file = tmp_path / "features.csv"
    expression = 'count by (service_name) (trading_portfolio_value{service_name="exporter"})'
    _done(stack, file, expression, "--step", "1m", *_between(first + 1, first + _HOUR // 2))
    rows = _read(file)
    assert {row["value"] for row in rows} == {"2"}
    assert {row["metric"] for row in rows} == {""}
    assert [row["time"] for row in rows] == [
        written(moment) for moment in range((first // 60_000 + 1) * 60_000, first + _HOUR // 2 + 1, 60_000)
    ]


def test_all_is_every_metric_of_the_convention_and_nothing_else(
    stack: Stack, tmp_path: Path, sent: dict[tuple[int, str], float]
) -> None:
    moments = sorted({moment for moment, _ in sent})
    said = _done(stack, tmp_path / "archive.jsonl", "all", *_between(moments[0] - 1, moments[9]))
    rows = [json.loads(line) for line in (tmp_path / "archive.jsonl").read_text().splitlines()]
    assert said["rows"] >= 20
    assert {row["metric"] for row in rows} >= {"trading_portfolio_value"}
    assert all(row["metric"].startswith("trading_") for row in rows)
    assert _done(stack, tmp_path / "one.csv", "trading.portfolio.value", *_between(moments[0] - 1, moments[9]))["rows"]


@pytest.mark.seed("S3-64")
def test_the_daily_report_counts_exactly(stack: Stack, tmp_path: Path) -> None:
    now = time.time_ns() // 10**6
    since, until = now - _HOUR, now - _HOUR // 2
    minutes = [since - 300_000 + 60_000 * number for number in range(35)]
    labels = {"trading__strategy__name": "dip", "trading__venue__name": "kraken"}
    for symbol in ("BTC/USD", "ETH/USD"):  # 5 were counted when the day began, then one a minute
        fills = {moment: float(number) for number, moment in enumerate(minutes)}
        _send(stack, "reporter", execution.FILLS, fills, trading__instrument__symbol=symbol, **labels)
        money = {moment: round(0.1 * number, 1) for number, moment in enumerate(minutes)}
        currency = {"trading__currency__code": "USD", "trading__instrument__symbol": symbol}
        _send(stack, "reporter", execution.NOTIONAL, money, **currency, **labels)
    # A second life under the same labels: 6 on the first, which had counted 3 before the day, then 4.
    lives = dict(zip(minutes, [3, 3, 3, 3, 3, 3, 5, 9, 1, 2, 4], strict=False))
    _send(stack, "reporter", order.REJECTIONS, {moment: float(value) for moment, value in lives.items()}, **labels)
    for instance, points in (("1", minutes[6:9]), ("2", minutes[10:13])):
        values = {moment: 100.0 * int(instance) + number for number, moment in enumerate(points)}
        _send(stack, "reporter", portfolio.VALUE, values, trading__currency__code="USD", instance=instance)
    _await(stack, "reporter", portfolio.VALUE, 6)
    _await(stack, "reporter", execution.NOTIONAL, 70)

    file = tmp_path / "day.csv"
    _done(stack, file, "daily", *_between(since, until))
    rows = [row for row in _read(file) if row["service_name"] == "reporter"]
    found = {row["metric"]: (row["statistic"], row["unit"], row["value"]) for row in rows}
    assert found == {
        "trading.portfolio.value": ("last", "{currency}", "202"),
        "trading.order.rejections": ("total", "{rejection}", "10"),
        "trading.execution.fills": ("total", "{fill}", "58"),
        "trading.execution.notional": ("total", "{currency}", "5.8"),
    }
    (fills_row,) = [row for row in rows if row["metric"] == "trading.execution.fills"]
    assert fills_row[a.STRATEGY.prometheus] == "dip"
    assert fills_row["since"] == written(since)
    assert fills_row["until"] == written(until)
    assert a.SYMBOL.prometheus not in fills_row


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["day.xlsx"], r"says no format\. Allowed: a name that ends in \.csv, \.json, \.jsonl, \.parquet\."),
        (["a.csv", "trading.execution.fill"], r"Did you mean trading\.execution\.fills\?"),
        (["a.csv", "mybot.retries"], r"One of your own is named as Prometheus has it\."),
        (["a.csv", "sum(up)"], r"needs --step, such as --step 1m\."),
        (["a.csv", "sum(", "--step", "1m"], r"Prometheus refuses 'sum\('.*parse error"),
        (["a.csv", "up", "--step", "1"], r"--step is '1'\. Allowed: a whole number with one of"),
        (["a.csv", "up", "--step", "0m"], r"--step is '0m'\. Allowed"),
        (["a.csv", "up", "--since", "yesterday"], r"--since is 'yesterday'\. Allowed: how long ago"),
        (["a.csv", "up", "--until", "2026-13-01"], r"--until is '2026-13-01'\. Allowed"),
        (
            ["a.csv", "up", "--since", "2026-01-02", "--until", "2026-01-01"],
            r"Nothing lies between .* Turn",
        ),
        (["a.csv", "daily", "--step", "1m"], r"takes no --step"),
    ],
)
def test_what_cannot_be_exported_is_a_sentence(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = CliRunner().invoke(cli, ["export", *arguments, "--prometheus", stack.urls["prometheus"]])
    assert isinstance(refused.exception, ConfigError)
    with pytest.raises(ConfigError, match=words):
        raise refused.exception
    assert list(tmp_path.iterdir()) == []


def test_nothing_to_write_is_a_finding_and_no_file(stack: Stack, tmp_path: Path) -> None:
    none = _export(stack, tmp_path / "none.csv", "no_such_series")
    assert none.exit_code == 1
    assert "no file was written" in none.output
    assert list(tmp_path.iterdir()) == []


def test_a_prometheus_that_falls_silent_in_the_middle_leaves_the_old_file(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sent: dict[tuple[int, str], float]
) -> None:
    assert sent
    file, asked, answers = tmp_path / "history.csv", loopback.ask, iter(range(3))
    file.write_text("old")

    def _ask(*args: Any, **kwargs: Any) -> bytes:
        if next(answers, None) is None:
            raise urllib.error.URLError(ConnectionRefusedError())
        return asked(*args, **kwargs)

    monkeypatch.setattr(source, "_WANTED", 40)
    monkeypatch.setattr(loopback, "ask", _ask)
    broken = _export(stack, file, 'trading_portfolio_value{service_name="exporter"}', "--since", "3h")
    assert isinstance(broken.exception, StackError)
    assert file.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_without_its_library_parquet_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=r"pip install 'otel-trading\[parquet\]'"):
        files.check(tmp_path / "a.parquet")


def test_a_label_that_is_called_like_a_column_keeps_its_value(stack: Stack, tmp_path: Path) -> None:
    file = tmp_path / "up.csv"
    expression = 'label_replace(label_replace(vector(1), "value", "mine", "", ""), "time", "noon", "", "")'
    _done(stack, file, expression, "--step", "1m", "--since", "5m")
    (row, *_) = _read(file)
    assert (row["exported_value"], row["exported_time"], row["value"]) == ("mine", "noon", "1")


def test_what_is_too_much_for_one_answer_is_asked_in_smaller_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    def _few(_url: str, _path: str, **query: str) -> list[dict[str, Any]]:
        length = int(query["query"].removeprefix("x[").removesuffix("ms]"))
        end = round(float(query["time"]) * 1000)
        if length > 5_000:
            raise source._TooMuchError(str(length))
        asked.append((end - length, end))
        return [{"metric": {}, "values": [[end / 1000, "1"]]}]

    monkeypatch.setattr(source, "_ask", _few)
    assert len(list(source.samples("", "x", Period(0, 60_000)))) == len(asked)
    assert asked[0][0] == 0
    assert asked[-1][1] == 60_000
    assert all(one[1] == other[0] for one, other in itertools.pairwise(asked))
