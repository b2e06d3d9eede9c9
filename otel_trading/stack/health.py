"""Asks servers on loopback how they are."""

from __future__ import annotations

import time
import urllib.error
from typing import Final

from otel_trading.stack import loopback

__all__ = ["answers", "wait"]

_POLL: Final = 0.1


def answers(url: str, timeout: float = 2.0) -> bool:
    """Say whether the URL answers with a 2xx status."""
    try:
        loopback.ask(url, timeout)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False
    return True


def wait(url: str, patience: float) -> bool:
    """Wait until the URL answers with a 2xx status; say whether it did within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not answers(url):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
