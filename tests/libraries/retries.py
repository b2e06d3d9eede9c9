"""An unchanged script that tries again, and what the real Prometheus then holds.

Each library's test gives the lines that make `retry`, a decorator that tries four times on any exception.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from bot_support import assert_held, assert_nothing_planted, environment, unchanged

if TYPE_CHECKING:
    from pathlib import Path

    from otel_trading.stack import Stack
    from otel_trading.testing import CapturingMeter

__all__ = ["RETRIES", "RateLimitedError", "VenueDownError", "check", "retries"]

RETRIES: Final = "trading.resilience.retries"

SCRIPT: Final = """
import asyncio, json, random

{body}

class VenueDown(Exception):
    pass

class RateLimited(Exception):
    pass

log = {{"fetch": {{}}, "Bot.send": {{}}}}

def fail(operation, error):
    counted = log[operation]
    counted[error.__name__] = counted.get(error.__name__, 0) + 1
    raise error("PLANTED")

answers = [VenueDown, RateLimited, None, VenueDown, VenueDown, VenueDown, None, None]

@retry
def fetch(secret):
    error = answers.pop(0)
    if error is not None:
        fail("fetch", error)
    return 42

class Bot:
    def __init__(self):
        self.left = 2

    @retry
    async def send(self, secret):
        if self.left:
            self.left -= 1
            fail("Bot.send", RateLimited)
        return 42

assert [fetch("PLANTED") for _ in range(3)] == [42, 42, 42]
assert asyncio.run(Bot().send("PLANTED")) == 42
print(json.dumps(log), flush=True)
input()
"""


class VenueDownError(Exception):
    pass


class RateLimitedError(Exception):
    pass


def check(stack: Stack, folder: Path, name: str, body: str) -> None:
    """Run the script and compare; nothing of arguments and exceptions' texts is held."""
    service = f"{name}-bot"
    with unchanged(folder, service, SCRIPT.format(body=body), environment(stack)) as log:
        assert log == {"fetch": {"VenueDown": 4, "RateLimited": 1}, "Bot.send": {"RateLimited": 2}}
        labels = '{{$,trading_operation_name="{}",error_type="{}"}}'
        assert_held(
            stack,
            service,
            {
                "trading_resilience_retries_total" + labels.format(operation, error): count
                for operation, counts in log.items()
                for error, count in counts.items()
            },
        )
        assert_nothing_planted(stack, service)


def retries(captured: CapturingMeter) -> dict[tuple[str, str | None], float]:
    """Return how many retries were recorded, by operation and type of error."""
    return {
        (one.attributes["trading.operation.name"], one.attributes.get("error.type")): one.value
        for one in captured.samples(RETRIES)
    }
