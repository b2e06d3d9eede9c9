"""Reads the secret files of channels and judges them, before anything is started.

A channel is on when `<home>/secrets/alerts/NAME` exists, or when the variable `STACK_ALERT_NAME_FILE` names such a file
(the variable wins). `<home>/secrets/alerts/trading/NAME` and `.../platform/NAME` are for one team and win over both.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_trading.errors import ConfigError
from otel_trading.stack import secret_files
from otel_trading.stack.channels import ALL, PREFIX, TEAMS, WATCHDOG

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from otel_trading.stack.channels import Channel, Settings

__all__ = ["check_names", "folder", "read", "read_hours"]

_HOURS: Final = "market_hours"
_NO_CHANNEL: Final = "sets no channel for alerts"


def folder(home: Path) -> Path:
    """Return where the secret files of this home are; the user's, never written by us."""
    return home / "secrets" / "alerts"


def check_names(home: Path, environ: Mapping[str, str]) -> None:
    """Refuse what looks like a setting of ours and is none.

    Raises:
        ConfigError: A file or a variable with a name that nobody reads.
    """
    files = [channel.file for channel in (*ALL, WATCHDOG)] + [_HOURS]
    known = {channel.variable for channel in (*ALL, WATCHDOG)} | {f"{PREFIX}{_HOURS.upper()}"}
    for name in environ:
        if name.startswith(PREFIX) and name not in known:
            raise ConfigError(secret_files.unknown(f"The variable {name}", name, known, _NO_CHANNEL))
    for place, names in ((folder(home), files), *((folder(home) / team, files[: len(ALL)]) for team in TEAMS)):
        for path in place.iterdir() if place.is_dir() else ():
            team = place == folder(home) and path.is_dir() and path.name in TEAMS
            if not team and not path.name.startswith(".") and path.name not in names:
                raise ConfigError(secret_files.unknown(f"The file {path}", path.name, names, _NO_CHANNEL))


def read(channel: Channel, home: Path, environ: Mapping[str, str], team: str | None = None) -> Settings | None:
    """Return what a channel was given, or None when it is off.

    Args:
        channel: Which one.
        home: The stack's home.
        environ: The environment.
        team: Whose file goes before the common one.

    Raises:
        ConfigError: Its file cannot be read, can be read by others, is empty or says something else.
    """
    found = _find(channel, home, environ, team)
    if found is None:
        return None
    path, source = found
    text = secret_files.given(path, source, channel.allowed)
    try:
        return channel.parse(text.split())
    except ValueError as error:
        # The text itself is a secret: only what is wrong with it is said.
        message = (
            f"{source} {error}. Allowed: {channel.allowed}. Correct it, or remove it to switch {channel.name} off."
        )
        raise ConfigError(message) from None


def _find(channel: Channel, home: Path, environ: Mapping[str, str], team: str | None) -> tuple[Path, str] | None:
    own = folder(home) / (team or "") / channel.file
    if team and own.exists():
        return own, f"The file {own}"
    if named := environ.get(channel.variable):
        return Path(named).expanduser(), f"{channel.variable}={named}"
    common = folder(home) / channel.file
    return (common, f"The file {common}") if common.exists() else None


def read_hours(home: Path, environ: Mapping[str, str], calendars: Iterable[str]) -> list[str]:
    """Return the market calendars outside of which warnings wait; empty when they never do.

    Args:
        home: The stack's home; a file `market_hours` beside the secrets holds the names.
        environ: The environment; `STACK_ALERT_MARKET_HOURS` wins over the file.
        calendars: Those that exist.

    Raises:
        ConfigError: One does not exist.
    """
    path, variable = folder(home) / _HOURS, f"{PREFIX}{_HOURS.upper()}"
    text = environ.get(variable) or (path.read_text(encoding="utf-8") if path.is_file() else "")
    names = text.replace(",", " ").split()
    for name in names:
        if name not in calendars:
            source = variable if environ.get(variable) else f"The file {path}"
            message = f"{source} names {name!r}. Allowed: {', '.join(calendars)}, comma between. Correct or remove it."
            raise ConfigError(message)
    return names
