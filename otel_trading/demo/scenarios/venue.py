"""Venues that are away, slow, or have had enough of us."""

from __future__ import annotations

from otel_trading import meter
from otel_trading.demo.scenarios._model import Cause, scenario


@scenario("VenueConnectionLost")
def disconnected(cause: Cause) -> None:
    """The connection to the venue breaks and is there again when the fault is over."""
    meter.connection_changed(name="private", state="connected", transport="websocket")
    meter.connection_changed(name="private", state="disconnected", transport="websocket", error="going_away")
    cause.hold()
    meter.connection_changed(name="private", state="connected", transport="websocket")
