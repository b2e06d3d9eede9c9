from __future__ import annotations

import logging
import os
import subprocess
import sys
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest
from unit_support import losses

from otel_trading import _guard, meter
from otel_trading.errors import ConventionError

if TYPE_CHECKING:
    from collections.abc import Callable

    from otel_trading.testing import CapturingMeter

FILL: dict[str, Any] = {
    "venue": "kraken",
    "symbol": "BTC/USD",
    "side": "buy",
    "price": 100,
    "quantity": 1,
    "currency": "USD",
}


class Mute:
    def __str__(self) -> str:
        raise ValueError("nothing to say")  # noqa: EM101, TRY003  a hostile object


class MuteError(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def _filled(**changed: object) -> Callable[[], object]:
    return lambda: meter.order_filled(**{**FILL, **changed})


def _loosely(name: str, /, *args: object, **kwargs: object) -> Callable[[], object]:
    return lambda: getattr(meter, name)(*args, **kwargs)


def _own_gauge_without_a_value() -> object:
    level: Any = meter.gauge("my.level")
    return level.set()


WRONG: dict[str, tuple[Callable[[], object], dict[str, float]]] = {
    "unknown keyword": (_filled(prise=1), {"invalid_value": 1}),
    "positional": (_loosely("order_filled", "buy", 1, 2), {"invalid_value": 1}),
    "unknown side": (_filled(side="long"), {"unknown_value": 1}),
    "upper-case side": (_filled(side="BUY"), {"unknown_value": 1}),
    "NaN price": (_filled(price=float("nan")), {"non_finite": 1}),
    "no price": (_filled(price="abc"), {"invalid_value": 1}),
    "bool quantity": (_filled(quantity=True), {"invalid_value": 1}),
    "negative quantity": (_filled(quantity=-1), {"invalid_value": 1}),
    "10^400": (_filled(quantity=10**400), {"non_finite": 1}),
    "product overflows": (_filled(price=1e300, quantity=1e300), {"non_finite": 1}),
    "no currency": (_filled(currency=None), {"invalid_value": 1}),
    "unhashable symbol": (_filled(symbol=["BTC/USD"]), {"invalid_value": 1}),
    "mute symbol": (_filled(symbol=Mute()), {"invalid_value": 1}),
    "unhashable client id": (_filled(client_id={}), {"invalid_value": 1}),
    "missing keyword": (_loosely("equity"), {"invalid_value": 1}),
    "equity without currency": (_loosely("equity", value=1), {"invalid_value": 1}),
    "P&L without currency": (_loosely("pnl", value=1), {"invalid_value": 1}),
    "limit without currency": (_loosely("risk_limit", name="x", limit=1), {"invalid_value": 1}),
    "acknowledged positionally": (_loosely("order_acknowledged", "id"), {"invalid_value": 1}),
    "canceled with a wrong keyword": (_loosely("order_canceled", id="id"), {"invalid_value": 1}),
    "expired with a wrong keyword": (_loosely("order_expired", id="id"), {"invalid_value": 1}),
    "denied with a wrong keyword": (_loosely("order_denied", why="id"), {"invalid_value": 1}),
    "milliseconds": (
        _loosely("market_data_received", source="x", kind="trade", venue_time=1_700_000_000_000),
        {"invalid_value": 1},
    ),
    "own counter without a number": (lambda: meter.counter("my.things").add("x"), {"invalid_value": 1}),
    "own counter going down": (lambda: meter.counter("my.things").add(-1), {"invalid_value": 1}),
    "own gauge without a value": (_own_gauge_without_a_value, {"invalid_value": 1}),
}
RIGHT = {
    "Decimal": _filled(price=Decimal("100.5"), quantity=Decimal(1)),
    "10^19": _filled(quantity=10**19),
    "text": _filled(price="100.5"),
    "everything optional left out": _filled(symbol=None, side=None, price=None, quantity=None),
    "megabyte symbol": _filled(symbol="B" * 1_000_000),
    "lone surrogate": _filled(symbol="\ud800"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_in_production_returns_and_is_counted_once(production: CapturingMeter, case: str) -> None:
    call, expected = WRONG[case]

    assert call() is None
    assert losses(production) == expected


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_call_in_strict_mode_raises(capmeter: CapturingMeter, case: str) -> None:
    with pytest.raises((ValueError, TypeError)):
        WRONG[case][0]()

    assert losses(capmeter) == {}


@pytest.mark.parametrize("case", RIGHT)
def test_an_unusual_but_right_call_loses_nothing(capmeter: CapturingMeter, case: str) -> None:
    RIGHT[case]()

    assert losses(capmeter) == {}
    assert capmeter.value("trading.execution.fills") == 1


def test_a_call_site_warns_once_and_counts_every_time(
    production: CapturingMeter, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        meter.order_filled(**{**FILL, "side": "long"})

    assert losses(production) == {"unknown_value": 5}
    (record,) = caplog.records
    assert __file__ in record.getMessage()
    assert "Use one of buy, sell" in record.getMessage()


def test_another_call_site_warns_again(production: CapturingMeter, caplog: pytest.LogCaptureFixture) -> None:
    meter.order_filled(**{**FILL, "side": "long"})
    meter.order_filled(**{**FILL, "side": "long"})

    assert losses(production) == {"unknown_value": 2}
    assert len(caplog.records) == 2


def test_the_number_of_warnings_is_bounded(
    production: CapturingMeter, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_guard, "_MAX_SITES", 3)

    for number in range(10):
        _guard.lose("invalid_value", f"{number} things went wrong")

    assert len(caplog.records) == 3
    assert losses(production) == {"invalid_value": 10}


def test_a_counter_that_fails_is_survived(production: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(reason: str) -> None:
        raise RuntimeError(reason)

    monkeypatch.setattr(_guard._Listener, "loss", fail)

    meter.order_filled(**{**FILL, "price": float("nan")})

    assert production.value("trading.execution.fills") == 1


def test_a_log_handler_that_fails_is_survived(production: CapturingMeter) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError(record)

    handler = Broken()
    logging.getLogger("otel_trading").addHandler(handler)
    try:
        meter.order_filled(**{**FILL, "price": float("nan")})
    finally:
        logging.getLogger("otel_trading").removeHandler(handler)

    assert losses(production) == {"non_finite": 1}


def test_an_exception_that_cannot_be_printed_is_survived(production: CapturingMeter) -> None:
    @_guard.guarded
    def fail() -> None:
        raise MuteError

    fail()

    assert losses(production) == {"internal_error": 1}


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_ends_a_process_is_never_swallowed(production: CapturingMeter, error: type[BaseException]) -> None:
    @_guard.guarded
    def interrupted() -> None:
        raise error

    with pytest.raises(error):
        interrupted()
    assert losses(production) == {}


def test_a_near_miss_gets_a_suggestion() -> None:
    with pytest.raises(ConventionError, match="Did you mean 'canceled'"):
        _loosely("order_status_changed", status="cancelled")()


def test_a_value_in_the_wrong_case_gets_a_suggestion() -> None:
    with pytest.raises(ConventionError, match="Did you mean 'buy'"):
        _filled(side="BUY")()


@pytest.mark.parametrize(
    ("setting", "raises"), [("1", True), ("true", True), ("0", False), ("", False), ("perhaps", False)]
)
def test_outside_pytest_only_the_variable_makes_it_strict(setting: str, raises: bool) -> None:  # noqa: FBT001
    code = "from otel_trading import meter; meter.equity(value='abc', currency='USD')"
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "OTEL"))}

    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**environ, "OTEL_TRADING_STRICT": setting},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode != 0) is raises, done.stderr
    assert "value='abc' is not a number" in done.stderr
