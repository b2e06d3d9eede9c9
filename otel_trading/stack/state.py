"""What runs, in `state.json` of the stack's home: written by `up`, read by `status` and `down`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from otel_trading import __version__
from otel_trading.errors import StackError
from otel_trading.stack import versions
from otel_trading.stack.ports import Ports

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Exposed", "Kind", "Service", "State"]

Kind = Literal["native", "docker"]


@dataclass(frozen=True)
class Service:
    """One running part of the stack.

    Attributes:
        name: What people call it.
        version: Which one runs.
        url: Where a person or a program reaches it.
        health: URL that answers 200 when it can work.
        since: When it was started, RFC 3339.
        pid: Its process, or None in a container.
        birth: When the system says that this process began: a re-used pid has another.
        certificate: File with the certificate that `health`, then an address of TLS, has to show; else empty.
        launch: Digest of how it was started.
    """

    name: str
    version: str
    url: str
    health: str
    since: str
    pid: int | None = None
    birth: str = ""
    certificate: str = ""
    launch: str = ""


@dataclass(frozen=True)
class Exposed:
    """How other machines reach the stack.

    Attributes:
        address: IP address of this machine.
        names: What else others call it: host names, or an address before it.
        certificate: File of the user's own certificate; empty for one that we make.
        key: File of its key.
        until: When the certificate ends, RFC 3339.
        stamp: Changes with every file that the gate reads.
    """

    address: str
    names: tuple[str, ...] = ()
    certificate: str = ""
    key: str = ""
    until: str = ""
    stamp: str = ""


@dataclass
class State:
    """The whole of `state.json`."""

    kind: Kind
    ports: Ports
    interval: str | None = None
    speedup: float = 1
    services: list[Service] = field(default_factory=list[Service])
    exposed: Exposed | None = None
    version: str = __version__

    @staticmethod
    def path(home: Path) -> Path:
        """Return where the state of this home is kept."""
        return home / "state.json"

    @classmethod
    def load(cls, home: Path) -> State | None:
        """Read the state, or None when nothing was started here.

        Raises:
            StackError: The file is there and cannot be read.
        """
        path = cls.path(home)
        if not path.exists():
            return None
        try:
            data: dict[str, Any] = json.loads(path.read_text())
            _check_version(home, data.get("version", ""))
            services = [Service(**service) for service in data["services"]]
            return cls(
                kind=data["kind"],
                ports=Ports(**data["ports"]),
                interval=data.get("interval"),
                speedup=data.get("speedup", 1),
                services=services,
                exposed=_exposed(data.get("exposed")),
                version=data.get("version", ""),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            message = (
                f"{path} is not what `otel-trading up` wrote ({error!r}). "
                "End the servers by hand, remove it, then: otel-trading up"
            )
            raise StackError(message) from error

    def save(self, home: Path) -> None:
        """Write the state in one step: a reader sees the old or the new one."""
        path = self.path(home)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), indent=1) + "\n")
        new.replace(path)

    def remove(self, home: Path) -> None:
        """Forget: nothing runs any more."""
        self.path(home).unlink(missing_ok=True)


def _exposed(data: dict[str, Any] | None) -> Exposed | None:
    return None if data is None else Exposed(names=tuple(data.pop("names")), **data)


def _check_version(home: Path, version: str) -> None:
    if versions.is_newer(version, __version__):
        message = (
            f"The stack in {home} was started by otel-trading {version}; this is {__version__}, which is older and "
            "cannot drive it. End it with that one first: otel-trading down"
        )
        raise StackError(message)
