"""What every board has in common: variables, annotations, links, refresh, and the version of the format."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.models import dashboard as model

from . import _variables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._house import Panel

__all__ = ["Board"]

#: What Grafana 9.4 writes; later ones migrate it when they load it.
SCHEMA_VERSION: Final = 37
TAG: Final = "otel-trading"
_HALF, _THIRD = 12, 8


@dataclass(frozen=True)
class Board:
    """One board.

    Args:
        uid: Stable address; alerts and other boards link to it.
        title: Name in the list.
        description: One sentence on what it answers.
        rows: Functions that build the panels, by the title of their row; a row without a title stands above all.
    """

    uid: str
    title: str
    description: str
    rows: Mapping[str, tuple[Callable[[], Panel], ...]]

    def build(self) -> model.Dashboard:
        """Return the board as Grafana 9.4 reads it: with the variables that its panels obey, its panels numbered."""
        board = (
            dashboard.Dashboard(self.title)
            .uid(self.uid)
            .description(self.description)
            .tags([TAG])
            .time("now-1h", "now")
            .refresh("10s")
            .tooltip(model.DashboardCursorSync.CROSSHAIR)
            .link(_others())
            .variables(_variables.variables(self._used()))
            .annotation(_variables.fired_alerts())
            .annotation(_variables.changed_thresholds())
            .annotation(_variables.deployments())
        )
        for title, panels in self.rows.items():
            if title:
                board.with_row(dashboard.Row(title))
            for panel in _filled([panel() for panel in panels]):
                board.with_panel(panel)
        built = board.build()
        built.schema_version = SCHEMA_VERSION
        for number, panel in enumerate(built.panels or [], start=1):
            panel.id_val = number
        return built

    def _used(self) -> set[str]:
        targets = [
            target for panels in self.rows.values() for panel in panels for target in panel().build().targets or []
        ]
        expressions = [getattr(target, "expr", "") for target in targets]
        return {name for expression in expressions for name in re.findall(r"\$\{?([a-z]+)", expression)}


def _filled(panels: list[Panel]) -> list[Panel]:
    """Widen the last panels of a row of thirds, so that it ends without a hole."""
    if any(panel.build().grid_pos is None or panel.build().grid_pos.w != _THIRD for panel in panels):
        return panels
    left = len(panels) % 3
    if left == 1:
        last, width = (panels[-1:], 3 * _THIRD) if len(panels) == 1 else (panels[-4:], _HALF)
    else:
        last, width = panels[len(panels) - left :], _HALF
    for panel in last:
        panel.span(width)
    return panels


def _others() -> dashboard.DashboardLink:
    """Return the way to every other board, with the time and the choices made here."""
    return (
        dashboard.DashboardLink("Boards")
        .type(model.DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .as_dropdown(as_dropdown=True)
        .include_vars(include_vars=True)
        .keep_time(keep_time=True)
    )
