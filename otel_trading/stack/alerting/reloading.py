"""Has a running Prometheus read its rules anew."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Final

from otel_trading.errors import StackError
from otel_trading.stack.state import State

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["reload"]

_PATIENCE: Final = 30.0
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def reload(home: Path) -> None:
    """Have the Prometheus of this home read its rules anew; nothing where none was started: the next `up` reads them.

    Raises:
        StackError: It refuses them, in its own words, or does not answer.
    """
    state = State.load(home)
    url = next((each.url for each in state.services if each.name == "prometheus"), None) if state else None
    if url is None:
        return
    try:
        with _OPENER.open(urllib.request.Request(f"{url}/-/reload", method="POST"), timeout=_PATIENCE):  # noqa: S310  our own URL
            return
    except urllib.error.HTTPError as error:
        with error:
            words = error.read().decode(errors="replace").strip()
        message = f"Prometheus refuses the rules and keeps those that it had; nothing was changed. It says: {words}"
        raise StackError(message) from error
    except OSError as error:
        message = (
            f"Prometheus at {url} was started here and does not answer ({error}); nothing was changed. "
            "See how the stack is: otel-trading status"
        )
        raise StackError(message) from error
