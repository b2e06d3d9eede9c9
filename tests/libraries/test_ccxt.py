"""ccxt, oldest and newest: unchanged bots on stand-ins of Binance and Kraken, and whatever a library may throw."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ccxt_bots
from venues.binance import binance
from venues.kraken import kraken

from bot_support import assert_held, environment, series, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

AT = 'trading_venue_name="binance"'
OUR = f'$,{AT},trading_instrument_symbol="BTC/USDT"'


def test_a_sync_bot_is_held_as_it_says(stack: Stack, tmp_path: Path) -> None:
    with binance() as (venue, address):
        venue.faults.append(("ticker/24hr", 429, {"Retry-After": "1"}))
        own = environment(stack, BOT_VENUE=address)
        with unchanged(tmp_path, "sync-bot", ccxt_bots.SYNC, own) as did:
            assert did["errors"] == [
                "DDoSProtection", "InsufficientFunds", "OrderImmediatelyFillable", "BadSymbol", "OrderNotFound",
            ]  # fmt: skip
            assert did["filled"] == 1.5
            assert_held(
                stack,
                "sync-bot",
                {
                    f"sum(trading_execution_fills_total{{{OUR}}})": 4,
                    f"sum(trading_position_quantity{{{OUR}}})": 1.5,
                    f'sum(trading_order_requests_total{{{OUR},trading_order_operation="new",error_type=""}})': 3,
                    f'sum(trading_order_requests_total{{{OUR},error_type="InsufficientFunds"}})': 1,
                    f'sum(trading_order_requests_total{{{OUR},trading_order_operation="cancel"}})': 2,
                    f'sum(trading_order_transitions_total{{{OUR},trading_order_status="pending_new"}})': 5,
                    f'sum(trading_order_transitions_total{{{OUR},trading_order_status="filled"}})': 2,
                    f'sum(trading_order_transitions_total{{{OUR},trading_order_status="canceled"}})': 1,
                    f'sum(trading_order_transitions_total{{{OUR},trading_order_status="rejected"}})': 2,
                    f'trading_order_rejections_total{{{OUR},trading_order_reject_reason="insufficient_funds"}}': 1,
                    f'trading_order_rejections_total{{{OUR},trading_order_reject_reason="post_only_would_cross"}}': 1,
                    f'trading_order_rejections_total{{$,{AT},trading_order_reject_source="client"}}': 1,
                    f"sum(trading_order_acknowledgement_duration_seconds_count{{{OUR}}})": 3,
                    "sum(trading_venue_request_duration_seconds_count{"
                    f'$,{AT},trading_venue_operation="fetch_ticker",error_type="DDoSProtection"}})': 1,
                    f'trading_rate_limit_rejections_total{{$,{AT},error_type="429"}}': 1,
                    f'trading_rate_limit_usage{{$,{AT},trading_rate_limit_name="request_weight_1m"}}': venue.weight,
                    f"sum(trading_rate_limit_wait_duration_seconds_count{{$,{AT}}}) > bool 0": 1,
                    f"abs(trading_venue_clock_offset_seconds{{$,{AT}}}) < bool 0.1": 1,
                },
            )
            assert ccxt_bots.SECRET not in str(series(stack, "sync-bot"))


def test_a_venue_that_replies_with_ids_alone(stack: Stack, tmp_path: Path) -> None:
    our = '$,trading_venue_name="kraken",trading_instrument_symbol="BTC/USD"'
    with (
        kraken() as (_, address),
        unchanged(tmp_path, "kraken-bot", ccxt_bots.KRAKEN, environment(stack, BOT_VENUE=address)) as did,
    ):
        assert did == [0.5, 0.5, ["InsufficientFunds", "OrderNotFound"]]
        assert_held(
            stack,
            "kraken-bot",
            {
                f"sum(trading_execution_fills_total{{{our}}})": 1,
                f"sum(trading_execution_notional_total{{{our}}})": 25_000,
                f"sum(trading_execution_fee_total{{{our}}})": 8,
                f'sum(trading_order_transitions_total{{{our},trading_order_status="new"}})': 2,
                f'sum(trading_order_transitions_total{{{our},trading_order_status="filled"}})': 1,
                f'sum(trading_order_transitions_total{{{our},trading_order_status="canceled"}})': 1,
                f'trading_order_rejections_total{{{our},trading_order_reject_reason="insufficient_funds"}}': 1,
            },
        )
        assert ccxt_bots.SECRET not in str(series(stack, "kraken-bot"))
