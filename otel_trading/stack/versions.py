"""Which versions wrote what a home holds: newer ones take it over, older ones may not be able to read it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from otel_trading import __version__
from otel_trading.errors import StackError
from otel_trading.stack.servers import ALL

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from otel_trading.stack.state import State

__all__ = ["FOLDER", "check", "is_newer", "is_outdated", "note"]

#: Below the stack's home; in a backup, and deleted with the data.
FOLDER: Final = "data/versions"

_OURS: Final = {"otel-trading": __version__, **{server.name: server.version for server in ALL}}


def is_newer(one: str, other: str) -> bool:
    """Say whether a version is of a later release than another; what is no version is not."""
    first, second = ([int(part) for part in re.findall(r"[0-9]+", version)[:3]] for version in (one, other))
    return first > second


def is_outdated(state: State) -> bool:
    """Say whether what runs is not what this installation would start."""
    runs = {service.name: service.version for service in state.services}
    return state.version != __version__ or any(runs.get(server.name) != server.version for server in ALL)


def note(home: Path) -> None:
    """Write down that the servers of this installation are about to write here."""
    file = _file(home)
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".tmp")
    new.write_text(json.dumps(_OURS, indent=1) + "\n")
    new.replace(file)


def check(home: Path) -> None:
    """Refuse to go back.

    Args:
        home: The stack's home, or what a backup holds of one.

    Raises:
        StackError: A newer server has written here.
    """
    noted = _noted(home)
    newer = [name for name in _servers(noted) if is_newer(noted[name], _OURS[name])]
    if newer:
        wrote = ", ".join(f"{name} {noted[name]}" for name in newer)
        ours = ", ".join(f"{name} {_OURS[name]}" for name in newer)
        message = (
            f"What is stored was written by {wrote}; this otel-trading {__version__} brings {ours}, which may not be "
            f"able to read it. Install otel-trading {noted.get('otel-trading', 'of then')} again, or bring back a "
            "backup from before: otel-trading restore FILE"
        )
        raise StackError(message)


def _servers(noted: dict[str, str]) -> Iterable[str]:
    return (server.name for server in ALL if server.name in noted)


def _noted(home: Path) -> dict[str, str]:
    try:
        return {str(name): str(version) for name, version in json.loads(_file(home).read_text()).items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError) as error:
        message = f"{_file(home)} is not what `otel-trading up` wrote ({error!r}). Remove it, then: otel-trading up"
        raise StackError(message) from error


def _file(home: Path) -> Path:
    return home / FOLDER / "versions.json"
