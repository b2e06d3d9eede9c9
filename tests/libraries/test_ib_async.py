"""ib_async, oldest and newest, at a stand-in of TWS: see `ib` for what is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ib_async
import pytest
from ib import BadInput, check

from otel_trading.instrumentation.ib_async import IbAsyncInstrumentor

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack


@pytest.mark.timeout(120)
def test_the_bot_and_prometheus_agree(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "ib_async")


class TestBadInput(BadInput):
    library = ib_async
    instrumentor = IbAsyncInstrumentor()
