"""What alerts compare with and how they are: a user's own thresholds, and the state of every alert."""

from __future__ import annotations

from otel_trading.stack.alerting.alerts import Alert, InForce, read
from otel_trading.stack.alerting.history import Change, changes
from otel_trading.stack.alerting.mine import Mine
from otel_trading.stack.alerting.overrides import Override, parse

__all__ = ["Alert", "Change", "InForce", "Mine", "Override", "changes", "parse", "read"]
