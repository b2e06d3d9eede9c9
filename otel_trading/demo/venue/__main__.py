"""Runs the paper venue until SIGTERM or Ctrl-C; its first line on stdout is its URL."""

from __future__ import annotations

import argparse
import asyncio
import signal

from otel_trading.demo.venue.server import Venue, serve


def main() -> None:
    """Serve until told to end."""
    parser = argparse.ArgumentParser(prog="python -m otel_trading.demo.venue", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="TCP port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--seed", type=int, default=1, help="the same seed replays the same ticks")
    parser.add_argument("--speed", type=float, default=1.0, help="1: a trading day in six seconds")
    parser.add_argument("--no-faults", action="store_true", help="only what /admin/faults asks for")
    options = parser.parse_args()
    venue = Venue(seed=options.seed, speed=options.speed, faulty=not options.no_faults)
    asyncio.run(_run(venue, options.port))


async def _run(venue: Venue, port: int) -> None:
    end = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, end.set)
    async with serve(venue, port=port) as url:
        print(url, flush=True)  # noqa: T201  whoever started us waits for it
        await end.wait()


if __name__ == "__main__":
    main()
