"""The last words of a server: from its file natively, from Docker in containers."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from otel_trading import stack
from otel_trading.errors import ConfigError, StackError
from otel_trading.stack import docker
from otel_trading.stack.state import State

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["last"]


def last(service: str, lines: int, *, home: Path | None = None) -> list[str]:
    """Return the last lines that a server wrote.

    Args:
        service: Its name, as `otel-trading status` has it.
        lines: How many at most.
        home: The stack's home; that of the stack that was started when not given.

    Raises:
        ConfigError: There is no such server.
        StackError: There is nothing to read, or it cannot be read.
    """
    home = (home or stack.home_in_use()).absolute()
    state = State.load(home)
    if state is not None and state.kind == "docker":
        _check(service, [one.name for one in state.services])
        return docker.logs(home, state, service, lines).splitlines()
    files = {file.stem: file for file in sorted((home / "logs").glob("*.log"))}
    if not files:
        message = f"No stack was ever started in {home}. Start it: otel-trading up"
        raise StackError(message)
    _check(service, list(files))
    try:
        with files[service].open(encoding="utf-8", errors="replace") as file:
            return [line.rstrip("\n") for line in deque(file, lines)]
    except OSError as error:
        message = f"Cannot read {files[service]}: {error.strerror}. Give it to this user."
        raise StackError(message) from error


def _check(service: str, known: list[str]) -> None:
    if service not in known:
        message = f"There is no server {service!r} in this stack; allowed: {', '.join(known)}."
        raise ConfigError(message)
