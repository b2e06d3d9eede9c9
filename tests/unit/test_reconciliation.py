"""The comparer against a brute-force oracle, and the tracker's memory of what it found."""

from __future__ import annotations

import doctest
import math
import threading
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit_support import Clock, attributes, losses, series

from otel_trading import meter
from otel_trading.errors import ConventionError
from otel_trading.semconv import attributes as a
from otel_trading.trackers import ReconciliationTracker, reconciliation
from otel_trading.trackers.reconciliation import Break, Comparer, Record, _comparer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from otel_trading._attributes import AttributeSet
    from otel_trading.testing import CapturingMeter

ACTIVE = "trading.reconciliation.break.active"
AGE = "trading.reconciliation.break.age"
FOUND = "trading.reconciliation.breaks"
GAP = "trading.reconciliation.discrepancy"
TYPE = a.BREAK_TYPE.name
KINDS = st.sampled_from(("order", "fill", "position", "balance"))
NETTED = ("position", "balance")
#: Eighths, so that sums are exact and the oracle needs no tolerance of its own.
FIGURES = st.none() | st.integers(-3, 3).map(lambda eighths: eighths / 8)
RECORDS = st.builds(
    Record,
    id=st.just(""),
    symbol=st.sampled_from(("BTC", "ETH")),
    quantity=FIGURES,
    price=FIGURES,
    status=st.sampled_from((None, "new", "filled")),
)
BOOKS = st.dictionaries(st.sampled_from("abcdef"), RECORDS).map(
    lambda book: {key: Record(key, r.symbol, r.quantity, r.price, r.status) for key, r in book.items()}
)


def test_the_example_of_the_comparer_is_true() -> None:
    result = doctest.testmod(_comparer)

    assert result.attempted > 0
    assert result.failed == 0


def oracle(kind: str, local: dict[str, Record], venue: dict[str, Record], tolerance: float) -> set[tuple[str, str]]:
    """Say the same as the comparer, one plain rule after the other."""
    found = set()
    for key in "abcdef":
        sides = [book.get(key) for book in (local, venue)]
        if kind in NETTED:
            sides = [None if side is not None and side.quantity == 0 else side for side in sides]
        mine, theirs = sides
        if mine is not None and theirs is not None:
            for word, allowed in (("quantity", tolerance), ("price", 0.0)):
                left, right = getattr(mine, word), getattr(theirs, word)
                if left is not None and right is not None and abs(left - right) > allowed:
                    found.add((key, word))
            if mine.status and theirs.status and mine.status != theirs.status:
                found.add((key, "status"))
            continue
        alone = mine or theirs
        if alone is None or (kind in NETTED and alone.quantity is not None and abs(alone.quantity) <= tolerance):
            continue
        if mine is not None:
            found.add((key, "missing_venue"))
        else:
            found.add((key, "missing_local" if alone.symbol == "BTC" else "external"))
    return found


@given(kind=KINDS, local=BOOKS, venue=BOOKS, tolerance=st.sampled_from((0.0, 0.125, 0.25)))
def test_breaks_are_those_of_the_oracle(
    kind: Any, local: dict[str, Record], venue: dict[str, Record], tolerance: float
) -> None:
    comparer = Comparer(quantity_tolerance=tolerance, ours=lambda record: record.symbol == "BTC")
    found = list(comparer(kind, local, venue))

    assert {(item.id, item.type) for item in found} == oracle(kind, local, venue, tolerance)
    assert len({(item.id, item.type) for item in found}) == len(found)


@given(kind=KINDS, book=BOOKS)
def test_a_book_agrees_with_itself(kind: Any, book: dict[str, Record]) -> None:
    assert list(Comparer(quantity_tolerance=0)(kind, book, dict(reversed(book.items())))) == []
    assert set(_comparer.discrepancies(book, book).values()) <= {0.0}


