"""The board's variables: what a reader can narrow everything to, and the annotations of fired alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from otel_trading.semconv import attributes as a
from otel_trading.semconv import strategy

from ._house import BLUE, DATASOURCE, GREY, RED
from ._promql import FILTERS, MODE, SERVICE, chosen

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog import builder

ALERTS: Final = 'ALERTS{alertstate="firing", severity!="none"}'
#: The moment only: a band for as long as an alert fires would bury the curves.
_FIRED: Final = f"{ALERTS} unless {ALERTS} offset $__interval"
#: Who sends what OpenTelemetry's own conventions name; it says no mode.
_STANDARD: Final = '__name__=~"(http|process|system)_.+"'
_LABELS: Final = {"environment": "Environment", "service": "Bot"}


def variables(used: set[str]) -> list[builder.Builder[model.VariableModel]]:
    """Return the variables, mode first after the data source: it decides whether money is at stake.

    Args:
        used: Names of those that a panel of the board obeys; one that changes nothing would only mislead.
    """
    mode = "mode" in used
    filters = [_filter(name, label, of_trading=mode) for name, label in FILTERS.items() if name in used]
    return [_datasource(), *([_mode()] if mode else []), *filters]


def fired_alerts() -> dashboard.AnnotationQuery:
    """Return the annotation that marks on every panel when an alert fired."""
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(DATASOURCE)
        .enable(enable=True)
        .icon_color(RED)
        .expr(_FIRED)
        .step("60s")
        .title_format("{{alertname}}")
        .text_format(f"{{{{severity}}}} {{{{{SERVICE}}}}} {{{{{a.STRATEGY.prometheus}}}}} {{{{{a.VENUE.prometheus}}}}}")
        .tag_keys("severity")
    )


def changed_thresholds() -> dashboard.AnnotationQuery:
    """Return the annotation that marks when somebody set another threshold, who and why."""
    return (
        dashboard.AnnotationQuery()
        .name("Thresholds")
        .datasource(DATASOURCE)
        .enable(enable=True)
        .icon_color(BLUE)
        .expr("trading:threshold_change:time_seconds * 1000")
        .step("60s")
        .use_value_for_time(use_value_for_time=True)
        .title_format("{{threshold}}: {{old}} to {{new}}")
        .text_format("{{who}}: {{why}}")
    )


def deployments() -> dashboard.AnnotationQuery:
    """Return the annotation that marks each start of a bot: a new version, a restart, a crash."""
    name, mode = strategy.START_TIME.prometheus, a.MODE.prometheus
    started = f'{name}{{{mode}="live"}} or {name}{{{mode}="paper"}}'
    return (
        dashboard.AnnotationQuery()
        .name("Starts")
        .datasource(DATASOURCE)
        .enable(enable=True)
        .icon_color(GREY)
        .expr(f"max by ({SERVICE}, service_version) ({started}) * 1000")
        .step("60s")
        .use_value_for_time(use_value_for_time=True)
        .title_format(f"{{{{{SERVICE}}}}} started")
        .text_format("{{service_version}}")
    )


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _mode() -> dashboard.CustomVariable:
    live = model.VariableOption(text="live", value="live", selected=True)
    return dashboard.CustomVariable("mode").label("Mode").values(",".join(a.MODE.values)).current(live)


def _filter(name: str, label: str, *, of_trading: bool) -> dashboard.QueryVariable:
    narrowed = MODE if name in {"environment", "service"} else f"{MODE}, {SERVICE}=~{chosen('service')}"
    if not of_trading:
        narrowed = _STANDARD
    query = f"label_values({{{narrowed}}}, {label})"
    return (
        dashboard.QueryVariable(name)
        .label(_LABELS.get(name, name.capitalize()))
        .datasource(DATASOURCE)
        .query({"query": query, "refId": name})
        .definition(query)
        .refresh(model.VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(model.VariableSort.ALPHABETICAL_ASC)
        .multi(multi=True)
        .include_all(include_all=True)
        .all_value(".*")
        .current(model.VariableOption(text=["All"], value=["$__all"], selected=True))
    )
