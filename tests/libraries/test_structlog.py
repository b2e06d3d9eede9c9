"""structlog and logging, unchanged: trace ids in events, errors counted by logger, no text of them anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack

SCRIPT: Final = """
import io, json, logging
import structlog
from opentelemetry import trace

out = io.StringIO()
structlog.configure(processors=[structlog.processors.JSONRenderer()], logger_factory=structlog.PrintLoggerFactory(out))
plain = structlog.get_logger().bind(logger="bot.feed")
plain.info("quiet")
plain.error("PLANTED", order={"key": "PLANTED"})
with trace.get_tracer("bot").start_as_current_span("decide") as span:
    plain.critical("inside", kept=1)
    plain.info("own", trace_id="mine")
    want = format(span.get_span_context().trace_id, "032x")
lines = [json.loads(line) for line in out.getvalue().splitlines()]
over = structlog.wrap_logger(logging.getLogger("bot.orders"), processors=[structlog.stdlib.render_to_log_kwargs],
                             wrapper_class=structlog.stdlib.BoundLogger)
over.error("PLANTED")
logging.getLogger("bot.orders").exception("no exception")
silent = logging.getLogger("bot.silent")
silent.propagate = False
silent.error("counted all the same")
silent.setLevel(logging.CRITICAL)
silent.error("not let through")
print(json.dumps([lines, want]), flush=True)
input()
"""


def test_events_carry_the_trace_and_errors_are_counted(stack: Stack, tmp_path: Path) -> None:
    with unchanged(tmp_path, "logger", SCRIPT, environment(stack)) as (lines, want):
        quiet, error, inside, own = lines
        assert quiet == {"logger": "bot.feed", "event": "quiet"}
        assert error == {"logger": "bot.feed", "event": "PLANTED", "order": {"key": "PLANTED"}}
        assert inside["trace_id"] == want
        assert len(inside["span_id"]) == 16
        assert (inside["event"], inside["kept"]) == ("inside", 1)
        assert (own["trace_id"], "span_id" in own) == ("mine", False)
        assert_held(
            stack,
            "logger",
            {
                'trading_log_errors_total{$,trading_log_logger="bot.feed"}': 2,
                'trading_log_errors_total{$,trading_log_logger="bot.orders"}': 2,
                'trading_log_errors_total{$,trading_log_logger="bot.silent"}': 1,
            },
        )
        assert_nothing_planted(stack, "logger")
