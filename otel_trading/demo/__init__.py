"""The demo: real market data, a paper venue, an ordinary bot, and a board of what Prometheus holds of it.

`market_data` reads the prices, `venue` trades them over HTTP and WebSocket, `bot` is what a user's own code looks like,
`board` shows what arrived, `runner` starts and ends it all. Only the command line imports this package.
"""
