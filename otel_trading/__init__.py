"""OpenTelemetry for trading systems.

::

    import otel_trading
    from otel_trading import meter

    otel_trading.configure()
    meter.order_filled(venue="kraken", symbol="BTC/USD", side="buy", price=64000, quantity=0.5, currency="USD")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["__version__", "configure"]
__version__ = "0.1.0.dev0"


def configure(*, venue_hosts: Mapping[str, str] | None = None) -> None:
    """Switch telemetry on for this process, as the environment says; `otel-trading run` does it for you.

    SIGTERM then ends the process as `sys.exit` does, unless the app has a handler of its own. Where telemetry is on
    already, under `otel-trading run` for example, only `venue_hosts` is taken.

    Args:
        venue_hosts: Venue by `host` or `host:port`, beside the known ones and OTEL_TRADING_VENUE_HOSTS: where the
            hooks of HTTP and WebSocket libraries shall tell of budgets, clocks and connections.

    Raises:
        ConfigError: For a setting that cannot be used, at once and with what to change.
    """
    if venue_hosts:
        from otel_trading import environment  # noqa: PLC0415  as below

        environment.add_venue_hosts(venue_hosts)
    from otel_trading.sdk import exit as ending  # noqa: PLC0415  the SDK costs 150 ms; `meter` alone must not pay it
    from otel_trading.sdk import logs, setup  # noqa: PLC0415  as above

    if setup.configure():
        logs.instrument_logging()
        ending.exit_on_sigterm()
