"""Thresholds are declared once: the files of rules follow from the declarations."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_trading.semconv import BY_SERIES
from otel_trading.thresholds import ALL, files

ALERTS = Path(__file__).resolve().parents[2] / "alerts"


@pytest.mark.parametrize("file", files.FILES, ids=str)
def test_committed_files_are_what_the_declarations_say(file: Path) -> None:
    assert (ALERTS / file).read_text(encoding="utf-8") == files.render(file), "python -m otel_trading.thresholds"


def test_names_are_unique_and_what_is_compared_is_known() -> None:
    names = [threshold.name for threshold in ALL]
    compared = {series for threshold in ALL for series in threshold.series if series.startswith("trading_")}

    assert len(names) == len(set(names))
    assert compared <= set(BY_SERIES)
