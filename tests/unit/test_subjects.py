"""Of which symbol a raw message is and from when, as the documentation of each venue shows its messages."""

from __future__ import annotations

import pytest

from otel_trading.instrumentation import _shapes, _subjects

AT = 1672515782.136
TRADE = '{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782130,"m":true}'
KLINE = '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1,"s":"BTCUSDT"}}}'
BOOK = (
    '{"channel":"book","type":"update","data":'
    '[{"symbol":"MATIC/USD","bids":[],"timestamp":"2022-12-31T19:43:02.136Z"}]}'
)
MATCH = '{"type":"match","trade_id":10,"time":"2022-12-31T19:43:02.136000Z","product_id":"BTC-USD","price":"400.23"}'
TRADES = (
    '{"channel":"market_trades","client_id":"","timestamp":"2022-12-31T19:43:02.136000001Z","sequence_num":0,"events":'
    '[{"type":"update","trades":[{"product_id":"ETH-USD"},{"product_id":"BTC-USD"},{"product_id":"ETH-USD"}]}]}'
)
#: Venue and message: kind, symbols, moment.
MESSAGES = {
    ("binance", TRADE): ("trade", ("BNBBTC",), AT),
    ("binance", TRADE.replace("136,", "136789,", 1)): ("trade", ("BNBBTC",), AT + 0.000789),
    ("binance", KLINE): ("bar", ("BTCUSDT",), AT),
    ("binanceusdm", '{"e":"depthUpdate","E":1672515782136,"T":1672515782130,"s":"BTCUSDT","U":1,"u":2,"pu":0}'): (
        "order_book",
        ("BTCUSDT",),
        AT,
    ),
    ("binance", '{"stream":"btcusdt@depth5","data":{"lastUpdateId":160,"bids":[],"asks":[]}}'): (
        "order_book",
        ("BTCUSDT",),
        None,
    ),
    ("binance", '{"u":400900217,"s":"BNBUSDT","b":"25.3","B":"31.2","a":"25.3","A":"40.6"}'): (
        "quote",
        ("BNBUSDT",),
        None,
    ),
    ("binance", '{"e":"executionReport","E":1672515782136,"s":"ETHBTC","c":"mine"}'): ("account", (None,), AT),
    ("binance", '{"e":"never heard of","E":1672515782136,"s":"ETHBTC"}'): ("other", (None,), AT),
    ("kraken", BOOK): ("order_book", ("MATIC/USD",), AT),
    ("kraken", BOOK.replace("update", "snapshot")): ("order_book", ("MATIC/USD",), None),
    ("kraken", BOOK.replace("-31T", "-99T")): ("order_book", ("MATIC/USD",), None),
    ("kraken", BOOK.replace("book", "ohlc")): ("bar", ("MATIC/USD",), None),
    ("kraken", '[0,[["5541.2","0.15"]],"trade","XBT/USD"]'): ("trade", (None,), None),
    ("coinbaseexchange", MATCH): ("trade", ("BTC-USD",), AT),
    ("coinbaseexchange", MATCH.replace('"match"', '"last_match"')): ("trade", ("BTC-USD",), None),
    ("coinbase", TRADES): ("trade", ("ETH-USD", "BTC-USD"), AT),
    ("okx", '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"instId":"BTC-USDT","ts":"1672515782136"}]}'): (
        "trade",
        ("BTC-USDT",),
        AT,
    ),
    ("okx", '{"arg":{"channel":"candle1m","instId":"BTC-USDT"},"data":[["1672515782136","1"]]}'): (
        "bar",
        ("BTC-USDT",),
        None,
    ),
    ("okx", '{"arg":{"channel":"account","uid":"44*"},"data":[{"uTime":"1672515782136"}]}'): ("account", (None,), None),
    ("okx", '{"arg":{"channel":"option-trades","instFamily":"BTC-USD"},"data":[{"instId":"BTC-USD-C"}]}'): (
        "trade",
        ("BTC-USD-C",),
        None,
    ),
    ("bybit", '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672515782136,"data":[{"T":1,"s":"BTCUSDT"}]}'): (
        "trade",
        ("BTCUSDT",),
        AT,
    ),
    ("bybit", '{"topic":"orderbook.50.BTC-PERP","ts":1672515782136,"type":"delta","data":{"s":"BTC-PERP"}}'): (
        "order_book",
        ("BTC-PERP",),
        AT,
    ),
    ("bybit", '{"topic":"kline.5.BTCUSDT","data":[{"start":1672324800000}],"ts":1672515782136,"type":"snapshot"}'): (
        "bar",
        ("BTCUSDT",),
        AT,
    ),
    ("bybit", '{"topic":"execution.linear","creationTime":1672515782136,"data":[{"symbol":"X"}]}'): (
        "account",
        (None,),
        None,
    ),
    ("gemini", '{"type":"trade","symbol":"BTCUSD","ts":1672515782136}'): ("trade", (None,), None),
}


