from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from otel_trading import _accounts, _guard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from otel_trading.testing import CapturingMeter

# How long an example takes is the machine's affair.
settings.register_profile("any machine", deadline=None)
settings.load_profile("any machine")


@pytest.fixture
def production(capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> CapturingMeter:
    """A capmeter in production mode: nothing raises, losses are counted, each call site warns anew."""
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")
    monkeypatch.setattr(_guard, "_warned", set())
    return capmeter


@pytest.fixture
def account_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The key of this machine, in a folder of the test: no test leaves one in a developer's home."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    _accounts.forget()
    yield tmp_path / "otel-trading" / "account-key"
    _accounts.forget()
