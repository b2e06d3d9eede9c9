"""Raw WebSocket messages, as the documentation of each venue shows them: what they bring, and what they do not."""

from __future__ import annotations

import pytest

from otel_trading.instrumentation import _links, _shapes

DATA = {
    # Binance
    '{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true}': "trade",
    '{"stream":"btcusdt@kline_1m","data":{"e":"kline","E":1672515782136,"s":"BTCUSDT","k":{"t":1}}}': "bar",
    '{"e":"depthUpdate","E":1,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[]}': "order_book",
    '{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}': "order_book",
    '{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66"}': "quote",
    '{"e":"bookTicker","u":400900217,"s":"BNBUSDT","b":"25.3","B":"31.2","a":"25.36","A":"40.66"}': "quote",
    '[{"e":"24hrMiniTicker","E":1672515782136,"s":"BNBBTC"}]': "ticker",
    '{"e":"ORDER_TRADE_UPDATE","E":1568879465651,"T":1568879465650,"o":{"s":"BTCUSDT"}}': "account",
    '{"e":"executionReport","E":1499405658658,"s":"ETHBTC"}': "account",
    # Kraken, both APIs
    '{"channel":"book","type":"update","data":[{"symbol":"MATIC/USD","bids":[]}]}': "order_book",
    '{"channel":"ohlc","type":"snapshot","data":[]}': "bar",
    '{"channel":"executions","type":"update","data":[{"order_id":"OK4GJX"}],"sequence":10}': "account",
    '[0,[["5541.20000","0.15850568","1534614057.321597","s","l",""]],"trade","XBT/USD"]': "trade",
    '[0,{"a":[["5541.30000","2.50700000","0"]]},"book-100","XBT/USD"]': "order_book",
    '[42,["1542057314","5","4"],"ohlc-5","XBT/USD"]': "bar",
    # Coinbase, both APIs
    '{"type":"match","trade_id":10,"sequence":50,"product_id":"BTC-USD","size":"5.23","side":"sell"}': "trade",
    '{"type":"snapshot","product_id":"BTC-USD","bids":[["10101.10","0.45"]],"asks":[]}': "order_book",
    '{"channel":"l2_data","client_id":"","sequence_num":0,"events":[{"type":"snapshot"}]}': "order_book",
    '{"channel":"market_trades","client_id":"","sequence_num":0,"events":[{"type":"update"}]}': "trade",
    # others
    '{"topic":"orderbook.50.BTCUSDT","type":"snapshot","ts":1672304484978,"data":{"s":"BTCUSDT"}}': "order_book",
    '{"topic":"publicTrade.BTCUSDT","type":"snapshot","ts":1672304486868,"data":[{"i":"2"}]}': "trade",
    '{"arg":{"channel":"bbo-tbt","instId":"BTC-USDT"},"data":[{"asks":[["111","55","0","4"]]}]}': "quote",
    '{"arg":{"channel":"funding-rate","instId":"BTC-USD-SWAP"},"data":[{}]}': "funding",
    '{"type":"message","topic":"/market/match:BTC-USDT","subject":"trade.l3match","data":{}}': "trade",
    '{"jsonrpc":"2.0","method":"subscription","params":{"channel":"book.BTC.100ms","data":{"a":1}}}': "order_book",
    '{"id":-1,"method":"subscribe","code":0,"result":{"channel":"trade","data":[{"d":"1"}]}}': "trade",
    '{"time":1,"channel":"spot.book_ticker","event":"update","result":{"t":1}}': "quote",
    '{"channel":"l2Book","data":{"coin":"BTC","levels":[]}}': "order_book",
    '{"data":{"id":1,"amount":0.1},"channel":"live_trades_btcusd","event":"trade"}': "trade",
    '{"table":"orderBookL2_25","action":"update","data":[{"symbol":"XBTUSD"}]}': "order_book",
    '[{"T":"q","S":"AAPL","bp":1.5}]': "quote",
    '[{"ev":"AM","sym":"GTE","v":4110}]': "bar",
    # nobody's
    '{"price":1}': "other",
    "[1,2]": "other",
    "1.5": "other",
}
NONE = (
    '{"channel":"heartbeat"}',
    '{"event":"heartbeat"}',
    '[17470,"hb"]',
    '{"method":"pong","req_id":1}',
    '{"method":"subscribe","result":{"channel":"book","snapshot":true},"success":true,"req_id":1}',
    '{"channel":"status","type":"update","data":[{"system":"online"}]}',
    '{"result":null,"id":3}',
    '{"type":"subscriptions","channels":[{"name":"level2","product_ids":["ETH-USD"]}]}',
    '{"channel":"heartbeats","client_id":"","sequence_num":0,"events":[{"heartbeat_counter":"3049"}]}',
    '{"event":"subscribe","arg":{"channel":"tickers","instId":"BTC-USDT"},"connId":"a"}',
    '{"success":true,"ret_msg":"pong","conn_id":"0970","req_id":"","op":"ping"}',
    '{"id":"hQvf8jkno","type":"welcome"}',
    '{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"test_request"}}',
    '{"event":"bts:subscription_succeeded","channel":"live_trades_btcusd","data":{}}',
    '[{"T":"success","msg":"connected"}]',
    '[{"T":"subscription","trades":["AAPL"],"quotes":[]}]',
    '[{"ev":"status","status":"auth_success"}]',
    "pong",
    "Pong ",
)


