from __future__ import annotations

import pytest

from otel_trading.check.promql import Matcher, read


def test_reads_name_matchers_and_what_stands_around() -> None:
    query = read('sum by (job) (rate(a_total{venue=~"$venue", mode!="live"}[$__rate_interval]))')

    (selector,) = query.selectors
    assert selector.name == "a_total"
    assert selector.matchers == (Matcher("venue", "=~", "$venue"), Matcher("mode", "!=", "live"))
    assert selector.functions == ("rate",)
    assert selector.counted
    assert query.labels == {"job", "venue", "mode"}


def test_reads_both_sides_of_an_operator_and_their_matching() -> None:
    query = read('(a or 0 * b) / on (job) group_left (team) c{x="1"} unless ignoring (y) max_over_time(d[1h:1m])')

    assert [selector.name for selector in query.selectors] == ["a", "b", "c", "d"]
    assert query.labels == {"job", "team", "x", "y"}
    assert query.selectors[2].value("x") == "1"
    assert query.selectors[2].value("y") is None


@pytest.mark.parametrize(
    ("expression", "mixed"),
    [
        ("a", False),
        ("sum(a)", True),
        ("sum by (job) (a)", True),
        ("sum by (job, currency) (a)", False),
        ("sum without (type) (a)", False),
        ("sum without (currency) (a)", True),
        ("max(sum by (currency) (a))", True),
        ('sum(a{currency="USD"})', False),
        ("topk(3, a)", False),
        ("count(a)", False),
        ("-sum(a)", True),
    ],
)
def test_knows_whether_values_of_a_label_are_mixed(expression: str, *, mixed: bool) -> None:
    (selector,) = read(expression).selectors
    assert selector.mixes("currency") is mixed


def test_knows_labels_that_an_expression_creates() -> None:
    query = read('label_replace(count_values("version", a), "short", "$1", "long", "(.*)")')
    assert query.made == {"version", "short"}
    assert query.labels == {"long"}


def test_finds_the_name_in_a_matcher_and_selectors_in_parameters() -> None:
    assert read('{__name__="a", b="c"}').selectors[0].name == "a"
    assert [s.name for s in read("topk(scalar(n), a)").selectors] == ["a", "n"]


def test_refuses_what_prometheus_refuses() -> None:
    with pytest.raises(ValueError, match="parenthesis"):
        read("sum(rate(a[5m])")
