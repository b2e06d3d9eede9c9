"""Boards before data that nobody wished for: none at all, odd symbols, a thousand of them, a plain Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
import time
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import pytest
from board_support import BOARDS, asked, expressions, variables

from otel_trading.semconv import execution, order
from otel_trading.stack import Ports, health, loopback

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = pytest.mark.stack

ODD: Final = [
    *("BTC/USD", "BRK.B", "ES=F", "^GSPC", "A|B", "(x)", "[0-9]", "{1}", "a+b*c?", "$mode", "${symbol}", "100%", " A "),
    *('5" PIPE', "O'NEIL", "back\\slash", "\\", "\\d", "ÖL-ÄÜ", "東証/7203", "💰", ".*"),
]
MANY: Final = [f"COIN{number:04}/USDT" for number in range(1000)]
_FILLS: Final = execution.FILLS.prometheus
_CALLS: Final = f"{order.REQUEST_DURATION.prometheus}_bucket"
_LABELS: Final = (
    'trading_mode="live",service_name="bot",deployment_environment_name="test",trading_venue_name="kraken",'
    'trading_strategy_name="s",trading_order_side="buy",trading_order_operation="new",job="bot"'
)


@contextmanager
def _prometheus(binary: Path, folder: Path) -> Generator[str]:
    """Serve what is in the folder: without exemplars, without rules, without scraping."""
    (folder / "prometheus.yaml").write_text("global: {}\n", encoding="ascii")
    port = Ports.free().prometheus
    flags = [f"--config.file={folder}/prometheus.yaml", f"--storage.tsdb.path={folder}/data"]
    url = f"http://127.0.0.1:{port}"
    with subprocess.Popen([binary, *flags, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL) as it:
        try:
            assert health.wait(f"{url}/-/ready", 30)
            yield url
        finally:
            it.terminate()


def _quoted(symbol: str) -> str:
    return json.dumps(symbol, ensure_ascii=False)


@pytest.fixture(scope="module")
def empty(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Address of a Prometheus that holds nothing."""
    with _prometheus(servers["prometheus"], tmp_path_factory.mktemp("empty")) as url:
        yield url


@pytest.fixture(scope="module")
def odd(servers: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Generator[str]:
    """Address of a Prometheus with fills and classic histograms of every odd symbol, and of a thousand plain ones."""
    folder, now = tmp_path_factory.mktemp("odd"), int(time.time())
    text = [f"# TYPE {_FILLS.removesuffix('_total')} counter"]
    text += [
        f"{_FILLS}{{{_LABELS},trading_instrument_symbol={_quoted(symbol)}}} {value} {at}"
        for symbol in ODD + MANY
        for value, at in ((1, now - 30), (5, now))
    ]
    text += [f"# TYPE {_CALLS.removesuffix('_bucket')} histogram"]
    text += [
        f'{_CALLS}{{{_LABELS},le="{edge}"}} {value} {at}'
        for edge in ("0.1", "+Inf")
        for value, at in ((1, now - 30), (5, now))
    ]
    (folder / "text").write_text("\n".join([*text, "# EOF", ""]), encoding="utf-8")
    make = [str(servers["promtool"]), "tsdb", "create-blocks-from", "openmetrics", "-q"]
    command = [*make, str(folder / "text"), str(folder / "data")]
    subprocess.run(command, check=True, timeout=60, stdout=subprocess.DEVNULL)
    with _prometheus(servers["prometheus"], folder) as url:
        yield url


def _get(url: str, path: str, **query: str) -> Any:
    """POST a question, as the data source that we provision does, and return the data of the answer."""
    data = urllib.parse.urlencode(query).encode()
    with urllib.request.urlopen(f"{url}/api/v1/{path}", data, timeout=20) as answer:
        return json.load(answer)["data"]


def _values(url: str, query: str) -> list[str]:
    """Return what a variable offers."""
    selector, _, label = query.removeprefix("label_values(").removesuffix(")").rpartition(", ")
    address = f"{url}/api/v1/label/{label}/values?{urllib.parse.urlencode({'match[]': selector})}"
    found: list[str] = json.loads(loopback.ask(address, 20))["data"]
    return found


def test_no_data_at_all_is_an_answer(empty: str) -> None:
    assert [each for each in expressions() if _get(empty, "query", query=asked(each))["result"]] == []
    assert [query for query in variables() if _values(empty, asked(query))] == []


def test_a_mode_without_series_is_empty_and_no_error(odd: str) -> None:
    for each in expressions():
        if "$mode" in each:
            assert _get(odd, "query", query=asked(each, mode="replay"))["result"] == [], each


def _of_symbols() -> str:
    """The fills of the symbols chosen, in the words of our own boards."""
    narrowed = next(
        found[0] for each in expressions() if (found := re.findall(rf"{_FILLS}{{[^}}]*(?:}}[^}}]*?)*?`}}", each))
    )
    return f"sum by (trading_instrument_symbol) ({narrowed})"


def _shown(url: str, chosen: str | list[str]) -> list[str]:
    rows = _get(url, "query", query=asked(_of_symbols(), {"symbol": chosen}))["result"]
    return sorted(row["metric"]["trading_instrument_symbol"] for row in rows)


@pytest.mark.parametrize("symbol", ODD)
def test_an_odd_symbol_shows_itself_and_no_other(odd: str, symbol: str) -> None:
    assert _shown(odd, symbol) == [symbol]


def test_odd_symbols_together(odd: str) -> None:
    assert _shown(odd, ODD) == sorted(ODD)


def test_no_query_breaks_at_an_odd_symbol(odd: str) -> None:
    everywhere: dict[str, str | list[str]] = dict.fromkeys(("strategy", "venue", "symbol", "account", "service"), ODD)
    for each in expressions():
        _get(odd, "query", query=asked(each, everywhere))


def test_a_thousand_symbols_can_be_listed_and_chosen(odd: str) -> None:
    listing = next(query for query, name in variables().items() if name == "symbol")

    assert set(_values(odd, asked(listing))) == set(ODD + MANY)
    assert _shown(odd, MANY) == MANY
    longest = max(len(urllib.parse.quote(asked(each, {"symbol": MANY}))) for each in expressions())
    assert longest < 2**20, "Go refuses headers above 1 MiB: a data source that uses GET would fail"
    for each in expressions():
        _get(odd, "query", query=asked(each, {"symbol": MANY}))


def test_a_prometheus_without_exemplars_and_native_histograms_is_enough(odd: str) -> None:
    native = re.compile(r"\bhistogram_(avg|count|sum|fraction|stddev|stdvar)\b")
    assert [each for each in expressions() if native.search(each)] == []
    assert _get(odd, "query_exemplars", query=_CALLS, start="0", end=str(time.time())) == []
    quantile = next(each for each in expressions() if "histogram_quantile" in each and _CALLS in each)
    # With a symbol chosen: nothing records here, and what has no symbol stays. An hour, as a busy machine is slow.
    query = asked(quantile.replace("$__rate_interval", "1h"), {"symbol": "BTC/USD"})
    assert _get(odd, "query", query=query)["result"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_a_data_source_of_another_name_is_chosen_once_for_all(board: Path) -> None:
    found: list[Any] = []

    def seen(part: dict[str, Any]) -> dict[str, Any]:
        if "datasource" in part:
            found.append(part["datasource"])
        return part

    read = json.loads(board.read_text(encoding="utf-8"), object_hook=seen)
    assert found
    assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in found)
    assert [one["type"] for one in read["templating"]["list"] if one["name"] == "datasource"] == ["datasource"]
