"""What a user asks of `otel-trading up --expose`, judged before anything is made or started."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_trading.errors import ConfigError, StackError
from otel_trading.stack.ports import HOST
from otel_trading.stack.state import Exposed

if TYPE_CHECKING:
    from datetime import datetime

__all__ = ["Expose", "decide", "judge"]

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_NAME: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(?:\.{_LABEL})*")


@dataclass(frozen=True)
class Expose:
    """What is asked for; what is left out stays as it was, or is chosen.

    Attributes:
        address: IP address of this machine; empty for the one by which it reaches others.
        names: What else others call it: host names, or the address of a router before it.
        certificate: PEM file of the user's own certificate.
        key: PEM file of its key.
    """

    address: str = ""
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None


def decide(asked: Expose | None, before: Exposed | None) -> Exposed | None:
    """Return how the stack is to be exposed, or None; touches nothing.

    Args:
        asked: What is asked for now.
        before: How it is exposed already.

    Raises:
        ConfigError: What is asked for cannot be.
        StackError: This machine lacks the address, or this installation the extra.
    """
    if asked is None and before is None:
        return None
    asked, before = asked or Expose(), before or Exposed("")
    if find_spec("cryptography") is None:
        message = "--expose makes and reads certificates with an extra: pip install 'otel-trading[expose]'"
        raise StackError(message)
    if (asked.certificate is None) != (asked.key is None):
        message = "A certificate of your own and its key go together: --expose-certificate FILE --expose-key FILE"
        raise ConfigError(message)
    address = asked.address or before.address
    decided = replace(
        before,
        address=_address(address) if address else _outward(),
        names=tuple(dict.fromkeys(map(_name, asked.names))) or before.names,
    )
    if asked.certificate and asked.key:
        decided = replace(decided, certificate=_absolute(asked.certificate), key=_absolute(asked.key))
    if decided.certificate:
        judge(decided)
    return decided


def judge(exposed: Exposed) -> datetime:
    """Return until when the user's own certificate holds.

    Raises:
        ConfigError: It cannot be used.
    """
    from otel_trading.stack import certificates  # noqa: PLC0415  needs the extra

    pair = certificates.Pair(Path(exposed.certificate), Path(exposed.key))
    return certificates.judge(pair, exposed.names or (exposed.address,))


def _absolute(file: Path) -> str:
    return str(file.expanduser().absolute())


def _address(text: str) -> str:
    try:
        address = ipaddress.ip_address(text)
    except ValueError as error:
        message = (
            f"--expose is {text!r}. Allowed: an IP address of this machine, or none for the one by which it reaches "
            "others. What bots call it goes into --expose-as NAME"
        )
        raise ConfigError(message) from error
    if address.is_unspecified or text == HOST or getattr(address, "scope_id", None):
        message = f"--expose is {text!r}. Allowed: one address by which other machines reach this one."
        raise ConfigError(message)
    with socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6) as probe:  # noqa: PLR2004  IPv4
        try:
            probe.bind((str(address), 0))
        except OSError as error:
            message = f"This machine has no address {address} ({error.strerror}). Name one of its own: --expose ADDRESS"
            raise StackError(message) from error
    return str(address)


def _outward() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address of documentation; no packet leaves
        except OSError as error:
            message = f"This machine reaches no other ({error.strerror}). Name its address: --expose ADDRESS"
            raise StackError(message) from error
        return _address(str(probe.getsockname()[0]))


def _name(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        name = text.lower().rstrip(".")
    if not _HOST_NAME.fullmatch(name):
        message = f"--expose-as is {text!r}. Allowed: a host name or an IP address by which bots reach this machine."
        raise ConfigError(message)
    return name
