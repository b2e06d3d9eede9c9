"""requests, oldest and newest, in an unchanged script: see `http_client` for what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from http_client import check

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack


def test_replies_are_held_by_venue(stack: Stack, tmp_path: Path) -> None:
    check(stack, tmp_path, "requests")