@given(local=BOOKS, venue=BOOKS)
def test_a_discrepancy_is_the_sum_of_local_minus_the_sum_of_the_venue(
    local: dict[str, Record], venue: dict[str, Record]
) -> None:
    unknown = {key for book in (local, venue) for key, record in book.items() if record.quantity is None}
    same = {key for key in local.keys() & venue.keys() if local[key].symbol != venue[key].symbol}
    local, venue = ({key: r for key, r in book.items() if key not in unknown | same} for book in (local, venue))
    expected = {
        symbol: math.fsum(r.quantity or 0 for r in local.values() if r.symbol == symbol)
        - math.fsum(r.quantity or 0 for r in venue.values() if r.symbol == symbol)
        for symbol in {r.symbol for book in (local, venue) for r in book.values()}
    }

    assert _comparer.discrepancies(local, venue) == expected


@pytest.mark.parametrize(
    ("local", "venue", "expected"),
    [
        ({"BTC": 0.1 + 0.2}, {"BTC": 0.3}, []),
        ({"BTC": 0.1 + 0.2 - 0.3}, {}, []),
        ({"BTC": 1.0}, {"BTC": 1.00001}, ["quantity"]),
        ({"BTC": 1.0}, {"BTC": -1.0}, ["quantity"]),
        ({"BTC": 0}, {}, []),
        ({}, {"BTC": -2}, ["missing_local"]),
    ],
)
def test_a_sum_of_floats_is_no_break_and_a_short_is_no_long(
    local: dict[str, float], venue: dict[str, float], expected: list[str]
) -> None:
    books = (_comparer.read("position", book) for book in (local, venue))

    assert [found.type for found in Comparer()("position", *books)] == expected


def test_a_price_may_differ_by_its_share() -> None:
    mine, theirs = {"1": Record("1", price=100.0)}, {"1": Record("1", price=100.09)}

    assert list(Comparer(price_tolerance=0.001)("fill", mine, theirs)) == []
    assert list(Comparer(price_tolerance=0.0005)("fill", mine, theirs)) == [Break("price", "1", None, 100.0, 100.09)]


@pytest.mark.parametrize("tolerance", [-1.0, math.nan])
def test_a_tolerance_is_a_size(tolerance: float) -> None:
    with pytest.raises(ConventionError, match="tolerance"):
        Comparer(quantity_tolerance=tolerance)
    with pytest.raises(ConventionError, match="tolerance"):
        Comparer(price_tolerance=tolerance)


class Status(Enum):
    NEW = "new"


@dataclass
class Order:
    id: int
    symbol: str
    quantity: Decimal
    status: Status = Status.NEW


ORDER = Record("7", "BTC", 0.5, None, "new")


@pytest.mark.parametrize(
    ("kind", "view", "expected"),
    [
        ("order", [Order(7, "BTC", Decimal("0.5"))], {"7": ORDER}),
        ("order", iter([{"id": "7", "symbol": "BTC", "quantity": "0.5", "status": "new"}]), {"7": ORDER}),
        ("order", {"7": Order(1, "BTC", Decimal("0.5"))}, {"7": ORDER}),
        ("order", lambda: (ORDER,), {"7": ORDER}),
        ("order", [ORDER, Record("7", "BTC", 0.25)], {"7": Record("7", "BTC", 0.25)}),
        ("position", MappingProxyType({"BTC": Decimal(2)}), {"BTC": Record("BTC", "BTC", 2.0)}),
        ("position", [{"symbol": "BTC", "quantity": 2, "price": 9}], {"BTC": Record("BTC", "BTC", 2.0, 9.0)}),
        (
            "position",
            [{"symbol": "BTC", "quantity": 2, "price": 9}, {"symbol": "BTC", "quantity": -3, "price": 8}],
            {"BTC": Record("BTC", "BTC", -1.0)},
        ),
        ("position", [Record("BTC", quantity=2), Record("BTC")], {"BTC": Record("BTC", "BTC")}),
        ("position", {"BTC:long": {"symbol": "BTC", "quantity": 2}}, {"BTC:long": Record("BTC:long", "BTC", 2.0)}),
        ("balance", lambda: {"USD": 100}, {"USD": Record("USD", "USD", 100.0)}),
        ("balance", {}, {}),
        ("fill", {"1": None}, {"1": Record("1")}),
    ],
)
def test_a_view_is_read_as_the_user_has_it(kind: Any, view: Any, expected: dict[str, Record]) -> None:
    assert _comparer.read(kind, view) == expected


