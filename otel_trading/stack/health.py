"""Asks servers on loopback how they are."""

from __future__ import annotations

import socket
import ssl
import time
import urllib.error
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from otel_trading.stack import loopback

if TYPE_CHECKING:
    from otel_trading.stack.state import Service

__all__ = ["answers", "is_well", "wait"]

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


def is_well(service: Service) -> bool:
    """Say whether a service answers as its state says that it does."""
    return _shows(service.health, service.certificate) if service.certificate else answers(service.health)


def _shows(url: str, certificate: str, timeout: float = 2.0) -> bool:
    """Say whether TLS is spoken there with the certificate of this file, which holds now."""
    parts = urlsplit(url)
    try:
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False  # this very certificate, whomever it is for
        context.verify_flags = ssl.VerifyFlags.VERIFY_X509_PARTIAL_CHAIN
        address = (parts.hostname or "", parts.port or 0)
        with socket.create_connection(address, timeout) as plain, context.wrap_socket(plain):
            return True
    except OSError:
        return False


def wait(url: str, patience: float) -> bool:
    """Wait until the URL answers with a 2xx status; say whether it did within `patience` seconds."""
    deadline = time.monotonic() + patience
    while not answers(url):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True
