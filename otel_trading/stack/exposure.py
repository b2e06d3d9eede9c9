"""Lets other machines in: the secrets and certificates of an exposed stack, and the gate that asks for them.

The servers stay as they are, on loopback. The gate listens on the same ports of another address, speaks nothing but
TLS, and hands on what brings the token of the bots (OTLP) or the password of the operators (Prometheus, Alertmanager).
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Final

from otel_trading.errors import ConfigError
from otel_trading.stack import expose_request, processes, secret_files
from otel_trading.stack.launches import Launch
from otel_trading.stack.ports import HOST
from otel_trading.stack.servers import GATE

if TYPE_CHECKING:
    from otel_trading.stack.expose_request import Expose
    from otel_trading.stack.ports import Ports
    from otel_trading.stack.progress import Progress
    from otel_trading.stack.state import Exposed, State

__all__ = [
    "OPERATOR",
    "authority_file",
    "bot_token",
    "end_outdated",
    "launch",
    "open_up",
    "operator_password",
    "url",
    "warning",
]

#: Whom browsers are to name with that password; the gate takes any name.
OPERATOR: Final = "operator"
#: Port, how the server behind it is spoken to, whose secret opens it.
_GATES: Final = (
    ("otlp_grpc", "h2c", "bot_token"),
    ("otlp_http", "http", "bot_token"),
    ("prometheus", "http", "operator_password"),
    ("alertmanager", "http", "operator_password"),
)
_PORTS: Final = tuple(name for name, _, _ in _GATES)
_SHORTEST: Final = 32
_SOON_DAYS: Final = 30


def authority_file(home: Path) -> Path:
    """Return the certificate of our CA, which bots have to know."""
    return _folder(home) / "ca.pem"


def bot_token(home: Path) -> Path:
    """Return the file with the token that OTLP asks for; more lines are more tokens."""
    return _folder(home) / "bot_token"


def operator_password(home: Path) -> Path:
    """Return the file with the password that Prometheus and Alertmanager ask for."""
    return _folder(home) / "operator_password"


def url(exposed: Exposed, port: int) -> str:
    """Return the URL of one of the gate's ports, by the name that others were told first."""
    name = exposed.names[0] if exposed.names else exposed.address
    return f"https://{_host(name)}:{port}"


def open_up(home: Path, asked: Expose | None, before: State | None, ports: Ports, progress: Progress) -> Exposed | None:
    """Make what an exposed stack needs; what runs goes on.

    Args:
        home: The stack's home.
        asked: What is asked for now.
        before: What runs.
        ports: Where the servers listen.
        progress: Who is told.

    Returns:
        How it is exposed, or None.

    Raises:
        ConfigError: What is asked for, or a file, cannot be used.
        StackError: The address or a port of it cannot be had.
    """
    was = before.exposed if before else None
    decided = expose_request.decide(asked, was)
    if decided is None:
        return None
    if was is None or was.address != decided.address:
        ports.check(_PORTS, decided.address)
    return _made(home, decided, progress)


def end_outdated(before: State, exposed: Exposed | None) -> None:
    """End a gate that has not what it shall have, for another one to take its place."""
    if exposed != before.exposed:
        processes.stop((one.pid, one.birth) for one in before.services if one.name == GATE.name)


def launch(home: Path, ports: Ports, exposed: Exposed, gate: Path) -> Launch:
    """Return how the gate is started: with the names of files, never with what is in them."""
    certificate, key = _pair(home, exposed)
    address = _host(exposed.address)
    command = [str(gate), str(certificate), str(key)]
    for name, scheme, secret in _GATES:
        port = getattr(ports, name)
        command += [f"{address}:{port}", f"{scheme}://{HOST}:{port}", str(_folder(home) / secret)]
    where = f"https://{address}:{ports.otlp_http}"
    return Launch(
        GATE.name, GATE.version, command, where, where, _PORTS, host=exposed.address, certificate=str(certificate)
    )


def warning(exposed: Exposed) -> str:
    """Return what to say of a certificate that ends soon, else nothing."""
    days = (datetime.fromisoformat(exposed.until) - datetime.now(timezone.utc)).days
    if days >= _SOON_DAYS:
        return ""
    ends = "has ended" if days < 0 else f"ends in {days} days"
    first = f"put a new one into {exposed.certificate}, then: " if exposed.certificate else ""
    return f"the certificate for other machines {ends} ({exposed.until[:10]}); {first}otel-trading up"


def _made(home: Path, exposed: Exposed, progress: Progress) -> Exposed:
    """Make what is missing or ends soon."""
    from otel_trading.stack import authority  # noqa: PLC0415  needs the extra
    from otel_trading.stack.certificates import Pair  # noqa: PLC0415

    folder, files = _folder(home), (bot_token(home), operator_password(home))
    folder.parent.mkdir(mode=0o700, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    for file in files:
        _make_secret(file)
    if exposed.certificate:
        until = expose_request.judge(exposed)
    else:
        ca = Pair(authority_file(home), folder / "ca.key")
        if authority.authority(ca):
            progress.say(f"A new CA, which every bot on another machine needs: {ca.certificate}")
        until = authority.server(
            Pair(*_pair(home, exposed)), ca, list(dict.fromkeys((exposed.address, *exposed.names)))
        )
    stamp = " ".join(str(file.stat().st_mtime_ns) for file in (*_pair(home, exposed), *files))
    return replace(exposed, until=until.isoformat(), stamp=stamp)


def _make_secret(file: Path) -> None:
    from otel_trading.stack.authority import write  # noqa: PLC0415  needs the extra

    if not file.exists():
        write(file, f"{secrets.token_urlsafe(_SHORTEST)}\n".encode())
    what = f"lines of {_SHORTEST} and more random characters; without the file `up` makes one"
    given = secret_files.given(file, f"The file {file}", what).split()
    if any(len(one) < _SHORTEST for one in given):
        message = f"The file {file} holds one that could be guessed. Allowed: {what}."
        raise ConfigError(message)


def _folder(home: Path) -> Path:
    return home / "secrets" / "exposed"


def _pair(home: Path, exposed: Exposed) -> tuple[Path, Path]:
    if exposed.certificate:
        return Path(exposed.certificate), Path(exposed.key)
    return _folder(home) / "server.pem", _folder(home) / "server.key"


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name
