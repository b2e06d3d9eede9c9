"""`otel-trading silence` on the real Alertmanager: what it holds back, what it leaves, how it ends."""

from __future__ import annotations

import getpass
import json
import subprocess
import uuid
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner, Result

from bot_support import COMMAND, environment
from otel_trading.cli import cli
from otel_trading.errors import ConfigError, OtelTradingError, StackError
from otel_trading.stack import loopback, planned_restart, silences
from stack_support import json_lines, post, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


def _silence(stack: Stack, *arguments: str) -> Result:
    return CliRunner().invoke(cli, ["silence", "--home", str(stack.home), *arguments])


def _made(stack: Stack, *arguments: str) -> dict[str, Any]:
    done = _silence(stack, *arguments, "--for", "2h", "--why", "maintenance until ten", "--json")
    assert done.exit_code == 0, done.output
    made: dict[str, Any] = json.loads(done.stdout)
    return made


def _fire(stack: Stack, *alerts: dict[str, str]) -> None:
    assert post(f"{stack.urls['alertmanager']}/api/v2/alerts", [{"labels": labels} for labels in alerts]) == 200


def _silenced(stack: Stack, job: str) -> set[str]:
    found = json.loads(loopback.ask(f"{stack.urls['alertmanager']}/api/v2/alerts"))
    return {
        one["labels"]["alertname"] for one in found if one["labels"].get("job") == job and one["status"]["silencedBy"]
    }


@pytest.mark.seed("S1-46")
def test_a_venue_is_silent_until_the_silence_ends_and_others_are_not(stack: Stack) -> None:
    job = f"silence-{uuid.uuid4()}"
    venue = f"venue-{job}"
    page = {"severity": "critical", "team": "trading", "job": job, "service_name": job}
    made = _made(stack, "--venue", venue)
    _fire(stack, {**page, "alertname": "Here", "trading_venue_name": venue}, {**page, "alertname": "There"})

    wait_until(lambda: _silenced(stack, job) == {"Here"}, 10, "the silence to hold")
    wait_until(lambda: f"There-{job}" in _told(stack), 15, "what is not silenced")
    assert f"Here-{job}" not in _told(stack)
    assert made["matchers"] == f'trading_venue_name="{venue}"'
    assert (made["by"], made["why"]) == (getpass.getuser(), "maintenance until ten")
    left = datetime.fromisoformat(made["until"].replace("Z", "+00:00")) - datetime.now(timezone.utc)
    assert timedelta(hours=1, minutes=59) < left <= timedelta(hours=2)

    (listed,) = [one for one in json.loads(_silence(stack, "--list", "--json").stdout) if one["id"] == made["id"]]
    assert (listed["mutes"], listed["state"]) == (1, "active")
    done = _silence(stack, "--expire", made["id"][:13])
    assert (done.exit_code, done.stdout.splitlines()[1]) == (0, "Alerts that fire now and are held back by it: 1")
    wait_until(lambda: f"Here-{job}" in _told(stack), 15, "what fires still, once the silence has ended")
    assert made["id"] not in _silence(stack, "--list").stdout


def _told(stack: Stack) -> set[str]:
    return {f"{one['labels']['alertname']}-{one['labels'].get('job')}" for one in json_lines(stack.alerts_file)}


def test_all_that_is_named_has_to_match(stack: Stack) -> None:
    job = f"silence-{uuid.uuid4()}"
    made = _made(
        stack,
        "--service",
        job,
        "--strategy",
        "momentum",
        "--account",
        "acct-1",
        "--alert",
        'Odd "name"',
        "--venue",
        "v",
    )
    all_of_it = {
        "service_name": job,
        "trading_strategy_name": "momentum",
        "trading_account_id": "acct-1",
        "trading_venue_name": "v",
        "alertname": 'Odd "name"',
    }
    others = [{**all_of_it, "alertname": f"Other{name}", name: "another"} for name in all_of_it if name != "alertname"]
    _fire(stack, *({**labels, "job": job} for labels in (all_of_it, *others)))
    wait_until(lambda: _silenced(stack, job) == {'Odd "name"'}, 10, "the one alert to be silenced")
    assert _silence(stack, "--expire", made["id"]).exit_code == 0


