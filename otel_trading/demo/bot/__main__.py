"""Runs the bot until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time

from otel_trading import meter
from otel_trading.demo.bot.bot import LOOP, Bot
from otel_trading.demo.bot.client import Client, VenueError
from otel_trading.demo.bot.stream import Stream


def main() -> None:
    """Connect, trade, and leave in order."""
    parser = argparse.ArgumentParser(prog="python -m otel_trading.demo.bot", description=__doc__)
    parser.add_argument("--venue-url", required=True, help="for instance http://127.0.0.1:8080")
    url = parser.parse_args().venue_url
    key = os.environ.get("DEMO_VENUE_KEY", "demo-key")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    meter.defaults(venue="paper", strategy="dip_buyer", account="demo", currency="USD")

    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda _number, _frame: stop.set())

    client = Client(url, key)
    try:
        lines = client.lines()
    except VenueError as error:
        sys.exit(f"The venue at {url} does not answer: {error}. Start it: python -m otel_trading.demo.venue")
    bot = Bot(client, [symbol for symbols in lines.values() for symbol in symbols])
    streams = _streams(url.replace("http", "ws", 1), key, lines, bot)
    for stream in streams:
        stream.start()
    _loop(bot, stop)
    for stream in streams:
        stream.stop()


def _streams(url: str, key: str, lines: dict[str, list[str]], bot: Bot) -> list[Stream]:
    streams = [Stream("fills", f"{url}/v1/fills", key=key, received=bot.received)]
    for line, symbols in lines.items():
        name = f"market_{line}"
        meter.market_data_subscribed(source="paper", kind="quote", connection=name, symbols=symbols)
        market = Stream(
            name, f"{url}/v1/market/{line}", key=key, received=bot.received, symbols=tuple(symbols), patience=4.0
        )
        streams.append(market)
    return streams


def _loop(bot: Bot, stop: threading.Event) -> None:
    checked = 0.0
    while not stop.wait(LOOP):
        if time.monotonic() - checked > 1.0:
            checked = time.monotonic()
            bot.check()
        bot.step()
    try:
        bot.close()
    except VenueError as error:
        logging.getLogger(__name__).warning("orders may be left open: %s", error)


if __name__ == "__main__":
    main()