@pytest.mark.parametrize(("venue", "message"), MESSAGES)
def test_what_a_message_says(venue: str, message: str) -> None:
    kind, symbols, moment = MESSAGES[venue, message]
    for came in (message, message.encode(), message.replace('":', '": ')):
        told = _subjects.read(venue, came)
        assert told is not None
        assert (told.kind, told.symbols) == (kind, symbols)
        assert _subjects.time_of(venue, came) == (None if moment is None else pytest.approx(moment, abs=1e-6))


def test_the_quick_look_counts_what_the_long_one_counts() -> None:
    for trade in (TRADE, TRADE.replace('"t"', '"a"')):
        told = _subjects.read("binance", trade)
        assert told is not None
        assert told.number == _shapes.number_of("binance", trade)
    other = _subjects.read("binanceusdm", TRADE)
    assert other is not None
    assert other.number is None


def test_the_time_at_the_end_of_a_long_message_is_found() -> None:
    levels = '{"price":1.5,"qty":2},' * 100
    assert _subjects.time_of("kraken", BOOK.replace('"bids":[]', f'"bids":[{levels}]')) == pytest.approx(AT)
    end = '"ts":"1672515782136","checksum":-855196043,"prevSeqId":1234567890123,"seqId":1234567890124'
    book = f'{{"arg":{{"channel":"books","instId":"BTC-USDT"}},"data":[{{"asks":[{levels[:-1]}],{end}}}]}}'
    assert _subjects.time_of("okx", book) == pytest.approx(AT)


ASKED = {
    ("binance", '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade","ethusdt@depth@100ms","!bookTicker"],"id":1}'): {
        ("trade", "BTCUSDT"),
        ("order_book", "ETHUSDT"),
        ("quote", None),
    },
    ("kraken", '{"method":"subscribe","params":{"channel":"ticker","symbol":["ALGO/USD","BTC/USD"]}}'): {
        ("ticker", "ALGO/USD"),
        ("ticker", "BTC/USD"),
    },
    ("kraken", '{"method":"subscribe","params":{"channel":"executions","token":"SECRET"}}'): {("account", None)},
    ("kraken", '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"spread"}}'): {("quote", None)},
    ("coinbaseexchange", '{"type":"subscribe","product_ids":["ETH-USD"],"channels":["matches","heartbeat"]}'): {
        ("trade", "ETH-USD")
    },
    (
        "coinbaseexchange",
        '{"type":"subscribe","channels":["level2",{"name":"ticker","product_ids":["ETH-BTC"]}]}',
    ): {("order_book", None), ("ticker", "ETH-BTC")},
    ("coinbase", '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}'): {("trade", "BTC-USD")},
    ("binance", '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade"'): {("trade", None)},
    ("binance", '{"method":"SUBSCRIBE","params":[17,"btcusdt@aggTrade"]}'): {("trade", None)},
    ("binance", '{"op":"subscribe","args":["publicTrade.BTCUSDT"]}'): {("trade", None)},
    ("okx", '{"op":"subscribe","args":[{"channel":"candle1m","instId":"BTC-USDT"}]}'): {("bar", "BTC-USDT")},
    ("okx", '{"op":"subscribe","args":[{"channel":"tickers","instId":"A-B"},{"channel":"orders","instType":"ANY"}]}'): {
        ("ticker", "A-B"),
        ("account", None),
    },
    ("bybit", '{"op":"subscribe","args":["orderbook.50.BTCUSDT","tickers.ETHUSDT","order","execution.linear"]}'): {
        ("order_book", "BTCUSDT"),
        ("ticker", "ETHUSDT"),
        ("account", None),
    },
    ("bybit", '{"op":"subscribe","args":{"topic":"publicTrade.BTCUSDT"}}'): {("trade", None)},
    ("gemini", '{"type":"subscribe","subscriptions":[{"name":"trades","symbols":["BTCUSD"]}]}'): {("trade", None)},
    ("binance", '{"method":"order.place","id":"1","params":{"symbol":"BTCUSDT","side":"BUY"}}'): set(),
    ("kraken", "subscribe"): set(),
}


@pytest.mark.parametrize(("venue", "message"), ASKED)
def test_what_is_asked_for(venue: str, message: str) -> None:
    assert _subjects.asked(venue, message) == (ASKED[venue, message], set())
    ended = message.replace("SUB", "UNSUB").replace("sub", "unsub")
    assert _subjects.asked(venue, ended.encode()) == (set(), ASKED[venue, message])


def test_a_url_asks_by_symbol_where_binance_answers() -> None:
    url = "wss://x/stream?streams=btcusdt@trade/ethusdt%40depth@100ms/!miniTicker@arr"
    assert _subjects.asked_by_url("binance", url) == {
        ("trade", "BTCUSDT"),
        ("order_book", "ETHUSDT"),
        ("ticker", None),
    }
    assert _subjects.asked_by_url("binance", "wss://x/ws/btcusdt@trade") == {("trade", "BTCUSDT")}
    assert _subjects.asked_by_url("bybit", "wss://x/ws/btcusdt@trade") == {("trade", None)}
    assert _subjects.asked_by_url("binance", "wss://me:secret@trade.com/ws/trade?token=a@b") == set()
