"""Zero code: one module per library that bots are built on; `otel-trading run` switches each on when it is installed.

Each is a `BaseInstrumentor`, hooks its library when the bot imports it, and can be taken back. What a hook cannot read
it leaves out; no return value and no exception of the library changes.
"""

from __future__ import annotations
