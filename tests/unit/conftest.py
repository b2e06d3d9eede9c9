from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from otel_trading import _guard

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter


@pytest.fixture
def production(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> CapturingMeter:
    """A capmeter in production mode: nothing raises, losses are counted, each call site warns anew."""
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    monkeypatch.setattr(_guard, "_warned", set())
    return capmeter
