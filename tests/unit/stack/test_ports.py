from __future__ import annotations

import os
import re
import socket
from dataclasses import asdict
from pathlib import Path

import pytest

from otel_trading.errors import StackError
from otel_trading.stack.ports import Ports


def test_free_ports_are_different_and_can_be_had() -> None:
    ports = Ports.free()
    assert len(set(asdict(ports).values())) == len(asdict(ports))
    ports.check(tuple(asdict(ports)))


def test_a_taken_port_is_named_with_its_owner_and_a_way_out() -> None:
    ports = Ports.free()
    with socket.socket() as occupant:
        occupant.bind(("127.0.0.1", ports.prometheus))
        occupant.listen()
        with pytest.raises(StackError) as refusal:
            ports.check(("webhook", "prometheus"))
    sentence = str(refusal.value)
    assert f"Port {ports.prometheus} (prometheus) is taken by" in sentence
    assert "otel-trading up --port prometheus=NUMBER" in sentence
    if Path("/proc/self/fd").exists():
        assert re.search(rf"\(pid {os.getpid()}\)", sentence)
