"""Headers of venues, which are left to the next collection: what they tell is what it was when they came."""

from __future__ import annotations

import time
from email.utils import formatdate
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from multidict import CIMultiDict
from requests.structures import CaseInsensitiveDict

from otel_trading import _context, trackers
from otel_trading.instrumentation import _replies

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.testing import CapturingMeter

USED, USAGE = "X-MBX-USED-WEIGHT-1M", "trading.rate_limit.usage"


def _tell(headers: Mapping[str, str], status: int = 200, sent: float | None = None) -> None:
    _replies.tell("nowhere", status, headers, time.time() if sent is None else sent)


def _values(capmeter: CapturingMeter, name: str) -> list[float]:
    return [sample.value for sample in capmeter.samples(name)]


def test_of_many_replies_the_last_one_counts_and_few_are_kept(capmeter: CapturingMeter) -> None:
    for used in range(100):
        _tell({USED: str(used)})

    kept = trackers.default().venues.unread.get(("nowhere", _context.current()))
    assert isinstance(kept, _replies._Replies)
    assert len(kept.unread) < 32
    assert _values(capmeter, USAGE) == [99]


def test_what_only_an_earlier_reply_told_is_not_forgotten(capmeter: CapturingMeter) -> None:
    _tell({USED: "5"})
    _tell({"Content-Length": "2"})

    assert _values(capmeter, USAGE) == [5]


@pytest.mark.parametrize("kind", [dict, CaseInsensitiveDict, CIMultiDict])
def test_names_are_read_in_any_case(
    capmeter: CapturingMeter, kind: Callable[[dict[str, str]], Mapping[str, str]]
) -> None:
    _tell(kind({"x-Mbx-Used-Weight-1M": "7"}))

    assert _values(capmeter, USAGE) == [7]


def test_of_a_header_that_comes_twice_the_last_counts(capmeter: CapturingMeter) -> None:
    _tell(CIMultiDict([(USED, "1"), ("Date", "x"), (USED.lower(), "2")]))

    assert _values(capmeter, USAGE) == [2]


def test_a_refusal_counts_when_it_comes(capmeter: CapturingMeter) -> None:
    for status, headers in ((429, {}), (418, {}), (503, {"Retry-after": "1"}), (503, {}), (404, {"Retry-After": "1"})):
        _tell(headers, status)

    assert {
        sample.attributes["error.type"]: sample.value for sample in capmeter.samples("trading.rate_limit.rejections")
    } == {
        "429": 1,
        "418": 1,
        "503": 1,
    }


def test_the_clock_is_that_of_the_moment_when_the_reply_came(
    capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1_700_000_000.0
    monkeypatch.setattr(_replies, "time", SimpleNamespace(time=lambda: now - 5))
    _tell({"Date": formatdate(now, usegmt=True)}, sent=now - 5.1)
    monkeypatch.setattr(_replies, "time", SimpleNamespace(time=lambda: now + 500))

    assert _values(capmeter, "trading.venue.clock.offset") == [pytest.approx(-5)]


def test_what_are_no_headers_harms_nobody(capmeter: CapturingMeter) -> None:
    changed: Any = SimpleNamespace()  # of a library that we do not know
    _tell(changed)
    _tell({USED: "3"})

    assert _values(capmeter, USAGE) == [3]
    assert _values(capmeter, "trading.sdk.dropped") == [1]
