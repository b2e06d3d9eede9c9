"""A desk of any size in a Prometheus: the series that its bots would have, written in the order of time.

Remote write takes any moment as long as a server that was empty sees time pass: no file, no second copy, and Prometheus
makes its own blocks. What is made up is the numbers, which cost nothing; labels, series and times are those of a desk.
"""

from __future__ import annotations

import http.client
import itertools
import logging
import math
import struct
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Final, Literal

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from otel_trading import instruments, semconv, trackers
from otel_trading.semconv import Level
from otel_trading.semconv import attributes as a
from otel_trading.testing import CapturingMeter, day_of_trading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from otel_trading.semconv import Attribute, Metric

STEP: Final = 15
COMMON: Final = {a.MODE, a.STRATEGY, a.VENUE, a.ACCOUNT, a.SYMBOL, a.CURRENCY}
VENUES: Final = ("kraken", "alpaca", "binance", "coinbase", "ibkr")
#: So many curves differ; which one a series has is no matter.
SHAPES: Final = 7
#: Prometheus takes nothing older than an hour before the newest sample.
TOGETHER: Final = 1800
REQUEST: Final = 4 << 20
WRITERS: Final = 2
#: A counter begins anew after so many samples, years.
WRAP: Final = 1 << 23
#: Seconds without a change of what Prometheus says of its own housekeeping.
CALM: Final = 20
COMPACTIONS: Final = ("prometheus_tsdb_compactions_total", "prometheus_tsdb_head_truncations_total")

#: A counter grows unevenly, a state is on and off, a value swings.
Form = Literal["counts", "switches", "swings"]
#: Name, labels, how its values move, seconds between samples.
Series = tuple[str, dict[str, str], Form, int]


@cache
def by_symbol() -> frozenset[str]:
    """Return the metrics that a bot has once per symbol: those that carry one on a day of trading."""
    logging.getLogger("otel_trading").setLevel(logging.ERROR)  # the day has a price that is none, on purpose
    memory = InMemoryMetricReader()
    provider = MeterProvider([memory], shutdown_on_exit=False)
    bound, state = instruments.bind(provider), trackers.set_default(None)
    try:
        day_of_trading(seed=1)
        samples = CapturingMeter(memory).samples()
    finally:
        trackers.set_default(state)
        instruments.restore(bound)
        provider.shutdown()
    return frozenset(sample.name for sample in samples if a.SYMBOL.name in sample.attributes)


def values(metric: Metric, attribute: Attribute) -> tuple[str, ...]:
    """Return the values that an attribute takes: of a state all, of what else is closed two, of what is free one."""
    if attribute.values:
        return attribute.values if metric.name.endswith((".status", ".active")) else attribute.values[:2]
    return attribute.examples[:1]


def labels(metric: Metric, strategies: int, symbols: int) -> Iterator[dict[str, str]]:
    """Yield the labels of each thing that a desk of this size measures with a metric."""
    own = [use.attribute for use in metric.uses if use.level is not Level.OPT_IN and use.attribute not in COMMON]
    own = [
        each for each in own if each is not a.ERROR_TYPE and each is not a.CURRENCY_CONVERTED and each.type == "string"
    ]
    mode = "backtest" if metric in vars(semconv.backtest).values() else "live"
    traded: Iterable[int | None] = range(symbols) if metric.name in by_symbol() else (None,)
    for number, symbol in itertools.product(range(strategies), traded):
        always = {a.MODE: mode, a.STRATEGY: f"strategy_{number:02}", a.VENUE: VENUES[number % len(VENUES)]}
        always |= {a.ACCOUNT: f"acct-{number:02}", a.CURRENCY: "USD"}
        always |= {} if symbol is None else {a.SYMBOL: f"S{symbol:02}/USD"}
        pairs = {key.prometheus: value for key, value in always.items() if key in metric.attributes}
        pairs |= {"service_name": f"bot-{number:02}", "job": f"bot-{number:02}", "instance": f"bot-{number:02}-1"}
        for chosen in itertools.product(*(values(metric, each) for each in own)):
            yield pairs | {each.prometheus: value for each, value in zip(own, chosen, strict=True)}


