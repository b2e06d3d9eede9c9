"""An account number never leaves, and its alias is the same after a restart."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from otel_trading import _accounts, _context, meter
from otel_trading._secrets import without_secrets
from otel_trading.errors import ConfigError
from trace_support import tracing

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.testing import CapturingMeter

NUMBER = "DU7654321"
ASK = "import sys; from otel_trading import _accounts; print(_accounts.alias(sys.argv[1]))"


def _elsewhere(number: str) -> str:
    """What another process of this machine calls it."""
    return subprocess.run(
        [sys.executable, "-c", ASK, number], capture_output=True, text=True, timeout=60, check=True
    ).stdout


def test_a_number_has_one_alias_in_every_process(account_key: Path) -> None:
    alias = _accounts.alias(NUMBER)

    assert alias.startswith("acct-")
    assert len(alias) == len("acct-7f3a7f3a")
    assert _accounts.alias(alias) == alias
    assert _elsewhere(NUMBER) == f"{alias}\n"
    assert account_key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in account_key.parent.iterdir()] == ["account-key"]


def test_without_the_key_the_alias_is_another(account_key: Path) -> None:
    before = _accounts.alias(NUMBER)
    account_key.unlink()
    _accounts.forget()
    assert _accounts.alias(NUMBER) != before


@pytest.mark.usefixtures("account_key")
@pytest.mark.parametrize("name", ["main", "acct-7f3a", "acct-12345678", "sub-2025", ""])
def test_what_is_no_number_stays(name: str) -> None:
    assert _accounts.alias(name) == name


@pytest.mark.usefixtures("account_key")
def test_all_or_none_on_demand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_TRADING_ACCOUNT_ALIAS", "always")
    assert _accounts.alias("main").startswith("acct-")
    assert _accounts.alias("kraken").startswith("acct-")
    assert without_secrets("kraken") == "kraken", "the venue"
    monkeypatch.setenv("OTEL_TRADING_ACCOUNT_ALIAS", "never")
    assert _accounts.alias(NUMBER) == NUMBER


@pytest.mark.usefixtures("account_key")
@pytest.mark.parametrize("way", ["keyword", "default", "environment"])
def test_neither_metric_nor_span_nor_event_has_the_number(
    way: str, capmeter: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = NUMBER if way == "keyword" else None
    if way == "environment":
        monkeypatch.setenv("OTEL_TRADING_ACCOUNT", NUMBER)
        _context.swap(None)
    if way == "default":
        meter.defaults(account=NUMBER)
    with tracing() as traced:
        with meter.order_request(client_id="c-1", symbol="A", side="buy", quantity=1, account=given):
            pass
        meter.counter("my.calls").add(1, account=given)
    spans = [dict(span.attributes or {}) for span in traced.spans()]
    held = {"metrics": capmeter.prometheus(), "spans": spans, "events": [event.attributes for event in traced.events()]}

    assert NUMBER not in str(held)
    for kind, of_kind in held.items():
        assert _accounts.alias(NUMBER) in str(of_kind), kind
    assert capmeter.value("my.calls", account=_accounts.alias(NUMBER)) == 1


@pytest.mark.usefixtures("account_key")
def test_a_text_that_names_a_known_number_names_its_alias() -> None:
    alias = _accounts.alias(NUMBER)
    assert without_secrets(f"account {NUMBER}: margin of {NUMBER}9") == f"account {alias}: margin of {NUMBER}9"


@pytest.mark.usefixtures("account_key")
@pytest.mark.parametrize(
    ("content", "mode", "why"),
    [("0" * 32, 0o644, "chmod 600"), ("short", 0o600, "holds 5 characters"), (None, 0, "cannot be read")],
)
def test_a_key_that_cannot_be_used_ends_the_start(
    content: str | None, mode: int, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content)
        key.chmod(mode)
    monkeypatch.setenv("OTEL_TRADING_ACCOUNT_KEY_FILE", str(key))
    with pytest.raises(ConfigError, match=why):
        _accounts.check()


def test_where_no_key_can_be_kept_numbers_stay_hidden(account_key: Path, caplog: pytest.LogCaptureFixture) -> None:
    account_key.parent.write_text("in the way")
    alias = _accounts.alias(NUMBER)
    assert alias.startswith("acct-")
    assert _accounts.alias(NUMBER) == alias
    assert "OTEL_TRADING_ACCOUNT_KEY_FILE" in caplog.text
