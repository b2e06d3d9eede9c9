"""An account number never leaves: it becomes `acct-` and a hash, keyed so that nobody finds the number by trying all.

The key is a file of this machine's user, made when it is first needed, so an account keeps its alias after a restart
and in every bot. What is no number, such as `main` or an alias of ours, stays as the user states it.
"""

from __future__ import annotations

import logging
import os
import re
from functools import cache
from typing import TYPE_CHECKING, Final

from otel_trading import _secrets, environment
from otel_trading.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["alias", "check", "forget"]

_OURS: Final = re.compile(r"acct-[0-9a-f]{8}")
_DIGITS_OF_A_NUMBER: Final = 5
_OTHERS_MAY_READ: Final = 0o077
_SHORTEST_KEY: Final = 16
_log: Final = logging.getLogger("otel_trading")


def alias(account: str) -> str:
    """Return what stands for an account: the same each time, and its own alias again.

    Args:
        account: As the bot or its broker calls it; every mention of a number in a text is replaced from now on.
    """
    number = account.strip()
    wanted = environment.OTEL_TRADING_ACCOUNT_ALIAS.get()
    if not number or wanted == "never" or _OURS.fullmatch(number):
        return account
    if wanted == "numbers" and not _is_number(number):
        return account
    return _hashed(number)


def check() -> None:
    """Read the key that the user names, so that a wrong one ends the start.

    Raises:
        ConfigError: It cannot be read, can be read by others, or is too short.
    """
    if environment.OTEL_TRADING_ACCOUNT_KEY_FILE.get():
        _key()


def forget() -> None:
    """Read the key again; for tests."""
    _hashed.cache_clear()
    _key.cache_clear()
    _secrets.forget()


@cache
def _hashed(number: str) -> str:
    import hmac  # noqa: PLC0415  with hashlib half as long to import as the rest of us

    made = "acct-" + hmac.new(_key(), number.encode(errors="replace"), "sha256").hexdigest()[:8]
    if _is_number(number):  # a name such as `kraken` is also that of a venue
        _secrets.replace(number, made)
    return made


def _is_number(account: str) -> bool:
    return sum(map(str.isdecimal, account)) >= _DIGITS_OF_A_NUMBER


@cache
def _key() -> bytes:
    from pathlib import Path  # noqa: PLC0415  as below

    named = environment.OTEL_TRADING_ACCOUNT_KEY_FILE.get()
    if named:
        return _read(Path(named))
    try:
        return _read(_made())
    except (OSError, ConfigError) as error:
        _log.warning(
            "Account numbers get another alias at each start, because the key of this machine cannot be kept (%s). "
            "Name a file that can be read in %s.",
            error,
            environment.OTEL_TRADING_ACCOUNT_KEY_FILE.name,
        )
        return os.urandom(32)


def _made() -> Path:
    """Return the key's file, made when missing; of two bots that start at once one makes it, whole."""
    import platformdirs  # noqa: PLC0415  only a bot with an account number pays for it

    path = platformdirs.user_data_path("otel-trading") / "account-key"
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(os.urandom(32).hex())
        try:
            os.link(new, path)
        except FileExistsError:
            pass
        finally:
            new.unlink()
    return path


def _read(path: Path) -> bytes:
    name = environment.OTEL_TRADING_ACCOUNT_KEY_FILE.name
    try:
        key, mode = path.read_bytes().strip(), path.stat().st_mode
    except OSError as error:
        message = f"{name}: {path} cannot be read ({error.strerror or error}). Name a file that holds a random key."
        raise ConfigError(message) from error
    if len(key) < _SHORTEST_KEY:
        message = f"{name}: {path} holds {len(key)} characters. Allowed: {_SHORTEST_KEY} and more, all random."
        raise ConfigError(message)
    if os.name == "posix" and mode & _OTHERS_MAY_READ:
        message = f"{name}: {path} can be read by other users of this machine. Keep it to yourself: chmod 600 {path}"
        raise ConfigError(message)
    return key
