"""Asks servers on loopback how they are."""

from __future__ import annotations

import http.client
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["answers", "get", "post", "wait"]

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
    return _ask(urllib.request.Request(url, headers=dict(headers or {})), timeout)  # noqa: S310  our own URLs


def post(url: str, timeout: float = 10.0, data: bytes = b"") -> bytes:
    """POST to a URL on loopback and return the body of the answer.

    Args:
        url: Plain http.
        timeout: In seconds.
        data: JSON, or nothing.

    Raises:
        OSError: No answer, or another status than 2xx.
    """
    headers = {"Content-Type": "application/json"}
    return _ask(urllib.request.Request(url, data, headers, method="POST"), timeout)  # noqa: S310  our own URLs


def _ask(request: urllib.request.Request, timeout: float) -> bytes:
    try:
        with _OPENER.open(request, timeout=timeout) as response:
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
