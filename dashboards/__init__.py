"""Grafana boards from builders: one function per panel, every name from `otel_trading.semconv`."""
