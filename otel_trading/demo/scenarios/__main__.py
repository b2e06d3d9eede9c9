"""Plays one scenario: `python -m otel_trading.demo.scenarios NAME`.

Says `playing` on stdout, ends the cause on SIGUSR1, and then stays, as a bot does that has recovered.
"""

from __future__ import annotations

import signal
import sys
import time

from otel_trading import meter
from otel_trading.demo.scenarios import ALL, Cause


def main(name: str) -> None:
    """Play the scenario of this name until the process is ended."""
    cause, scenario = Cause(), ALL[name]
    signal.signal(signal.SIGUSR1, lambda _number, _frame: cause.end())
    meter.defaults(venue=scenario.venue, strategy=scenario.strategy, account=scenario.account, currency="USD")
    print("playing", flush=True)  # noqa: T201  whoever plays it waits for this
    scenario.play(cause)
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1])
