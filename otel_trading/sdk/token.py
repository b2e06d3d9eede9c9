"""The token that a Collector on another machine asks for: from a file of the user's into the headers of OTLP.

OpenTelemetry takes headers from the environment only, which every child inherits: there the token stands while
exporters are built, and no longer.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from otel_trading import environment
from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["check", "in_headers"]

_PREFIX: Final = "OTEL_EXPORTER_OTLP_"
_SIGNALS: Final = ("METRICS_", "TRACES_", "LOGS_")
_HERE: Final = ("localhost", "127.0.0.1", "::1")
_OTHERS_MAY_READ: Final = 0o077
#: What needs no encoding in a header (RFC 6750).
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")


def check() -> None:
    """Read the file, so that a wrong one ends the start.

    Raises:
        ConfigError: It cannot be read, can be read by others or holds something else, or would travel in clear.
    """
    setting = environment.OTEL_TRADING_OTLP_TOKEN_FILE
    if not setting.get():
        return
    _token(setting.get())
    for name in (f"{_PREFIX}{signal}ENDPOINT" for signal in ("", *_SIGNALS)):
        parts = urlsplit(os.environ.get(name, "").strip())
        if parts.scheme == "http" and parts.hostname not in _HERE:
            message = (
                f"{name} is {parts.geturl()!r}, where the token of {setting.name} would travel in clear. "
                "Allowed: https://..., or this machine. Correct it, or unset the token."
            )
            raise ConfigError(message)


@contextmanager
def in_headers() -> Generator[None]:
    """Let exporters that are built in this block send the token."""
    file = environment.OTEL_TRADING_OTLP_TOKEN_FILE.get()
    # What is set for one signal stands there in place of what is set for all.
    own = [f"{_PREFIX}{signal}HEADERS" for signal in _SIGNALS]
    names = [f"{_PREFIX}HEADERS", *(name for name in own if os.environ.get(name))] if file else []
    before = {name: os.environ.get(name) for name in names}
    for name, text in before.items():
        os.environ[name] = ",".join([*([text] if text else []), f"authorization=Bearer%20{_token(file)}"])
    try:
        yield
    finally:
        for name, text in before.items():
            if text is None:
                del os.environ[name]
            else:
                os.environ[name] = text


@cache  # a forked worker may have given up the right to read it
def _token(file: str) -> str:
    setting, path = environment.OTEL_TRADING_OTLP_TOKEN_FILE, Path(file).expanduser()
    try:
        lines, mode = path.read_text(encoding="utf-8").strip().splitlines(), path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        message = f"{setting.name}: {path} cannot be read ({why}). Name {setting.allowed}."
        raise ConfigError(message) from error
    if not lines or not _TOKEN.fullmatch(lines[0]):
        message = f"{setting.name}: {path} holds no token. `otel-trading env --remote`, at the stack, says where it is."
        raise ConfigError(message)
    if os.name == "posix" and mode & _OTHERS_MAY_READ:
        message = (
            f"{setting.name}: {path} can be read by other users of this machine. Keep it to yourself: chmod 600 {path}"
        )
        raise ConfigError(message)
    return lines[0]
