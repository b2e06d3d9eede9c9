"""The stack's ports: the field's usual numbers, or free ones for tests."""

from __future__ import annotations

import errno
import socket
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from otel_trading.errors import StackError

__all__ = ["HOST", "Ports"]

HOST = "127.0.0.1"


@dataclass(frozen=True)
class Ports:
    """One loopback TCP port per purpose."""

    otlp_grpc: int = 4317
    otlp_http: int = 4318
    collector_metrics: int = 8888
    collector_health: int = 13133
    prometheus: int = 9090
    alertmanager: int = 9093
    grafana: int = 3000
    webhook: int = 5001
    canary: int = 5002

    @classmethod
    def free(cls) -> Ports:
        """Return ports that nobody uses at the moment, all different."""
        with ExitStack() as held:
            sockets = [held.enter_context(socket.socket()) for _ in fields(cls)]
            for one in sockets:
                one.bind((HOST, 0))
            return cls(*(int(one.getsockname()[1]) for one in sockets))

    def check(self, names: tuple[str, ...], host: str = HOST) -> None:
        """Make sure that the ports of these names can be had.

        Args:
            names: Which ones.
            host: On which address of this machine.

        Raises:
            StackError: One is taken; says by whom, as far as the system tells, and what to do.
        """
        numbers = asdict(self)
        for name in names:
            _check(name, numbers[name], host)


def _check(name: str, port: int, host: str) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # As the servers do: a port in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EACCES:
                why = "may not be used by this user. Choose one above 1023"
            else:
                why = f"is taken by {_owner(port)}. Stop that, or choose another"
            where = "" if host == HOST else f" on {host}"
            message = f"Port {port} ({name}){where} {why}: otel-trading up --port {name}=NUMBER"
            raise StackError(message) from error


def _owner(port: int) -> str:
    """Name the process that listens, from Linux' /proc; other systems and other users' processes stay unknown."""
    inodes = _listening_inodes(port)
    for link in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        with suppress(OSError):  # gone meanwhile, or not ours to read
            if str(link.readlink()) in inodes:
                process = link.parents[1]
                return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
    return f"another program (`lsof -i :{port}` may tell which)"


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        if not table.exists():
            continue
        for row in table.read_text().splitlines()[1:]:
            columns = row.split()
            # local_address is hexadecimal ADDRESS:PORT, state 0A is LISTEN
            if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                found.add(f"socket:[{columns[9]}]")
    return found
