"""What `import otel_trading.meter` costs beyond the API of OpenTelemetry's three signals: interleaved fresh processes.

python benchmarks/imports.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

API = "import opentelemetry.metrics, opentelemetry.trace, opentelemetry._logs"
OURS = f"{API}; import otel_trading.meter"


def milliseconds(statement: str) -> float:
    timed = f"import time; begin = time.perf_counter(); {statement}; print((time.perf_counter() - begin) * 1e3)"
    done = subprocess.run([sys.executable, "-c", timed], check=True, capture_output=True, text=True)
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    pairs = [(milliseconds(API), milliseconds(OURS)) for _ in range(rounds)]
    api, ours = (statistics.median(side) for side in zip(*pairs, strict=True))
    print(f"API {api:.0f} ms, API and meter {ours:.0f} ms: {ours - api:.0f} ms more, ratio {ours / api:.2f}")


if __name__ == "__main__":
    main()
