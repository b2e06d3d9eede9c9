"""What a process says of itself: that it lives, in which mode, and that it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading import _context, meter
from otel_trading.sdk.heartbeat import Heartbeat

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter


def _said(capmeter: CapturingMeter) -> dict[tuple[str, str], float]:
    return {
        (one.name.removeprefix("trading.sdk."), one.attributes["trading.mode"]): one.value for one in capmeter.samples()
    }


def test_it_beats_at_each_collection_and_says_that_the_process_runs(capmeter: CapturingMeter) -> None:
    times = iter((100.0, 110.0))
    heartbeat = Heartbeat(lambda: next(times))

    assert _said(capmeter) == {("heartbeat.time", "live"): 100, ("running", "live"): 1}
    assert _said(capmeter) == {("heartbeat.time", "live"): 110, ("running", "live"): 1}
    assert heartbeat


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


def test_a_flush_inside_a_backtest_says_nothing_of_a_backtest(capmeter: CapturingMeter) -> None:
    heartbeat = Heartbeat(lambda: 100.0)
    with _context.scope({"trading.mode": "backtest"}):
        assert _said(capmeter) == {("heartbeat.time", "live"): 100, ("running", "live"): 1}

    assert heartbeat
