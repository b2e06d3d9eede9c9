"""requests, oldest and newest, in an unchanged script: see `http_client` for what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from http_client import check, taken_off_under_way

from otel_trading.instrumentation.requests import RequestsVenueInstrumentor

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter


def test_replies_are_held_by_venue(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "requests")


def test_uninstrumenting_under_way_harms_nobody(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    taken_off_under_way(requests, RequestsVenueInstrumentor(), monkeypatch)
    assert "PLANTED" not in str(capmeter.samples())
    assert not capmeter.samples("trading.sdk.dropped")
