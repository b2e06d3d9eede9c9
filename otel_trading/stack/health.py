"""Asks servers on loopback how they are."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["answers", "get", "wait"]

# A proxy that the environment names must not be asked for a loopback address.
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))

_POLL: Final = 0.1


def get(url: str, timeout: float = 2.0, headers: Mapping[str, str] | None = None) -> bytes:
    """Return the body behind a URL on loopback.

    Args:
        url: Plain http.
        timeout: In seconds.
        headers: Of the request.

    Raises:
        OSError: No answer, or another status than 2xx.
    """
    try:
        with _OPENER.open(urllib.request.Request(url, headers=dict(headers or {})), timeout=timeout) as response:  # noqa: S310  our own URLs
            return bytes(response.read())
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error


def answers(url: str, timeout: float = 2.0) -> bool:
    """Say whether the URL answers with a 2xx status."""
    try:
        get(url, timeout)
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
