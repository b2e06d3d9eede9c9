"""Market hours: the generated intervals are those of the calendars, and hold warnings back, never pages."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import exchange_calendars  # type: ignore[import-untyped]
import pytest
import yaml

from alert_support import Alertmanager, endpoints, wait_for
from otel_trading.stack import market_hours
from otel_trading.stack._files import shipped

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.stack, pytest.mark.filterwarnings("ignore:.*deprecated")]  # in the calendars' own code

_TEXT = shipped("alerts/market_hours.yaml").read_text()
_INTERVALS: dict[str, list[dict[str, Any]]] = {
    one["name"]: one["time_intervals"] for one in yaml.safe_load(_TEXT)["time_intervals"]
}
_FIRST = int(re.findall(r"market_hours (\d{4})`", _TEXT)[0])
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _within(interval: dict[str, Any], moment: datetime) -> bool:
    """Say what Alertmanager says: a range of days or years includes its end, one of times does not."""
    local = moment.astimezone(ZoneInfo(interval.get("location", "UTC")))
    minute = f"{local.hour:02}:{local.minute:02}"
    fields = {"years": local.year, "months": local.month, "days_of_month": local.day}
    for name, value in fields.items():
        ranges = [[int(end) for end in one.split(":")] for one in interval.get(name, [str(value)])]
        if not any(one[0] <= value <= one[-1] for one in ranges):
            return False
    if not {_WEEKDAYS[local.weekday()], "sunday:saturday"} & set(interval.get("weekdays", ["sunday:saturday"])):
        return False
    times = interval.get("times", [{"start_time": "00:00", "end_time": "24:00"}])
    return any(one["start_time"] <= minute < one["end_time"] for one in times)


def test_the_committed_hours_are_what_the_calendars_say() -> None:
    assert market_hours.generate(_FIRST) == _TEXT


@pytest.mark.parametrize(("name", "code"), market_hours.CALENDARS.items())
def test_every_bell_of_two_years_is_in_it(name: str, code: str) -> None:
    calendar = exchange_calendars.get_calendar(code, f"{_FIRST}-01-01", f"{_FIRST + 1}-12-31")
    bells = [moment for row in calendar.schedule.itertuples(index=False) for moment in row if str(moment) != "NaT"]
    sessions = [
        datetime.fromtimestamp(bell / 1e9, timezone.utc) for bell in sorted({int(bell.value) for bell in bells})
    ]
    assert len(sessions) > 600
    edges = [bell + timedelta(minutes=minutes) for bell in sessions for minutes in (-1, 0)]
    middles = [before + (after - before) / 2 for before, after in pairwise(sessions)]
    first, last = calendar.first_minute, calendar.last_minute
    for moment in edges + middles:
        if first < moment < last:
            is_open = any(_within(interval, moment) for interval in _INTERVALS[name])
            # The minute of the closing bell counts as closed.
            assert is_open == calendar.is_open_on_minute(moment.replace(second=0), ignore_breaks=False), moment


@pytest.mark.parametrize("name", market_hours.CALENDARS)
def test_a_file_that_was_never_renewed_goes_on_with_the_usual_week(name: str) -> None:
    year = _FIRST + 5
    days = [datetime(year, 3, 1, tzinfo=timezone.utc) + timedelta(days=day) for day in range(7)]
    zone = ZoneInfo(_INTERVALS[name][0]["location"])
    at_ten = [day.replace(hour=10, minute=30, tzinfo=zone) for day in days]
    working = [moment.weekday() < 5 for moment in at_ten]
    assert [any(_within(one, moment) for one in _INTERVALS[name]) for moment in at_ten] == working


def test_what_never_closes_is_always_open() -> None:
    assert all(_within(_INTERVALS["24/7"][0], datetime(2030, 1, day, tzinfo=timezone.utc)) for day in range(1, 8))


def _closed_now() -> str:
    """New York and Tokyo are never open at the same time."""
    soon = datetime.now(timezone.utc) + timedelta(minutes=10)
    moments = (datetime.now(timezone.utc), soon)
    names = ("XNYS", "XTKS")
    return next(
        name for name in names if not any(_within(one, moment) for one in _INTERVALS[name] for moment in moments)
    )


def test_warnings_wait_for_the_market_and_pages_do_not(alertmanager_binary: Path, tmp_path: Path) -> None:
    with endpoints() as services:
        running = Alertmanager(alertmanager_binary, tmp_path, f"{services.url}/file")
        closed, quick = _closed_now(), (("group_interval: 5s", "group_interval: 1s"),)
        running.render({"STACK_ALERT_MARKET_HOURS": closed}, edit=quick)
        running.start()
        try:
            for severity in ("warning", "critical", "info"):
                for team in ("trading", "platform"):
                    labels = {"alertname": f"{severity}-{team}", "severity": severity, "team": team}
                    running.fire({**labels, "job": "hours"})
            told = {services.take("/file").body["groupLabels"]["alertname"] for _ in range(4)}
            assert told == {"critical-trading", "critical-platform", "info-trading", "info-platform"}
            waiting = [one for one in running.alerts("hours") if one["labels"]["severity"] == "warning"]
            assert len(waiting) == 2
            wait_for(lambda: running.suppressed("active_time_interval") >= 2, "two warnings to be held back")
            services.take_none(["/file"], seconds=2)
            # The market opens.
            running.render({"STACK_ALERT_MARKET_HOURS": f"{closed},24/7"}, edit=quick)
            running.reload()
            told = {services.take("/file", timeout=20).body["groupLabels"]["alertname"] for _ in range(2)}
            assert told == {"warning-trading", "warning-platform"}
        finally:
            running.stop()


def test_one_line_per_interval() -> None:
    lines = [line.strip().removeprefix("- ") for line in _TEXT.splitlines() if line.strip().startswith("- {")]
    assert [json.loads(line) for line in lines] == [one for each in _INTERVALS.values() for one in each]
