"""The house look: what every panel of every board has in common, once.

Colours are those of Okabe and Ito, which people with any form of colour blindness can tell apart.
"""

from __future__ import annotations

from string import ascii_uppercase
from typing import TYPE_CHECKING, Final, TypeVar

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    dashboard,
    heatmap,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as looks
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models import heatmap as heatmap_model
from grafana_foundation_sdk.models import prometheus as prometheus_model

from . import _counted as counted
from . import _promql as promql
from . import _recorded as recorded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from otel_trading.semconv import Metric

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"
SKY, PURPLE, GREY = "#56B4E9", "#CC79A7", "#8E8E8E"

DATASOURCE: Final = looks.DataSourceRef(type_val="prometheus", uid="${datasource}")
NO_DATA: Final = "No data: check Mode and the filters above; then run `otel-trading doctor`"
NONE_YET: Final = "None in the time shown"
SECONDS, SHARE, MONEY, COUNT, BASIS_POINTS = "s", "percentunit", "locale", "none", "suffix:bp"
PER_SECOND, PER_MINUTE = "suffix:/s", "suffix:/min"
_DECIMALS: Final = {SECONDS: 1, SHARE: 1, MONEY: 2, COUNT: 0, PER_SECOND: 1, PER_MINUTE: 1, BASIS_POINTS: 2}

#: As if a number were as wide as a board, so that one of a day is added up from what is recorded once a minute.
_POINTS: Final = 1500
_QUANTILES: Final = {"p50": 0.5, "p95": 0.95, "p99": 0.99}

#: Grey, because a threshold's colour would say that all is well.
_NOTHING: Final[list[model.ValueMapping]] = [
    model.SpecialValueMap(
        options=model.DashboardSpecialValueMapOptions(
            match=model.SpecialValueMatch.NULL, result=model.ValueMappingResult(text="No data", color=GREY)
        )
    )
]

#: (value from which it holds, colour); the first has no lower bound.
Steps = tuple[tuple[float | None, str], ...]
PLAIN: Final[Steps] = ((None, SKY),)
SIGN: Final[Steps] = ((None, RED), (0, GREEN))
Panel = timeseries.Panel | stat.Panel | bargauge.Panel | statetimeline.Panel | heatmap.Panel | table.Panel
P = TypeVar("P", timeseries.Panel, stat.Panel, bargauge.Panel, statetimeline.Panel, heatmap.Panel, table.Panel)


def rising(warning: float, critical: float) -> Steps:
    """Return thresholds for a value that is good when small."""
    return ((None, GREEN), (warning, ORANGE), (critical, RED))


def about(*metrics: Metric) -> str:
    """Return the descriptions of the metrics, once each, for the panel's corner."""
    return " ".join(dict.fromkeys(metric.description for metric in metrics))


def query(expression: str, legend: str = "") -> prometheus.Dataquery:
    """Return one query of a panel, over the time shown."""
    asked = prometheus.Dataquery().datasource(DATASOURCE).expr(expression).legend_format(legend or "__auto").range()
    # A smaller step would fall between two points.
    slow = recorded.read_by(expression) or counted.read_by(expression)
    return asked.interval(recorded.EVERY) if slow else asked


def latest(expression: str, legend: str = "") -> prometheus.Dataquery:
    """Return one query of a panel, at the end of the time shown: what is gone by then is not in it."""
    return query(expression, legend).instant()


def lines(title: str, description: str, unit: str, *queries: prometheus.Dataquery) -> timeseries.Panel:
    """Return curves over time, with their last value in the legend."""
    panel = (
        timeseries.Panel()
        .legend(_legend("lastNotNull"))
        .tooltip(common.VizTooltipOptions().mode(looks.TooltipDisplayMode.MULTI).sort(looks.SortOrder.DESCENDING))
        .line_width(2)
        .fill_opacity(8)
        .show_points(looks.VisibilityMode.NEVER)
        .span_nulls(span_nulls=False)
    )
    return _dressed(panel, (title, description), unit, queries, (8, 8))


def drawn_steps(panel: timeseries.Panel, steps: Steps) -> timeseries.Panel:
    """Draw thresholds as dashed lines; the curves keep their own colours."""
    style = common.GraphThresholdsStyleConfig().mode(looks.GraphThresholdsStyleMode.DASHED)
    return panel.thresholds(_thresholds(steps)).thresholds_style(style)


