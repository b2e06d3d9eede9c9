"""A forked worker is a process of its own: counts from zero, under its own instance, with no deadlock under load."""

from __future__ import annotations

import socket
import textwrap
from typing import TYPE_CHECKING

import pytest
from collector_support import Collector, collector
from process_support import configured

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

_NO_OTHERS = {"OTEL_TRACES_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
_EMISSIONS = "trading.signal.emissions"


@pytest.fixture
def sink() -> Iterator[Collector]:
    with collector() as kept:
        yield kept


def _run(sink: Collector, body: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a configured process that only exports at its end, and whose children do too."""
    code = "import faulthandler, os, sys, threading, time\nfrom otel_trading import meter\n" + textwrap.dedent(body)
    settings = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink.url,
        "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
        **_NO_OTHERS,
        **variables,
    }
    done = configured(code, **settings)
    assert done.returncode == 0, done.stderr
    return done


def test_a_forked_worker_counts_from_zero_under_its_own_instance(sink: Collector) -> None:
    _run(
        sink,
        """
        for _ in range(5): meter.signal_emitted(type='buy', strategy='s')
        child = os.fork()
        if not child:
            for _ in range(3): meter.signal_emitted(type='buy', strategy='s')
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        meter.signal_emitted(type='buy', strategy='s')
        """,
    )
    counted = sink.by_instance(_EMISSIONS)

    assert sorted(counted.values()) == [3, 6]
    assert len({instance[:36] for instance in counted}) == 1, "the worker's name begins with its parent's"


def test_what_the_parent_watches_is_not_the_childs(sink: Collector) -> None:
    fill = "meter.order_filled(symbol={!r}, side='buy', price=10, quantity={}, currency='USD', venue='v')"
    _run(
        sink,
        f"""
        {fill.format("A", 2)}
        child = os.fork()
        if not child:
            {fill.format("B", 5)}
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """,
    )

    assert sorted(sink.by_instance("trading.position.quantity").values()) == [2, 5]
    assert sorted(sink.by_instance("trading.sdk.running").values()) == [0, 0], "both ended cleanly"


def test_a_child_that_records_nothing_runs_no_thread_and_sends_no_metric(sink: Collector) -> None:
    _run(
        sink,
        """
        meter.signal_emitted(type='buy', strategy='s')
        child = os.fork()
        if not child:
            names = {thread.name for thread in threading.enumerate()}
            sys.exit('OtelPeriodicExportingMetricReader' in names or 'otel-trading-exit' in names)
        assert os.waitpid(child, 0)[1] == 0
        """,
    )

    assert list(sink.by_instance(_EMISSIONS).values()) == [1]
    assert len(sink.by_instance("trading.sdk.running")) == 1


def test_an_instance_that_the_user_names_is_told_from_its_workers(sink: Collector) -> None:
    _run(
        sink,
        """
        child = os.fork()
        meter.signal_emitted(type='buy', strategy='s')
        if child: assert os.waitpid(child, 0)[1] == 0
        """,
        OTEL_RESOURCE_ATTRIBUTES="service.instance.id=mine",
    )
    instances = sorted(sink.by_instance(_EMISSIONS))

    assert len(instances) == 2
    assert instances[0] == "mine"
    assert instances[1].startswith("mine-")


def test_a_grandchild_begins_anew_too_and_an_instrument_of_another_library_wakes_it(sink: Collector) -> None:
    _run(
        sink,
        """
        from opentelemetry import metrics
        foreign = metrics.get_meter('other').create_counter('other.calls')
        foreign.add(1)
        child = os.fork()
        if not child:
            foreign.add(10)
            grandchild = os.fork()
            if not grandchild:
                foreign.add(100)
                sys.exit(0)
            assert os.waitpid(grandchild, 0)[1] == 0
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """,
    )

    assert sorted(sink.by_instance("other.calls").values()) == [1, 10, 100]


@pytest.mark.parametrize("how", ["fork", "forkserver", "spawn"])
def test_a_worker_of_multiprocessing_delivers(sink: Collector, how: str, tmp_path: Path) -> None:
    script = tmp_path / "bot.py"
    script.write_text(
        "import multiprocessing, otel_trading\nfrom otel_trading import meter\notel_trading.configure()\n"
        "def work(): meter.signal_emitted(type='buy', strategy='s')\n"
        "if __name__ == '__main__':\n    work()\n"
        f"    made = [multiprocessing.get_context({how!r}).Process(target=work) for _ in range(2)]\n"
        "    for one in made: one.start()\n    for one in made: one.join(20); assert one.exitcode == 0\n",
        encoding="utf-8",
    )
    _run(sink, f"import runpy; sys.argv = [{str(script)!r}]; runpy.run_path({str(script)!r}, run_name='__main__')")

    assert sorted(sink.by_instance(_EMISSIONS).values()) == [1, 1, 1]


@pytest.mark.parametrize(
    ("kind", "own", "created"),
    [
        ("ObservableUpDownCounter", "meter.strategy_state(state='running', strategy='s')", "trading.strategy.status"),
        ("Counter", "get_meter('theirs').create_counter('theirs').add(1)", "theirs"),
    ],
)
def test_a_fork_in_the_middle_of_creating_an_instrument_leaves_the_child_its_own(
    sink: Collector, kind: str, own: str, created: str
) -> None:
    """Its name is registered before the instrument is there: a child forked in between would have neither."""
    done = _run(
        sink,
        f"""
        from opentelemetry.metrics import get_meter
        from opentelemetry.sdk.metrics._internal import _{kind} as instrument
        meter.signal_emitted(type='buy', strategy='s')
        begun, plain = threading.Event(), instrument.__init__
        def slow(self, name, *args, **kwargs):
            begun.set()
            time.sleep(0.3)
            plain(self, name, *args, **kwargs)
        instrument.__init__ = slow
        thread = threading.Thread(target=lambda: {own})
        thread.start()
        assert begun.wait(10)
        child = os.fork()
        if not child:
            faulthandler.dump_traceback_later(20, exit=True)
            {own}
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        thread.join(10)
        """,
    )

    assert "Error" not in done.stderr
    assert len(sink.by_instance(created)) == 2, "the parent and its child"


@pytest.mark.timeout(120)
def test_forks_under_load_neither_hang_nor_count_twice(sink: Collector) -> None:
    done = _run(
        sink,
        """
        going = True
        counts = [0, 0, 0]
        def hammer(number):
            while going:
                meter.signal_emitted(type='buy', strategy='s')
                meter.order_filled(symbol='A', side='buy', price=10, quantity=1, currency='USD', venue='v')
                counts[number] += 1
        threads = [threading.Thread(target=hammer, args=(number,), daemon=True) for number in range(3)]
        for thread in threads: thread.start()
        children = []
        for _ in range(12):
            child = os.fork()
            if not child:
                faulthandler.dump_traceback_later(30, exit=True)
                meter.signal_emitted(type='buy', strategy='s')
                meter.order_filled(symbol='B', side='buy', price=10, quantity=1, currency='USD', venue='v')
                sys.exit(0)
            children.append(child)
            if len(children) == 4:
                for child in children: assert os.waitpid(child, 0)[1] == 0
                children.clear()
        going = False
        for thread in threads: thread.join(20)
        print(sum(counts))
        """,
    )
    parents = int(done.stdout)

    assert sorted(sink.by_instance(_EMISSIONS).values()) == [1] * 12 + [parents], done.stderr
    assert sorted(sink.by_instance("trading.execution.fills").values()) == [1] * 12 + [parents]


def test_a_scraped_parents_port_is_free_once_it_is_gone(sink: Collector) -> None:
    done = _run(
        sink,
        """
        import urllib.error, urllib.request
        from opentelemetry import metrics
        port = int(os.environ['OTEL_EXPORTER_PROMETHEUS_PORT'])
        child = os.fork()
        if not child:
            meter.signal_emitted(type='buy', strategy='s')
            time.sleep(1)  # the parent has let go of its own by then
            try: urllib.request.urlopen(f'http://127.0.0.1:{port}/metrics', timeout=5)
            except urllib.error.URLError as error: sys.exit(not isinstance(error.reason, ConnectionRefusedError))
            sys.exit(1)
        assert b'trading_sdk_running' in urllib.request.urlopen(f'http://127.0.0.1:{port}/metrics').read()
        metrics.get_meter_provider()._metric_readers[0].shutdown()
        assert os.waitpid(child, 0)[1] == 0
        """,
        OTEL_METRICS_EXPORTER="otlp,prometheus",
        OTEL_EXPORTER_PROMETHEUS_HOST="127.0.0.1",
        OTEL_EXPORTER_PROMETHEUS_PORT=str(_free_port()),
    )

    assert sorted(sink.by_instance(_EMISSIONS).values()) == [1], done.stderr


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize(("recording", "code"), [("", -15), ("meter.signal_emitted(type='buy', strategy='s')", 143)])
def test_sigterm_ends_a_worker_whenever_it_comes(sink: Collector, recording: str, code: int) -> None:
    done = _run(
        sink,
        f"""
        import signal
        otel_trading.configure()
        reading, writing = os.pipe()
        if not {bool(recording)}:  # the signal comes while callbacks of others run in the child
            os.register_at_fork(after_in_child=lambda: (os.write(writing, b'x'), time.sleep(0.5)))
        child = os.fork()
        if not child:
            {recording or "pass"}
            os.write(writing, b'x')
            time.sleep(60)
            os._exit(0)
        os.read(reading, 1)
        os.kill(child, signal.SIGTERM)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """,
    )

    assert done.stdout == f"{code}\n", done.stderr


def test_a_forked_worker_sends_what_it_counted_in_prometheus_client_itself(sink: Collector) -> None:
    _run(
        sink,
        """
        from otel_trading.instrumentation.prometheus_client import PrometheusClientInstrumentor
        PrometheusClientInstrumentor().instrument()
        from prometheus_client import Counter, Gauge, Histogram
        orders, quiet = Counter('orders', 'Orders.'), Counter('quiet', 'Quiet.')
        position, seconds = Gauge('position', 'Position.'), Histogram('seconds', 'Seconds.', buckets=(1, 10))
        orders.inc(500); quiet.inc(3); position.set(7); seconds.observe(5)
        meter.signal_emitted(type='buy', strategy='s')
        child = os.fork()
        if not child:
            orders.inc(2); seconds.observe(0.5)
            meter.signal_emitted(type='buy', strategy='s')
            sys.exit(0)
        assert os.waitpid(child, 0)[1] == 0
        """,
    )

    assert sorted(sink.by_instance("orders_total").values()) == [2, 500]
    assert sorted(sink.by_instance("position").values()) == [7], "the worker never moved it"
    assert sorted(sink.by_instance("quiet_total").values()) == [0, 3]


#: How a worker ends, and whether it and its parent are running as far as anybody knows.
_ENDS = {"raise ValueError('broke')": [0, 1], "sys.exit(1)": [0, 1], "raise KeyboardInterrupt": [0, 0]}


@pytest.mark.parametrize("end", _ENDS)
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_that_breaks_has_not_stopped(sink: Collector, tmp_path: Path, method: str, end: str) -> None:
    (tmp_path / "breaking.py").write_text(
        "import otel_trading, sys\nfrom otel_trading import meter\n"
        "def breaks():\n    otel_trading.configure()\n    meter.signal_emitted(type='buy', strategy='s')\n"
        f"    {end}\n"
    )
    _run(
        sink,
        f"""
        import multiprocessing
        sys.path.insert(0, {str(tmp_path)!r})
        os.environ['PYTHONPATH'] = {str(tmp_path)!r} + os.pathsep + os.environ.get('PYTHONPATH', '')
        import breaking
        worker = multiprocessing.get_context({method!r}).Process(target=breaking.breaks)
        worker.start(); worker.join(30)
        assert worker.exitcode == 1
        """,
    )

    assert sorted(sink.by_instance("trading.sdk.running").values()) == _ENDS[end], "the parent stopped"
