from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from top_support import picture, screen

from otel_trading.top.parts import amount, bar, cell, lasting
from otel_trading.top.picture import Monitoring
from otel_trading.top.queries import Filters

_ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
SIZES = [(80, 24), (40, 24), (60, 50), (120, 40), (250, 60)]
HEADINGS = (
    "firing alerts",
    "money",
    "orders",
    "positions",
    "limits",
    "strategies",
    "feeds",
    "connections",
    "monitoring",
)


@pytest.mark.parametrize(("width", "height"), SIZES)
def test_it_fits_the_terminal_with_every_section(width: int, height: int, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _ESCAPE.sub("", screen(picture(), width, height, monkeypatch)).splitlines()

    assert len(lines) <= height
    assert max(cell_len(line) for line in lines) <= width
    assert all(any(heading in line for line in lines) for heading in HEADINGS), lines


def test_what_has_no_room_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    cut, whole = (screen(picture(), 80, height, monkeypatch) for height in (24, None))

    shown = cut.count("SYMBOL")
    assert 0 < shown < 30
    assert f"and {30 - shown} more" in cut
    assert whole.count("SYMBOL") == 30
    assert " more" not in whole


@pytest.mark.parametrize(
    "said",
    [
        "USD equity 200,000.50 ▁▅█",
        "EUR session P&L -80.00",
        "drawdown 1.23%",
        "USD net exposure -70,000.00",
        "max_messages day 100 of 100 █████ 100%",
        "daily_loss day USD 5,000 of 10,000 ██░░░ 50%",
        "day running late 1.0 min",
        "kill switch account armed",
        "kraken trade market_data old 33.0 s",
        "kraken quote market_data 1.0 s",
        "kraken market_data disconnected",
        "sent in 5m 200 rejected 5.0%",
        "fills 150 ack p95 21 ms",
        "critical VenueConnectionLost market_data since 21 Sep 14:11:50 1.5 min",
        "pending LimitNear x2 day since 21 Sep 14:12:49 31.0 s",
        "canary 4.0 s old 0 lost in 5m",
    ],
)
def test_every_figure_is_said_in_words_too(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = _ESCAPE.sub("", screen(picture(), 110, None, monkeypatch)).splitlines()

    assert said in " ".join(" ".join(lines).split()).replace("─", "") or any(
        said in " ".join(line.split()) for line in lines
    )


def test_names_are_neither_markup_nor_escapes(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = screen(picture(), 120, None, monkeypatch)

    assert '[bold]A/B "é" 株式[/]\N{REPLACEMENT CHARACTER}[2J' in drawn
    assert "\x1b[2J" not in drawn


def test_no_color_takes_the_colours_and_no_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)  # which CI sets
    coloured = screen(picture(), 80, 24, monkeypatch)
    monkeypatch.setenv("NO_COLOR", "1")
    plain = screen(picture(), 80, 24, monkeypatch)

    colours = re.compile(r"\x1b\[[0-9;]*3[0-7][0-9;]*m")
    assert colours.search(coloured)
    assert not colours.search(plain)
    assert _ESCAPE.sub("", coloured) == _ESCAPE.sub("", plain)


@pytest.mark.parametrize(
    ("modes", "chosen", "said"),
    [
        ((), Filters(), "Nothing in mode live arrives here. Start a bot: otel-trading run"),
        (("paper",), Filters(), "There is something of mode paper: --mode paper."),
        (("live",), Filters(strategy="none"), "Nothing of what was chosen in mode live"),
    ],
)
def test_no_data_says_what_to_do(
    modes: tuple[str, ...], chosen: Filters, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = replace(
        picture(), modes=modes, money=(), positions=(), limits=(), strategies=(), feeds=(), connections=(), alerts=()
    )

    assert said in " ".join(_ESCAPE.sub("", screen(empty, 80, 24, monkeypatch, chosen)).split())


def test_silence_of_the_rules_is_told_from_peace(monkeypatch: pytest.MonkeyPatch) -> None:
    peace = replace(picture(), alerts=())
    deaf = replace(peace, monitoring=Monitoring(None, None, 3.0, rules=False))

    assert "none" in screen(peace, 80, 24, monkeypatch)
    assert "this Prometheus evaluates no rules" in screen(deaf, 80, 24, monkeypatch)
    assert "no canary" in screen(deaf, 80, 24, monkeypatch)


def test_figures_as_text() -> None:
    assert [amount(value) for value in (None, 0.0, 0.000238, 1234.5)] == ["-", "0.00", "0.000238", "1,234.50"]
    assert [lasting(value) for value in (None, 4.0, 90.0, 7_200.0, 172_800.0)] == [
        "-",
        "4.0 s",
        "1.5 min",
        "2.0 h",
        "2.0 d",
    ]
    assert [bar(share, 4) for share in (-1.0, 0.5, 7.0)] == ["░░░░", "██░░", "████"]
    assert cell("a\nb\u202e").plain == "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}"
