"""OpenTelemetry for trading systems."""

__version__ = "0.1.0.dev0"
