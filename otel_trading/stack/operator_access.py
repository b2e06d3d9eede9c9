"""Asks Prometheus or Alertmanager: of this machine, or, by TLS and with the operators' password, of an exposed stack.

The password is in a file that a variable names, so that no argument and no environment has it. It goes to no other
place than the one that was named: not in clear, and not where an answer redirects to.
"""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.error
import urllib.request
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from otel_trading.environment import OTEL_TRADING_PASSWORD_FILE
from otel_trading.errors import ConfigError
from otel_trading.stack import loopback, secret_files

__all__ = ["ask"]

_HERE: Final = ("localhost", "127.0.0.1", "::1")
#: The same CA as that of OTLP: one gate shows one certificate at every port.
_AUTHORITY: Final = "OTEL_EXPORTER_OTLP_CERTIFICATE"
_REFUSED: Final = 401


def ask(url: str, timeout: float, *, body: bytes | None = None) -> bytes:
    """Return the body of the answer; a body is sent with a POST.

    Args:
        url: Of Prometheus or Alertmanager, and of nobody else: who answers there gets the password.
        timeout: In seconds.
        body: What is sent with it.

    Raises:
        ConfigError: A file cannot be used, or the password would travel in clear.
        OSError: No answer, or as `HTTPError` another status than 2xx.
    """
    parts = urlsplit(url)
    if parts.scheme != "https":
        if OTEL_TRADING_PASSWORD_FILE.get() and parts.hostname not in _HERE:
            message = (
                f"The password of {OTEL_TRADING_PASSWORD_FILE.name} would travel in clear to {parts.scheme}://"
                f"{parts.netloc}. Allowed: https://..., or this machine. Correct it, or unset the password."
            )
            raise ConfigError(message)
        return loopback.ask(url, timeout, body=body)
    request = urllib.request.Request(url, body)  # noqa: S310  https, as was just seen
    if password := _password():
        # Not among the headers that urllib repeats to where an answer redirects.
        request.add_unredirected_header("Authorization", f"Bearer {password}")
    try:
        with _opener().open(request, timeout=timeout) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        if error.code != _REFUSED:
            raise
        error.close()
        raise OSError(_unknown(password)) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            message = f"its certificate is not trusted ({error.reason.verify_message}); {_AUTHORITY} names its CA"
            raise OSError(message) from error
        raise
    except http.client.HTTPException as error:
        raise OSError(str(error) or type(error).__name__) from error


def _password() -> str:
    setting = OTEL_TRADING_PASSWORD_FILE
    if not setting.get():
        return ""
    path = Path(setting.get()).expanduser()
    return secret_files.given(path, f"{setting.name}: {path}", setting.allowed).splitlines()[0]


def _opener() -> urllib.request.OpenerDirector:
    file = os.environ.get(_AUTHORITY, "").strip() or None
    try:
        context = ssl.create_default_context(cafile=file)
    except (OSError, ssl.SSLError) as error:
        message = f"{_AUTHORITY} is {file!r}, which cannot be read as certificates ({error}). Correct it or unset it."
        raise ConfigError(message) from error
    # As on loopback: never through a proxy that the environment names.
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context))


def _unknown(password: str) -> str:
    if password:
        return f"it does not know the password in the file of {OTEL_TRADING_PASSWORD_FILE.name}"
    return f"it asks for a password: {OTEL_TRADING_PASSWORD_FILE.name} names {OTEL_TRADING_PASSWORD_FILE.allowed}"
