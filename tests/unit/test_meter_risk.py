"""The helpers of risk: checks, value at risk, kill switch, reconciliation."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.trace import StatusCode
from unit_support import losses, series

from otel_trading import meter, trackers
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.trackers.reconciliation import Comparer
from trace_support import context, tracing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter
    from trace_support import Tracing

STATUS = "trading.kill_switch.status"
PULLED = "trading.kill_switch.activations"
RUNS = "trading.reconciliation.duration"
STATE = a.KILL_SWITCH_STATE.name
LEVELS = {"armed": 0, "reducing": 1, "halted": 2}


def test_checks_are_counted_by_what_they_said(capmeter: CapturingMeter) -> None:
    meter.risk_checked(check="price_collar", symbol="BTC/USD")
    meter.risk_checked(check="price_collar", outcome="deny", symbol="BTC/USD")
    meter.risk_checked(check="max_messages", outcome="warn")

    assert capmeter.value("trading.risk.checks", outcome="pass", symbol="BTC/USD") == 1
    assert capmeter.value("trading.risk.checks", check="price_collar") == 2
    assert capmeter.value("trading.risk.checks", outcome="warn") == 1
    capmeter.assert_conforms()


def test_a_value_at_risk_has_a_currency(production: CapturingMeter) -> None:
    meter.value_at_risk(value="1500.5", currency="USD", account="acct")
    meter.value_at_risk(value=-3, currency="EUR")
    meter.value_at_risk(value=1)
    meter.value_at_risk(value=float("nan"), currency="EUR")

    assert series(production, "trading.risk.value_at_risk", a.CURRENCY.name) == {"USD": 1500.5, "EUR": -3}
    assert losses(production) == {"invalid_value": 1, "non_finite": 1}
    production.assert_conforms()


def test_a_kill_switch_shows_every_state(capmeter: CapturingMeter) -> None:
    meter.kill_switch_changed(scope="account", state="armed", account="acct")
    assert series(capmeter, STATUS, STATE) == {"armed": 1, "reducing": 0, "halted": 0}
    assert capmeter.samples(PULLED) == []

    meter.kill_switch_changed(scope="account", state="halted", trigger="daily_loss", account="acct")

    assert series(capmeter, STATUS, STATE) == {"armed": 0, "reducing": 0, "halted": 1}
    assert capmeter.value(PULLED, scope="account", trigger="daily_loss", account="acct") == 1
    capmeter.assert_conforms()


@pytest.mark.parametrize("states", list(itertools.product(LEVELS, repeat=3)), ids=" ".join)
def test_each_step_towards_halted_is_one_activation(capmeter: CapturingMeter, states: tuple[Any, ...]) -> None:
    for state in states:
        for _ in range(2):  # said again, it is the same
            meter.kill_switch_changed(scope="global", state=state)

    steps = itertools.pairwise(("armed", *states))
    expected = sum(LEVELS[after] > LEVELS[before] for before, after in steps)
    assert sum(row.value for row in capmeter.samples(PULLED)) == expected
    assert series(capmeter, STATUS, STATE)[states[-1]] == 1


def test_scopes_are_counted_each_for_itself(capmeter: CapturingMeter) -> None:
    for scope in ("strategy", "venue"):
        meter.kill_switch_changed(scope=scope, state="halted", strategy="one", venue="kraken")
    meter.kill_switch_changed(scope="strategy", state="halted", strategy="two")

    assert capmeter.value(PULLED, scope="strategy") == 2
    assert capmeter.value(PULLED, scope="venue") == 1
    assert capmeter.value(STATUS, scope="strategy", strategy="one", state="halted") == 1


@pytest.mark.parametrize("scope", ["account", "venue", "global"])
def test_a_switch_pulled_inside_a_strategy_is_the_one_released_outside(capmeter: CapturingMeter, scope: Any) -> None:
    meter.defaults(account="acct", venue="kraken")
    with meter.scope(strategy="one"):
        meter.kill_switch_changed(scope=scope, state="halted", trigger="drawdown")
    meter.kill_switch_changed(scope=scope, state="armed")

    assert capmeter.value(STATUS, state="halted") == 0
    assert capmeter.value(STATUS, state="armed") == 1


def test_risk_carries_the_account_wherever_one_is_configured(capmeter: CapturingMeter) -> None:
    meter.defaults(account="acct", currency="USD", strategy="one", venue="kraken")
    meter.risk_limit(name="daily_loss", limit=1, usage=1)
    meter.value_at_risk(value=1)
    meter.risk_checked(check="price_collar")
    for scope in a.KILL_SWITCH_SCOPE.values:
        meter.kill_switch_changed(scope=scope, state="halted")  # type: ignore[arg-type]
    meter.reconciled(object="position", local={"BTC": 1}, at_venue={})

    samples = capmeter.samples()
    assert {sample.name.split(".")[1] for sample in samples} == {"risk", "kill_switch", "reconciliation"}
    assert {sample.attributes.get(a.ACCOUNT.name) for sample in samples} == {"acct"}


def test_a_word_that_is_no_state_releases_no_switch(production: CapturingMeter) -> None:
    meter.kill_switch_changed(scope="global", state="halted")
    meter.kill_switch_changed(scope="global", state="off")  # type: ignore[arg-type]

    assert series(production, STATUS, STATE) == {"armed": 0, "reducing": 0, "halted": 1}
    assert losses(production) == {"unknown_value": 1}


def test_a_run_is_timed_with_what_fetching_took(capmeter: CapturingMeter) -> None:
    meter.reconciled(
        object="position",
        local={"BTC/USD": 0.5},
        at_venue=lambda: [{"symbol": "BTC/USD", "quantity": "0.4"}],
        seconds=2,
    )

    (run,) = capmeter.samples(RUNS)
    assert run.sum == pytest.approx(2, abs=0.5)
    assert a.ERROR_TYPE.name not in run.attributes
    assert capmeter.value("trading.reconciliation.breaks", object="position", break_type="quantity") == 1
    assert capmeter.value("trading.reconciliation.discrepancy", symbol="BTC/USD") == pytest.approx(0.1)
    capmeter.assert_conforms()


def test_a_tolerance_of_the_users_own(capmeter: CapturingMeter) -> None:
    meter.reconciled(object="balance", local={"USD": 100}, at_venue={"USD": 100.4}, comparer=Comparer(0.5))

    assert capmeter.samples("trading.reconciliation.breaks") == []
    assert capmeter.value("trading.reconciliation.break.active") == 0


class VenueDown(Exception):  # noqa: N818  as a client calls it
    pass


def _down() -> dict[str, float]:
    raise VenueDown


@pytest.fixture
def one_break(production: CapturingMeter) -> Iterator[CapturingMeter]:
    meter.reconciled(object="position", local={"BTC": 1}, at_venue={})
    yield production
    assert production.value("trading.reconciliation.break.active", break_type="missing_venue") == 1
    production.assert_conforms()


@pytest.mark.parametrize(
    ("views", "error", "reason"),
    [
        ({"local": _down, "at_venue": {}}, "VenueDown", "internal_error"),
        ({"local": {}, "at_venue": _down}, "VenueDown", "internal_error"),
        ({"local": {}, "at_venue": {}, "comparer": lambda *_: 1 / 0}, "ZeroDivisionError", "internal_error"),
        ({"local": {}, "at_venue": None}, "ConventionError", "invalid_value"),
        ({"local": {}, "at_venue": [object()]}, "ConventionError", "invalid_value"),
    ],
)
def test_a_run_that_fails_says_why_and_raises_nothing(
    one_break: CapturingMeter, views: dict[str, Any], error: str, reason: str
) -> None:
    meter.reconciled(object="position", **views)

    assert one_break.value(RUNS, type=error) == 1
    assert losses(one_break) == {reason: 1}


def test_a_fetch_that_failed_outside_is_a_run_too(one_break: CapturingMeter) -> None:
    meter.reconciled(object="position", error=TimeoutError(), seconds=5)
    meter.reconciled(object="position", error="429")

    assert one_break.value(RUNS, type="timeout") == one_break.value(RUNS, type="429") == 1
    assert losses(one_break) == {}


def test_what_is_no_object_is_not_compared(production: CapturingMeter) -> None:
    meter.reconciled(object="cash", local={"USD": 1}, at_venue={})  # type: ignore[arg-type]

    assert production.samples(RUNS) == []
    assert losses(production) == {"unknown_value": 1}


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_run_without_an_object_is_one_loss(production: CapturingMeter, nothing: Any) -> None:
    meter.reconciled(object=nothing, local={"USD": 1}, at_venue={})

    assert production.samples(RUNS) == []
    assert losses(production) == {"invalid_value": 1}


def test_in_strict_mode_a_test_sees_its_own_mistake(capmeter: CapturingMeter) -> None:
    with pytest.raises(VenueDown):
        meter.reconciled(object="position", local=_down, at_venue={})
    with pytest.raises(ConventionError, match="Pass a mapping"):
        meter.reconciled(object="position", local={})
    with pytest.raises(ConventionError, match="Pass what is compared"):
        meter.reconciled(object=None, local={}, at_venue={})  # type: ignore[arg-type]

    assert capmeter.value(RUNS) == 2


def test_ten_thousand_symbols_neither_raise_nor_grow_beyond_the_cap(production: CapturingMeter) -> None:
    local = {f"S{number}": number for number in range(10_000)}
    meter.reconciled(object="position", local=local, at_venue={})
    meter.reconciled(object="position", local=local, at_venue={})

    assert len(production.samples("trading.reconciliation.discrepancy")) <= 1_000
    assert production.value("trading.reconciliation.breaks") == 9_999  # of S0 there is nothing
    assert production.value("trading.sdk.attribute.overflows") == 2 * 9_000
    assert len(trackers.default().reconciliation.unresolved("position")) == 9_999


# Events and spans


@pytest.fixture
def traced(capmeter: CapturingMeter) -> Iterator[Tracing]:
    assert capmeter
    with tracing() as made:
        yield made


def test_a_switch_is_told_when_it_moves(traced: Tracing) -> None:
    for state in ("armed", "halted", "halted", "armed"):
        meter.kill_switch_changed(scope="account", state=state, trigger="drawdown", account="acct")

    told = traced.events("trading.kill_switch.changed")
    assert [(event.attributes or {})[STATE] for event in told] == ["halted", "armed"]
    assert told[0].attributes == {
        "trading.mode": "live",
        "trading.account.id": "acct",
        "trading.kill_switch.scope": "account",
        "trading.kill_switch.state": "halted",
        "trading.kill_switch.trigger": "drawdown",
    }


def test_a_limit_is_told_when_it_is_reached_and_again_after_there_was_room(traced: Tracing) -> None:
    for usage in (50, 100, 130, 99, 100):
        meter.risk_limit(name="max_messages", unit="message", limit=100, usage=usage)

    assert len(traced.events("trading.risk.limit_breached")) == 2


def test_a_lower_limit_is_reached_by_the_same_usage(traced: Tracing) -> None:
    meter.risk_limit(name="daily_loss", limit=100, usage=60, currency="USD")
    meter.risk_limit(name="daily_loss", limit=50, currency="USD")

    event = traced.event("trading.risk.limit_breached")
    assert (event.attributes or {})["trading.risk.limit.name"] == "daily_loss"


@pytest.mark.parametrize(("kind", "id_name"), [("order", "trading.order.client_id"), ("fill", "trading.execution.id")])
def test_a_break_is_told_with_its_id_when_it_is_found_and_when_it_is_gone(
    traced: Tracing, kind: Any, id_name: str
) -> None:
    view = [{"id": "c-1", "symbol": "BTC/USD", "quantity": 1}]
    for _ in range(2):
        meter.reconciled(object=kind, local=view, at_venue=[])
    assert len(traced.events()) == 1
    meter.reconciled(object=kind, local=view, at_venue=view)

    found, resolved = traced.events()
    assert (found.event_name, found.severity_text) == ("trading.reconciliation.break_found", "ERROR")
    assert (resolved.event_name, resolved.severity_text) == ("trading.reconciliation.break_resolved", "INFO")
    assert found.attributes == resolved.attributes
    assert found.attributes == {
        "trading.mode": "live",
        "trading.instrument.symbol": "BTC/USD",
        "trading.reconciliation.object": kind,
        "trading.reconciliation.break_type": "missing_venue",
        id_name: "c-1",
    }
    first = traced.spans("trading.reconciliation.run")[0]
    assert (found.trace_id, found.span_id) == (context(first).trace_id, context(first).span_id)


def test_a_break_of_an_unknown_quantity_still_has_its_symbol(traced: Tracing) -> None:
    meter.reconciled(object="order", local=[{"id": "c-1", "symbol": "BTC/USD"}, {"id": "c-2"}], at_venue=())

    symbols = [(event.attributes or {}).get("trading.instrument.symbol") for event in traced.events()]
    assert symbols == ["BTC/USD", None]


def test_a_run_is_a_span_around_the_fetch_and_says_how_it_failed(
    traced: Tracing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRADING_STRICT", "0")

    def fetch() -> dict[str, float]:
        with traced.tracer.start_as_current_span("GET"):
            raise VenueDown

    meter.reconciled(object="position", local={}, at_venue=fetch)

    run = traced.span("trading.reconciliation.run")
    assert traced.span("GET").parent == context(run)
    assert run.status.status_code is StatusCode.ERROR
    assert (run.attributes or {})["error.type"] == "VenueDown"
