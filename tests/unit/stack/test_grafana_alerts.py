"""Grafana's contact points: off unless asked for, complete when asked for, without a secret in them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
import yaml

from alert_support import secret
from otel_trading.errors import ConfigError
from otel_trading.stack import config, grafana_alerts
from otel_trading.stack.ports import Ports

if TYPE_CHECKING:
    from otel_trading.stack.state import Kind

_URL = "https://hooks.example/services/T0/B0/x"
_MAIL = "smtp://me%40x.example:p%40ss@mail.example?to=a@x.example,b@x.example"
#: What Grafana 9.4 reads of provisioning/alerting/*.yaml, as its manual has it.
_TEXT = {"type": "string", "minLength": 1}
_DURATION = {"type": "string", "pattern": r"^\d+[smhd]$"}
_TIMES = dict.fromkeys(("group_wait", "group_interval", "repeat_interval"), _DURATION)
_ROUTE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "orgId": {"const": 1},
        "receiver": _TEXT,
        "group_by": {"type": "array", "items": _TEXT},
        "object_matchers": {
            "type": "array",
            "items": {
                "type": "array",
                "minItems": 3,
                "maxItems": 3,
                "prefixItems": [_TEXT, {"enum": ["=", "!=", "=~"]}],
            },
        },
        **_TIMES,
    },
    "required": ["receiver"],
    "additionalProperties": False,
}
_POLICY = {**_ROUTE, "properties": {**_ROUTE["properties"], "routes": {"type": "array", "items": _ROUTE}}}
_SETTINGS = {
    "slack": {"required": ["url"], "properties": {"url": _TEXT, "username": _TEXT}, "additionalProperties": False},
    "email": {
        "required": ["addresses"],
        "properties": {"addresses": _TEXT, "singleEmail": {"type": "boolean"}},
        "additionalProperties": False,
    },
}
_RECEIVER = {
    "type": "object",
    "properties": {
        "uid": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,40}$"},
        "type": {"enum": list(_SETTINGS)},
        "disableResolveMessage": {"const": False},
        "settings": {"type": "object"},
    },
    "required": ["uid", "type", "settings"],
    "additionalProperties": False,
    "allOf": [
        {"if": {"properties": {"type": {"const": kind}}}, "then": {"properties": {"settings": settings}}}
        for kind, settings in _SETTINGS.items()
    ],
}
_POINT = {
    "type": "object",
    "properties": {
        "orgId": {"const": 1},
        "name": _TEXT,
        "receivers": {"type": "array", "items": _RECEIVER, "minItems": 1},
    },
    "required": ["name", "receivers"],
    "additionalProperties": False,
}
_FILE = {
    "type": "object",
    "properties": {
        "apiVersion": {"const": 1},
        "contactPoints": {"type": "array", "items": _POINT},
        "policies": {"type": "array", "items": _POLICY, "maxItems": 1},
    },
    "required": ["apiVersion"],
    "additionalProperties": False,
}


def _rendered(home: Path, kind: Kind = "native") -> dict[str, dict[str, Any]]:
    folder = config.render(home, ports=Ports(), kind=kind) / "dashboards" / "provisioning" / "alerting"
    return {file.stem: yaml.safe_load(file.read_text()) for file in folder.glob("*.yaml")}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    secret(tmp_path, "slack_url", _URL)
    secret(tmp_path, "email_url", _MAIL)
    return tmp_path


def test_it_is_off_unless_asked_for(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(grafana_alerts.VARIABLE, raising=False)
    assert _rendered(home) == {}
    assert list((home / "secrets" / "grafana").iterdir()) == []


@pytest.mark.seed("S4-17")
@pytest.mark.parametrize("chosen", ["slack", "email", "slack,email"])
@pytest.mark.parametrize("kind", ["native", "docker"])
def test_one_variable_gives_grafana_contact_points_and_a_policy(
    home: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, kind: Kind
) -> None:
    monkeypatch.setenv(grafana_alerts.VARIABLE, chosen)
    files = _rendered(home, kind)
    assert set(files) == {*chosen.split(","), "policies"}
    for file in files.values():
        jsonschema.validate(file, _FILE)
    points = [point for file in files.values() for point in file.get("contactPoints", [])]
    receivers = [receiver for point in points for receiver in point["receivers"]]
    assert sorted(receiver["type"] for receiver in receivers) == sorted(chosen.split(","))
    assert len({receiver["uid"] for receiver in receivers}) == len(receivers)
    (policy,) = files["policies"]["policies"]
    assert {policy["receiver"], *(route["receiver"] for route in policy["routes"])} == {
        point["name"] for point in points
    }
    # Grafana is told where the secret is, and finds it there.
    for path in re.findall(r"\$__file\{(.*?)\}", str(receivers)):
        there = Path(path.replace("/etc/otel-trading", str(home)) if kind == "docker" else path)
        assert there.read_text() in {_URL, "a@x.example;b@x.example"}
    assert _URL not in str(files)


def test_the_mail_client_is_told_the_server_and_where_the_password_is(home: Path) -> None:
    environ = {grafana_alerts.VARIABLE: "email"}
    grafana = grafana_alerts.compose(home, "native", environ)
    assert grafana.variables == {
        "GF_SMTP_ENABLED": "true",
        "GF_SMTP_HOST": "mail.example:587",
        "GF_SMTP_FROM_ADDRESS": "me@x.example",
        "GF_SMTP_STARTTLS_POLICY": "MandatoryStartTLS",
        "GF_SMTP_USER": "me@x.example",
        "GF_SMTP_PASSWORD": f"$__file{{{home}/secrets/grafana/email_password}}",
    }
    assert grafana.secrets == {"email_password": "p@ss", "email_to": "a@x.example;b@x.example"}
    in_container = grafana_alerts.compose(home, "docker", environ).variables
    assert in_container["GF_SMTP_PASSWORD"] == "$__file{/etc/otel-trading/secrets/grafana/email_password}"


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("smtp://localhost:25?to=a@x.example&tls=no", "NoStartTLS"),
        ("smtps://me:p@mail.example?to=a@x.example", "OpportunisticStartTLS"),
    ],
)
def test_other_mail_servers(home: Path, text: str, policy: str) -> None:
    secret(home, "email_url", text)
    variables = grafana_alerts.compose(home, "native", {grafana_alerts.VARIABLE: "email"}).variables
    assert variables["GF_SMTP_STARTTLS_POLICY"] == policy
    assert ("GF_SMTP_PASSWORD" in variables) is ("me:p@" in text)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("pagerduty", r"STACK_GRAFANA_ALERTS names 'pagerduty'\. Allowed: slack, email, comma between\."),
        ("on", r"STACK_GRAFANA_ALERTS names 'on'\. Allowed: slack, email"),
    ],
)
def test_what_grafana_cannot_use_is_refused(home: Path, value: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        grafana_alerts.compose(home, "native", {grafana_alerts.VARIABLE: value})


def test_a_channel_without_a_secret_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ConfigError, match=r"names 'slack', which has no secret\. Write .*/secrets/alerts/slack_url \(one"
    ):
        grafana_alerts.compose(tmp_path, "native", {grafana_alerts.VARIABLE: "slack"})
