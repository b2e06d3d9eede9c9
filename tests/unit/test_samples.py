from __future__ import annotations

from typing import TYPE_CHECKING

from otel_trading.instrumentation._samples import Sample

if TYPE_CHECKING:
    import pytest


def test_of_a_quiet_feed_all_belong_to_the_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    sample = Sample()
    for _ in range(50):
        now[0] += 0.101
        assert sample.takes()


def test_of_a_busy_feed_the_first_ten_of_a_second_and_every_sixteenth(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    sample = Sample()
    for _ in range(3):
        now[0] += 1.0
        taken = [number for number in range(1, 101) if sample.takes()]
        assert taken == [*range(1, 11), 16, 32, 48, 64, 80, 96]
