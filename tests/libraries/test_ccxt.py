"""ccxt, oldest and newest: unchanged bots on stand-ins of Binance and Kraken, and whatever a library may throw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ccxt_bots
from venues.binance import binance
from venues.kraken import kraken

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

#: So that the hooks of requests and aiohttp, which are on as well, would count what ccxt's count.
KNOWN = {"OTEL_TRADING_VENUE_HOSTS": "127.0.0.1=binance"}
AT = '$,trading_venue_name="binance"'
OUR = f'{AT},trading_instrument_symbol="BTC/USDT"'
ETH = f'{AT},trading_instrument_symbol="ETH/USDT"'
KRAKEN = '$,trading_venue_name="kraken",trading_instrument_symbol="BTC/USD"'


def _sum(name: str, where: str, **more: str) -> str:
    narrower = "".join(f',trading_{key}="{value}"' for key, value in more.items())
    return f"sum(trading_{name}{{{where}{narrower}}})"


def _states(where: str, **states: float) -> dict[str, float]:
    return {_sum("order_transitions_total", where, order_status=name): count for name, count in states.items()}


def _rejected(where: str, *reasons: str) -> dict[str, float]:
    return {_sum("order_rejections_total", where, order_reject_reason=reason): 1 for reason in reasons}


def test_a_sync_bot_is_held_as_it_says(stack: Stack, tmp_path: Path) -> None:
    with binance() as (venue, address), kraken() as (_, other):
        venue.faults.append(("ticker/24hr", 429, {"Retry-After": "1"}))
        own = environment(stack, BOT_BINANCE=address, BOT_KRAKEN=other, **KNOWN)
        with unchanged(tmp_path, "ccxt-bot", ccxt_bots.SYNC, own) as did:
            assert did["errors"] == [
                "DDoSProtection", "InsufficientFunds", "OrderImmediatelyFillable", "BadSymbol", "OrderNotFound",
                "InsufficientFunds", "OrderNotFound",
            ]  # fmt: skip
            assert (did["filled"], did["kraken"], did["again"]) == (1.5, 0.5, 0.5)
            assert_held(
                stack,
                "ccxt-bot",
                {
                    _sum("execution_fills_total", OUR): 4,
                    _sum("position_quantity", OUR): did["filled"],
                    _sum("order_requests_total", OUR + ',error_type=""', order_operation="new"): 3,
                    _sum("order_requests_total", OUR + ',error_type="InsufficientFunds"'): 1,
                    _sum("order_requests_total", OUR, order_operation="cancel"): 2,
                    **_states(OUR, pending_new=5, filled=2, canceled=1, rejected=2),
                    **_rejected(OUR, "insufficient_funds", "post_only_would_cross"),
                    _sum("order_rejections_total", AT, order_reject_source="client"): 1,
                    _sum("order_acknowledgement_duration_seconds_count", OUR): 3,
                    _sum(
                        "venue_request_duration_seconds_count",
                        AT + ',error_type="DDoSProtection"',
                        venue_operation="fetch_ticker",
                    ): 1,
                    _sum("rate_limit_rejections_total", AT + ',error_type="429"'): 1,
                    _sum("rate_limit_usage", AT, rate_limit_name="request_weight_1m"): venue.weight,
                    _sum("rate_limit_wait_duration_seconds_count", AT) + " > bool 0": 1,
                    f"abs(trading_venue_clock_offset_seconds{{{AT}}}) < bool 0.5": 1,
                    # a venue that replies with ids alone, tells of fills as a sum, and then of each
                    _sum("execution_fills_total", KRAKEN): 1,
                    _sum("execution_notional_total", KRAKEN): 25_000,
                    _sum("execution_fee_total", KRAKEN): 8,
                    **_states(KRAKEN, new=2, filled=1, canceled=1),
                    **_rejected(KRAKEN, "insufficient_funds"),
                },
            )
            assert_nothing_planted(stack, "ccxt-bot", ccxt_bots.SECRET)


def test_a_streaming_bot_is_held_as_it_says(stack: Stack, tmp_path: Path) -> None:
    with (
        binance() as (_, address),
        unchanged(tmp_path, "pro-bot", ccxt_bots.PRO, environment(stack, BOT_VENUE=address, **KNOWN)) as did,
    ):
        assert did["lost"][0] == "ChecksumError"
        assert did["done"] == ["closed", "closed"]
        assert_held(
            stack,
            "pro-bot",
            {
                _sum("market_data_messages_total", OUR, data_kind="ticker"): did["ticker"],
                _sum("market_data_messages_total", OUR, data_kind="order_book"): did["book"],
                _sum("market_data_gaps_total", OUR): did["lost"].count("ChecksumError"),
                _sum("market_data_resyncs_total", OUR): 1,
                _sum("connection_reconnects_total", AT): 1,
                _sum("connection_status", AT, connection_state="connected"): 1,
                _sum("execution_fills_total", OUR): 2,
                _sum("position_quantity", OUR): 1,
                **_states(OUR, partially_filled=1, filled=1),
                _sum("execution_fills_total", ETH): 4,
                _sum("position_quantity", ETH): 0.25,
                **_states(ETH, canceled=1, rejected=1),
                **_rejected(ETH, "insufficient_funds"),
                _sum("order_requests_total", ETH, order_operation="mass_cancel"): 1,
            },
        )
        assert_nothing_planted(stack, "pro-bot", ccxt_bots.SECRET)
