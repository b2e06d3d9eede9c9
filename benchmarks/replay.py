"""What an outage of Prometheus costs: bots at a rate, the Collector killed half-way, and how long the replay takes.

    python benchmarks/replay.py [--minutes 20] [--rate 5000] [--bots 3] [--json]

Prometheus is killed, and after the minutes it comes back with the stack's own configuration. Each bot logs every sample
before it is sent, and the answer; that log is compared with what Prometheus holds, sample by sample, to the
millisecond. The replay ends when the Collector's queue is empty for the first time, counted from when Prometheus
answers again.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from kills import INTERVAL, Bot, Sample, counters, held, quiet, wait

from otel_trading import stack
from otel_trading.stack import build, health, launches, loopback

KINDS = ("kills_events_total", "kills_level")
WAITING = re.compile(r'^otelcol_exporter_queue_size\{[^}]*exporter="otlp_http/prometheus"[^}]*\} (\S+)$', re.MULTILINE)
MIB = 2**20


class Queue:
    """What waits in the Collector, looked at five times a second: bytes in the queue, and of its files."""

    def __init__(self, running: stack.Stack) -> None:
        self._url = f"http://127.0.0.1:{running.ports.collector_metrics}/metrics"
        self._folder = running.home / "data" / "collector" / "queue"
        self.now = self.most = self.file = 0.0
        self._looks = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.wait(0.2):
            with contextlib.suppress(OSError):  # it is dead at times
                found = WAITING.search(loopback.ask(self._url, 10).decode())
                self.now = float(found[1]) if found else self.now
                self._looks += 1
                self.most = max(self.most, self.now)
                self.file = max(self.file, sum(one.stat().st_size for one in self._folder.iterdir() if one.is_file()))

    def empty(self, patience: float) -> None:
        """Wait until nothing waits, as seen from now on."""
        before = self._looks
        wait(lambda: self._looks > before + 1 and self.now == 0, "the queue to be empty", patience)

    def end(self) -> None:
        self._over.set()
        self._thread.join(10)


def killed(running: stack.Stack, name: str) -> None:
    (service,) = [one for one in stack.status(home=running.home) if one.service == name]
    assert service.pid is not None
    os.kill(service.pid, signal.SIGKILL)
    wait(lambda: not health.answers(service.url), f"the end of {name}")


def started(running: stack.Stack, name: str, *options: str, **variables: str) -> subprocess.Popen[bytes]:
    """Start one server as `up` does, which would start all that is missing, with options and variables of its own."""
    plan = launches.plan(running.home, running.ports, build.all_binaries(quiet()), None, None)
    (launch,) = [one for one in plan if one.name == name]
    with (running.home / "logs" / f"{name}.log").open("ab") as log:
        environment = {**launches.inherited(), **launch.environment, **variables}
        process = subprocess.Popen(
            [*launch.command, *options], env=environment, cwd=launch.cwd or running.home, stdout=log, stderr=log
        )
    wait(lambda: health.answers(launch.health), f"{name} to answer")
    return process


def say(line: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {line}", file=sys.stderr, flush=True)


def everything(bot: Bot, url: str, since: float) -> dict[Sample, float]:
    return {
        one: value for kind in KINDS for one, value in held(url, since, f'{kind}{{service_name="{bot.name}"}}').items()
    }


def compared(bots: list[Bot], url: str, since: float) -> Counter[str]:
    """Count what became of the samples, one bot after the other: all at once would not fit into memory."""
    found: Counter[str] = Counter()
    for bot in bots:
        acknowledged, unanswered = bot.samples()
        there = everything(bot, url, since)
        for _ in range(5):  # what the Collector has taken from its queue may still be on its way
            if there.keys() >= acknowledged.keys():
                break
            time.sleep(1)
            there = everything(bot, url, since)
        found["sent"] += len(acknowledged) + len(unanswered)
        found["acknowledged"] += len(acknowledged)
        found["held"] += len(there.keys() & acknowledged.keys())
        found["lost"] += len(acknowledged.keys() - there.keys())
        found["wrong"] += len([one for one, value in acknowledged.items() if there.get(one, value) != value])
        # But the zero with which Prometheus begins a counter, at the start time that comes with it.
        others = there.keys() - acknowledged.keys() - unanswered.keys()
        found["duplicated"] += len([one for one in others if there[one]])
    return found


def outage(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    running = stack.up(home=folder, kind="native", ports=stack.Ports.free(), progress=quiet())
    url, begun = running.urls["prometheus"], time.time()
    width = round(arguments.rate * INTERVAL / len(KINDS) / arguments.bots)
    bots = [Bot(f"bot-{number}", folder, running.otlp_endpoint, width) for number in range(arguments.bots)]
    servers: list[subprocess.Popen[bytes]] = []
    queue = Queue(running)
    try:
        wait(lambda: len({one[:3] for one in held(url, begun)}) == width * len(bots) * len(KINDS), "all series")
        away = time.monotonic()
        killed(running, "prometheus")
        say(f"Prometheus is killed; {len(bots)} bots with {width * len(KINDS)} series each go on")
        time.sleep(arguments.minutes * 30)
        dead = time.monotonic()
        killed(running, "collector")
        servers.append(started(running, "collector"))
        dead = time.monotonic() - dead
        say(f"the Collector was killed and answers again after {dead:.1f} s, {queue.most / MIB:.1f} MiB in its queue")
        time.sleep(max(0.0, away + arguments.minutes * 60 - time.monotonic()))
        waiting = queue.now
        servers.append(started(running, "prometheus"))
        back = time.monotonic()
        say(f"Prometheus is back, {waiting / MIB:.1f} MiB wait for it")
        queue.empty(3600)
        replayed = time.monotonic() - back
        say(f"all of it was replayed in {replayed:.1f} s")
        for bot in bots:
            bot.end()
        queue.empty(60)
        return {
            "minutes": (back - away) / 60,
            **compared(bots, url, begun),
            "counters_wrong": counters(bots, url),
            "queue_bytes": queue.most,
            "queue_file_bytes": queue.file,
            "collector_dead_seconds": dead,
            "replay_seconds": replayed,
        }
    finally:
        queue.end()
        for bot in bots:
            with contextlib.suppress(subprocess.SubprocessError):
                bot.kill()
        for server in servers:
            server.kill()
            server.wait(10)
        stack.down(home=folder)


def table(result: dict[str, Any]) -> None:
    heads = ["away", "sent", "acknowledged", "held", "lost", "wrong", "duplicated", "replay", "queue", "queue's files"]
    numbers = [f"{result[key]:,}" for key in ("sent", "acknowledged", "held", "lost", "wrong", "duplicated")]
    sizes = [f"{result[key] / MIB:.1f} MiB" for key in ("queue_bytes", "queue_file_bytes")]
    row = [f"{result['minutes']:.1f} min", *numbers, f"{result['replay_seconds']:.1f} s", *sizes]
    print("| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|\n| " + " | ".join(row) + " |")
    print(f"the Collector was dead for {result['collector_dead_seconds']:.1f} s in the middle of it")
    print(f"bots whose counters end with another number than they counted: {result['counters_wrong']}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20, help="how long Prometheus is away")
    parser.add_argument("--rate", type=int, default=5000, help="points per second, of all bots")
    parser.add_argument("--bots", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="otel-trading-replay-"))
    try:
        result = outage(arguments, folder)
        print(json.dumps(result)) if arguments.json else table(result)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
