"""What the boards ask of Prometheus: every query of every board, against a budget, on a desk in a real Prometheus.

    python benchmarks/boards.py [--piece width|length|counts] [--width 50x20] [--length 3x3] [--days 30]
                                [--boards host,...]

The target is 50 strategies by 20 symbols for 30 days at 15 s, which no machine of ours can hold: tens of thousands of
millions of samples. Three pieces stand for it. **Width** is that whole desk for an hour and a half, asked for the hour
that a board shows by itself. **Length** is a small desk for 30 days, asked for an hour, a day and the 30 days.
**Counts** is the whole desk for 30 days, of what is recorded for the counts in the time shown (fills, trades, funding),
which are the queries that read all of it. What none shows is 30 days of curves of the whole desk in one answer.

Every strategy is a bot of its own with one account at one of five venues. Each metric of the convention has the series
that its attributes allow: once per symbol where a day of trading says the symbol, the values of a state all, two of
what else is a closed set, one of what is free; failures none. What rules record for the boards is written too, and
what those rules cost is measured. Thresholds are not in it, so limit lines answer empty.

A query is asked three times, the middle counts. A refresh is every query of a board at once, six at a time as a browser
does, the middle of three, with the processor time of Prometheus, which a busy machine does not lengthen; Grafana itself
asks only for what is on the screen. Steps and rate intervals are Grafana's for a screen 1,400 pixels wide; panels of
one value and tables ask once.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
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

import desk
import yaml
from rich.console import Console

from dashboards import _counted as counted
from dashboards import _recorded as recorded
from otel_trading import semconv
from otel_trading.stack import Ports, Progress, build, health

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

ROOT: Final = Path(__file__).parents[1]
BOARDS: Final = sorted((ROOT / "dashboards" / "json").glob("*.json"))
RULES: Final = ROOT / "alerts" / "rules" / "boards.yaml"
HOUR: Final = 3600
RANGES: Final = {"1 h": HOUR, "24 h": 24 * HOUR, "30 d": 720 * HOUR}
#: What a panel looks back beyond the time shown.
BEFORE: Final = 2100
QUERY_BUDGET, BOARD_BUDGET = 0.2, 1.0
WIDTH, TOGETHER, TIMES = 1400, 6, 3
#: Grafana rounds a step to the next of these, seconds.
NICE: Final = (15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10800)
MINUTE: Final = 60


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


@dataclass(frozen=True)
class Piece:
    """A part of the target that a machine can hold."""

    name: str
    strategies: int
    symbols: int
    seconds: int
    ranges: tuple[str, ...]

    def series(self) -> Iterator[desk.Series]:
        """Yield each series."""
        if self.name != "counts":
            for metric in semconv.ALL:
                yield from desk.series(metric, self.strategies, self.symbols)
            yield from self.recorded()
        yield from self.counts()

    def recorded(self) -> Iterator[desk.Series]:
        """Yield each series that rules record for the boards."""
        for metric, part in recorded.RECORDED:
            wanted = f"{metric.prometheus}_{part}" if part else metric.prometheus
            kept = set(recorded.labels(metric, part))
            found = {
                tuple((key, value) for key, value in pairs.items() if key in kept)
                for name, pairs, _, _ in desk.series(metric, self.strategies, self.symbols)
                if name == wanted
            }
            for pairs, (steps, every) in itertools.product(sorted(found), recorded.PACES):
                yield recorded.name(metric, part), {**dict(pairs), recorded.STEPS: steps}, "swings", every

    def counts(self) -> Iterator[desk.Series]:
        """Yield each series that rules record of what a process counted."""
        for metric in counted.COUNTED:
            kept, one = set(counted.labels(metric)), desk.series(metric, self.strategies, self.symbols)
            for pairs in {tuple((key, value) for key, value in own.items() if key in kept) for _, own, _, _ in one}:
                for steps, every in recorded.PACES:
                    own = {**dict(pairs), counted.STARTED: "1", recorded.STEPS: steps}
                    yield counted.name(metric), own, "counts", every


def asked(boards: list[Path], ranges: tuple[str, ...]) -> list[Asked]:
    """Return every query of some boards over some ranges."""
    found: list[Asked] = []
    for file in boards:
        board, name = json.loads(file.read_text(encoding="utf-8")), file.stem.removeprefix("otel-trading-")
        flat = [inner for panel in board["panels"] for inner in [panel, *panel.get("panels", ())]]
        for panel, shown in itertools.product(flat, ranges):
            seconds, pixels = RANGES[shown], panel.get("maxDataPoints", WIDTH * panel["gridPos"]["w"] / 24)
            for target in panel.get("targets", ()):
                least = MINUTE if target.get("interval") == recorded.EVERY else desk.STEP
                step = next((nice for nice in NICE if nice >= max(seconds / pixels, least)), NICE[-1])
                puts = {"__rate_interval": f"{max(step + least, 4 * least)}s", "__interval": written(step)}
                puts |= {"__range": f"{seconds}s", "mode": "backtest" if name == "backtest" else "live"}
                put, title = interpolated(target["expr"], puts), f"{panel['title']} {target['refId']}"
                found.append(Asked(name, title, shown, put, seconds, step, bool(target.get("instant"))))
    return found


def written(seconds: int) -> str:
    """Return a duration as Grafana writes it."""
    return next(f"{seconds // of}{unit}" for of, unit in ((HOUR, "h"), (MINUTE, "m"), (1, "s")) if seconds % of == 0)


def interpolated(expression: str, puts: dict[str, str]) -> str:
    """Put values in the place of variables; those not named stand on All."""
    return re.sub(r"\$\{?(\w+)(:\w+)?\}?", lambda found: puts.get(found[1], ".*"), expression)


def ask(url: str, query: Asked, end: int) -> float:
    """Return the seconds until the whole answer is there, or infinity when Prometheus refuses."""
    at = {"time": end} if query.instant else {"start": (end - query.seconds) // query.step * query.step}
    at |= {} if query.instant else {"end": end // query.step * query.step, "step": query.step}
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
def prometheus(binary: Path, folder: Path) -> Generator[str]:
    """Serve an empty Prometheus that takes remote writes, without scraping and without rules."""
    config, port = folder / "prometheus.yaml", Ports.free().prometheus
    config.write_text("global: {}\n", encoding="ascii")
    flags = [
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=10y",
        "--web.enable-remote-write-receiver",
    ]
    with subprocess.Popen([binary, f"--config.file={config}", *flags], stderr=subprocess.DEVNULL) as server:
        try:
            assert health.wait(f"http://127.0.0.1:{port}/-/ready", 60)
            yield f"127.0.0.1:{port}"
        finally:
            server.terminate()


def refresh(url: str, queries: list[Asked], end: int) -> tuple[float, float]:
    """Return the seconds until every query is answered, and what of a core Prometheus needed for it."""
    used, begin = spent(url), time.perf_counter()
    with ThreadPoolExecutor(TOGETHER) as pool:
        list(pool.map(ask, itertools.repeat(url), queries, itertools.repeat(end)))
    took = time.perf_counter() - begin
    return took, spent(url) - used


def spent(url: str) -> float:
    """Return the seconds of processor time that Prometheus says it has used."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:  # noqa: S310  our own, on loopback
        return float(re.findall(rb"(?m)^process_cpu_seconds_total (\S+)$", answer.read())[0])