def events(title: str, description: str, unit: str, *queries: prometheus.Dataquery) -> timeseries.Panel:
    """Return rates of events as stacked bars; that there is none is good news, not a fault."""
    normal = common.StackingConfig().mode(looks.StackingMode.NORMAL).group("A")
    panel = lines(title, description, unit, *queries).draw_style(looks.GraphDrawStyle.BARS).stacking(normal)
    return panel.fill_opacity(70).line_width(0).no_value(NONE_YET).legend(_legend("max"))


def number(title: str, description: str, unit: str, *queries: prometheus.Dataquery, steps: Steps = PLAIN) -> stat.Panel:
    """Return big numbers; ask instant queries, else a dead bot shows its last good number."""
    panel = (
        stat.Panel()
        .color_scheme(_by_threshold())
        .thresholds(_thresholds(steps))
        .mappings(_NOTHING)
        .color_mode(looks.BigValueColorMode.VALUE)
        .graph_mode(looks.BigValueGraphMode.NONE)
        .text_mode(looks.BigValueTextMode.AUTO)
        .reduce_options(_last())
        .max_data_points(_POINTS)
    )
    return _dressed(panel, (title, description), unit, queries, (6, 4))


def named(panel: stat.Panel) -> stat.Panel:
    """Write the series' name even where it is alone: an amount without its currency says nothing."""
    return panel.text_mode(looks.BigValueTextMode.VALUE_AND_NAME)


def bars(title: str, description: str, unit: str, *queries: prometheus.Dataquery, steps: Steps) -> bargauge.Panel:
    """Return one horizontal bar per series, coloured by threshold."""
    panel = (
        bargauge.Panel()
        .color_scheme(_by_threshold())
        .thresholds(_thresholds(steps))
        .mappings(_NOTHING)
        .orientation(looks.VizOrientation.HORIZONTAL)
        .display_mode(looks.BarGaugeDisplayMode.BASIC)
        .reduce_options(_last())
        .min(0)
        .display_name("${__series.name}")  # else Grafana leaves out the name of a bar that is alone
    )
    return _dressed(panel, (title, description), unit, queries, (6, 7))


def timeline(
    title: str, description: str, states: Mapping[str, str], *queries: prometheus.Dataquery
) -> statetimeline.Panel:
    """Return one lane per series with the name of its state.

    Args:
        title: What the lanes are.
        description: What it says.
        states: Colour of each state, in the order in which `_promql.state` numbers them.
        queries: Queries from `_promql.state`.
    """
    mapping = {
        str(place): model.ValueMappingResult(text=name, color=colour, index=place)
        for place, (name, colour) in enumerate(states.items())
    }
    panel = (
        statetimeline.Panel()
        .mappings([model.ValueMap(options=mapping)])
        .color_scheme(dashboard.FieldColor().mode(model.FieldColorModeId.FIXED).fixed_color(GREY))
        .legend(common.VizLegendOptions().show_legend(show_legend=False).display_mode(looks.LegendDisplayMode.LIST))
        .merge_values(merge_values=True)
        .row_height(0.8)
        .show_value(looks.VisibilityMode.AUTO)
    )
    return _dressed(panel, (title, description), "none", queries, (8, 8))


def heat(title: str, description: str, unit: str, expression: str) -> heatmap.Panel:
    """Return a heatmap of a histogram's buckets."""
    colour = heatmap.HeatmapColorOptions().mode(heatmap_model.HeatmapColorMode.SCHEME).scheme("Viridis").steps(64)
    target = query(expression, "{{le}}").format(prometheus_model.PromQueryFormat.HEATMAP)
    panel = (
        heatmap.Panel()
        .calculate(calculate=False)
        .color(colour)
        .y_axis(heatmap.YAxisConfig().unit(unit).decimals(1))
        .cell_gap(1)
        .tooltip(heatmap.HeatmapTooltip().y_histogram(y_histogram=True))
    )
    return _dressed(panel, (title, description), unit, (target,), (8, 8))


