"""Nobody outside of this machine reaches the stack, and no server holds a secret where others can list it."""

from __future__ import annotations

import dataclasses
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from otel_trading.stack import Ports, status, up
from stack_support import quiet

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


def _own_address() -> str:
    """The address under which others reach this machine; a loopback one beside ours where it has no network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # no packet leaves
        except OSError:
            return "127.0.0.2"
        return str(probe.getsockname()[0])


def _ports(stack: Stack) -> dict[str, int]:
    """Where the stack listens; Grafana only where there is one."""
    running = {service.service for service in status(home=stack.home)}
    return {
        name: port for name, port in dataclasses.asdict(stack.ports).items() if name != "grafana" or name in running
    }


def test_every_port_outside_loopback_is_refused(stack: Stack) -> None:
    for name, port in _ports(stack).items():
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
        with pytest.raises(ConnectionRefusedError), socket.create_connection((_own_address(), port), timeout=5):
            pytest.fail(f"{name} answers on {_own_address()}:{port}")


def test_no_server_holds_a_secret_of_the_shell_that_started_it(
    stack_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_API_SECRET", "PLANTED")
    monkeypatch.setenv("BOT_TOKEN", "PLANTED")
    up(home=stack_home, kind="native", ports=Ports.free(), progress=quiet())
    seen = {
        one.service: Path(f"/proc/{one.pid}/environ").read_bytes() + Path(f"/proc/{one.pid}/cmdline").read_bytes()
        for one in status(home=stack_home)
    }
    password = (stack_home / "secrets" / "grafana_admin_password").read_text()

    assert {"collector", "prometheus", "alertmanager"} <= seen.keys()
    assert all(os.fsencode(stack_home) in listing for name, listing in seen.items() if name == "collector")
    for name, listing in seen.items():
        assert b"PLANTED" not in listing, name
        assert password.encode() not in listing, name