def report(url: str, queries: list[Asked], end: int, most: int) -> None:
    """Print the slowest queries, then every board."""
    ranges = list(dict.fromkeys(query.shown for query in queries))
    timed = {query: statistics.median(ask(url, query, end) for _ in range(TIMES)) for query in queries}
    print(f"\n{'ms':>7}  {'range':5} {'board':12} panel   the {most} slowest; budget {QUERY_BUDGET * 1e3:.0f} ms")
    for query in sorted(queries, key=lambda each: -timed[each])[:most]:
        print(f"{timed[query] * 1e3:7.0f}  {query.shown:5} {query.board:12} {query.panel}")
    heading = "".join(f"{name:>26}" for name in ranges)
    print(f"\n{'board':12} {'queries':>7}{heading}   slowest ms, refresh s and of a core; budget {BOARD_BUDGET:g} s")
    for board in dict.fromkeys(query.board for query in queries):
        line = f"{board:12}"
        for shown in ranges:
            mine = [query for query in queries if (query.board, query.shown) == (board, shown)]
            line += "" if shown != ranges[0] else f"{len(mine):8}"
            took, core = sorted(refresh(url, mine, end) for _ in range(TIMES))[TIMES // 2]
            line += f"{max(timed[query] for query in mine) * 1e3:12.0f}{took:7.2f}{core:7.2f}"
        print(line)
    for shown in ranges:
        over = [query for query in queries if query.shown == shown and timed[query] > QUERY_BUDGET]
        print(f"{shown}: {len(over)} of {len(queries) // len(ranges)} queries above {QUERY_BUDGET * 1e3:.0f} ms")


def rules(url: str, end: int) -> None:
    """Print what one evaluation of the rules costs, in turn as Prometheus evaluates a group."""
    for group in yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]:
        queries = [Asked("", rule["record"], "", rule["expr"], 0, 0, instant=True) for rule in group["rules"]]
        took = {query: statistics.median(ask(url, query, end) for _ in range(TIMES)) for query in queries}
        worst = max(took, key=lambda query: took[query])
        print(
            f"rules {group['name']}: {len(queries)} in {sum(took.values()):.1f} s, every {group['interval']}; "
            f"the slowest {took[worst] * 1e3:.0f} ms, {worst.panel}"
        )


