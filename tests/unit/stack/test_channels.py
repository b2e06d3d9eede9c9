"""What a channel's secret file may say, and what a wrong one is told before anything is started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from alert_support import secret
from otel_trading.errors import ConfigError
from otel_trading.stack import channels, notifying
from otel_trading.stack._files import shipped
from otel_trading.stack.ports import Ports

if TYPE_CHECKING:
    from pathlib import Path

_URL = "https://hooks.example/services/T0/B0/x"


def _compose(home: Path, **environ: str) -> notifying.Plan:
    return notifying.compose(home, ports=Ports(), kind="native", interval=None, environ=environ)


def _receivers(plan: notifying.Plan) -> dict[str, dict[str, Any]]:
    document = yaml.safe_load(plan.text)
    return {one.pop("name"): one for one in document["receivers"]}


def _integrations(plan: notifying.Plan) -> dict[str, set[str]]:
    return {name: set(one) for name, one in _receivers(plan).items()}


def test_without_a_secret_it_is_the_shipped_file_and_all_goes_into_a_file(tmp_path: Path) -> None:
    plan = _compose(tmp_path)
    assert plan.text == shipped("alerts/alertmanager.yaml").read_text()
    assert plan.secrets == {"file_url": "http://127.0.0.1:5001/alerts", "channels": ""}


@pytest.mark.parametrize(
    ("file", "text", "key", "critical_only"),
    [
        ("slack_url", _URL, "slack_configs", False),
        ("discord_url", _URL, "discord_configs", False),
        ("telegram_token", "123456:AAF-abcdefghijklmnopqrstuvwxyz_01234 -100", "telegram_configs", False),
        ("email_url", "smtp://localhost:25?to=me@x.example&tls=no", "email_configs", False),
        ("pagerduty_key", "a" * 32, "pagerduty_configs", True),
    ],
)
@pytest.mark.parametrize("by", ["file", "variable"])
def test_one_file_or_one_variable_switches_a_channel_on(
    tmp_path: Path, file: str, text: str, key: str, by: str, *, critical_only: bool
) -> None:
    if by == "file":
        secret(tmp_path, file, text)
        plan = _compose(tmp_path)
    else:
        elsewhere = secret(tmp_path / "elsewhere", file, text)
        plan = _compose(tmp_path, **{f"STACK_ALERT_{file.upper()}_FILE": str(elsewhere)})
    got = {name for name, keys in _integrations(plan).items() if key in keys}
    everyone = {f"{team}-{severity}" for team in ("trading", "platform") for severity in ("critical", "warning")}
    assert got == ({"trading-critical", "platform-critical"} if critical_only else everyone)
    assert all("webhook_configs" in keys for name, keys in _integrations(plan).items() if name != "watchdog")


def test_programs_and_phones_stand_beside_the_file(tmp_path: Path) -> None:
    secret(tmp_path, "webhook_url", _URL)
    secret(tmp_path, "sms_url", f"{_URL} +4915112345678 +442012345678")
    secret(tmp_path, "watchdog_url", _URL)
    receivers = _receivers(_compose(tmp_path))
    urls = {name: [hook["url_file"] for hook in one["webhook_configs"]] for name, one in receivers.items()}
    at = "secrets/alertmanager"
    assert urls["trading-critical"] == [f"{at}/file_url", f"{at}/trading/webhook_url", f"{at}/trading/sms_url"]
    assert urls["trading-warning"] == [f"{at}/file_url", f"{at}/trading/webhook_url"]
    assert (urls["file"], urls["watchdog"]) == ([f"{at}/file_url"], [f"{at}/all/watchdog_url"])


def test_a_team_can_have_a_channel_of_its_own(tmp_path: Path) -> None:
    secret(tmp_path, "slack_url", f"{_URL}1")
    secret(tmp_path, "platform/slack_url", f"{_URL}2")
    secret(tmp_path, "trading/pagerduty_key", "a" * 32)
    plan = _compose(tmp_path)
    assert (plan.secrets["trading/slack_url"], plan.secrets["platform/slack_url"]) == (f"{_URL}1", f"{_URL}2")
    assert "pagerduty_configs" in _receivers(plan)["trading-critical"]
    assert "pagerduty_configs" not in _receivers(plan)["platform-critical"]


@pytest.mark.parametrize(
    ("text", "options"),
    [
        (
            "smtp://me%40x.example:p%40ss@mail.example?to=a@x.example,b@x.example",
            {
                "to": "a@x.example, b@x.example",
                "from": "me@x.example",
                "smarthost": "mail.example:587",
                "force_implicit_tls": False,
                "require_tls": True,
                "auth_username": "me@x.example",
                "auth_password_file": "email_password",
            },
        ),
        (
            "smtps://me:secret@mail.example?to=a@x.example&from=bot@x.example",
            {
                "to": "a@x.example",
                "from": "bot@x.example",
                "smarthost": "mail.example:465",
                "force_implicit_tls": True,
                "require_tls": True,
                "auth_username": "me",
                "auth_password_file": "email_password",
            },
        ),
        (
            "smtp://localhost:25?to=a@x.example&tls=no",
            {
                "to": "a@x.example",
                "from": "a@x.example",
                "smarthost": "localhost:25",
                "force_implicit_tls": False,
                "require_tls": False,
            },
        ),
    ],
)
def test_a_mail_server_is_one_url(text: str, options: dict[str, Any]) -> None:
    (channel,) = (one for one in channels.ALL if one.name == "email")
    assert channel.parse([text]).options == options


@pytest.mark.parametrize(
    ("file", "text", "says"),
    [
        ("slack_url", "", r"is empty\. Allowed: one line with the URL of an incoming webhook\."),
        ("slack_url", "hooks.example/T0", r"has no URL that begins with https:// or http:// and names a host\."),
        ("slack_url", "https:///T0", r"has no URL"),
        ("slack_url", "https://hooks.example:99999/T0", r"has a URL that cannot be taken apart; special characters"),
        ("email_url", "smtp://me:se/cret@mail.example?to=a@x.example", r"has a URL that cannot be taken apart;"),
        ("discord_url", f"{_URL} {_URL}", r"has 2 words\. Allowed: one line"),
        ("webhook_url", "ftp://x.example", r"has no URL"),
        ("watchdog_url", "ping", r"has no URL"),
        ("telegram_token", "123456:AAF-abcdefghijklmnopqrstuvwxyz_01234", r"has 1 words\. Allowed: the bot's token"),
        ("telegram_token", "nonsense -100", r"has a token that is not like 123456:AAF"),
        ("telegram_token", "123456:AAF-abcdefghijklmnopqrstuvwxyz_01234 @desk", r"has the chat '@desk'"),
        ("pagerduty_key", "short", r"has a key of 5 characters that are not 32 letters and digits"),
        ("sms_url", f"{_URL} 015112345678", r"has the number '015112345678', which is not like \+49"),
        ("email_url", "smtp://mail.example", r"has to='', which is no address"),
        ("email_url", "smtp://mail.example?to=me", r"has to='me', which is no address"),
        ("email_url", "https://mail.example?to=a@x.example", r"begins with smtp:// or smtps://"),
        ("email_url", "smtp://me@mail.example?to=a@x.example", r"has a user or a password and not both"),
        ("email_url", "smtp://a:b@mail.example?to=a@x.example&tls=no", r"has a tls= that is not the tls=no"),
        ("email_url", "smtp://mail.example?to=a@x.example&cc=b@x.example", r"has the unknown option 'cc'"),
    ],
)
def test_what_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path, file: str, text: str, says: str) -> None:
    path = secret(tmp_path, file, text)
    with pytest.raises(ConfigError, match=says) as caught:
        _compose(tmp_path)
    assert str(caught.value).startswith(f"The file {path} ")
    assert len(text) < 6 or text not in str(caught.value)  # it is a secret
    assert "'se'" not in str(caught.value)


def test_a_missing_file_is_refused_with_the_variable_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"^STACK_ALERT_SLACK_URL_FILE=/nowhere/x cannot be read: No such file"
    ) as caught:
        _compose(tmp_path, STACK_ALERT_SLACK_URL_FILE="/nowhere/x")
    assert "Give it the secret" in str(caught.value)


def test_a_folder_or_bytes_are_refused(tmp_path: Path) -> None:
    secret(tmp_path, "slack_url", "").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"cannot be read: it is not text\."):
        _compose(tmp_path)
    with pytest.raises(ConfigError, match=r"cannot be read: Is a directory\."):
        _compose(tmp_path, STACK_ALERT_SLACK_URL_FILE=str(tmp_path))


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = secret(tmp_path, "slack_url", _URL)
    path.chmod(0o644)
    assert _compose(tmp_path).secrets  # its folder keeps others out
    path.parent.chmod(0o755)
    with pytest.raises(ConfigError, match=rf"can be read by other users of this machine\. .* chmod 600 {path}"):
        _compose(tmp_path)
    path.chmod(0o600)
    assert _compose(tmp_path).secrets["trading/slack_url"] == _URL


def test_a_misspelt_name_gets_a_suggestion(tmp_path: Path) -> None:
    path = secret(tmp_path, "slak_url", _URL)
    with pytest.raises(ConfigError, match=r"slak_url sets no channel for alerts\. Did you mean slack_url\?"):
        _compose(tmp_path)
    path.unlink()
    with pytest.raises(ConfigError, match=r"STACK_ALERT_SLACK_URL sets no .* mean STACK_ALERT_SLACK_URL_FILE\?"):
        _compose(tmp_path, STACK_ALERT_SLACK_URL=_URL)
    secret(tmp_path, "trading/watchdog_url", _URL)
    with pytest.raises(ConfigError, match=r"trading/watchdog_url sets no channel"):
        _compose(tmp_path)


def test_a_channel_that_goes_takes_its_secret_along(tmp_path: Path) -> None:
    path = secret(tmp_path, "slack_url", _URL)
    _compose(tmp_path).write(tmp_path, "native")
    copy = notifying.secrets_folder(tmp_path) / "trading" / "slack_url"
    assert copy.read_text() == _URL
    assert notifying.enabled(tmp_path) == ["slack"]
    path.unlink()
    assert not _compose(tmp_path).is_in_force(tmp_path)
    _compose(tmp_path).write(tmp_path, "native")
    assert not copy.exists()
    assert notifying.enabled(tmp_path) == []
    assert _compose(tmp_path).is_in_force(tmp_path)


def test_market_hours_are_chosen_by_name_for_warnings_only(tmp_path: Path) -> None:
    document = yaml.safe_load(_compose(tmp_path, STACK_ALERT_MARKET_HOURS="XNYS, XLON").text)
    assert [one["name"] for one in document["time_intervals"]] == ["XNYS", "XLON"]
    routes = [document["route"], *document["route"]["routes"]]
    routes += [one for route in document["route"]["routes"] for one in route.get("routes", [])]
    timed = {route["receiver"] for route in routes if route.get("active_time_intervals") == ["XNYS", "XLON"]}
    assert timed == {"trading-warning", "platform-warning"}
    assert not [route for route in routes if "critical" in route["receiver"] and "active_time_intervals" in route]
    with pytest.raises(ConfigError, match=r"^STACK_ALERT_MARKET_HOURS names 'NYSE'\. Allowed: XNYS, CME, "):
        _compose(tmp_path, STACK_ALERT_MARKET_HOURS="NYSE")
    secret(tmp_path, "market_hours", "XETR")
    assert [one["name"] for one in yaml.safe_load(_compose(tmp_path).text)["time_intervals"]] == ["XETR"]
