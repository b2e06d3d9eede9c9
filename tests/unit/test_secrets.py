"""What is a secret and what only looks like one."""

from __future__ import annotations

import re
import time

import pytest

from otel_trading import semconv
from otel_trading._secrets import MASK, MASKED, is_named, without_secrets

KEY = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"


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
    assert time.process_time() - begun < 1
