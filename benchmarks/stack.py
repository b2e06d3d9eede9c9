"""How soon the native stack is healthy, and what memory and processor it takes when no bot runs.

    python benchmarks/stack.py [--rounds 5] [--idle 60] [--cold]

`--cold` first builds every server with empty Go and server caches in a temporary folder, which takes minutes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from otel_trading import stack

SETTLE = 20.0
TICKS = os.sysconf("SC_CLK_TCK")


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS")) / 1024


def processor_seconds(pid: int) -> float:
    # Behind the name, which may hold blanks: user and system time are fields 14 and 15.
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def idle(home: Path, seconds: float) -> None:
    pids = {service.service: service.pid for service in stack.status(home=home) if service.pid}
    time.sleep(SETTLE)
    before, begin = {name: processor_seconds(pid) for name, pid in pids.items()}, time.perf_counter()
    time.sleep(seconds)
    for name, pid in pids.items():
        share = (processor_seconds(pid) - before[name]) / (time.perf_counter() - begin)
        print(f"{name:14} {resident_mib(pid):6.0f} MiB and {share:6.2%} of a core idle")


def cold(folder: Path) -> None:
    caches = {"XDG_CACHE_HOME": "cache", "GOCACHE": "go-build", "GOMODCACHE": "go-mod"}
    environment = {**os.environ, **{name: str(folder / place) for name, place in caches.items()}}
    command = ["otel-trading", "up", "--native", "--home", str(folder / "home")]
    begin = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, timeout=3600)
    print(f"cold, caches empty: {time.perf_counter() - begin:.0f} s from `otel-trading up` to all healthy")
    stack.down(home=folder / "home")
    subprocess.run(["go", "clean", "-modcache"], check=True, env=environment, timeout=600)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--idle", type=float, default=60.0, help="seconds over which the processor is measured")
    parser.add_argument("--cold", action="store_true")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="otel-trading-benchmark-"))
    try:
        if arguments.cold:
            cold(folder)
        seconds = []
        for number in range(arguments.rounds):
            home = folder / str(number)
            begin = time.perf_counter()
            stack.up(home=home, kind="native", ports=stack.Ports.free())
            seconds.append(time.perf_counter() - begin)
            if number == arguments.rounds - 1:
                idle(home, arguments.idle)
            stack.down(home=home)
        print(
            f"built: {statistics.median(seconds):.2f} s to all healthy, slowest of {len(seconds)}: {max(seconds):.2f} s"
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
