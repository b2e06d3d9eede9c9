"""Every channel, from its one secret file through the real Alertmanager to what its service is sent, field by field."""

from __future__ import annotations

import email
import re
import ssl
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any

import pytest
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from alert_support import Alertmanager, Endpoints, endpoints, secret, wait_for
from otel_trading.stack.ports import Ports

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.stack

_TOKEN = "123456:AAF-abcdefghijklmnopqrstuvwxyz_01234"
_KEY = "0123456789abcdef0123456789ABCDEF"
_RUNBOOK = "https://runbooks.example/RUNBOOK.md#venueconnectionlost"
_BOARD = "http://localhost:3000/d/otel-trading-overview?var-service=bot&var-venue=kraken"
_LABELS = {
    "alertname": "VenueConnectionLost",
    "severity": "critical",
    "team": "trading",
    "service_name": "bot <1>",
    "trading_venue_name": "kraken",
}
_ANNOTATIONS = {
    "summary": "A live bot has no connection to its venue.",
    "description": 'bot <1> has had no "orders" connection & waits: 30 s.',
    "action": "Look at your open positions.",
    "runbook_url": _RUNBOOK,
    "dashboard_url": _BOARD,
}
_SINCE = re.compile(r"Firing since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")
_WAS = re.compile(
    r"Resolved at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC, was firing since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC"
)