def series(metric: Metric, strategies: int, symbols: int) -> Iterator[Series]:
    """Yield every series of a metric."""
    edges = [*map(repr, metric.boundaries), "+Inf"]
    form: Form = "counts" if metric.kind.data != "gauge" else "swings"
    if metric.name.endswith(".status"):
        form = "switches"
    for pairs in labels(metric, strategies, symbols):
        if metric.kind.data != "histogram":
            yield metric.prometheus, pairs, form, STEP
            continue
        yield from ((f"{metric.prometheus}_bucket", pairs | {"le": edge}, form, STEP) for edge in edges)
        yield from ((f"{metric.prometheus}_{part}", pairs, form, STEP) for part in ("sum", "count"))


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits to a byte
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _field(number: int, inner: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(inner)) + inner


def encoded(name: str, pairs: dict[str, str]) -> bytes:
    """Return the labels of a series as remote write has them."""
    every = sorted({**pairs, "__name__": name}.items())
    return b"".join(_field(1, _field(1, key.encode()) + _field(2, value.encode())) for key, value in every)


def _value(form: Form, shape: int, number: int) -> float:
    if form == "counts":
        return 2 * number + number * (shape + 3) % 5
    if form == "switches":
        return (number // 40 + shape) % 2
    return round(1 + math.sin(number / (9 + shape)), 4)


def _samples(form: Form, shape: int, moments: range) -> bytes:
    """Return the samples of a stretch of time; a curve is the same wherever its stretch begins."""
    values = ((_value(form, shape, moment // moments.step % WRAP), moment) for moment in moments)
    return b"".join(
        _field(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(moment * 1000)) for value, moment in values
    )


def _body(entries: list[bytes]) -> bytes:
    """Return a request: Snappy's frame around bytes that are left as they are."""
    inner = b"".join(entries)
    return _varint(len(inner)) + b"\xfc" + struct.pack("<I", len(inner) - 1) + inner


def _write(address: str, known: list[tuple[bytes, Form, int]], pieces: dict[tuple[Form, int, int], bytes]) -> None:
    """Write a stretch of time of some series."""
    connection = http.client.HTTPConnection(address, timeout=120)

    def post(entries: list[bytes]) -> None:
        headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        connection.request("POST", "/api/v1/write", _body(entries), headers)
        answer = connection.getresponse()
        assert answer.status == http.HTTPStatus.NO_CONTENT, answer.read()
        answer.read()

    entries: list[bytes] = []
    held = 0
    for number, (head, form, step) in enumerate(known):
        entries.append(_field(1, head + pieces[form, number % SHAPES, step]))
        held += len(entries[-1])
        if held > REQUEST:
            post(entries)
            entries, held = [], 0
    if entries:
        post(entries)
    connection.close()


def fill(address: str, wanted: Iterable[Series], begin: int, end: int) -> int:
    """Write the samples of series from `begin` to before `end`.

    Args:
        address: Host and port of a Prometheus that is empty.
        wanted: What to write.
        begin: Unix time.
        end: Unix time.

    Returns:
        How many samples there are.
    """
    known = [(encoded(name, pairs), form, step) for name, pairs, form, step in wanted]
    shares = [known[number::WRITERS] for number in range(WRITERS)]
    forms = {(form, step) for _, form, step in known}
    with ThreadPoolExecutor(WRITERS) as pool:
        for at in range(begin, end, TOGETHER):
            until = min(at + TOGETHER, end)
            pieces = {
                (form, shape, step): _samples(form, shape, range(-(-at // step) * step, until, step))
                for (form, step), shape in itertools.product(forms, range(SHAPES))
            }
            list(pool.map(_write, itertools.repeat(address), shares, itertools.repeat(pieces)))
    return sum(len(range(begin, end, step)) for _, _, step in known)


def settled(address: str) -> None:
    """Wait until Prometheus has made its blocks and joins no more of them."""
    calm, before = 0, -1.0
    while calm < CALM:
        with urllib.request.urlopen(f"http://{address}/metrics", timeout=60) as answer:
            text = answer.read().decode()
        begun = sum(float(line.split()[1]) for line in text.splitlines() if line.startswith(COMPACTIONS))
        calm, before = (calm + 1 if begun == before else 0), begun
        time.sleep(1)
