"""Speaks HTTP with servers on loopback, never through a proxy that the environment names."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ask", "reload", "words"]

_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
#: In seconds; Prometheus compiles all of its rules before it answers.
_PATIENCE: Final = 30.0


def ask(
    url: str,
    timeout: float = 2.0,
    *,
    body: bytes | None = None,
    method: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> bytes:
    """Return the body of the answer.

    Args:
        url: Of one of our servers, or of what a tunnel brings to loopback.
        timeout: In seconds.
        body: What is sent with it.
        method: GET, or POST where there is a body, when not given.
        headers: Of the request.

    Raises:
        OSError: No answer, or as `HTTPError` another status than 2xx.
    """
    request = urllib.request.Request(url, body, dict(headers or {}), method=method)  # noqa: S310  our own URLs
    try:
        with _OPENER.open(request, timeout=timeout) as answer:
            return bytes(answer.read())
    except http.client.HTTPException as error:
        raise OSError(str(error) or type(error).__name__) from error


def words(error: urllib.error.HTTPError) -> str:
    """Return why a server refused, as it says it."""
    with error:
        return error.read().decode(errors="replace").strip()


def reload(url: str, server: str) -> None:
    """Have Prometheus or Alertmanager read its configuration again.

    Args:
        url: Where it listens.
        server: Its name, for people.

    Raises:
        StackError: It refuses, or does not answer; it goes on with what it had.
    """
    try:
        ask(f"{url}/-/reload", _PATIENCE, method="POST")
    except urllib.error.HTTPError as error:
        message = f"{server} refuses its new configuration and goes on with the old one. It says:\n{words(error)}"
        raise StackError(message) from error
    except OSError as error:
        message = f"{server} does not answer on {url}: {error}. Look at: otel-trading status"
        raise StackError(message) from error
