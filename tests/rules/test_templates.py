"""Messages by amtool: many alerts at once, some ended, and those of a user who wrote no annotations."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from otel_trading.stack._files import shipped

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALL = ["message", "html", "markdown", "slack.text", "slack.title", "title", "sms"]


def _alert(number: int, *, firing: bool = True, bare: bool = False) -> dict[str, Any]:
    labels = {"alertname": "MarketDataStale", "severity": "critical", "service_name": "bot"}
    annotations = {
        "summary": "Stale.",
        "description": f"Feed {number} is old.",
        "action": "Stop.",
        "runbook_url": "https://r",
    }
    return {
        "status": "firing" if firing else "resolved",
        "labels": labels | {"trading_instrument_symbol": f"SYM{number}"},
        "annotations": {} if bare else annotations,
        "startsAt": "2026-01-02T03:04:05Z",
        "endsAt": "2026-01-02T03:10:05Z",
        "generatorURL": "http://p",
        "fingerprint": str(number),
    }


@pytest.fixture(scope="module")
def render(amtool: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    def _render(
        template: str, *alerts: dict[str, Any], severity: str | None = "critical", summary: str = "Stale."
    ) -> str:
        common = {"alertname": "MarketDataStale", "service_name": "bot"} | ({"severity": severity} if severity else {})
        summaries = {one["annotations"].get("summary") for one in alerts}
        data = {
            "receiver": "trading-critical",
            "status": "firing" if any(one["status"] == "firing" for one in alerts) else "resolved",
            "alerts": list(alerts),
            "groupLabels": {"alertname": "MarketDataStale", "service_name": "bot"},
            "commonLabels": common,
            "commonAnnotations": {"summary": summary} if summaries == {"Stale."} else {},
            "externalURL": "http://127.0.0.1:9093",
        }
        file = tmp_path_factory.mktemp("data") / "data.json"
        file.write_text(json.dumps(data))
        command = [str(amtool), "template", "render", f"--template.glob={shipped('alerts/templates')}/*.tmpl"]
        command += [f'--template.text={{{{ template "trading.{template}" . }}}}', f"--template.data={file}"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
        assert run.returncode == 0, run.stderr
        return run.stdout

    return _render


def test_what_fires_and_what_has_ended_are_counted_and_dated(render: Callable[..., str]) -> None:
    text = render("message", _alert(1), _alert(2), _alert(3, firing=False))
    assert text.startswith("[CRITICAL] MarketDataStale, bot (2 firing, 1 resolved)\nStale.\n")
    assert text.count("Firing since 2026-01-02 03:04:05 UTC") == 2
    assert text.count("Resolved at 2026-01-02 03:10:05 UTC, was firing since 2026-01-02 03:04:05 UTC") == 1
    assert text.count("Do first: Stop.") == 2  # nothing is to be done about what has ended


@pytest.mark.parametrize("template", ["message", "html", "markdown", "slack.text"])
def test_of_many_five_are_shown_and_the_rest_is_a_link(render: Callable[..., str], template: str) -> None:
    text = render(template, *(_alert(number) for number in range(40)))
    assert text.count("is old.") == 5
    assert text.count("http://127.0.0.1:9093/#/alerts?receiver=trading-critical") == 1
    assert "ore are firing" in text
    assert len(text) < 4096


@pytest.mark.parametrize("template", ALL)
@pytest.mark.parametrize("firing", [True, False])
def test_an_alert_without_annotations_or_severity_is_told_as_well(
    render: Callable[..., str], template: str, *, firing: bool
) -> None:
    text = render(template, _alert(1, firing=firing, bare=True), severity=None)
    assert "<no value>" not in text
    assert "%!" not in text
    assert "[] " not in text
    if template not in ("markdown", "slack.text"):
        assert ("[FIRING] MarketDataStale" if firing else "[RESOLVED] MarketDataStale") in text


def test_a_text_message_stays_short_whatever_the_rule_says(render: Callable[..., str]) -> None:
    since = " Since 2026-01-02 03:04:05 UTC."
    assert json.loads(render("sms", _alert(1))) == f"[CRITICAL] MarketDataStale, bot (1 firing) Stale.{since}"
    bare = render("sms", _alert(1, bare=True), severity=None)
    assert json.loads(bare) == f"[FIRING] MarketDataStale, bot (1 firing){since}"
    long = render("sms", _alert(1), summary='"Long": ' + "x" * 1000)
    assert json.loads(long) == f'[CRITICAL] MarketDataStale, bot (1 firing) "Long": {"x" * 112}...{since}'
