"""What a bot logs: errors are counted once, and records can say their trace."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from otel_trading import meter
from otel_trading.instrumentation.logging import LoggedErrorsInstrumentor

if TYPE_CHECKING:
    from collections.abc import Generator

    from otel_trading.testing import CapturingMeter


@pytest.fixture
def counted(capmeter: CapturingMeter) -> Generator[CapturingMeter]:
    instrumentor = LoggedErrorsInstrumentor()
    instrumentor.instrument()
    yield capmeter
    instrumentor.uninstrument()


def test_errors_are_counted_by_logger(counted: CapturingMeter) -> None:
    logger = logging.getLogger("bot.x")
    logger.warning("no error")
    logger.error("one %s", "argument")
    logger.critical("two")
    logging.getLogger("bot.y").error("three")

    assert counted.value("trading.log.errors", logger="bot.x") == 2
    assert counted.value("trading.log.errors", logger="bot.y") == 1


def test_a_meter_that_fails_leaves_the_record_alone(
    counted: CapturingMeter, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(meter, "error_logged", lambda **_: 1 / 0)
    logging.getLogger("bot.x").error("arrives")

    assert caplog.messages == ["arrives"]
    assert counted.value("trading.sdk.dropped", reason="internal_error") == 1


def test_twice_is_once_and_off_is_off(counted: CapturingMeter) -> None:
    LoggedErrorsInstrumentor().instrument()
    logging.getLogger("bot.x").error("one")
    LoggedErrorsInstrumentor().uninstrument()
    logging.getLogger("bot.x").error("unseen")
    LoggedErrorsInstrumentor().instrument()

    assert counted.value("trading.log.errors", logger="bot.x") == 1
