"""What a bot relies on and cannot have."""

from __future__ import annotations

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario


@scenario("CircuitBreakerOpen", labels={"escalated": ""})
def breaker(cause: Cause) -> None:
    """The circuit breaker before the order interface opens."""
    _broken(cause)


@scenario("CircuitBreakerOpen", labels={"escalated": "true"})
def breaker_for_long(cause: Cause) -> None:
    """The circuit breaker before the order interface stays open for long."""
    _broken(cause)


@scenario("HealthCheckFailing", labels={"severity": "warning"})
def check(cause: Cause) -> None:
    """The health check of the database fails."""
    _failing(cause, "database")


@scenario("HealthCheckFailing", labels={"severity": "critical"})
def check_of_orders(cause: Cause) -> None:
    """The health check of the order interface fails."""
    _failing(cause, "order_api")


def _broken(cause: Cause) -> None:
    meter.breaker_changed(name="orders", state="closed")
    meter.breaker_changed(name="orders", state="open")
    cause.hold()
    meter.breaker_changed(name="orders", state="closed")


def _failing(cause: Cause, name: str) -> None:
    meter.health(name=name, ok=False, seconds=0.1)
    cause.hold()
    meter.health(name=name, ok=True, seconds=0.1)
