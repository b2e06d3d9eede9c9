"""What the running Prometheus itself says about its settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
import yaml

from bot_support import prometheus_get
from otel_trading.stack._files import shipped

if TYPE_CHECKING:
    from otel_trading.stack import Stack

pytestmark = pytest.mark.stack


@pytest.mark.seed("S1-37")
def test_it_keeps_data_for_a_bounded_time_and_size_and_reloads_on_request(stack: Stack) -> None:
    config = yaml.safe_load(prometheus_get(stack, "status/config")["yaml"])

    assert prometheus_get(stack, "status/flags")["web.enable-lifecycle"] == "true"
    assert re.fullmatch(r"\d+d", config["storage"]["tsdb"]["retention"]["time"])
    assert re.fullmatch(r"\d+[GM]i?B", config["storage"]["tsdb"]["retention"]["size"])


@pytest.mark.seed("S0-37")
def test_the_interval_is_fifteen_seconds_and_another_one_when_asked(stack: Stack) -> None:
    config = yaml.safe_load(prometheus_get(stack, "status/config")["yaml"])
    ours = yaml.safe_load(shipped("collector/prometheus.yaml").read_text(encoding="utf-8"))

    assert ours["global"]["scrape_interval"] == "15s"
    assert config["global"]["scrape_interval"] == config["global"]["evaluation_interval"] == "1s"