@pytest.mark.parametrize(
    "view",
    [
        None,
        5,
        "BTC/USD",
        b"BTC",
        [1.5],
        ["BTC"],
        [{"quantity": 1}],
        [{"symbol": "", "quantity": 1}],
        {"BTC": math.nan},
        {"BTC": "much"},
        {"BTC": Decimal("inf")},
        {"BTC": 10**400},
        {"BTC": {"quantity": [1]}},
        {"BTC": {"quantity": 1, "price": math.inf}},
    ],
)
def test_half_a_book_is_none(view: Any) -> None:
    with pytest.raises(ConventionError):
        _comparer.read("position", view)


# The tracker


def pair(kind: str = "position", **words: str) -> AttributeSet:
    return attributes(reconciliation_object=kind, account="acct", **words)


class Books:
    """A tracker with a clock, fed as the helper feeds it."""

    def __init__(self, captured: CapturingMeter) -> None:
        self.captured = captured
        self.clock = Clock()
        self.forget()

    def forget(self) -> None:
        self.tracker = ReconciliationTracker(self.clock)

    def counted(self) -> float:
        return sum(sample.value for sample in self.captured.samples(FOUND))

    def compare(self, local: Any, venue: Any, comparer: Any = None, of: AttributeSet | None = None) -> None:
        of = of or pair()
        self.tracker.compare(of, local, venue, comparer, lambda symbol: of.plus(a.SYMBOL, symbol))


@pytest.fixture
def books(capmeter: CapturingMeter) -> Iterator[Books]:
    yield Books(capmeter)
    capmeter.assert_conforms()


@pytest.mark.seed("S2-13")
def test_a_break_is_counted_once_grows_old_and_is_resolved(books: Books, capmeter: CapturingMeter) -> None:
    books.compare({"BTC": 1}, {"BTC": 0.75})
    books.clock.now += 5
    books.compare({"BTC": 1, "ETH": 2}, {"BTC": 0.5})
    books.clock.now += 2

    assert series(capmeter, FOUND, TYPE) == {"quantity": 1, "missing_venue": 1}
    assert series(capmeter, ACTIVE, TYPE) == {
        **dict.fromkeys(a.BREAK_TYPE.values, 0),
        "quantity": 1,
        "missing_venue": 1,
    }
    assert series(capmeter, GAP, a.SYMBOL.name) == {"BTC": 0.5, "ETH": 2}
    assert capmeter.value(AGE, object="position") == 7
    assert books.tracker.unresolved("position") == [
        (Break("quantity", "BTC", "BTC", 1.0, 0.5), 7),
        (Break("missing_venue", "ETH", "ETH", 2.0, None), 2),
    ]

    books.compare({"BTC": 1}, {"BTC": 1})

    assert set(series(capmeter, ACTIVE, TYPE).values()) == {0}
    assert series(capmeter, GAP, a.SYMBOL.name) == {"BTC": 0}
    assert capmeter.value(AGE) == 0
    assert books.tracker.unresolved("position") == []

    books.compare({"BTC": 1}, {"BTC": 0.75})

    assert series(capmeter, FOUND, TYPE) == {"quantity": 2, "missing_venue": 1}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(runs=st.lists(st.tuples(BOOKS, BOOKS), max_size=5))
def test_what_is_counted_is_what_became_new_from_run_to_run(runs: list[tuple[Any, Any]], books: Books) -> None:
    books.forget()
    before, known, comparer = books.counted(), set[object](), Comparer(quantity_tolerance=0)
    fresh = 0
    for local, venue in runs:
        for _ in range(2):  # the second time finds nothing new
            books.compare(local, venue, comparer, pair("order"))
        now: set[object] = {(found.id, found.type) for found in comparer("order", local, venue)}
        fresh, known = fresh + len(now - known), now
        assert {(found.id, found.type) for found, _ in books.tracker.unresolved("order")} == now
    assert books.counted() - before == fresh


