from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from dashboards import _bands as bands
from dashboards import _recorded as recorded
from otel_trading import semconv
from otel_trading.check import boards, names
from otel_trading.check.promql import Query, Selector, read
from otel_trading.semconv import Kind
from otel_trading.semconv import attributes as a
from otel_trading.semconv.prometheus import label_name

ROOT: Final = Path(__file__).parents[2]
FILES: Final = sorted((ROOT / "dashboards" / "json").glob("*.json"))
BOARDS: Final[dict[str, dict[str, Any]]] = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}
#: What rules record for boards of ours; names of other systems are for theirs.
NAMES: Final = names.Names(strict=True).and_rules(
    rule
    for file in (ROOT / "alerts").rglob("*.yaml")
    if file.stem != "compatibility"
    for group in (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("groups", ())
    for rule in group["rules"]
)
#: Labels that Prometheus or OpenTelemetry's resource puts on every series, and those of foreign series.
LABELS: Final = {
    *(attribute.prometheus for attribute in a.ALL.values()),
    *map(label_name, ("service.name", "deployment.environment.name")),
    *("le", "job", "instance", "alertstate", "alertname", "severity", "exporter", "integration", "rule_group", "state"),
    *("direction", "http_route", "http_response_status_code", "server_address"),
    *("receiver", "db_namespace", "replication_client"),
}


def panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    nested = [inner for panel in board["panels"] for inner in panel.get("panels", ())]
    return [panel for panel in [*board["panels"], *nested] if panel["type"] != "row"]


QUERIES: Final[list[tuple[str, str, Query]]] = [
    (f"{uid}: {each.where}", each.promql, read(each.promql))
    for uid, board in BOARDS.items()
    for each in boards.expressions(board)
]
RECORDED: Final = {recorded.name(metric, part) for metric, part in recorded.RECORDED}
SELECTORS: Final[list[tuple[str, Selector]]] = [
    (place, selector) for place, _, query in QUERIES for selector in query.selectors
]
OURS: Final = [
    (place, selector, semconv.BY_SERIES[selector.name])
    for place, selector in SELECTORS
    if selector.name in semconv.BY_SERIES
]
PANELS: Final = [pytest.param(panel, id=f"{uid}: {panel['title']}") for uid, b in BOARDS.items() for panel in panels(b)]


@pytest.mark.filterwarnings("ignore:Prefer using dashboardv2:DeprecationWarning")  # which no Grafana before 12 reads
def test_the_committed_boards_are_what_the_builders_build() -> None:
    build = importlib.import_module("dashboards.build")

    assert {file.stem for file in FILES} == set(build.BOARDS), "run `python -m dashboards`"
    for file in FILES:
        assert file.read_text(encoding="utf-8") == build.render(file.stem), "run `python -m dashboards`"
    assert build.RULES.read_text(encoding="utf-8") == build.rules(), "run `python -m dashboards`"
    assert build.BANDS.read_text(encoding="utf-8") == bands.rules(), "run `python -m dashboards`"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_expressions_say_what_the_convention_has(file: Path) -> None:
    assert boards.check(file.name, file.read_text(encoding="utf-8"), BOARDS[file.stem], NAMES) == []


def test_every_label_of_a_legend_exists() -> None:
    legends = {
        f"{panel['title']}: {label}"
        for board in BOARDS.values()
        for panel in panels(board)
        for target in panel["targets"]
        for label in re.findall(r"{{(\w+)}}", target["legendFormat"])
        if label not in LABELS
    }
    assert not legends


def test_a_filter_hides_no_series_that_lacks_an_optional_label() -> None:
    optional = {
        (metric.name, use.attribute.prometheus)
        for metric in semconv.ALL
        for use in metric.uses
        if use.level is not semconv.Level.REQUIRED
    }
    wrong = {
        f"{place}: {selector.name}{{{matcher.label}{matcher.operator}{matcher.value}}}"
        for place, selector, metric in OURS
        for matcher in selector.matchers
        if "$" in matcher.value and matcher.value.endswith("|") is not ((metric.name, matcher.label) in optional)
    }
    assert not wrong


def test_a_share_of_what_was_sent_counts_nothing_that_never_left() -> None:
    """What our own checks or a client library denied stands in no request: the share went up to 305 %."""
    beside = [query.selectors for _, _, query in QUERIES if any("order_requests" in s.name for s in query.selectors)]
    rejected = [one for selectors in beside for one in selectors if "order_rejections" in one.name]

    assert rejected
    for one in rejected:
        assert ("trading_order_reject_source", "venue|broker") in {(m.label, m.value) for m in one.matchers}


def test_a_fixed_value_is_one_of_its_attribute() -> None:
    closed = {attribute.prometheus: attribute.values for attribute in a.ALL.values() if attribute.values}
    wrong = {
        f"{place}: {matcher.label}={matcher.value}"
        for place, selector, _ in OURS
        for matcher in selector.matchers
        if matcher.operator == "=" and "$" not in matcher.value and matcher.value not in closed.get(matcher.label, ())
    }
    assert not wrong


@pytest.mark.parametrize("metric", semconv.ALL, ids=str)
def test_every_metric_is_shown(metric: semconv.Metric) -> None:
    names = {recorded.name(of, part) for of, part in recorded.RECORDED if of is metric}
    shown = any(metric is of for _, _, of in OURS) or any(selector.name in names for _, selector in SELECTORS)
    assert shown or metric.hidden, (
        f"{metric} is on no panel: add a function to dashboards/panels and name it in a board"
    )
    assert not (shown and metric.hidden), f"{metric} is shown, so it needs no reason for hiding"


def test_hiding_is_rare() -> None:
    hidden = [metric for metric in semconv.ALL if metric.hidden]
    allowed = [*vars(semconv.plumbing).values(), *vars(semconv.sdk).values()]
    assert len(hidden) <= 5
    assert all(metric in allowed for metric in hidden), "only plumbing and sdk may hide a metric"


def test_ranges_follow_the_zoom() -> None:
    fixed = {
        f"{place}: {window}"
        for place, expression, _ in QUERIES
        for window in re.findall(r"\[([^\]]+)\]", re.sub(r'"[^"]*"', "", expression))
        if window not in {*("$__rate_interval", "$__interval", "$__range"), "5m", "30m", "1d"}  # an alert's, a count's
    }
    assert not fixed


def test_what_is_recorded_is_read_at_its_own_pace() -> None:
    targets = [target for board in BOARDS.values() for panel in panels(board) for target in panel["targets"]]
    read_recorded = [target for target in targets if RECORDED & {s.name for s in read(target["expr"]).selectors}]
    assert {name for target in read_recorded for name in RECORDED if name in target["expr"]} == RECORDED, "for nothing"
    for target in targets:
        flat = re.sub(r"`[^`]*`", "", target["expr"])
        windows = set(re.findall(r":rate\w+{[^}]*}\[([^\]]+)\]", flat))
        every_minute = target.get("interval") == recorded.EVERY
        summed = bool(windows) or ":sum{" in flat
        assert summed is (target in read_recorded)
        assert (summed or ":counted_total{" in flat) is every_minute, "a smaller step misses"
        assert windows <= {"$__interval", "$__range", "5m", "30m"}


@pytest.mark.parametrize(("metric", "part"), recorded.RECORDED, ids=str)
def test_symbols_chosen_are_read_from_their_own_series(metric: semconv.Metric, part: str) -> None:
    """On All only the sums over symbols are read, with symbols chosen only the series that have them."""
    name = f"{metric.prometheus}_{part}" if part else metric.prometheus
    # A number of the present needs no recording, and how many there were is not to lack what was replayed.
    exact = re.compile(rf"sum \(\b{name}{{[^}}]*}}\)|\bincrease\(\w+{{[^}}]*}}\[\$__range\]\)")
    for _, expression, _ in QUERIES:
        flat = exact.sub("", re.sub(r"\${(\w+):regex}", r"<\1>", expression))
        for own in re.findall(rf"\b{name}{{([^}}]*)}}", flat):
            assert own.endswith(f"{a.MODE.prometheus}!~`<symbol>`")
            assert f"{a.SYMBOL.prometheus}=~`<symbol>|`" in own
        for summed in re.findall(rf"{recorded.name(metric, part)}{{([^}}]*)}}", flat):
            assert summed.endswith(f"{recorded.STEPS}=~`.*\\b$__interval\\b.*`"), "else both paces are added up"
            if a.SYMBOL in metric.attributes:
                assert f"{a.SYMBOL.prometheus}=~`<symbol>`," in summed, "with a bar it would count what is chosen twice"


def test_every_rate_is_recorded() -> None:
    held = {f"{metric.prometheus}_{part}" if part else metric.prometheus for metric, part in recorded.RECORDED}
    missing = {f"{place}: {s.name}" for place, s, _ in OURS if "rate" in s.functions and s.name not in held}
    assert not missing, "add it to dashboards/_recorded.py, then run `python -m dashboards`"


def test_every_step_of_grafana_is_read_at_one_pace() -> None:
    steps = [*recorded.SHORT.split(), *recorded.LONG.split()]
    assert len(steps) == len(set(steps))
    for step in steps:
        fits = [bool(re.fullmatch(rf".*\b{step}\b.*", series)) for series in (recorded.SHORT, recorded.LONG)]
        assert sum(fits) == 1, step
    # Grafana's roundInterval, from a minute on.
    assert steps == [
        "1m",
        "2m",
        "5m",
        *("10m", "15m", "20m", "30m"),
        *("1h", "2h", "3h", "6h", "12h"),
        *("1d", "7d", "30d", "1y"),
    ]


@pytest.mark.parametrize("panel", PANELS)
def test_a_panel_explains_itself(panel: dict[str, Any]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert defaults["unit"]
    assert defaults["noValue"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


@pytest.mark.parametrize("panel", PANELS)
def test_titles_and_names_are_seen(panel: dict[str, Any]) -> None:
    # Six characters of a title are as wide as a column on a screen of 1,600 pixels; the corner takes some.
    assert len(panel["title"]) <= 6 * panel["gridPos"]["w"] - 1
    if panel["type"] == "bargauge":
        assert panel["fieldConfig"]["defaults"]["displayName"] == "${__series.name}", "a bar alone has no name"


@pytest.mark.parametrize("panel", PANELS)
def test_a_share_reads_as_percent_and_nothing_else_does(panel: dict[str, Any]) -> None:
    gauges = {
        semconv.BY_SERIES[s.name]
        for target in panel["targets"]
        for s in read(target["expr"]).selectors
        if s.name in semconv.BY_SERIES and semconv.BY_SERIES[s.name].kind is Kind.OBSERVABLE_GAUGE
    }
    # Sharpe and its like are multiples of a deviation, not shares.
    shares = {metric.unit.text == "1" and not metric.name.endswith("_ratio") for metric in gauges}
    if shares in ({True}, {False}):
        assert (panel["fieldConfig"]["defaults"]["unit"] == "percentunit") is (shares == {True})


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_a_board_loads_in_grafana_9_4_and_later(board: dict[str, Any]) -> None:
    assert 36 <= board["schemaVersion"] <= 38
    assert "id" not in board, "an id belongs to one Grafana; the uid is the address"
    assert {panel["type"] for panel in panels(board)} <= {
        *("stat", "bargauge", "state-timeline", "table", "timeseries", "heatmap")
    }
    assert not any("libraryPanel" in panel for panel in panels(board))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_no_panel_lies_over_another(board: dict[str, Any]) -> None:
    taken: dict[tuple[int, int], str] = {}
    for panel in board["panels"]:
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]
        for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
            assert taken.setdefault(cell, panel["title"]) == panel["title"]


def test_uids_are_stable() -> None:
    assert {uid: board["uid"] for uid, board in BOARDS.items()} == {uid: uid for uid in BOARDS}
    assert "otel-trading-overview" in BOARDS, "alerts link to it"


@pytest.mark.parametrize("board", BOARDS.values(), ids=BOARDS)
def test_variables_start_live_and_unfiltered(board: dict[str, Any]) -> None:
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    if "mode" in variables:
        assert variables["mode"]["current"]["value"] == "live"
        assert variables["mode"]["query"].split(",") == list(a.MODE.values)
        assert not variables["mode"]["multi"], "money of two modes must not meet in a sum"
    for variable in variables.values():
        if variable["type"] == "query":
            assert variable["allValue"] == ".*", "All must match series that lack the label"
    used = set(re.findall(r"\$\{?([a-z]+)", json.dumps([panel["targets"] for panel in panels(board)])))
    assert used == set(variables) - {"datasource"} | {"datasource"} & used


def test_builders_know_nothing_of_us_but_the_convention() -> None:
    code = (
        "import sys, dashboards.build; "
        "print(*sorted(name for name in sys.modules if name.startswith('otel_trading.') or name == 'opentelemetry'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    allowed = re.compile(r"otel_trading\.(semconv(\.\w+)?|errors)")
    assert [name for name in done.stdout.split() if not allowed.fullmatch(name)] == []