class Mails:
    """A real mail server: TLS by STARTTLS, then a password, then a message."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []
        self.logins: list[tuple[str, str]] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802  aiosmtpd's name
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        message["X-To"] = ",".join(envelope.rcpt_tos)
        self.received.append(message)
        return "250 OK"

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == ("desk@mail.example", "p:ss/word"))


@pytest.fixture(scope="module")
def services() -> Iterator[Endpoints]:
    with endpoints() as served:
        yield served


@pytest.fixture(scope="module")
def mails(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mails, int, Path]]:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    trusted = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(trusted))
    box = Mails()
    server = Controller(
        box,
        hostname="127.0.0.1",
        port=Ports.free().webhook,  # its starter cannot look up a port that the system chose
        tls_context=context,
        require_starttls=True,
        authenticator=box.authenticate,
        auth_required=True,
        auth_require_tls=True,
        auth_exclude_mechanism=["LOGIN"],  # its prompts are not those that Alertmanager knows
    )
    server.start()

    yield box, server.port, trusted
    server.stop()


@pytest.fixture(scope="module")
def alertmanager(
    alertmanager_binary: Path,
    services: Endpoints,
    mails: tuple[Mails, int, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Alertmanager]:
    home, url = tmp_path_factory.mktemp("home"), services.url
    secret(home, "slack_url", f"{url}/services/T000/B000/secret")
    secret(home, "discord_url", f"{url}/discord/1/secret")
    secret(home, "telegram_token", f"{_TOKEN} -1001234567890 {url}")
    secret(home, "pagerduty_key", f"{_KEY} {url}/v2/enqueue")
    secret(home, "webhook_url", f"{url}/mine")
    secret(home, "sms_url", f"{url}/sms +4915112345678")
    secret(home, "watchdog_url", f"{url}/ping/secret")
    secret(
        home,
        "email_url",
        f"smtp://desk%40mail.example:p%3Ass%2Fword@127.0.0.1:{mails[1]}?to=me@x.example,you@x.example",
    )
    running = Alertmanager(alertmanager_binary, home, f"{url}/file", interval="1s")
    # Resolved messages leave with the next round of their group.
    running.render(edit=(("group_interval: 5s", "group_interval: 1s"), ("repeat_interval: 1m", "repeat_interval: 1s")))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(mails[2]))
        running.start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def delivered(
    alertmanager: Alertmanager, services: Endpoints, mails: tuple[Mails, int, Path]
) -> dict[str, tuple[Any, Any]]:
    """What each service was sent for two alerts of one group: when they fired, and when they ended."""
    two = [{**_LABELS, "job": "two", "trading_connection_name": name} for name in ("orders", "data")]
    paths = {
        "slack": "/services/T000/B000/secret",
        "discord": "/discord/1/secret",
        "telegram": f"/bot{_TOKEN}/sendMessage",
        "pagerduty": "/v2/enqueue",
        "webhook": "/mine",
        "sms": "/sms",
        "file": "/file",
    }
    alertmanager.fire({"alertname": "Watchdog", "severity": "none"})
    alertmanager.fire(*two, annotations=_ANNOTATIONS)
    firing = {name: services.take(path).body for name, path in paths.items()}
    wait_for(lambda: mails[0].received, "a mail")
    for _ in range(3):  # rounds of groups go by, and nobody is told twice
        services.take("/ping/secret")
    assert {name: services.waiting(path) for name, path in paths.items()} == dict.fromkeys(paths, 0)
    assert len(mails[0].received) == 1
    alertmanager.fire(*two, annotations=_ANNOTATIONS, ended=True)
    resolved = {name: services.take(path).body for name, path in paths.items()}
    wait_for(lambda: len(mails[0].received) == 2, "a second mail")
    pairs = {name: (firing[name], resolved[name]) for name in paths}
    return {**pairs, "email": (mails[0].received[0], mails[0].received[1])}


def test_all_of_them_get_a_group_once_when_it_fires_and_once_when_it_ends(
    delivered: dict[str, tuple[Any, Any]], services: Endpoints
) -> None:
    assert len(delivered) == 8
    services.take("/ping/secret")
    assert services.waiting("/services/T000/B000/secret") == services.waiting("/v2/enqueue") == 0


@pytest.mark.seed("S0-38", "S1-44", "S2-30", "S3-53", "S3-54")
def test_slack_is_sent_what_an_incoming_webhook_takes(delivered: dict[str, tuple[Any, Any]]) -> None:
    firing, resolved = delivered["slack"]
    assert set(firing) == {"username", "attachments"}
    ((attachment,), (ended,)) = firing["attachments"], resolved["attachments"]
    assert attachment["title"] == "[CRITICAL] VenueConnectionLost, kraken, bot &lt;1&gt; (2 firing)"
    assert (attachment["color"], ended["color"]) == ("danger", "good")
    assert ended["title"] == "[RESOLVED] VenueConnectionLost, kraken, bot &lt;1&gt; (2 resolved)"
    assert attachment["fallback"] == attachment["title"]
    assert attachment["mrkdwn_in"] == ["text"]
    assert attachment["title_link"].endswith("/#/alerts?receiver=trading-critical")
    text = attachment["text"]
    assert text.startswith("A live bot has no connection to its venue.\n")
    assert 'bot &lt;1&gt; has had no "orders" connection &amp; waits: 30 s.' in text
    assert "`trading_connection_name=data`" in text
    assert "`trading_connection_name=orders`" in text
    assert "*Do first:* Look at your open positions." in text
    assert f"<{_BOARD.replace('&', '&amp;')}|Board> <{_RUNBOOK}|Runbook>" in text
    assert len(_SINCE.findall(text)) == len(_WAS.findall(ended["text"])) == 2
    assert "Do first" not in ended["text"]
    assert len(text) <= 3000  # beyond it Slack folds


@pytest.mark.seed("S1-43", "S2-31", "S3-56")
def test_mail_is_written_in_text_and_html_after_tls_and_password(
    delivered: dict[str, tuple[Any, Any]], mails: tuple[Mails, int, Path]
) -> None:
    firing, resolved = delivered["email"]
    assert set(mails[0].logins) == {("desk@mail.example", "p:ss/word")}
    assert firing["Subject"] == "[CRITICAL] VenueConnectionLost, kraken, bot <1> (2 firing)"
    assert resolved["Subject"] == "[RESOLVED] VenueConnectionLost, kraken, bot <1> (2 resolved)"
    assert (firing["From"], firing["To"]) == ("desk@mail.example", "me@x.example, you@x.example")
    assert firing["X-To"] == "me@x.example,you@x.example"
    assert firing["References"] == resolved["References"]
    text = firing.get_body(("plain",)).get_content().replace("\r\n", "\n")
    html = firing.get_body(("html",)).get_content()
    assert text.startswith("[CRITICAL] VenueConnectionLost")
    assert 'bot <1> has had no "orders" connection & waits: 30 s.' in text
    assert f"Board: {_BOARD}\nRunbook: {_RUNBOOK}\n" in text
    assert "bot &lt;1&gt; has had no" in html
    assert f'href="{_BOARD.replace("&", "&amp;")}"' in html
    assert f'href="{_RUNBOOK}"' in html
    assert "<b>Do first:</b> Look at your open positions." in html
    assert len(_SINCE.findall(text)) == len(_SINCE.findall(html)) == 2
    ended = resolved.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert len(_WAS.findall(ended)) == 2
    assert "Do first" not in ended


@pytest.mark.seed("S3-55")
def test_pagerduty_opens_an_incident_and_closes_the_same(delivered: dict[str, tuple[Any, Any]]) -> None:
    firing, resolved = delivered["pagerduty"]
    assert (firing["event_action"], resolved["event_action"]) == ("trigger", "resolve")
    assert firing["routing_key"] == _KEY
    assert 0 < len(firing["dedup_key"]) <= 255
    assert firing["dedup_key"] == resolved["dedup_key"]
    payload = firing["payload"]
    assert payload["summary"] == "[CRITICAL] VenueConnectionLost, kraken, bot <1> (2 firing)"
    assert len(payload["summary"]) <= 1024
    assert payload["severity"] in {"critical", "error", "warning", "info"}
    assert {name: payload[name] for name in ("source", "severity", "class", "component", "group")} == {
        "source": "bot <1>",
        "severity": "critical",
        "class": "VenueConnectionLost",
        "component": "kraken",
        "group": "trading",
    }
    assert firing["links"] == [{"href": _RUNBOOK, "text": "Runbook"}, {"href": _BOARD, "text": "Board"}]
    details = payload["custom_details"]
    assert (details["num_firing"], details["num_resolved"], details["resolved"]) == (2, 0, [])
    # Whole sentences, although a colon in them would be structure to YAML.
    assert [one["description"] for one in details["firing"]] == [_ANNOTATIONS["description"]] * 2
    assert resolved["payload"]["custom_details"]["num_resolved"] == 2


def test_telegram_is_sent_what_send_message_takes(delivered: dict[str, tuple[Any, Any]]) -> None:
    firing, resolved = delivered["telegram"]
    assert firing["chat_id"] == "-1001234567890"
    assert "parse_mode" not in firing
    assert 0 < len(firing["text"]) <= 4096
    assert firing["text"].startswith("[CRITICAL] VenueConnectionLost, kraken, bot <1> (2 firing)\nA live bot has no")
    assert f"Do first: Look at your open positions.\nBoard: {_BOARD}\nRunbook: {_RUNBOOK}\n" in firing["text"]
    assert len(_SINCE.findall(firing["text"])) == len(_WAS.findall(resolved["text"])) == 2


def test_discord_is_sent_what_a_webhook_of_it_takes(delivered: dict[str, tuple[Any, Any]]) -> None:
    firing, resolved = delivered["discord"]
    ((embed,), (ended,)) = firing["embeds"], resolved["embeds"]
    assert set(embed) == {"title", "description", "color"}
    assert embed["title"] == "[CRITICAL] VenueConnectionLost, kraken, bot <1> (2 firing)"
    assert 0 < len(embed["title"]) <= 256
    assert 0 < len(embed["description"]) <= 4096
    assert f"[Board]({_BOARD}) [Runbook]({_RUNBOOK})" in embed["description"]
    assert len(_SINCE.findall(embed["description"])) == len(_WAS.findall(ended["description"])) == 2
    assert embed["color"] != ended["color"]


def test_a_program_of_yours_is_sent_all_of_it(delivered: dict[str, tuple[Any, Any]]) -> None:
    firing, resolved = delivered["webhook"]
    assert (firing["version"], firing["status"], resolved["status"]) == ("4", "firing", "resolved")
    assert firing["groupLabels"] == {
        name: _LABELS[name] for name in ("alertname", "service_name", "trading_venue_name")
    }
    assert [alert["annotations"] for alert in firing["alerts"]] == [_ANNOTATIONS] * 2


@pytest.mark.seed("S2-32")
def test_a_text_message_is_short_and_complete(delivered: dict[str, tuple[Any, Any]]) -> None:
    firing, resolved = delivered["sms"]
    assert firing["to"] == ["+4915112345678"]
    text = firing["text"]
    assert text.startswith("[CRITICAL] VenueConnectionLost, kraken, bot <1> (2 firing) A live bot has no connection")
    assert re.search(r"to its venue\. Since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.$", text)
    assert re.fullmatch(
        r"\[RESOLVED\] VenueConnectionLost, kraken, bot <1> at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.", resolved["text"]
    )
    assert len(text) <= 306  # two messages
    assert "\n" not in text


def test_no_secret_stands_in_the_configuration_or_in_a_process_argument(alertmanager: Alertmanager) -> None:
    files = [path for path in alertmanager.home.rglob("*") if path.is_file() and "secrets" not in path.parts]
    seen = b"".join(path.read_bytes() for path in files)
    with open(f"/proc/{alertmanager.pid}/cmdline", "rb") as arguments:  # noqa: PTH123  no file to speak of
        seen += arguments.read()
    for secret_part in (_TOKEN, _KEY, "T000", "p:ss/word", "p%3Ass", "/discord/1", "/ping/"):
        assert secret_part.encode() not in seen, secret_part
    modes = {path.stat().st_mode & 0o077 for path in (alertmanager.home / "secrets").rglob("*")}
    assert modes == {0}


def test_the_outside_is_called_again_and_again_while_all_is_well(
    delivered: dict[str, tuple[Any, Any]], services: Endpoints
) -> None:
    assert delivered
    pulses = [services.take("/ping/secret").body for _ in range(2)]
    assert [[alert["labels"]["alertname"] for alert in pulse["alerts"]] for pulse in pulses] == [["Watchdog"]] * 2
    assert {pulse["receiver"] for pulse in pulses} == {"watchdog"}
