"""What a process says of itself: that it lives, in which mode, and that it ended."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading import _context, meter
from otel_trading.instrumentation import freqtrade
from otel_trading.sdk.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.testing import CapturingMeter


def _said(capmeter: CapturingMeter) -> dict[tuple[str, str], float]:
    return {
        (one.name.removeprefix("trading.sdk."), one.attributes["trading.mode"]): one.value
        for one in capmeter.samples()
        if one.name != "trading.sdk.start.time"
    }


def test_it_beats_at_each_collection_and_says_that_the_process_runs(capmeter: CapturingMeter) -> None:
    times = iter((90.0, 100.0, 110.0))
    heartbeat = Heartbeat(lambda: next(times))

    assert _said(capmeter) == {("heartbeat.time", "live"): 100, ("running", "live"): 1}
    assert _said(capmeter) == {("heartbeat.time", "live"): 110, ("running", "live"): 1}
    assert heartbeat


def test_when_it_began_is_said_to_the_end(capmeter: CapturingMeter) -> None:
    """What it counted belongs to that moment: counts on boards tell two processes of one instance apart by it."""
    times = iter((90.0, 100.0))
    heartbeat = Heartbeat(lambda: next(times))
    assert capmeter.value("trading.sdk.start.time") == 90
    heartbeat.stop()
    assert capmeter.value("trading.sdk.start.time") == 90


def test_the_last_word_is_that_nothing_runs_and_the_heartbeat_has_ended(capmeter: CapturingMeter) -> None:
    heartbeat = Heartbeat()
    _said(capmeter)
    heartbeat.stop()

    assert _said(capmeter) == {("running", "live"): 0}


def test_a_process_that_ends_before_its_first_export_says_so_too(capmeter: CapturingMeter) -> None:
    heartbeat = Heartbeat()
    heartbeat.stop()

    assert _said(capmeter) == {("running", "live"): 0}


def test_a_mode_that_was_left_has_ended(capmeter: CapturingMeter) -> None:
    heartbeat = Heartbeat(lambda: 100.0)
    _said(capmeter)
    meter.defaults(mode="paper")

    assert _said(capmeter) == {("heartbeat.time", "paper"): 100, ("running", "live"): 0, ("running", "paper"): 1}
    heartbeat.stop()

    assert _said(capmeter) == {("running", "live"): 0, ("running", "paper"): 0}


@pytest.mark.parametrize(
    ("hook", "config", "mode"),
    [(freqtrade._made, {"dry_run": True}, "paper"), (freqtrade._tester_made, {"dry_run": True}, "backtest")],
)
def test_a_freqtrade_without_real_money_is_no_live_process(
    capmeter: CapturingMeter, hook: Callable[..., Any], config: dict[str, Any], mode: str
) -> None:
    """Its death, and what it watches in threads of its own, would page."""
    heartbeat = Heartbeat(lambda: 100.0)
    _said(capmeter)
    made: list[object] = []
    hook(made.append, object(), (config,), {})
    assert made == [config]

    assert _said(capmeter) == {("heartbeat.time", mode): 100, ("running", "live"): 0, ("running", mode): 1}
    thread = threading.Thread(target=lambda: meter.connection_changed(name="ws", state="disconnected"))
    thread.start()
    thread.join(5)
    assert capmeter.value("trading.connection.status", state="disconnected", mode=mode) == 1
    hook(made.append, object(), ({},), {})
    assert made == [config, {}]
    assert heartbeat


def test_a_flush_inside_a_backtest_says_nothing_of_a_backtest(capmeter: CapturingMeter) -> None:
    heartbeat = Heartbeat(lambda: 100.0)
    with _context.scope({"trading.mode": "backtest"}):
        assert _said(capmeter) == {("heartbeat.time", "live"): 100, ("running", "live"): 1}

    assert heartbeat