def measure(piece: Piece, binary: Path, boards: list[Path], most: int) -> None:
    """Fill a Prometheus with a piece and print what the boards cost there."""
    folder = Path(tempfile.mkdtemp(prefix="otel-trading-benchmark-"))
    try:
        with prometheus(binary, folder) as address:
            begin, end = time.perf_counter(), int(time.time()) // MINUTE * MINUTE
            written = desk.fill(address, piece.series(), end - piece.seconds - BEFORE, end + desk.STEP)
            desk.settled(address)
            held = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
            size = f"{written / 1e6:,.0f} million samples, {held / 2**20:,.0f} MiB"
            print(f"\n{piece.name}: {size}, made in {time.perf_counter() - begin:.0f} s", flush=True)
            print(f"load when asked: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
            queries = asked(boards, piece.ranges)
            if piece.name == "counts":
                queries = [one for one in queries if any(counted.name(of) in one.expression for of in counted.COUNTED)]
            report(f"http://{address}", queries, end, most)
            if piece.name != "counts":
                rules(f"http://{address}", end)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def pair(text: str) -> tuple[int, int]:
    """Return strategies and symbols of `50x20`."""
    strategies, _, symbols = text.partition("x")
    return int(strategies), int(symbols)


def main() -> None:
    """Print what stands for the target, then measure it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--piece", choices=("width", "length", "counts"), help="Only this one; all without it.")
    parser.add_argument("--width", type=pair, default=(50, 20), help="Strategies and symbols of the wide desk.")
    parser.add_argument("--length", type=pair, default=(3, 3), help="Strategies and symbols of the long one.")
    parser.add_argument("--days", type=float, default=30, help="Days of the long one.")
    parser.add_argument("--boards", default="", help="Comma-separated names such as execution; all without it.")
    parser.add_argument("--slowest", type=int, default=20, help="Lines of the first table.")
    own = parser.parse_args()
    held = int(own.days * 24 * HOUR)
    pieces = [
        Piece("width", *own.width, HOUR, ("1 h",)),
        Piece("length", *own.length, held, tuple(name for name, seconds in RANGES.items() if seconds <= held)),
        Piece("counts", *own.width, held, tuple(name for name, seconds in RANGES.items() if seconds <= held)),
    ]
    names = {name for name in str(own.boards).split(",") if name}
    boards = [file for file in BOARDS if not names or file.stem.removeprefix("otel-trading-") in names]
    print("50 strategies by 20 symbols for 30 days at 15 s are proven in three pieces:")
    for piece in pieces:
        count = sum(1 for _ in piece.series())
        shape = f"{piece.strategies} strategies by {piece.symbols} symbols, {piece.seconds / 24 / HOUR:.3g} days"
        print(f"  {piece.name:7}{shape}, {count:,} series, asked for {', '.join(piece.ranges)}", flush=True)
    binary = build.all_binaries(Progress(Console(file=StringIO())))["prometheus"]
    for piece in pieces:
        if own.piece in {None, piece.name}:
            measure(piece, binary, boards, own.slowest)


if __name__ == "__main__":
    main()
