"""What `otel-trading run --planned-restart` does before the bot starts. Whatever comes of it, the bot starts."""

from __future__ import annotations

import getpass
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import timedelta

    import click

__all__ = ["USUAL", "announce", "parse"]

USUAL: Final = "10m"
#: Seconds that a bot waits for Alertmanager, at most.
_PATIENCE: Final = 5.0


def parse(_context: click.Context, _parameter: click.Parameter, text: str | None) -> timedelta | None:
    """Return the duration, or None when no restart is planned.

    Raises:
        ConfigError: It is none, or too long.
    """
    if text is None:
        return None
    from otel_trading.stack import planned_restart  # noqa: PLC0415  only a planned restart pays for the stack

    return planned_restart.parse(text)


def announce(lasting: timedelta) -> str:
    """Silence the absence of the bot that the environment names, and return one sentence about what came of it."""
    said: list[str] = []
    worker = threading.Thread(target=lambda: said.append(_announced(lasting)), daemon=True)
    worker.start()
    worker.join(_PATIENCE)
    return said[0] if said else _unsaid(f"Alertmanager has not answered for {_PATIENCE:g} s")


def _announced(lasting: timedelta) -> str:
    try:
        from otel_trading import stack  # noqa: PLC0415  as above
        from otel_trading.sdk.resource import job_and_instance, resource  # noqa: PLC0415  as above
        from otel_trading.stack import planned_restart  # noqa: PLC0415  as above

        job = job_and_instance({name: str(value) for name, value in resource().attributes.items()})["job"]
        made = planned_restart.announce(
            stack.find().urls["alertmanager"], job, lasting=lasting, author=getpass.getuser()
        )
    except Exception as error:  # noqa: BLE001  a bot is never kept from starting
        return _unsaid(str(error).rstrip("."))
    if not made:
        return _unsaid(f"{job} had a planned restart within the hour")
    until = max(silence.until for silence in made)
    return f"planned restart: the absence of {job} ({', '.join(planned_restart.ALERTS)}) is silent until {until}."


def _unsaid(why: str) -> str:
    return f"planned restart: nothing is silenced, alerts come as ever, and the bot starts: {why}."
