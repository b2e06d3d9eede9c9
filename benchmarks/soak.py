"""Whether memory stays flat: a bot that trades for hours, and what it, the Collector and Prometheus hold meanwhile.

    python benchmarks/soak.py [--hours 4] [--rate 500] [--head 120] [--json]

The bot calls the helpers at the rate (calls per second): market data, orders, fills, markouts, positions, breakers, a
hundred symbols, every id a new one; it exports every second. Every ten seconds (two in a short run) resident memory is
read, and the bot says how many blocks of memory Python has given out, how many objects its garbage collector knows,
and how many rows the tables hold. The slope is that of the least squares, with its standard error, after the first
third and 11,000 orders, which fill every table; a run is as long as that takes. Prometheus keeps two to three hours in
memory before it writes them to disk: let it run for more than six to see it flat, or let it write earlier (`--head`,
minutes).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kills import PATIENCE, quiet
from replay import killed, started

from otel_trading import stack
from stack import resident_mib

if TYPE_CHECKING:
    from collections.abc import Sequence

WARM_UP = 1 / 3
#: So many orders fill every table; so many are looked at afterwards at the least; calls of each.
FULL, MORE, CALLS = 11_000, 4_000, 9
#: Seconds after which the markouts of a minute, of five and of an hour have their series: each comes with a step, and
#: begins so much earlier.
STEPS, BEFORE = (70.0, 310.0, 3610.0), 15.0
#: As Prometheus does it, in minutes.
HEAD = 120
#: How much longer than asked for all that may take, in seconds.
LATE = 420.0
BOT = """
import gc, itertools, json, random, statistics, sys, threading, time
from otel_trading import meter, trackers

CALLS, rate = int(sys.argv[1]), float(sys.argv[2])
over, calls, dice = threading.Event(), 0, random.Random(1)

def trade():
    global calls
    begun, numbers = time.monotonic(), itertools.count()
    for number in numbers:
        symbol, price = f"S{number % 100}", dice.uniform(99, 101)
        order = f"order-{number}"
        side = "buy" if number // 100 % 2 else "sell"
        meter.market_data_received(source="feed", kind="trade", symbol=symbol, venue="v", sequence=number // 100)
        meter.price_marked(symbol=symbol, price=price)
        meter.signal_emitted(type=side, symbol=symbol)
        meter.intent_created(intent_id=order, symbol=symbol)
        with meter.order_request(client_id=order, symbol=symbol, side=side, type="limit", quantity=1, venue="v"):
            pass
        meter.order_acknowledged(client_id=order)
        meter.order_filled(client_id=order, price=price, quantity=1, execution_id=f"execution-{number}")
        meter.breaker_called(name="api", outcome="success", seconds=0.01)
        with meter.iteration(period=1.0):
            pass
        calls = (number + 1) * CALLS
        if over.wait(max(0.0, begun + calls / rate - time.monotonic())):
            return

def rows():
    seen, found = set(), 0
    waiting = [trackers.default()]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, (dict, list, set)) or type(one).__name__ in ("deque", "OrderedDict"):
            found += len(one)
            waiting.extend(one.values() if isinstance(one, dict) else one)
        elif type(one).__module__.startswith("otel_trading"):
            waiting.extend(getattr(one, "__dict__", {}).values())
            waiting.extend(getattr(one, name, None) for name in getattr(type(one), "__slots__", ()))
    return found

thread = threading.Thread(target=trade)
thread.start()
print(json.dumps(None), flush=True)
for line in sys.stdin:
    gc.collect()
    held = []
    for _ in range(7):  # an export holds more for a moment, a table that is being emptied less
        held.append((sys.getallocatedblocks(), len(gc.get_objects()), rows()))
        time.sleep(0.05)
    blocks, objects, kept = map(statistics.median, zip(*held))
    print(json.dumps({"calls": calls, "blocks": blocks, "objects": objects, "rows": kept}), flush=True)
