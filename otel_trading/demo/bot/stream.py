"""A WebSocket that comes back: reconnects with backoff, and does not trust a connection that says nothing."""

from __future__ import annotations

import contextlib
import json
import logging
import random
import threading
import time
from typing import TYPE_CHECKING, Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from otel_trading import meter

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.sync.client import ClientConnection

__all__ = ["Stream"]

_log: Final = logging.getLogger(__name__)
_LONGEST_PAUSE: Final = 5.0
_POLL: Final = 0.5


class Stream(threading.Thread):
    """One connection to the venue, kept up until `stop`.

    Args:
        name: What we call the connection.
        url: Where it leads.
        key: The venue's API key.
        received: Called with each message, in this thread.
        symbols: What to subscribe to, if anything.
        patience: After so many silent seconds the connection is taken for dead; None where silence is normal.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        key: str,
        received: Callable[[str, dict[str, Any]], None],
        symbols: tuple[str, ...] = (),
        patience: float | None = None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._url = url
        self._headers = {"X-API-Key": key}
        self._received = received
        self._symbols = symbols
        self._patience = patience
        self._stopped = threading.Event()

    def stop(self) -> None:
        """End the connection and wait for it."""
        self._stopped.set()
        self.join(timeout=5.0)

    def run(self) -> None:
        """Connect, listen, and begin again when it breaks."""
        pause = 0.0
        while not self._stopped.wait(pause * random.uniform(0.5, 1.0)):  # noqa: S311  jitter, not a secret
            meter.connection_changed(name=self.name, state="connecting")
            try:
                with connect(self._url, additional_headers=self._headers, open_timeout=5, close_timeout=1) as socket:
                    meter.connection_changed(name=self.name, state="connected")
                    pause = 0.0
                    self._listen(socket)
            except (OSError, WebSocketException) as error:
                _log.warning("%s: %s: %s", self.name, type(error).__name__, error)
                meter.connection_changed(name=self.name, state="disconnected", error=error)
            pause = min(_LONGEST_PAUSE, 2 * pause or 0.25)
        meter.connection_closed(name=self.name)

    def _listen(self, socket: ClientConnection) -> None:
        if self._symbols:
            socket.send(json.dumps({"op": "subscribe", "symbols": self._symbols}))
        heard = time.monotonic()
        while not self._stopped.is_set():
            with contextlib.suppress(TimeoutError):
                self._received(self.name, json.loads(socket.recv(timeout=_POLL)))
                heard = time.monotonic()
            if self._patience is not None and time.monotonic() - heard > self._patience:
                message = f"nothing for {self._patience:g} s"
                raise TimeoutError(message)