def rows(title: str, description: str, unit: str, *queries: prometheus.Dataquery) -> table.Panel:
    """Return a table of present values, one row per series."""
    targets = tuple(target.instant().format(prometheus_model.PromQueryFormat.TABLE) for target in queries)
    empty = model.DynamicConfigValue(id_val="noValue", value="-")
    panel = table.Panel().min_width(80).override_by_regexp("/.*/", [empty])
    return _dressed(panel, (title, description), unit, targets, (12, 8))


def tidy(panel: table.Panel, names: Mapping[str, str]) -> table.Panel:
    """Join the queries of a table by their labels, name the columns and drop those without a name.

    Args:
        panel: A table from `rows`.
        names: Column title by label, or by `Value #A`, `Value #B` for the queries, in the wanted order.
    """
    keep = f"^({'|'.join(names)})$"
    order = {name: place for place, name in enumerate(names)}
    return panel.transformations(
        [
            model.DataTransformerConfig(id_val="merge", options={}),
            model.DataTransformerConfig(id_val="filterFieldsByName", options={"include": {"pattern": keep}}),
            model.DataTransformerConfig(
                id_val="organize", options={"excludeByName": {}, "indexByName": order, "renameByName": dict(names)}
            ),
        ]
    )


def coloured(panel: P, colours: Mapping[str, str]) -> P:
    """Give the series of these names a fixed colour."""
    for name, colour in colours.items():
        value = model.DynamicConfigValue(id_val="color", value={"mode": "fixed", "fixedColor": colour})
        panel.override_by_name(name, [value])
    return panel


def dashed(panel: timeseries.Panel, name: str) -> timeseries.Panel:
    """Draw limits as thin dashed lines: `name` is a series name, or a pattern between slashes."""
    look = {
        "custom.lineStyle": {"fill": "dash", "dash": [8, 8]},
        "custom.lineWidth": 1,
        "custom.fillOpacity": 0,
        "color": {"mode": "fixed", "fixedColor": RED},
    }
    properties = [model.DynamicConfigValue(id_val=key, value=value) for key, value in look.items()]
    return panel.override_by_regexp(name, properties)


def column(panel: table.Panel, name: str, **look: object) -> table.Panel:
    """Give a column of a table its own unit, decimals or look, by Grafana's names of them."""
    properties = [model.DynamicConfigValue(id_val=key.replace("__", "."), value=value) for key, value in look.items()]
    return panel.override_by_name(name, properties)


def quantiles(title: str, metric: Metric) -> timeseries.Panel:
    """Return p50, p95 and p99 of a duration."""
    queries = [query(promql.quantile(share, metric), name) for name, share in _QUANTILES.items()]
    panel = lines(title, about(metric), SECONDS, *queries).min(0)
    return coloured(panel, dict(zip(_QUANTILES, (SKY, ORANGE, RED), strict=True)))


def size(panel: P, width: int, height: int) -> P:
    """Give a panel another size than its kind has, in Grafana's 24 columns."""
    return panel.span(width).height(height)


def sized(build: Callable[[], P], width: int, height: int) -> Callable[[], P]:
    """Return the function of a panel that has another size on this board."""
    return lambda: size(build(), width, height)


def _dressed(
    panel: P, words: tuple[str, str], unit: str, queries: tuple[prometheus.Dataquery, ...], extent: tuple[int, int]
) -> P:
    title, description = words
    panel.title(title).description(description).unit(unit).no_value(NO_DATA).datasource(DATASOURCE)
    panel.targets([target.ref_id(letter) for target, letter in zip(queries, ascii_uppercase, strict=False)])
    # On an axis, ticks that rounding makes equal would show the text for no data.
    if unit in _DECIMALS and not (unit == COUNT and isinstance(panel, timeseries.Panel)):
        panel.decimals(_DECIMALS[unit])
    return size(panel, *extent)


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    marks = [model.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(marks)


def _by_threshold() -> dashboard.FieldColor:
    return dashboard.FieldColor().mode(model.FieldColorModeId.THRESHOLDS)


def _legend(number: str) -> common.VizLegendOptions:
    shown = common.VizLegendOptions().show_legend(show_legend=True).calcs([number])
    return shown.display_mode(looks.LegendDisplayMode.LIST).placement(looks.LegendPlacement.BOTTOM)


def _last() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False)