def test_pairs_of_books_do_not_mix(books: Books, capmeter: CapturingMeter) -> None:
    kraken, binance = pair(venue="kraken"), pair(venue="binance")
    books.compare({"BTC": 1}, {}, of=kraken)
    books.compare({"BTC": 1}, {"BTC": 1}, of=binance)
    books.compare({}, {"9": Record("9")}, of=pair("order"))

    assert capmeter.value(ACTIVE, venue="kraken", break_type="missing_venue") == 1
    assert capmeter.value(ACTIVE, venue="binance", break_type="missing_venue") == 0
    assert capmeter.value(ACTIVE, object="order", break_type="missing_local") == 1
    assert [found.id for found, _ in books.tracker.unresolved("order")] == ["9"]


def _raising(*_: object) -> Any:
    raise OSError


@pytest.mark.parametrize(
    ("local", "venue", "comparer"),
    [
        (_raising, {}, None),
        ({}, _raising, None),
        ({}, {}, _raising),
        ({}, None, None),
        ({}, {}, lambda *_: [("BTC", "quantity")]),
        ({}, {}, lambda *_: [Break("strange", "BTC")]),  # type: ignore[arg-type]
        ({}, {}, lambda *_: 5),
        ({}, {"BTC": 1}, Comparer(ours=_raising)),
    ],
)
def test_a_run_that_fails_changes_nothing(
    books: Books, capmeter: CapturingMeter, local: Any, venue: Any, comparer: Any
) -> None:
    books.compare({"BTC": 1}, {})
    books.clock.now += 3
    with pytest.raises((OSError, ConventionError, TypeError)):
        books.compare(local, venue, comparer)

    assert capmeter.value(ACTIVE, break_type="missing_venue") == 1
    assert capmeter.value(GAP) == 1
    assert capmeter.value(AGE) == 3


def test_a_comparer_of_the_users_own_decides(books: Books, capmeter: CapturingMeter) -> None:
    def own(kind: str, local: Any, venue: Any) -> list[Break]:
        return [Break("status", kind)] if len(local) != len(venue) else []

    books.compare({"BTC": 1}, {}, own)

    assert capmeter.value(FOUND) == capmeter.value(ACTIVE, break_type="status") == 1


def test_breaks_and_pairs_are_bounded_and_counted(production: CapturingMeter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "_MAX_BREAKS", 3)
    monkeypatch.setattr(reconciliation, "_MAX_PAIRS", 2)
    books = Books(production)
    books.compare({"A": 1, "B": 1}, {})
    books.compare({"0": 1, "A": 1, "B": 1, "C": 1}, {})  # those that were counted stay; of two new ones, one fits

    assert production.value(FOUND) == 3
    assert {"A", "B"} < {found.id for found, _ in books.tracker.unresolved("position")}

    books.compare({"Z": 1}, {}, of=pair("balance"))
    books.compare({"Z": 1}, {}, of=pair("fill"))

    assert production.value(ACTIVE, object="balance") == 0
    assert "fill" not in series(production, AGE, a.RECONCILIATION_OBJECT.name)
    assert losses(production) == {"series_limit": 3}


def test_the_largest_discrepancies_come_first_and_folded_symbols_not_at_all(
    production: CapturingMeter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRADING_MAX_SERIES", "2")
    books = Books(production)
    books.compare({"A": 1, "B": -7, "C": 3, "_other_": 99}, {})

    assert series(production, GAP, a.SYMBOL.name) == {"B": -7, "C": 3}


def test_threads_that_compare_at_once_count_a_break_once(books: Books, capmeter: CapturingMeter) -> None:
    barrier = threading.Barrier(8)

    def run() -> None:
        barrier.wait(10)
        for _ in range(50):
            books.compare({str(symbol): 1 for symbol in range(20)}, {})

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert capmeter.value(FOUND) == 20


def test_what_the_comparer_lets_pass_is_no_discrepancy_that_pages(capmeter: CapturingMeter) -> None:
    known = Comparer(quantity_tolerance=0.01, ours=lambda record: record.symbol != "HELD")
    theirs = {"A": 1.005, "B": 1.5, "HELD": 3}
    meter.reconciled(object="position", comparer=known, local={"A": 1, "B": 1}, at_venue=theirs)

    assert {row.attributes[a.SYMBOL.name]: row.value for row in capmeter.samples(GAP)} == {"A": 0, "B": -0.5, "HELD": 0}
