"""`configure()`: what it refuses, what it says, what it builds, and that it does so once."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from process_support import QUIET, clean_environment, configured, python

import otel_trading
from otel_trading.errors import ConfigError
from otel_trading.instrumentation._hosts import venue_of
from otel_trading.sdk import setup

if TYPE_CHECKING:
    from collections.abc import Iterator

_FAR = "http://127.0.0.1:9"


@pytest.fixture
def _environ() -> Iterator[None]:
    """Only what the test sets, and nothing of it afterwards: `configure` writes defaults into the environment."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(clean_environment())
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta", "Allowed: cumulative"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory", "Allowed: cumulative"),
        *(("OTEL_METRIC_EXPORT_INTERVAL", value, "milliseconds above 0") for value in ("0", "-1", "abc", "inf", "nan")),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "soon", "milliseconds above 0"),
        *(
            (f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT", value, "Allowed: a URL such as http://localhost:4318")
            for signal, value in (
                ("", "localhost:4318"),
                ("", "http://"),
                ("", "http://host:99999"),
                ("", "ftp://x"),
                ("METRICS_", "http://[::1"),
                ("TRACES_", "collector"),
                ("LOGS_", "http//host"),
            )
        ),
        ("OTEL_METRICS_EXPORTER", "otpl", "names 'otpl', which is not installed. Allowed: otlp, prometheus, console"),
        ("OTEL_TRACES_EXPORTER", "prometheus", "which is not installed. Allowed: otlp, console, none, or the"),
        ("OTEL_LOGS_EXPORTER", "flie", "names 'flie', which is not installed"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json", "Allowed: http/protobuf, or grpc where"),
        ("OTEL_METRICS_EXEMPLAR_FILTER", "always", "Allowed: trace_based, always_on, always_off"),
        (
            "OTEL_TRADING_MOED",
            "live",
            "OTEL_TRADING_MOED is not a setting of otel-trading. Did you mean OTEL_TRADING_MODE",
        ),
        ("OTEL_TRADING_MODE", "production", "Allowed: live, paper, backtest, replay"),
        ("OTEL_TRADING_MAX_SERIES", "0", "Allowed: 1 to 1900"),
        ("OTEL_TRADING_STRICT", "yes", "Allowed: 1, true, 0, false"),
    ],
)
@pytest.mark.usefixtures("_environ")
def test_a_setting_that_cannot_be_used_is_refused_in_one_sentence(name: str, value: str, message: str) -> None:
    os.environ[name] = value
    with pytest.raises(ConfigError) as refused:
        otel_trading.configure()

    assert str(refused.value).startswith(f"{name} ")
    assert message in str(refused.value)
    assert not isinstance(metrics.get_meter_provider(), MeterProvider), "nothing was built"


