"""What every board has in common: variables, annotations, refresh, and the version of the format."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from dashboards import _variables

#: What Grafana 9.4 writes; later ones migrate it when they load it.
SCHEMA_VERSION: Final = 37


def new(uid: str, title: str, description: str) -> dashboard.Dashboard:
    """Return an empty board.

    Args:
        uid: Stable address of the board; alerts link to it.
        title: Name in the list.
        description: One sentence on what it answers.
    """
    return (
        dashboard.Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["otel-trading"])
        .time("now-1h", "now")
        .refresh("10s")
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables(_variables.variables())
        .annotation(_variables.fired_alerts())
    )


def finished(board: dashboard.Dashboard) -> model.Dashboard:
    """Return the board as Grafana 9.4 reads it, its panels numbered."""
    built = board.build()
    built.schema_version = SCHEMA_VERSION
    for number, panel in enumerate(built.panels or [], start=1):
        panel.id_val = number
    return built