@pytest.mark.timeout(90)
def test_a_planned_restart_silences_the_absence_of_this_bot_and_ends(stack: Stack, tmp_path: Path) -> None:
    job = f"restart-{uuid.uuid4()}"
    (tmp_path / "otel-trading").symlink_to(stack.home)
    command = [str(COMMAND), "run", "--service", job, "--planned-restart", "8s", "echo", "traded"]
    variables = environment(None, XDG_DATA_HOME=str(tmp_path))
    done = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout == "traded\n"
    assert f"planned restart: the absence of {job} (" in done.stderr

    url = stack.urls["alertmanager"]
    mine = [one for one in silences.current(url) if job in one.matchers]
    assert {one.matchers for one in mine} == {f'alertname="{name}", job="{job}"' for name in planned_restart.ALERTS}
    assert {one.by for one in mine} == {getpass.getuser()}
    assert all(one.why.startswith(f"Planned restart of {job}, said to otel-trading run") for one in mine)

    page = {"severity": "critical", "team": "trading", "service_name": job}
    others = [{**page, "alertname": name, "job": f"{job}-2"} for name in planned_restart.ALERTS]
    _fire(stack, *({**page, "alertname": name, "job": job} for name in (*planned_restart.ALERTS, "OrderLost")), *others)
    wait_until(lambda: _silenced(stack, job) == set(planned_restart.ALERTS), 6, "the silences to hold")
    assert _silenced(stack, f"{job}-2") == set()

    wait_until(lambda: not [one for one in silences.current(url) if job in one.matchers], 20, "their end")
    again = subprocess.run(command, env=variables, capture_output=True, text=True, timeout=30, check=True)
    assert f"{job} had a planned restart within the hour" in again.stderr
    assert not [one for one in silences.current(url) if job in one.matchers]


def _refusal(result: Result) -> str:
    assert result.exit_code != 0
    return str(result.exception) if isinstance(result.exception, OtelTradingError) else result.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--for", "2h", "--why", "x"], "A silence of everything would hide the next loss. Say what is meant"),
        (["--venue", "kraken", "--why", "x"], "A silence has to end. Say how long it lasts, for instance: --for 2h"),
        (["--venue", "kraken", "--for", "2h"], "A silence without a reason helps nobody who finds it."),
        (["--venue", "kraken", "--for", "2h", "--why", " "], "A silence without a reason"),
        (["--venue", "", "--for", "2h", "--why", "x"], "--venue '' names nothing"),
        (["--venue", ".*", "--for", "2h", "--why", "x"], "--venue '.*' names nothing; patterns are not allowed."),
        (["--alert", ".+", "--for", "2h", "--why", "x"], "--alert '.+' names nothing"),
        (["--alert", "Watchdog", "--for", "2h", "--why", "x"], "Watchdog proves that alerts arrive"),
        (["--venue", "kraken", "--for", "0s", "--why", "x"], "A silence cannot last '0s'. Allowed: a bounded time"),
        (["--venue", "kraken", "--for", "forever", "--why", "x"], "A silence cannot last 'forever'."),
        (["--venue", "kraken", "--for", "2", "--why", "x"], "A silence cannot last '2'."),
        (["--venue", "kraken", "--for", "-2h", "--why", "x"], "A silence cannot last '-2h'."),
        (["--venue", "kraken", "--for", "8d", "--why", "x"], "A silence of 8d is longer than 7 days"),
        (["--venue", "kraken", "--for", "9" * 400 + "h", "--why", "x"], "A silence cannot last"),
        (["--list", "--venue", "kraken"], "Say one thing at a time"),
        (["--expire", "nonsense"], "No silence has an id that begins with 'nonsense'."),
        (["--expire", ""], "No silence has an id that begins with ''."),
    ],
)
def test_what_would_hide_too_much_or_for_too_long_is_refused(stack: Stack, arguments: list[str], says: str) -> None:
    before = silences.current(stack.urls["alertmanager"])
    assert says in _refusal(_silence(stack, *arguments))
    assert silences.current(stack.urls["alertmanager"]) == before


def test_an_id_that_several_have_ends_none(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [_made(stack, "--service", f"twice-{uuid.uuid4()}") for _ in range(2)]
    both = silences.current(stack.urls["alertmanager"])
    alike = [
        silences.Silence(**{**vars(one), "id": f"same-{one.id}"}) for one in both if one.id in {m["id"] for m in made}
    ]
    monkeypatch.setattr(silences, "current", lambda _url: alike)
    with pytest.raises(ConfigError, match=r"\d silences have an id that begins with 'same-'"):
        silences.expire(stack.urls["alertmanager"], "same-")
    monkeypatch.undo()
    for one in made:
        silences.expire(stack.urls["alertmanager"], one["id"])


def test_a_table_for_people(stack: Stack) -> None:
    service = f"table-{uuid.uuid4()}"
    done = _silence(stack, "--service", service, "--for", "1h30m", "--why", "[bold] reasons")
    said = done.stdout.splitlines()
    assert said[0].startswith(f'Silent: service_name="{service}" until ')
    assert said[0].endswith(f"by {getpass.getuser()}: [bold] reasons")
    row = next(line for line in _silence(stack, "--list").stdout.splitlines() if service in line)
    assert row.rstrip().endswith("[bold] reasons")
    assert _silence(stack, *said[2].split()[-2:]).exit_code == 0


def test_no_answer_is_a_sentence() -> None:
    with pytest.raises(
        StackError, match=r"Alertmanager does not answer on http://127\.0\.0\.1:1: .*otel-trading status"
    ):
        silences.current("http://127.0.0.1:1")