over.set()
thread.join()
"""


def slope(at: Sequence[float], values: Sequence[float]) -> tuple[float, float]:
    """Return the slope of the least squares and its standard error, both per hour."""
    count = len(at)
    middle, level = sum(at) / count, sum(values) / count
    spread = sum((x - middle) ** 2 for x in at)
    steep = sum((x - middle) * (y - level) for x, y in zip(at, values, strict=True)) / spread
    rest = sum((y - level - steep * (x - middle)) ** 2 for x, y in zip(at, values, strict=True))
    return steep * 3600, math.sqrt(rest / (count - 2) / spread) * 3600


class Bot:
    """A bot under the stack's eyes that answers what it holds."""

    def __init__(self, folder: Path, endpoint: str, rate: float) -> None:
        script = folder / "soak_bot.py"
        script.write_text(BOT, encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHONWARNINGS"))}
        environment = {
            **kept,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            "OTEL_SERVICE_NAME": "soak",
            "OTEL_TRADING_MODE": "paper",
            "OTEL_TRADING_CURRENCY": "USD",
            "OTEL_TRACES_SAMPLER": "always_off",
            "OTEL_LOGS_EXPORTER": "none",
        }
        run = [Path(sysconfig.get_path("scripts")) / "otel-trading", "run", sys.executable, script]
        run += [str(CALLS), str(rate)]
        self.process = subprocess.Popen(
            run, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        self._answer()

    def ask(self) -> dict[str, int]:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the bot ended"
        return json.loads(line)


def look(bot: Bot, pids: dict[str, int]) -> dict[str, float]:
    own = bot.ask()
    resident = {f"{name}_mib": resident_mib(pid) for name, pid in {"bot": bot.process.pid, **pids}.items()}
    return {"at": time.monotonic(), **own, **resident}


def soak(arguments: argparse.Namespace, folder: Path) -> list[dict[str, float]]:
    with contextlib.ExitStack() as ends:
        running = stack.up(home=folder, kind="native", ports=stack.Ports.free(), progress=quiet())
        ends.callback(stack.down, home=folder)
        services = stack.status(home=folder)
        pids = {one.service: one.pid for one in services if one.service in ("collector", "prometheus") and one.pid}
        if arguments.head != HEAD:
            killed(running, "prometheus")
            block = f"--storage.tsdb.min-block-duration={arguments.head}m"
            pids["prometheus"] = _until(ends, started(running, "prometheus", block)).pid
        bot = Bot(folder, running.otlp_endpoint, arguments.rate)
        _until(ends, bot.process)
        return watched(bot, pids, arguments.hours * 3600)


def _until(ends: contextlib.ExitStack, process: subprocess.Popen[Any]) -> subprocess.Popen[Any]:
    ends.callback(process.wait, PATIENCE)
    ends.callback(process.kill)
    return process


def watched(bot: Bot, pids: dict[str, int], seconds: float) -> list[dict[str, float]]:
    end, looks = time.monotonic() + max(seconds, STEPS[0] + 20), [look(bot, pids)]
    while time.monotonic() < end or not enough(settled(looks)):
        assert time.monotonic() < end + LATE, f"{looks[-1]['calls']:,.0f} calls: too few; use a higher --rate"
        time.sleep(min(10.0, max(2.0, seconds / 400)))
        looks.append(look(bot, pids))
    bot.process.communicate(timeout=PATIENCE)
    return looks


def settled(looks: list[dict[str, float]]) -> list[dict[str, float]]:
    """Return the looks after the warm-up, at full tables, with no step between them."""
    first, passed = looks[0]["at"], looks[-1]["at"] - looks[0]["at"]
    begin = first + max([passed * WARM_UP, STEPS[0], *(step for step in STEPS if step - BEFORE <= passed)])
    return [one for one in looks if one["at"] >= begin and one["calls"] >= FULL * CALLS]


def enough(looks: list[dict[str, float]]) -> bool:
    return bool(looks) and looks[-1]["calls"] - looks[0]["calls"] >= MORE / 2 * CALLS


def summary(looks: list[dict[str, float]]) -> dict[str, dict[str, float]]:
    """Return of each thing what it was at last, and its slope per hour after the warm-up.

    And the least of the first third and of the last: what waits for an export comes and goes by thousands.
    """
    looks, found = settled(looks), dict[str, dict[str, float]]()
    third = max(1, len(looks) // 3)
    for name in looks[0].keys() - {"at"}:
        steep, error = slope([one["at"] for one in looks], [one[name] for one in looks])
        least, most = (min(one[name] for one in part) for part in (looks[:third], looks[-third:]))
        found[name] = {"settled": least, "grown": most - least, "last": looks[-1][name], "slope": steep, "error": error}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=4)
    parser.add_argument("--rate", type=float, default=500, help="calls of helpers per second")
    parser.add_argument("--head", type=int, default=HEAD, help="minutes that Prometheus writes to disk at once")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="otel-trading-soak-"))
    try:
        found = summary(soak(arguments, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if arguments.json:
        print(json.dumps(found))
        return
    print(f"{arguments.hours:g} h, {found['calls']['last']:,.0f} calls\n| what | at last | per hour |\n|---|---|---|")
    for name in ("bot_mib", "collector_mib", "prometheus_mib", "blocks", "objects", "rows"):
        unit = " MiB" if name.endswith("_mib") else ""
        one = found[name]
        title = name.removesuffix("_mib") if unit else f"{name} of the bot"
        print(f"| {title} | {one['last']:,.0f}{unit} | {one['slope']:+,.1f} ± {one['error']:,.1f}{unit} |")


if __name__ == "__main__":
    main()
