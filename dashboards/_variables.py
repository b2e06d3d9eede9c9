"""The board's variables: what a reader can narrow everything to, and the annotations of fired alerts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from dashboards._house import DATASOURCE, RED
from dashboards._promql import FILTERS, MODE, SERVICE
from otel_trading.semconv import attributes as a

if TYPE_CHECKING:
    from grafana_foundation_sdk.cog import builder

ALERTS: Final = 'ALERTS{alertstate="firing", severity!="none"}'
_LABELS: Final = {"environment": "Environment", "service": "Bot"}


def variables() -> list[builder.Builder[model.VariableModel]]:
    """Return the variables, mode first after the data source: it decides whether money is at stake."""
    filters = [_filter(name, label) for name, label in FILTERS.items()]
    return [_datasource(), _mode(), *filters]


def fired_alerts() -> dashboard.AnnotationQuery:
    """Return the annotation that marks on every panel when an alert fired."""
    return (
        dashboard.AnnotationQuery()
        .name("Alerts")
        .datasource(DATASOURCE)
        .enable(enable=True)
        .icon_color(RED)
        .expr(ALERTS)
        .step("60s")
        .title_format("{{alertname}}")
        .text_format(f"{{{{severity}}}} {{{{{SERVICE}}}}} {{{{{a.STRATEGY.prometheus}}}}} {{{{{a.VENUE.prometheus}}}}}")
        .tag_keys("severity")
    )


def _datasource() -> dashboard.DatasourceVariable:
    return dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")


def _mode() -> dashboard.CustomVariable:
    live = model.VariableOption(text="live", value="live", selected=True)
    return dashboard.CustomVariable("mode").label("Mode").values(",".join(a.MODE.values)).current(live)


def _filter(name: str, label: str) -> dashboard.QueryVariable:
    narrowed = MODE if name in {"environment", "service"} else f'{MODE}, {SERVICE}=~"$service"'
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
