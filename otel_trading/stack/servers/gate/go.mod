module otel-trading/servers/otel-trading-gate

go 1.26.0
