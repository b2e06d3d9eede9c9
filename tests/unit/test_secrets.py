"""What is a secret and what only looks like one."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.metrics.export import MetricsData

from otel_trading import meter, semconv
from otel_trading._secrets import MASK, MASKED, is_named, is_secret_label, look_again, without_secrets
from otel_trading.sdk.redaction import clean, clean_metrics
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from otel_trading.testing import CapturingMeter

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
ADDRESS = "0x6B175474E89094C44Da98b954EedeAC495271d0F"
SOLANA = "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v"


@pytest.fixture(autouse=True)
def _of_this_test() -> None:
    """The test before may have set as many variables."""
    look_again()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("apiKey=P&signature=P12345&x=1", "apiKey=***&signature=***&x=1"),
        ("{'apiKey': 'P', 'symbol': 'BTC'}", "{'apiKey': ***, 'symbol': 'BTC'}"),
        ('{\\"apiKey\\": \\"P\\", \\"q\\": 1}', '{\\"apiKey\\": ***, \\"q\\": 1}'),
        ("('apiKey', 'P')", "('apiKey', ***)"),
        ("<password>P</password>", "<password>***</password>"),
        ('password: "correct horse battery"', "password: ***"),
        ("--api-key P --fast", "--api-key *** --fast"),
        ("Authorization: Token P\nnext", "Authorization: ***\nnext"),
        ("{'Cookie': 'a=\"b\"; c=d', 'x': 1}", "{'Cookie': ***, 'x': 1}"),
        ("sent Bearer abcdefgh", "sent Bearer ***"),
        ("postgres://u:p@h:5432/db", "postgres://h:5432/db"),
        ("https://u:p@x@h/@me?y=1 rest", "https://h/@me rest"),
        ("/ws/pqia91ma19a5s61cv6a81va65sdf19v8a65a1", "/ws/***"),
        ("/bot123456789:AAE-abcdefghijklmnopqrstuvwxyz12345/send", "/bot***/send"),
        (f"KeyError('{KEY}')", "KeyError('***')"),
        ("invalid signature PLANT123456", "invalid signature ***"),
        ("-----BEGIN EC PRIVATE KEY-----\nP\n-----END EC PRIVATE KEY----- x", "-----BEGIN EC PRIVATE KEY-----*** x"),
    ],
)
def test_a_secret_is_masked_and_nothing_around_it(text: str, left: str) -> None:
    assert without_secrets(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "Invalid API-key, IP, or permissions for action",
        "password authentication failed for user bot",
        "signature is invalid",
        "tokens: 512",
        "quote_token=WETH-USDC",
        "signal=momentum-breakout-20",
        "O:SPY251219C00650000",
        "BTC/USDT:USDT-251226",
        "0xAb58801a7D398351B8bE11C439e05C5B3259aeC9",
        "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
        "order 6f1e2d3c-0000-4a5b-8c7d-112233445566 filled",
        "update t set a=?,b=?",
        '  File "/usr/lib/python3.11/site-packages/requests/adapters.py", line 486, in send',
        "",
    ],
)
def test_what_is_none_stays(text: str) -> None:
    assert without_secrets(text) == text


def test_no_name_of_the_convention_says_that_it_is_a_secret() -> None:
    names = {key for metric in semconv.ALL for key in metric.keys} | {metric.name for metric in semconv.ALL}
    assert [name for name in names if is_named(name)] == []


@pytest.mark.parametrize(
    "name", ["apiSecret", "http.request.header.x_mbx_apikey", "OK-ACCESS-SIGN", "db.query.parameter.0"]
)
def test_a_name_says_that_its_value_is_a_secret(name: str) -> None:
    assert is_named(name)


def test_what_the_environment_holds_as_a_secret_is_known_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert without_secrets("why horse-battery") == "why horse-battery"
    monkeypatch.setenv("KRAKEN_API_SECRET", "horse-battery")
    assert without_secrets("why horse-battery") == f"why {MASK}"
    monkeypatch.setenv("DATABASE_URL", "postgres://bot:fast-staple@db/x")
    assert without_secrets("fast-staple, horse-battery") == f"{MASK}, {MASK}"
    monkeypatch.delenv("KRAKEN_API_SECRET")
    assert without_secrets("why horse-battery") == "why horse-battery"


def test_each_pattern_has_the_one_group_that_stays() -> None:
    assert [re.compile(pattern).groups for _, pattern in MASKED] == [1] * len(MASKED)


@pytest.mark.parametrize(
    "text", ["?" * 20_000, "a://" * 5_000, "api" * 7_000, "-" * 20_000, "key=" * 5_000, "aA1" * 7_000]
)
def test_no_text_takes_long(text: str) -> None:
    begun = time.process_time()
    without_secrets(text)
    is_secret_label("token", text)
    assert time.process_time() - begun < 1


@pytest.mark.parametrize("held", [{"body": "order 7 " * 10**6}, {"db.query.text": "a" * 10**7}, {"b": b"a" * 10**7}])
def test_of_an_endless_text_only_the_beginning_leaves(held: dict[str, str | bytes]) -> None:
    begun = time.process_time()
    (left,) = clean(held).values()

    assert time.process_time() - begun < 1
    assert len(left) == 16_384
    assert left[:7] in {"order 7", "aaaaaaa"}


@pytest.mark.parametrize(
    "name", ["bot_signal", "session_signal", "API_SIGNAL", "session.passed", "botPassed", "quoteToken"]
)
def test_a_signal_is_no_sign_and_what_passed_no_pass(name: str) -> None:
    assert not is_named(name)
    assert without_secrets(f"{name}=momentum1") == f"{name}=momentum1"


@pytest.mark.parametrize("name", ["token", "base_token", "quote_token", "sign", "signature", "otp"])
@pytest.mark.parametrize(
    "value", ["USDC", "BTC/USDT:USDT-251226", "PT-sUSDE-25SEP2025", "buy", ADDRESS, SOLANA, "wrapped-staked-ether"]
)
def test_a_label_that_names_an_asset_is_no_secret(name: str, value: str) -> None:
    assert not is_secret_label(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", KEY),
        ("signature", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71"),
        ("token", "112233-6f1e2d3c-0000-4a5b-8c7d-aabbcc"),
        ("api_key", "P"),
        ("access_token", "USDC"),
        ("x" * 300, "P"),
    ],
)
def test_a_label_that_holds_a_key_is_a_secret(name: str, value: str) -> None:
    assert is_secret_label(name, value)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("BASE_TOKEN", ADDRESS, f"{ADDRESS}/USDC"),
        ("BASE_TOKEN", SOLANA, f"{SOLANA}/USDC"),
        ("POSTGRES_PASSWORD", "postgres", "postgresql and postgres"),
        ("REDIS_PASSWORD", "momentum", "momentum-bot"),
        ("BROKER_PASSWORD", "Pa55word", "Pa55words of xPa55word"),
        ("DATABASE_URL", "postgres://bot:postgres@db/x", "postgres"),
    ],
)
def test_a_value_of_the_environment_that_tells_nothing_apart_stays(
    name: str, value: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("value", "text", "left"),
    [
        ("Pa55word", "Pa55word, (Pa55word) a_Pa55word", f"{MASK}, ({MASK}) a_{MASK}"),
        ("Pa55word", r"k%3DPa55word\nPa55word", rf"k%3D{MASK}\n{MASK}"),
        ("hunter2hunter2hunter2", "xhunter2hunter2hunter2x", f"x{MASK}x"),
        ("abcdefghijklmnopqrst", "why abcdefghijklmnopqrst", f"why {MASK}"),
        (SOLANA, f"why {SOLANA}", f"why {MASK}"),
    ],
)
def test_any_other_value_of_the_environment_is_known_where_it_stands_alone(
    value: str, text: str, left: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KRAKEN_API_SECRET", value)
    assert without_secrets(text) == left


@pytest.mark.parametrize(
    "name",
    ["service.name", "service.namespace", "db.system", "db.system.name", a.SYMBOL.name, a.VENUE.name, a.STRATEGY.name],
)
def test_what_tells_whose_telemetry_it_is_holds_no_value_of_the_environment(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "momentum-2")
    assert clean({name: "momentum-2", "note": "momentum-2"}) == {name: "momentum-2", "note": MASK}


def test_our_own_metrics_keep_symbol_venue_and_strategy(
    capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REDIS_PASSWORD", "momentum-2")
    names = {"symbol": "momentum-2", "venue": "momentum-2", "strategy": "momentum-2"}
    meter.counter("my.calls").add(1, **names, token="USDC", note="momentum-2")
    assert capmeter.value("my.calls", **names, token="USDC", note=MASK) == 1


def test_a_secret_that_replaces_another_variable_is_known_from_the_next_collection_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("KRAKEN_API_SECRET", "horse-battery")
    assert without_secrets("horse-battery, fast-staple") == f"{MASK}, fast-staple"
    monkeypatch.setenv("KRAKEN_API_SECRET", "fast-staple")
    clean_metrics(MetricsData([]))
    assert without_secrets("horse-battery, fast-staple") == f"horse-battery, {MASK}"