@pytest.mark.usefixtures("_environ")
@pytest.mark.parametrize("port", ["abc", "-1", "65536", "80.5"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    os.environ.update({"OTEL_METRICS_EXPORTER": "prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": port})
    with pytest.raises(ConfigError, match=rf"OTEL_EXPORTER_PROMETHEUS_PORT is '{port}'\. Allowed: 0 to 65535\."):
        otel_trading.configure()


@pytest.mark.usefixtures("_environ")
@pytest.mark.parametrize(
    ("host", "venue"), [("https://api.here.test/", "x"), ("a,b", "x"), ("", "x"), ("here.test", ""), ("a=b", "x")]
)
def test_a_host_that_is_none_is_refused(host: str, venue: str) -> None:
    with pytest.raises(ConfigError, match="Allowed: host or host:port, and a venue"):
        otel_trading.configure(venue_hosts={"fine.test": "fine", host: venue})
    assert "OTEL_TRADING_VENUE_HOSTS" not in os.environ


@pytest.mark.usefixtures("_environ")
@pytest.mark.parametrize("variable", ["", "api.here.test=paper,other.test=other"])
def test_hosts_of_venues_are_given_as_an_argument_too(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    os.environ["OTEL_TRADING_VENUE_HOSTS"] = variable
    monkeypatch.setattr(setup, "configure", lambda: False)  # telemetry is on already
    assert venue_of("https://api.here.test/x") == ("paper" if variable else None)
    otel_trading.configure(venue_hosts={"API.here.test": "mine", "127.0.0.1:8080": "local"})
    assert venue_of("https://api.here.test/x") == "mine"
    assert venue_of("ws://127.0.0.1:8080/ws") == "local"
    assert venue_of("ws://127.0.0.1:8081/ws") is None
    assert venue_of("https://other.test") == ("other" if variable else None)


def test_a_refusal_reaches_the_app_before_anything_is_built() -> None:
    done = configured(**QUIET, OTEL_TRADING_MODE="lvie")

    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout == (
        "ConfigError: OTEL_TRADING_MODE is 'lvie'. Allowed: live, paper, backtest, replay. Correct it or unset it."
    )


def test_a_taken_port_starts_nothing_and_another_attempt_may_succeed() -> None:
    again = (
        "import os, threading, otel_trading\nfrom otel_trading.errors import ConfigError\n"
        "try:\n    otel_trading.configure()\nexcept ConfigError as error:\n    print(error)\n"
        "assert threading.active_count() == 1, threading.enumerate()\n"
        "os.environ['OTEL_EXPORTER_PROMETHEUS_PORT'] = '0'\notel_trading.configure()\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = python(
            again,
            **{**QUIET, "OTEL_METRICS_EXPORTER": "console,prometheus", "OTEL_EXPORTER_PROMETHEUS_PORT": port},
            OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1",
        )

    assert done.returncode == 0, done.stderr
    assert f"cannot listen on 127.0.0.1:{port}" in done.stdout
    assert done.stderr.startswith("otel-trading: on: ")


@pytest.mark.parametrize(
    "name",
    ["OTEL_METRIC_EXPORT_INTERVAL", "OTEL_METRICS_EXEMPLAR_FILTER", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRADING_MODE"],
)
def test_an_empty_variable_is_an_unset_one(name: str) -> None:
    done = configured("import os; os._exit(0)", **{name: ""}, OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")

    assert done.returncode == 0, done.stdout
    assert "metrics -> OTLP http://localhost:4318 every 10 s" in done.stderr


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({}, "mode live (default: set OTEL_TRADING_MODE), service unknown_service"),
        ({"OTEL_TRADING_MODE": "paper"}, "mode paper, service"),
        ({"OTEL_SERVICE_NAME": "momentum"}, "service momentum, "),
        ({}, f"metrics -> OTLP {_FAR} every 10 s, traces and logs -> {_FAR}, instance "),
        ({"OTEL_METRIC_EXPORT_INTERVAL": "500"}, "every 0.5 s"),
        (
            {"OTEL_METRIC_EXPORT_INTERVAL": "60000"},
            "every 60 s, too seldom for alerts that count within a minute: 20 s at most",
        ),
        ({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{_FAR}/m"}, f"metrics -> OTLP {_FAR}/m every"),
        ({"OTEL_METRICS_EXPORTER": "console"}, "metrics -> console every 10 s"),
        ({"OTEL_METRICS_EXPORTER": "none"}, "metrics -> nowhere"),
        ({"OTEL_TRACES_EXPORTER": "none"}, f"logs -> {_FAR}"),
        ({"OTEL_TRACES_EXPORTER": "console"}, f"traces -> console, logs -> {_FAR}"),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}, "no traces, no logs"),
    ],
)
def test_one_line_says_what_is_on(variables: dict[str, str], said: str) -> None:
    done = configured("import os; os._exit(0)", **{"OTEL_EXPORTER_OTLP_ENDPOINT": _FAR, **variables})

    (line,) = done.stderr.splitlines()
    assert line.startswith("otel-trading: on: mode ")
    assert said in line


def test_both_roads_are_said() -> None:
    done = configured(
        "import os; os._exit(0)",
        OTEL_METRICS_EXPORTER="otlp,prometheus",
        OTEL_EXPORTER_PROMETHEUS_PORT="0",
        OTEL_EXPORTER_OTLP_ENDPOINT=_FAR,
    )

    assert "Prometheus endpoint http://localhost:" in done.stderr
    assert f"OTLP {_FAR} every 10 s" in done.stderr


def test_a_second_call_changes_nothing() -> None:
    again = (
        "import threading; from opentelemetry import metrics\n"
        "before = metrics.get_meter_provider(), threading.active_count()\n"
        "otel_trading.configure(); otel_trading.configure()\n"
        "assert (metrics.get_meter_provider(), threading.active_count()) == before\nprint('same')\n"
        "import os; sys.stdout.flush(); os._exit(0)"
    )
    done = configured(again, OTEL_EXPORTER_OTLP_ENDPOINT=_FAR)

    assert done.stdout == "same\n", done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_provider_of_the_apps_own_is_never_shadowed() -> None:
    done = python(
        "import threading, otel_trading\n"
        "from opentelemetry import metrics\nfrom opentelemetry.sdk.metrics import MeterProvider\n"
        "from otel_trading.errors import ConfigError\n"
        "metrics.set_meter_provider(MeterProvider())\n"
        "try:\n    otel_trading.configure()\nexcept ConfigError as error:\n    print(error)\n"
        "print(threading.active_count())"
    )

    assert done.stdout.splitlines()[0].startswith("A MeterProvider is set already")
    assert done.stdout.splitlines()[1:] == ["1"], done.stderr


def test_there_is_one_provider_one_reader_and_no_orphan_thread() -> None:
    look = (
        "import os, threading; from opentelemetry import metrics\n"
        "print(len(metrics.get_meter_provider()._all_metric_readers))\n"
        "print(sorted(thread.name for thread in threading.enumerate()))\nsys.stdout.flush(); os._exit(0)"
    )
    done = configured(look, OTEL_EXPORTER_OTLP_ENDPOINT=_FAR)
    readers, threads = done.stdout.splitlines()

    assert readers == "1"
    assert threads.count("OtelPeriodicExportingMetricReader") == 1
    assert threads.count("otel-trading-exit") == 3, "one per signal"


def test_a_disabled_sdk_is_said_and_nothing_is_built() -> None:
    look = "import threading; print(threading.active_count())"
    done = configured(look, OTEL_SDK_DISABLED="true")

    assert done.stdout == "1\n"
    assert done.stderr == "otel-trading: off: OTEL_SDK_DISABLED is true\n"


def test_the_stable_semantic_conventions_are_asked_for_but_the_users_word_stands() -> None:
    look = "import os; print(os.environ['OTEL_SEMCONV_STABILITY_OPT_IN'])"

    assert configured(look, **QUIET).stdout == "http,database\n"
    assert configured(look, **QUIET, OTEL_SEMCONV_STABILITY_OPT_IN="http/dup").stdout == "http/dup\n"


def test_the_apps_own_warnings_stay_on_stderr_once() -> None:
    said = "import logging; logging.getLogger('app').warning('mind the gap'); import os; os._exit(0)"
    done = configured(said, OTEL_EXPORTER_OTLP_ENDPOINT=_FAR)

    assert done.stderr.count("mind the gap") == 1


def test_an_app_with_its_own_logging_sees_its_lines_once() -> None:
    said = (
        "import logging; logging.basicConfig(format='MINE %(message)s')\n"
        "logging.getLogger('app').warning('mind the gap'); import os; os._exit(0)"
    )
    done = configured(said, OTEL_EXPORTER_OTLP_ENDPOINT=_FAR)

    assert [line for line in done.stderr.splitlines() if "mind the gap" in line] == ["MINE mind the gap"]


def test_without_a_stderr_it_works_too() -> None:
    done = python(
        "import sys; sys.stderr = None\nimport otel_trading; otel_trading.configure(); print('fine')", **QUIET
    )

    assert (done.returncode, done.stdout) == (0, "fine\n")


def test_importing_meter_loads_neither_the_sdk_nor_a_target_library() -> None:
    look = (
        "import sys; from otel_trading import meter\n"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exporter'))"
        " or name.partition('.')[0] in {'requests', 'websockets', 'aiohttp', 'ccxt', 'rich', 'click', 'pytest'}])"
    )

    assert python(look).stdout == "[]\n"
