"""Budgets and credentials of a venue: what the helpers emit, and that it conforms."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import losses

from otel_trading import meter
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading.testing import CapturingMeter

EXPIRY = "trading.venue.credential.expiry.time"


@pytest.fixture(autouse=True)
def conforms(capmeter: CapturingMeter) -> Iterator[None]:
    """Whatever a helper emits stands in the convention."""
    yield
    capmeter.assert_conforms()


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 10_000), share=st.floats(0, 1))
def test_what_remains_is_what_is_not_used(capmeter: CapturingMeter, limit: int, share: float) -> None:
    left = int(limit * share)
    meter.rate_limit(name="weight", remaining=left, limit=limit)

    assert capmeter.value("trading.rate_limit.usage") == limit - left
    assert capmeter.value("trading.rate_limit.utilization") == pytest.approx(1 - left / limit)


def test_a_budget_may_tell_its_size_once(capmeter: CapturingMeter) -> None:
    meter.rate_limit(name="weight", usage=0, limit=100)
    meter.rate_limit(name="weight", remaining="30")
    assert capmeter.value("trading.rate_limit.usage", rate_limit="weight") == 70

    meter.rate_limit(name="weight", remaining=130)  # a burst on top of the budget
    assert capmeter.value("trading.rate_limit.usage") == 0


def test_what_remains_of_an_unknown_budget_is_refused(production: CapturingMeter) -> None:
    meter.rate_limit(name="weight", remaining=30)
    meter.rate_limit(name="weight")

    assert production.samples("trading.rate_limit.usage") == []
    assert losses(production) == {"invalid_value": 2}


def test_waiting_for_a_budget_is_timed(capmeter: CapturingMeter) -> None:
    with meter.rate_limit_wait(name="weight", venue="kraken"):
        pass
    with pytest.raises(TimeoutError), meter.rate_limit_wait(name="weight", venue="kraken"):
        raise TimeoutError

    rows = capmeter.samples("trading.rate_limit.wait.duration")
    assert {row.attributes.get(a.ERROR_TYPE.name): row.value for row in rows} == {None: 1, "timeout": 1}
    assert {row.attributes[a.RATE_LIMIT.name] for row in rows} == {"weight"}


@pytest.mark.seed("S1-04")
def test_refused_callers_of_our_own_service_are_counted_by_their_class(capmeter: CapturingMeter) -> None:
    for _ in range(3):
        meter.rate_limited(name="free_tier", error="429")

    assert capmeter.value("trading.rate_limit.rejections", rate_limit="free_tier", type="429") == 3


@pytest.mark.parametrize("time", [1_900_000_000, "1900000000", datetime.fromtimestamp(1_900_000_000, timezone.utc)])
def test_a_credential_ends_at_a_time(capmeter: CapturingMeter, time: float | str | datetime) -> None:
    meter.credential_expiry(venue="kraken", account="acct", time=time)

    assert capmeter.value(EXPIRY, venue="kraken", account="acct") == 1_900_000_000


@pytest.mark.parametrize("time", [1_900_000_000_000, datetime(2030, 3, 17), "soon"])  # noqa: DTZ001  refused, that is
def test_a_time_that_means_nothing_is_refused(production: CapturingMeter, time: float | str | datetime) -> None:
    meter.credential_expiry(venue="kraken", time=time)

    assert production.samples(EXPIRY) == []
    assert losses(production) == {"invalid_value": 1}
