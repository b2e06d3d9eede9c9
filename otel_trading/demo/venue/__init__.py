"""The paper venue: an ordinary HTTP and WebSocket server that trades replayed prices and can be told to misbehave.

It knows nothing of telemetry. Start it with `python -m otel_trading.demo.venue`; the first line on stdout is its URL.

==========================  ==========================================================================================
`GET /health`               200 when it serves
`GET /v1/time`              `{"time": unix seconds}`
`GET /v1/symbols`           what is traded, and on which market data line
`POST /v1/orders`           `{client_id, symbol, side, type, quantity, price?, time_in_force?}`; 200 order, 422 reject
`GET /v1/orders[/ID]`       open orders, or one by its client id
`DELETE /v1/orders/ID`      cancels; 404 when it is not open
`GET /v1/account`           cash, equity, fees paid
`GET /v1/positions`         what is held at which average price
`WS /v1/market/LINE`        `{"op": "subscribe", "symbols": [...]}`, `{"op": "ping"}`; quotes and trades, numbered
`WS /v1/fills`              what happens to your orders
`POST /admin/faults`        `{"kind": ..., "seconds": ..., "line": ...}`: one of `faults.KINDS`, from now on
==========================  ==========================================================================================

Every `/v1` call needs the header `X-API-Key: demo-key` and is answered with `X-RateLimit-Limit` and
`X-RateLimit-Remaining`; over the limit it gets 429 with `Retry-After`. An order is known by its client id: sending the
same order again returns it, sending another one under that id is a duplicate.
"""
