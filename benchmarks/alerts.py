"""How long from an event in a bot to the delivered notification, for alerts that wait for nothing (`for: 0`).

    python benchmarks/alerts.py [--events 50]

Every event is an alert group of its own (a venue of its own), else all but the first would wait for `group_interval`.
Profiles: as shipped (export every 10 s), and fast (`otel-trading up --interval 1s`, OTEL_METRIC_EXPORT_INTERVAL=1000).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

from kills import whole_lines

from otel_trading import meter, stack

#: Seconds between two events, at most: they must meet every moment of the export interval.
PAUSE = 1.0
PATIENCE = 120.0
PROFILES = {"default": (None, {}), "fast": ("1s", {"OTEL_METRIC_EXPORT_INTERVAL": "1000"})}
RUN = [sys.executable, "-c", "from otel_trading.cli import main; main()", "run", sys.executable, __file__, "--play"]
EVENTS = {
    "OrderLost": lambda venue: meter.order_status_changed(status="lost", symbol="A", side="buy", venue=venue),
    "KillSwitchActive": lambda venue: meter.kill_switch_changed(scope="venue", state="halted", venue=venue),
}


def play(events: int) -> None:
    """Be the bot: cause the events, and say when each was."""
    meter.strategy_state(state="running", strategy="s")
    for number in range(events):
        for alert, cause in EVENTS.items():
            time.sleep(random.uniform(0, PAUSE))  # noqa: S311  a benchmark
            venue = f"{alert}-{number}".lower()
            moment = time.time()
            cause(venue)
            print(json.dumps([alert, venue, moment]), flush=True)
    sys.stdin.read()


def delivered(file: Path) -> dict[tuple[str, str], float]:
    """Return when each alert was first received, Unix seconds."""
    first: dict[tuple[str, str], float] = {}
    for row in whole_lines(file):
        key = row["labels"]["alertname"], row["labels"].get("trading_venue_name", "")
        first.setdefault(key, datetime.fromisoformat(row["received"]).timestamp())
    return first


def measure(events: int, interval: str | None, variables: dict[str, str]) -> dict[str, list[float]]:
    """Return the seconds of every event, by alert."""
    with tempfile.TemporaryDirectory(prefix="otel-trading-benchmark-") as folder:
        home = Path(folder) / "home"
        running = stack.up(home=home, kind="native", ports=stack.Ports.free(), evaluation_interval=interval)
        try:
            own = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
            where = {"OTEL_EXPORTER_OTLP_ENDPOINT": running.otlp_endpoint, "OTEL_SERVICE_NAME": "benchmark"}
            command, environment = [*RUN, str(events)], {**own, **where, "OTEL_TRADING_MODE": "live", **variables}
            with subprocess.Popen(
                command,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            ) as bot:
                assert bot.stdout
                caused = [json.loads(bot.stdout.readline()) for _ in range(events * len(EVENTS))]
                until = time.monotonic() + PATIENCE
                wanted = {(alert, venue) for alert, venue, _ in caused}
                while wanted - set(delivered(running.alerts_file)) and time.monotonic() < until:
                    time.sleep(0.2)
                bot.kill()
            received = delivered(running.alerts_file)
        finally:
            stack.down(home=home)
    lost = wanted - set(received)
    assert not lost, f"never delivered: {sorted(lost)}"
    return {
        name: [received[alert, venue] - moment for alert, venue, moment in caused if alert == name] for name in EVENTS
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=50)
    parser.add_argument("--play", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.play is not None:
        play(arguments.play)
        return
    print(f"{'profile':10}{'alert':20}{'events':>7}{'p50':>8}{'p99':>8}{'max':>8}   seconds from event to notification")
    for profile, (interval, variables) in PROFILES.items():
        for alert, seconds in measure(arguments.events, interval, variables).items():
            p99 = statistics.quantiles(seconds, n=100, method="inclusive")[98]
            figures = f"{len(seconds):7}{statistics.median(seconds):8.1f}{p99:8.1f}{max(seconds):8.1f}"
            print(f"{profile:10}{alert:20}{figures}", flush=True)


if __name__ == "__main__":
    main()
