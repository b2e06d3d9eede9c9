"""What the secret file of a Redis or PostgreSQL may say, and what the Collector makes of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from otel_trading.stack.ports import HOST

if TYPE_CHECKING:
    from otel_trading.stack.state import Kind

__all__ = ["ALL", "PREFIX", "Dependency", "Login"]

#: Of every variable that names the secret file of one.
PREFIX: Final = "STACK_DEPENDENCY_"
#: What a container calls the machine that it runs on.
_OUTSIDE: Final = "host.docker.internal"
#: What the receiver's driver would take for the end of a user or password.
_UNUSABLE: Final = re.compile(r"[\s'\\]")
_TLS: Final = {
    "disable": {"insecure": True},
    "require": {"insecure": False, "insecure_skip_verify": True},
    "verify-full": {"insecure": False, "insecure_skip_verify": False},
}


@dataclass(frozen=True)
class Login:
    """What a URL says, taken apart as the receivers want it."""

    endpoint: str
    username: str
    password: str
    tls: dict[str, bool]


@dataclass(frozen=True)
class Dependency:
    """A server that a bot may depend on.

    Attributes:
        name: Also of its receiver, of its secret file, and of its file in `collector/`.
        port: The usual one.
        schemes: URL scheme -> how it is encrypted; None where a parameter says so.
        allowed: What its secret file holds, for messages and the reference.
    """

    name: str
    port: int
    schemes: dict[str, str | None]
    allowed: str

    @property
    def variable(self) -> str:
        """The environment variable that names its secret file."""
        return f"{PREFIX}{self.name.upper()}_FILE"

    def login(self, text: str, kind: Kind) -> Login:
        """Take the text of its secret file apart.

        Args:
            text: A URL; a path in it is left aside, because the whole server is watched.
            kind: A container reaches the machine's own servers by another name.

        Raises:
            ValueError: It says something else; the message goes on where a name of the file ends.
        """
        url, port = self._split(text)
        user, password = unquote(url.username or ""), unquote(url.password or "")
        if self.name == "postgresql" and not (user and password):
            message = "names no user and password, without which the Collector cannot ask PostgreSQL"
            raise ValueError(message)
        if _UNUSABLE.search(user + password):
            message = "has a space, a quote or a backslash in its user or password, which the Collector cannot pass on"
            raise ValueError(message)
        host = url.hostname or (HOST if kind == "native" else _OUTSIDE)
        if kind == "docker" and _is_loopback(host):
            message = f"names {host}, which is the Collector's own container there; write {_OUTSIDE} instead"
            raise ValueError(message)
        return Login(f"[{host}]:{port}" if ":" in host else f"{host}:{port}", user, password, self._tls(url, host))

    def _split(self, text: str) -> tuple[SplitResult, int]:
        try:
            url = urlsplit(text)
            port = self.port if url.port is None else url.port
        except ValueError as error:
            # Its words would repeat a piece of a password that was not written as %XX.
            message = (
                "has a URL that cannot be taken apart; special characters of a user or password are written as %XX"
            )
            raise ValueError(message) from error
        if url.scheme not in self.schemes or not text.startswith(f"{url.scheme}://") or port == 0:
            message = f"has no URL that begins with {' or '.join(f'{scheme}://' for scheme in self.schemes)}"
            raise ValueError(message)
        return url, port

    def _tls(self, url: SplitResult, host: str) -> dict[str, bool]:
        """Return how to encrypt; away from this machine a password does not travel in clear unless somebody says so."""
        asked = parse_qs(url.query, keep_blank_values=True)
        mode = self.schemes[url.scheme]
        if mode is None:
            usual = "disable" if host == _OUTSIDE or _is_loopback(host) else "require"
            (mode,) = asked.pop("sslmode", [usual])[:1]
        if asked or url.fragment or mode not in _TLS:
            message = "has parameters that are not allowed"
            raise ValueError(message)
        return _TLS[mode]


def _is_loopback(host: str) -> bool:
    return host in {"localhost", "::1"} or host.startswith("127.")


ALL: Final = (
    Dependency(
        name="redis",
        port=6379,
        schemes={"redis": "disable", "rediss": "verify-full"},
        allowed="redis://[USER]:PASSWORD@HOST:PORT, rediss:// for TLS",
    ),
    Dependency(
        name="postgresql",
        port=5432,
        schemes={"postgresql": None, "postgres": None},
        allowed="postgresql://USER:PASSWORD@HOST:PORT?sslmode=disable, require or verify-full",
    ),
)
