"""Venues that are away, slow, or have had enough of us."""

from __future__ import annotations

import contextlib
import time
from itertools import count

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario

_DAY = 86_400


@scenario("VenueConnectionLost")
def disconnected(cause: Cause) -> None:
    """The connection to the venue breaks and is there again when the fault is over."""
    meter.connection_changed(name="private", state="connected", transport="websocket")
    meter.connection_changed(name="private", state="disconnected", transport="websocket", error="going_away")
    cause.hold()
    meter.connection_changed(name="private", state="connected", transport="websocket")


@scenario("ReconnectFlapping")
def flapping(cause: Cause) -> None:
    """A connection breaks and comes back, twice a second."""
    meter.connection_changed(name="public", state="connected")
    while cause.holds(every=0.5):
        meter.connection_changed(name="public", state="disconnected", error="going_away")
        meter.connection_changed(name="public", state="connected")


@scenario("VenueBanned")
def banned(cause: Cause) -> None:
    """The venue answers 418: the bot has ignored its 429s and is banned."""
    meter.rate_limited(name="weight_1m", error="418")
    cause.hold()


@scenario("VenueErrorRateHigh")
def failing_calls(cause: Cause) -> None:
    """Every third call to the venue times out."""
    for number in count():
        if not cause.holds():
            return
        with contextlib.suppress(TimeoutError), meter.venue_call(operation="fetch_balance"):
            if number % 3 == 0:
                raise TimeoutError


@scenario("RateBudgetLow")
def budget(cause: Cause) -> None:
    """The bot uses more than nine tenths of the requests that the venue allows per minute."""
    for number in count():
        if not cause.holds(every=0.5):
            break
        meter.rate_limit(name="weight_1m", usage=1_100 + number % 50, limit=1_200)
    meter.rate_limit(name="weight_1m", usage=10, limit=1_200)


@scenario("ClockSkew")
def skew(cause: Cause) -> None:
    """The local clock is two seconds ahead of the venue's."""
    meter.clock_offset(seconds=2)
    cause.hold()
    meter.clock_offset(seconds=0.01)


@scenario("CredentialExpiring", labels={"severity": "warning"})
def key_of_a_week(cause: Cause) -> None:
    """The API key ends in a week; then somebody renews it."""
    _key(cause, 7)


@scenario("CredentialExpiring", labels={"severity": "critical"})
def key_of_a_day(cause: Cause) -> None:
    """The API key ends tomorrow; then somebody renews it."""
    _key(cause, 1)


def _key(cause: Cause, days: int) -> None:
    meter.credential_expiry(time=time.time() + days * _DAY)
    cause.hold()
    meter.credential_expiry(time=time.time() + 90 * _DAY)
