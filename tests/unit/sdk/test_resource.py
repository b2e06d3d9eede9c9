"""Who a process says it is: stable over restarts, different for different bots and workers."""

from __future__ import annotations

import multiprocessing
import os
from typing import TYPE_CHECKING

import pytest

from otel_trading import _context
from otel_trading.sdk.resource import FIRST_PROCESS, PROMOTED, is_worker, job_and_instance, resource

if TYPE_CHECKING:
    from collections.abc import Iterator

_ID = "service.instance.id"


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [name for name in os.environ if name.startswith(("OTEL_", FIRST_PROCESS))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv(FIRST_PROCESS, str(os.getpid()))  # so that what is set here goes after the test
    before = _context.swap(None)
    yield
    _context.swap(before)


def _instance(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    with monkeypatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        _context.swap(None)
        return str(resource().attributes[_ID])


def test_the_instance_is_the_same_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _instance(monkeypatch) == _instance(monkeypatch)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_SERVICE_NAME", "other"),
        ("OTEL_TRADING_ACCOUNT", "acct-2"),
        ("OTEL_TRADING_STRATEGY", "momentum"),
        ("OTEL_TRADING_MODE", "paper"),
    ],
)
def test_another_bot_is_another_instance(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    assert _instance(monkeypatch) != _instance(monkeypatch, **{name: value})


@pytest.mark.usefixtures("account_key")
def test_the_account_does_not_stand_in_the_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "U1234567" not in _instance(monkeypatch, OTEL_TRADING_ACCOUNT="U1234567")


def test_the_users_own_instance_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _instance(monkeypatch, OTEL_RESOURCE_ATTRIBUTES="a=b,service.instance.id=mine") == "mine"


def test_the_callers_own_attributes_stand() -> None:
    made = resource({"telemetry.auto.version": "1", _ID: "given"})

    assert (made.attributes["telemetry.auto.version"], made.attributes[_ID]) == ("1", "given")


def test_the_process_that_begins_is_no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FIRST_PROCESS)

    assert not is_worker()
    assert os.environ[FIRST_PROCESS] == str(os.getpid())


def test_a_child_process_adds_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = _instance(monkeypatch)

    assert _instance(monkeypatch, **{FIRST_PROCESS: "1"}) == f"{bot}-{os.getpid()}"


def _report(results: multiprocessing.SimpleQueue[str]) -> None:
    results.put(str(resource().attributes[_ID]))


def test_a_multiprocessing_worker_adds_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    bot = _instance(monkeypatch)
    spawn = multiprocessing.get_context("spawn")
    results: multiprocessing.SimpleQueue[str] = spawn.SimpleQueue()
    worker = spawn.Process(target=_report, args=(results,), name="pricer-1")
    worker.start()
    worker.join(30)

    assert results.get() == f"{bot}-pricer-1"


@pytest.mark.parametrize(("namespace", "job"), [("", "bot"), ("shop", "shop/bot")])
def test_job_and_instance_are_as_prometheus_derives_them(namespace: str, job: str) -> None:
    attributes = {"service.name": "bot", "service.namespace": namespace, _ID: "i"}

    assert job_and_instance(attributes) == {"job": job, "instance": "i"}


def test_the_promoted_attributes_are_those_of_the_shipped_prometheus(pytestconfig: pytest.Config) -> None:
    shipped = (pytestconfig.rootpath / "collector" / "prometheus.yaml").read_text()
    _, _, after = shipped.partition("promote_resource_attributes:\n")
    listed = [line.strip("- ") for line in after.split("\n\n")[0].splitlines()]

    assert listed == list(PROMOTED)
