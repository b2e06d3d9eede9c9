"""OpenTelemetry for trading systems.

::

    import otel_trading
    from otel_trading import meter

    otel_trading.configure()
    meter.order_filled(venue="kraken", symbol="BTC/USD", side="buy", price=64000, quantity=0.5, currency="USD")
"""

from __future__ import annotations

__all__ = ["__version__", "configure"]
__version__ = "0.1.0.dev0"


def configure() -> None:
    """Switch telemetry on for this process, as the environment says; `otel-trading run` does it for you.

    SIGTERM then ends the process as `sys.exit` does, unless the app has a handler of its own.

    Raises:
        ConfigError: For a setting that cannot be used, at once and with what to change.
    """
    from otel_trading.sdk import exit as ending  # noqa: PLC0415  the SDK costs 150 ms; `meter` alone must not pay it
    from otel_trading.sdk import logs, setup  # noqa: PLC0415  as above

    if setup.configure():
        logs.instrument_logging()
        ending.exit_on_sigterm()