@pytest.mark.parametrize("message", DATA)
def test_what_a_message_brings(message: str) -> None:
    assert _shapes.kind_of(message) == DATA[message]
    assert _shapes.kind_of(message.encode()) == DATA[message]


@pytest.mark.parametrize("message", NONE)
def test_what_brings_no_data_makes_no_feed_young(message: str) -> None:
    assert _shapes.kind_of(message) is None


ASKED = {
    '{"method":"SUBSCRIBE","params":["btcusdt@aggTrade","btcusdt@depth"],"id":1}': {"trade", "order_book"},
    '{"method":"subscribe","params":{"channel":"ticker","symbol":["ALGO/USD"]}}': {"ticker"},
    '{"event":"subscribe","pair":["XBT/USD"],"subscription":{"name":"spread"}}': {"quote"},
    '{"type":"subscribe","product_ids":["ETH-USD"],"channels":["matches","heartbeat"]}': {"trade"},
    '{"op":"subscribe","args":[{"channel":"candle1m","instId":"BTC-USDT"}]}': {"bar"},
    '{"jsonrpc":"2.0","method":"public/subscribe","id":42,"params":{"channels":["quote.BTC-PERPETUAL"]}}': {"quote"},
    '{"method":"order.place","id":"1","params":{"symbol":"BTCUSDT","side":"BUY"}}': set(),
    '{"op":"ping"}': set(),
}


@pytest.mark.parametrize("message", ASKED)
def test_what_is_subscribed(message: str) -> None:
    assert _shapes.asked(message) == (ASKED[message], set())
    assert _shapes.asked(message.replace("SUB", "UNSUB").replace("sub", "unsub")) == (set(), ASKED[message])


def test_a_url_subscribes() -> None:
    assert _shapes.asked_by_url("wss://x/ws?streams=btcusdt@trade/btcusdt%40depth@100ms") == {"trade", "order_book"}
    assert _shapes.asked_by_url("wss://me:secret@trade.com/ws/trade?token=a@b") == set()


def test_trades_are_numbered_by_symbol() -> None:
    trade = '{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001"}'
    match = '{"type":"match","trade_id":10,"sequence":50,"time":"2014-11-07T08:19:27Z","product_id":"BTC-USD"}'
    other = _shapes.number_of("binance", trade.replace('"t"', '"a"'))

    assert _shapes.number_of("binance", trade) == ('BNBBTC","t', 12345)
    assert other == ('BNBBTC","a', 12345)
    assert _shapes.number_of("coinbaseexchange", match) == ("BTC-USD", 10)
    assert _shapes.number_of("kraken", trade) is None
    assert _shapes.number_of("binance", '{"e":"trade","s":"A","t":"no"}') is None


NAMES = {
    "wss://stream.binance.com:9443/ws/btcusdt@kline_1m?x=1": "stream.binance.com:9443/ws/btcusdt@kline_1m",
    "wss://user:secret@ws.kraken.com/v2/": "ws.kraken.com/v2",
    "wss://ws-feed.exchange.coinbase.com": "ws-feed.exchange.coinbase.com",
    "wss://dstream.binance.com/ws/ethusd_next_quarter@continuousKline_1m": (
        "dstream.binance.com/ws/ethusd_next_quarter@continuousKline_1m"
    ),
    "wss://x.com/ws/pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1": "x.com/ws/*",
    "wss://x.com/ws/!ticker@arr": "x.com/ws/!ticker@arr",
    "wss://x.com/ws/!markPrice@arr@1s": "x.com/ws/!markPrice@arr@1s",
    "wss://x.com/ws/btcusdt%40depth20@100ms": "x.com/ws/btcusdt@depth20@100ms",
    "wss://x.com/linear-swap-ws": "x.com/linear-swap-ws",
    "wss://x.com/ws-api/v3": "x.com/ws-api/v3",
    "wss://x.com/v5/public/linear": "x.com/v5/public/linear",
    "wss://x.com/v1beta3/crypto/us": "x.com/v1beta3/crypto/us",
    "wss://x.com/ws/AbCdEfGhIjKlMnOp": "x.com/ws/*",
    "wss://x.com/ws/pqia%39 1ma19a5s61": "x.com/ws/*",
    "wss://x.com/u/abcdefghijklmnopqrstuvwxyz": "x.com/u/*",
    "wss://x.com/u/U1234567/me@mail.example.com": "x.com/u/*/*",
    "wss://x.com/u/a%2Fb": "x.com/u/*",
    "wss://x.com/550e8400-e29b-41d4-a716-446655440000/u/123456789": "x.com/*/u/*",
}


@pytest.mark.parametrize("url", NAMES)
def test_the_name_of_a_connection_holds_no_key(url: str) -> None:
    assert _links._name(url) == NAMES[url]
