"""Our reading of PromQL against Prometheus' own, over expressions that hypothesis makes."""

from __future__ import annotations

import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from otel_trading.check.promql import read

if TYPE_CHECKING:
    from pathlib import Path

#: Text, and the names and matchers of the series that it selects.
Made = tuple[str, list[tuple[str, frozenset[tuple[str, str, str]]]]]

NAMES = st.sampled_from(["up", "trading_order_requests_total", "mine:orders:rate5m", "by", "sum_of"])
LABELS = st.sampled_from(["job", "trading_mode", "le", "on", "group_left", "without"])
MATCHERS = st.lists(
    st.tuples(LABELS, st.sampled_from(["=", "!=", "=~", "!~"]), st.sampled_from(["live", "a|b", "x.*", 'q"', "é", ""])),
    max_size=3,
    unique_by=lambda matcher: matcher[0],
)
TIMES = st.sampled_from(["5m", "1h30m", "1d", "30s", "90"])


@st.composite
def selector(draw: st.DrawFn) -> Made:
    name, matchers = draw(NAMES), draw(MATCHERS)
    inside = ", ".join(
        f"{label}{operator}{json.dumps(value, ensure_ascii=False)}" for label, operator, value in matchers
    )
    return f"{name}{{{inside}}}" if matchers else name, [(name, frozenset(matchers))]


@st.composite
def deeper(draw: st.DrawFn, inner: st.SearchStrategy[Made]) -> Made:
    text, selected = draw(inner)
    other, also = draw(inner)
    labels = ", ".join(draw(st.lists(LABELS, max_size=2, unique=True)))
    time = draw(TIMES)
    forms = {
        "agg": f"{draw(st.sampled_from(['sum', 'max', 'count', 'group']))} by ({labels}) ({text})",
        "after": f"avg({text}) without ({labels})",
        "k": f"topk(3, {text})",
        "of": f"{draw(st.sampled_from(['abs', 'absent', 'sort_desc', 'timestamp']))}({text})",
        "sub": f"max_over_time(({text})[{time}:1m] offset {time})",
        "minus": f"-({text})",
        "scalar": f"{text} * scalar({other})",
        "joined": f"({text}) * on ({labels}) group_left (pod) ({other})",
        "compared": f"({text}) >= bool ({other})",
        "set": f"({text}) {draw(st.sampled_from(['and', 'or', 'unless']))} ignoring ({labels}) ({other})",
        "quantile": f"histogram_quantile(0.9, {text})",
    }
    form = draw(st.sampled_from(sorted(forms)))
    return forms[form], selected + (also if form in {"scalar", "joined", "compared", "set"} else [])


@st.composite
def ranged(draw: st.DrawFn) -> Made:
    text, selected = draw(selector())
    function = draw(st.sampled_from(["rate", "increase", "last_over_time", "changes"]))
    return f"{function}({text}[{draw(TIMES)}])", selected


GOOD: st.SearchStrategy[Made] = st.recursive(selector() | ranged(), deeper, max_leaves=5)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """An expression with a piece taken out, put in or doubled."""
    text, _ = draw(GOOD)
    begin = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(begin, min(len(text), begin + 6)))
    put = draw(
        st.sampled_from(
            ["", "", "(", ")", "[5m]", "{", "}", ",", " on (job) ", "rate", " bool ", "=~", '"', text[begin:end] * 2]
        )
    )
    return text[:begin] + put + text[end:]


def refused(promtool: Path, folder: Path, expressions: list[str]) -> list[bool]:
    """Say of each expression whether Prometheus refuses it."""
    rules: list[dict[str, Any]] = [{"record": f"r{n}", "expr": text} for n, text in enumerate(expressions)]
    file = folder / "rules.yaml"
    file.write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    command: list[str | Path] = [promtool, "check", "rules", "--lint=none", file]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    bad = set(re.findall(r'rule \d+, "r(\d+)": ', done.stderr))
    assert bool(bad) == bool(done.returncode), done.stderr
    return [str(n) in bad for n in range(len(expressions))]


def refused_here(expression: str) -> bool:
    try:
        read(expression)
    except ValueError:
        return True
    return False


# One call of promtool judges a whole list, so few examples are many expressions.
BATCHES = settings(
    max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


@given(made=st.lists(GOOD, min_size=20, max_size=60))
@BATCHES
def test_agrees_on_what_is_selected(made: list[Made], promtool: Path, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("rules")
    for (text, selected), bad in zip(made, refused(promtool, folder, [text for text, _ in made]), strict=True):
        assert refused_here(text) is bad, text
        if not bad:
            found = [
                (s.name, frozenset((m.label, m.operator, m.value) for m in s.matchers)) for s in read(text).selectors
            ]
            assert found == selected, text


@given(expressions=st.lists(damaged(), min_size=20, max_size=60))
@BATCHES
def test_agrees_on_what_is_refused(expressions: list[str], promtool: Path, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.mktemp("rules")
    judged = zip(expressions, refused(promtool, folder, expressions), strict=True)
    differ = {text: bad for text, bad in judged if refused_here(text) is not bad}
    assert not differ
