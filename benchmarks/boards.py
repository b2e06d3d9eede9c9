"""What the boards ask of Prometheus: every query of every board over an hour, a day and a month of a large desk.

    python benchmarks/boards.py [--strategies 50] [--symbols 20] [--days 30] [--families order,execution]

Every strategy is a bot of its own with one account at one of five venues. Each metric of the convention has the series
that its attributes allow: strategy by symbol only where it carries both, the values of a state all, two of what else is
a closed set, one of what is free; opt-in attributes and failures none. A sample every 15 s. Thresholds and what else
rules record are not in it, so limit lines answer empty.

The full product (50 by 20 for 30 days) is tens of thousands of millions of samples: it is refused above `--samples`.
Give fewer days, strategies, symbols or families; the first line says what was asked of. A range longer than the data
is left out: it would look cheap.

A query is asked three times, the middle counts. A refresh is every query of a board, six at a time as a browser does.
Steps and rate intervals are Grafana's for a screen 1,400 pixels wide; panels of one value and tables ask once.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import re
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from otel_trading import semconv
from otel_trading.semconv import Level
from otel_trading.semconv import attributes as a
from otel_trading.stack import Ports, Progress, build, health

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from otel_trading.semconv import Attribute, Metric

BOARDS: Final = sorted((Path(__file__).parents[1] / "dashboards" / "json").glob("*.json"))
STEP: Final = 15
HOUR: Final = 3600
RANGES: Final = {"1 h": HOUR, "24 h": 24 * HOUR, "30 d": 720 * HOUR}
QUERY_BUDGET, BOARD_BUDGET = 0.2, 1.0
WIDTH, TOGETHER = 1400, 6
#: Grafana rounds a step to the next of these, seconds.
NICE: Final = (15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800)
COMMON: Final = {a.MODE, a.STRATEGY, a.VENUE, a.ACCOUNT, a.SYMBOL, a.CURRENCY}
VENUES: Final = ("kraken", "alpaca", "binance", "coinbase", "ibkr")
SHAPES: Final = 7


@dataclass(frozen=True)
class Asked:
    """One query of a panel, as Grafana would send it."""

    board: str
    panel: str
    shown: str
    expression: str
    seconds: int
    step: int
    instant: bool


def values(metric: Metric, attribute: Attribute) -> tuple[str, ...]:
    if attribute.values:
        return attribute.values if metric.name.endswith((".status", ".active")) else attribute.values[:2]
    return attribute.examples[:1]


def labels(metric: Metric, strategies: int, symbols: int) -> Iterator[str]:
    """Yield the label sets that a desk of this size has of a metric."""
    own = [use.attribute for use in metric.uses if use.level is not Level.OPT_IN and use.attribute not in COMMON]
    own = [
        each for each in own if each is not a.ERROR_TYPE and each is not a.CURRENCY_CONVERTED and each.type == "string"
    ]
    mode = "backtest" if metric in vars(semconv.backtest).values() else "live"
    traded = range(symbols) if a.SYMBOL in metric.attributes else (0,)
    for number, symbol in itertools.product(range(strategies), traded):
        name = f"strategy_{number:02}"
        always = {a.MODE: mode, a.STRATEGY: name, a.VENUE: VENUES[number % 5], a.ACCOUNT: f"acct-{number:02}"}
        always |= {a.SYMBOL: f"S{symbol:02}/USD", a.CURRENCY: "USD"}
        pairs = {key.prometheus: value for key, value in always.items() if key in metric.attributes}
        pairs |= {"service_name": f"bot-{number:02}", "job": f"bot-{number:02}", "instance": f"bot-{number:02}-1"}
        for chosen in itertools.product(*(values(metric, each) for each in own)):
            every = pairs | {each.prometheus: value for each, value in zip(own, chosen, strict=True)}
            yield ",".join(f'{key}="{value}"' for key, value in every.items())


def series(metric: Metric) -> int:
    return len(metric.boundaries) + 3 if metric.kind.data == "histogram" else 1


def tails(counts: bool, begin: int, end: int, shape: int) -> list[str]:  # noqa: FBT001
    """Return ` value time` of each sample: of a counter that grows unevenly, or of a state that swings."""
    moments = range(begin, end, STEP)
    if counts:
        grown = itertools.accumulate((number * (shape + 3)) % 5 for number in range(len(moments)))
        return [f" {value} {moment}\n" for value, moment in zip(grown, moments, strict=True)]
    return [f" {1 + math.sin(number / (9 + shape)):.4f} {t}\n" for number, t in enumerate(moments)]


def write(file: Path, wanted: list[Metric], desk: tuple[int, int], begin: int, end: int) -> None:
    """Write the samples as OpenMetrics."""
    drawn = {(counts, shape): tails(counts, begin, end, shape) for counts in (True, False) for shape in range(SHAPES)}
    with file.open("w", encoding="ascii") as out:
        for metric in wanted:
            kind = {"counter": "counter", "histogram": "histogram"}.get(metric.kind.data, "gauge")
            family = metric.prometheus.removesuffix("_total") if kind == "counter" else metric.prometheus
            out.write(f"# TYPE {family} {kind}\n")
            for number, each in enumerate(labels(metric, *desk)):
                shape = drawn[kind != "gauge", number % SHAPES]
                for head in heads(metric, each):
                    out.writelines(head + tail for tail in shape)
        out.write("# EOF\n")


def heads(metric: Metric, pairs: str) -> list[str]:
    name = metric.prometheus
    if metric.kind.data != "histogram":
        return [f"{name}{{{pairs}}}"]
    edges = [*map(repr, metric.boundaries), "+Inf"]
    return [
        *(f'{name}_bucket{{{pairs},le="{e}"}}' for e in edges),
        f"{name}_sum{{{pairs}}}",
        f"{name}_count{{{pairs}}}",
    ]


def asked(ranges: dict[str, int]) -> list[Asked]:
    """Return every query of every board over every range."""
    found: list[Asked] = []
    for file in BOARDS:
        board, name = json.loads(file.read_text(encoding="utf-8")), file.stem.removeprefix("otel-trading-")
        flat = [inner for panel in board["panels"] for inner in [panel, *panel.get("panels", ())]]
        for panel, (shown, seconds) in itertools.product(flat, ranges.items()):
            pixels = WIDTH * panel["gridPos"]["w"] / 24
            step = next((nice for nice in NICE if nice >= seconds / pixels), NICE[-1])
            puts = {"__rate_interval": f"{max(step + STEP, 4 * STEP)}s", "__range": f"{seconds}s"}
            puts["mode"] = "backtest" if name == "backtest" else "live"
            for target in panel.get("targets", ()):
                put, title = interpolated(target["expr"], puts), f"{panel['title']} {target['refId']}"
                found.append(Asked(name, title, shown, put, seconds, step, bool(target.get("instant"))))
    return found


def interpolated(expression: str, puts: dict[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)(:\w+)?\}?", lambda found: puts.get(found[1], ".*"), expression)


def ask(url: str, query: Asked, end: int) -> float:
    """Return the seconds until the whole answer is there, or infinity when Prometheus refuses."""
    at = {"time": end} if query.instant else {"start": end - query.seconds, "end": end, "step": query.step}
    body = urllib.parse.urlencode({"query": query.expression, **at}).encode()
    begin = time.perf_counter()
    address = f"{url}/api/v1/query{'' if query.instant else '_range'}"
    try:
        with urllib.request.urlopen(address, body, timeout=120) as answer:  # noqa: S310  our own, on loopback
            answer.read()
    except urllib.error.HTTPError as refused:
        refused.close()
        return math.inf
    return time.perf_counter() - begin


@contextmanager
def prometheus(binary: Path, data: Path) -> Generator[str]:
    """Serve the blocks, without scraping and without rules."""
    config, port = data.parent / "prometheus.yaml", Ports.free().prometheus
    config.write_text("global: {}\n", encoding="ascii")
    url = f"http://127.0.0.1:{port}"
    flags = [
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=10y",
    ]
    with subprocess.Popen([binary, f"--config.file={config}", *flags], stderr=subprocess.DEVNULL) as server:
        try:
            assert health.wait(f"{url}/-/ready", 60)
            yield url
        finally:
            server.terminate()


def report(url: str, queries: list[Asked], end: int, most: int) -> None:
    ranges = list(dict.fromkeys(query.shown for query in queries))
    timed = {query: statistics.median(ask(url, query, end) for _ in range(3)) for query in queries}
    print(f"\n{'ms':>7}  {'range':5} {'board':12} panel   the {most} slowest; budget {QUERY_BUDGET * 1e3:.0f} ms")
    for query in sorted(queries, key=lambda each: -timed[each])[:most]:
        print(f"{timed[query] * 1e3:7.0f}  {query.shown:5} {query.board:12} {query.panel}")
    print(f"\n{'board':12} {'queries':>7}" + "".join(f"{name:>22}" for name in ranges) + "   slowest ms, refresh s")
    for board in dict.fromkeys(query.board for query in queries):
        line = f"{board:12}"
        for shown in ranges:
            mine = [query for query in queries if (query.board, query.shown) == (board, shown)]
            begin = time.perf_counter()
            with ThreadPoolExecutor(TOGETHER) as pool:
                list(pool.map(ask, itertools.repeat(url), mine, itertools.repeat(end)))
            line += "" if shown != next(iter(ranges)) else f"{len(mine):8}"
            line += f"{max(timed[query] for query in mine) * 1e3:12.0f}{time.perf_counter() - begin:10.2f}"
        print(line)
    for shown in ranges:
        over = [query for query in queries if query.shown == shown and timed[query] > QUERY_BUDGET]
        print(f"{shown}: {len(over)} of {len(queries) // len(ranges)} queries above {QUERY_BUDGET * 1e3:.0f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", type=int, default=50)
    parser.add_argument("--symbols", type=int, default=20)
    parser.add_argument("--days", type=float, default=30)
    parser.add_argument("--families", default="", help="Comma-separated modules of the convention; all without it.")
    parser.add_argument("--samples", type=float, default=100, help="Refuse more than these millions.")
    parser.add_argument("--slowest", type=int, default=20, help="Lines of the first table.")
    own = parser.parse_args()
    families = {name for name in str(own.families).split(",") if name}
    wanted = [
        metric
        for family in semconv.FAMILIES
        if not families or family.__name__.rpartition(".")[2] in families
        for metric in vars(family).values()
        if isinstance(metric, semconv.Metric)
    ]
    desk, end = (own.strategies, own.symbols), int(time.time()) // STEP * STEP
    count = sum(series(metric) * sum(1 for _ in labels(metric, *desk)) for metric in wanted)
    held_for = own.days * 24 * HOUR
    samples = count * held_for / STEP
    ranges = {shown: seconds for shown, seconds in RANGES.items() if seconds <= held_for}
    if not ranges:
        parser.error("less than an hour of data answers nothing. Give --days of 0.042 or more.")
    what = f"{own.strategies} strategies by {own.symbols} symbols, {own.days:g} days at {STEP} s, {len(wanted)} metrics"
    print(f"{what}: {count:,} series, {samples / 1e6:,.1f} million samples", flush=True)
    if samples > own.samples * 1e6:
        parser.error(
            f"that is above {own.samples:g} million samples. Give fewer days, strategies, symbols or families."
        )
    folder = Path(tempfile.mkdtemp(prefix="otel-trading-benchmark-"))
    try:
        servers, text, data = build.all_binaries(Progress(Console(file=StringIO()))), folder / "text", folder / "data"
        begin = time.perf_counter()
        write(text, wanted, desk, end - int(held_for), end + STEP)
        command = [servers["promtool"], "tsdb", "create-blocks-from", "openmetrics", "-q", "--max-block-duration=162h"]
        subprocess.run([*command, text, data], check=True, stdout=subprocess.DEVNULL)
        text.unlink()
        held = sum(file.stat().st_size for file in data.rglob("*") if file.is_file())
        print(f"blocks made in {time.perf_counter() - begin:.0f} s, {held / 2**20:,.0f} MiB on disk", flush=True)
        with prometheus(servers["prometheus"], data) as url:
            report(url, asked(ranges), end, own.slowest)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
