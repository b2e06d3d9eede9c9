"""What a SIGKILL costs: bots under load, and one of app, Collector, Prometheus and Alertmanager killed in each round.

    python benchmarks/kills.py [--rounds 100] [--seed 1] [--bots 3] [--json]

Each bot logs every sample before it is sent, and the answer. After each round, that log is compared with what
Prometheus holds: sample by sample, to the millisecond. Killed servers come back as a user brings them back.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
import urllib.parse
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from otel_trading import stack
from otel_trading.stack import loopback, silences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VICTIMS = ("app", "collector", "prometheus", "alertmanager")
PATIENCE = 300.0
INTERVAL = 0.5
LATE = 5.0
BOT = """
import json, sys, threading, time
from opentelemetry import metrics
from otel_trading.sdk.exporter import EndingExporter

log, width = open(sys.argv[1], "a", buffering=1), int(sys.argv[2])
send = EndingExporter._export_batch

def note(self, request):
    rows = []
    for metric in (m for r in request.resource_metrics for s in r.scope_metrics for m in s.metrics):
        if metric.name.startswith("kills."):
            kind, suffix = ("sum", "_total") if metric.HasField("sum") else ("gauge", "")
            for point in getattr(metric, kind).data_points:
                value = point.as_double if point.HasField("as_double") else point.as_int
                name = metric.name.replace(".", "_") + suffix
                rows.append([name, point.attributes[0].value.string_value, point.time_unix_nano // 10**6, value])
    print(json.dumps({"sent": rows}), file=log)
    result = send(self, request)
    print(json.dumps({"answer": result.name}), file=log)
    return result

EndingExporter._export_batch = note
meter = metrics.get_meter("kills")
counter, gauge = meter.create_counter("kills.events"), meter.create_gauge("kills.level")
over, done = threading.Event(), {}

def trade():
    number = 0
    while not over.wait(0.002):
        number += 1
        series = str(number % width)
        done[series] = done.get(series, 0) + 1
        counter.add(1, {"series": series})
        gauge.set(number, {"series": series})

thread = threading.Thread(target=trade)
thread.start()
sys.stdin.read()
over.set()
thread.join()
print(json.dumps({"final": done}), file=log)
"""

Sample = tuple[str, str, str, int]


@dataclass
class Round:
    """What became of the samples of one round."""

    victim: str
    acknowledged: int
    lost: int
    never_sent: int
    wrong: int
    late: int
    unanswered: int
    unanswered_there: int
    in_flight: float
    gap: float
    whole_after: float


def quiet() -> stack.Progress:
    return stack.Progress(Console(file=io.StringIO()))


def wait(predicate: Callable[[], object], what: str, patience: float = PATIENCE) -> None:
    deadline = time.monotonic() + patience
    while not predicate():
        assert time.monotonic() < deadline, f"waited {patience:.0f} s for {what}"
        time.sleep(0.1)


def whole_lines(file: Path) -> Iterator[dict[str, Any]]:
    """Yield what a file of JSON lines holds; a line that is not yet whole, or never will be, is none."""
    if file.exists():
        with file.open(encoding="utf-8") as lines:
            yield from (json.loads(line) for line in lines if line.endswith("\n"))


class Bot:
    """One process of a bot after the other, with one log; two samples per interval of each of `width` series."""

    def __init__(self, name: str, folder: Path, endpoint: str, width: int = 50) -> None:
        self.name, self.log, self._script = name, folder / f"{name}.log", folder / f"{name}.py"
        self._width = str(width)
        self._script.write_text(BOT, encoding="utf-8")
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("OTEL_", "PYTHONWARNINGS"))}
        self._environment = {
            **kept,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": str(int(INTERVAL * 1000)),
            "OTEL_SERVICE_NAME": name,
        }
        self.start()

    def start(self) -> None:
        run = [Path(sysconfig.get_path("scripts")) / "otel-trading", "run", sys.executable, self._script]
        run += [self.log, self._width]
        self.process = subprocess.Popen(
            run, env=self._environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def end(self) -> None:
        self.process.communicate(timeout=PATIENCE)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield what it logged."""
        return whole_lines(self.log)

    def samples(self) -> tuple[dict[Sample, float], dict[Sample, float]]:
        """Return what was acknowledged, and what was sent without an answer."""
        acknowledged: dict[Sample, float] = {}
        unanswered: dict[Sample, float] = {}
        sent: dict[Sample, float] = {}
        for row in self.rows():
            if "sent" in row:
                unanswered.update(sent)  # of a process that was killed before the answer
                sent = {
                    (self.name, sys.intern(name), sys.intern(series), at): value
                    for name, series, at, value in row["sent"]
                }
            elif "answer" in row:
                (acknowledged if row["answer"] == "SUCCESS" else unanswered).update(sent)
                sent = {}
        return acknowledged, {**unanswered, **sent}


def held(url: str, since: float, selector: str = '{__name__=~"kills_.+"}') -> dict[Sample, float]:
    """Return what Prometheus holds of the bots."""
    seconds = int(time.time() - since) + 10
    query = urllib.parse.urlencode({"query": f"{selector}[{seconds}s]"})
    try:
        answer = json.loads(loopback.ask(f"{url}/api/v1/query?{query}", PATIENCE))
    except OSError:
        return {}
    return {
        (one["metric"]["service_name"], one["metric"]["__name__"], one["metric"]["series"], round(at * 1000)): float(
            value
        )
        for one in answer["data"]["result"]
        for at, value in one["values"]
    }


def compare(victim: str, bots: list[Bot], url: str, since: float, killed: float) -> Round:
    """Wait until all that was acknowledged by now is there, and say what is not."""
    begun, acknowledged, unanswered = time.monotonic(), {}, {}
    for bot in bots:
        for into, found in zip((acknowledged, unanswered), bot.samples(), strict=True):
            into.update({one: value for one, value in found.items() if one[3] >= since * 1000})
    late = 0
    while True:
        there = held(url, since)
        missing = [one for one in acknowledged if one not in there]
        seconds = time.monotonic() - begun
        if not missing or seconds > PATIENCE:
            break
        if seconds > LATE:
            late = max(late, len(missing))
        time.sleep(0.1)
    known = set(acknowledged) | set(unanswered)
    for bot in bots:  # what was sent while we looked
        known |= {one for found in bot.samples() for one in found}
    times = sorted({one[3] for one in bots[0].samples()[0]})
    before = [at for at in times if at <= killed * 1000]
    times = [at for at in times if at >= since * 1000]
    return Round(
        victim=victim,
        acknowledged=len(acknowledged),
        lost=len(missing),
        # But the zero with which Prometheus begins a counter, at the start time that comes with it.
        never_sent=len([one for one, value in there.items() if value and one[3] >= since * 1000 and one not in known]),
        wrong=len([one for one, value in acknowledged.items() if there.get(one, value) != value]),
        late=late,
        unanswered=len(unanswered),
        unanswered_there=len([one for one in unanswered if one in there]),
        in_flight=killed - before[-1] / 1000 if before and victim == "app" else 0.0,
        gap=max((later - one for one, later in itertools.pairwise(times)), default=0) / 1000,
        whole_after=seconds,
    )


def kill(victim: str, running: stack.Stack, bots: list[Bot], down_for: float) -> float:
    """Kill it, leave it dead for a while, bring it back; return when it was killed."""
    if victim == "app":
        at = time.time()
        bots[0].kill()
        time.sleep(down_for)
        before = bots[0].log.stat().st_size
        bots[0].start()
        wait(lambda: bots[0].log.stat().st_size > before, "the new process to send")
        return at
    (service,) = [one for one in stack.status(home=running.home) if one.service == victim]
    assert service.pid is not None
    at = time.time()
    os.kill(service.pid, signal.SIGKILL)
    time.sleep(down_for)
    stack.up(home=running.home, progress=quiet())
    return at


def counters(bots: list[Bot], url: str) -> int:
    """Return how many counters of bots that ended by themselves are not what the bot counted, to the last event."""
    wrong = 0
    for bot in bots:
        final = [row["final"] for row in bot.rows() if "final" in row][-1]
        query = urllib.parse.urlencode(
            {"query": f'last_over_time(kills_events_total{{service_name="{bot.name}"}}[1h])'}
        )
        found = json.loads(loopback.ask(f"{url}/api/v1/query?{query}", 20))["data"]["result"]
        wrong += {one["metric"]["series"]: float(one["value"][1]) for one in found} != final
    return wrong


def rounds(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    chance = random.Random(arguments.seed)  # noqa: S311  a seed has to give the same rounds again
    running = stack.up(home=folder, kind="native", ports=stack.Ports.free(), evaluation_interval="1s", progress=quiet())
    prometheus, alertmanager = running.urls["prometheus"], running.urls["alertmanager"]
    rule = {"alert": "Fires", "expr": "vector(1)", "labels": {"severity": "critical", "team": "trading"}}
    groups = [{"name": "mine", "interval": "1s", "rules": [rule]}]
    (folder / "config" / "my-rules" / "mine.yaml").write_text(json.dumps({"groups": groups}), encoding="utf-8")
    loopback.reload(prometheus, "Prometheus")
    silence = silences.add(alertmanager, {"venue": "v"}, lasting=timedelta(hours=1), why="kills", author="benchmark")
    bots = [Bot(f"bot-{number}", folder, running.otlp_endpoint) for number in range(arguments.bots)]
    done: list[Round] = []
    try:
        begun = time.time()
        names = {bot.name for bot in bots}
        wait(lambda: {one[0] for one in held(prometheus, begun)} == names, "the bots to begin")
        time.sleep(6)  # Alertmanager keeps what it told every five seconds
        order: list[str] = []
        for number in range(arguments.rounds):
            order = order or chance.sample(VICTIMS, len(VICTIMS))
            victim, since = order.pop(), time.time()
            time.sleep(chance.uniform(0.2, 1.5))
            killed = kill(victim, running, bots, chance.uniform(0, 1))
            time.sleep(INTERVAL)
            done.append(compare(victim, bots, prometheus, since, killed))
            print(f"round {number + 1}: {done[-1]}", file=sys.stderr, flush=True)
        for bot in bots:
            bot.end()
        done.append(compare("all of it", bots, prometheus, begun, time.time()))
        told = list(whole_lines(running.alerts_file))
        return {
            "rounds": [asdict(one) for one in done],
            "counters_wrong": counters(bots, prometheus),
            "silence_kept": silence.id in {one.id for one in silences.current(alertmanager)},
            "told": len([one for one in told if one["labels"]["alertname"] == "Fires" and one["status"] == "firing"]),
        }
    finally:
        for bot in bots:
            with contextlib.suppress(subprocess.SubprocessError):
                bot.kill()
        stack.down(home=folder)


def table(result: dict[str, Any]) -> None:
    heads = ["killed", "rounds", "acknowledged", "lost", "wrong", "never sent", "late", "unanswered", "of them there"]
    print("| " + " | ".join([*heads, "longest gap", "in flight", "whole after"]) + " |\n" + "|---" * 12 + "|")
    for victim in (*VICTIMS, "all of it"):
        mine = [one for one in result["rounds"] if one["victim"] == victim]
        if not mine:
            continue
        sums: Counter[str] = Counter()
        for one in mine:
            sums.update({key: value for key, value in one.items() if isinstance(value, int)})
        numbers = ("acknowledged", "lost", "wrong", "never_sent", "late", "unanswered", "unanswered_there")
        most = [f"{max(one[key] for one in mine):.1f} s" for key in ("gap", "in_flight", "whole_after")]
        print("| " + " | ".join([victim, str(len(mine)), *(f"{sums[key]:,}" for key in numbers), *most]) + " |")
    print(f"bots whose counters end with another number than they counted: {result['counters_wrong']}")
    print(f"silence kept: {result['silence_kept']}; the alert that fires all along was told {result['told']} times")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bots", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="otel-trading-kills-"))
    try:
        result = rounds(arguments, folder)
        if arguments.json:
            print(json.dumps(result))
        else:
            table(result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
