"""An ordinary bot, as a user would write one: `requests`, `websockets`, a strategy, and `meter` where things happen.

It buys dips, which in the autumn of 2008 is how one meets a daily loss limit. Read `bot.py` first: whatever happens
there is said in one line of `meter`. Copy the folder and put your own strategy in.

======================  ==========================================================
`strategy.py`           when to buy and sell; knows no venue
`client.py`             calls to the venue: orders, account, rate limits
`stream.py`             a connection that comes back: backoff, silence
`bot.py`                the loop that ties them together, positions and limits
`__main__.py`           `python -m otel_trading.demo.bot --venue-url http://...`
======================  ==========================================================
"""
