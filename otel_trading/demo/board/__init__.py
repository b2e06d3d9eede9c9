"""The live board in the terminal: what the telemetry's end holds, never what the bot thinks.

`source` fetches samples from Prometheus or from the bot's own /metrics, `figures` turns two fetches into numbers,
`history` keeps what sparklines need, `alerts` follows what fires and what was delivered, `render` draws.
"""
