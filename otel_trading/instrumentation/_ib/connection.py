"""The connection to TWS, TWS's own to the servers behind it, and its data farms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_trading import meter
from otel_trading.instrumentation._ib import names
from otel_trading.instrumentation._ib.feeds import CONNECTION

if TYPE_CHECKING:
    from otel_trading._timer import Timer
    from otel_trading.semconv import attributes as a

__all__ = ["Connection"]

_MESSAGES: Final = "messages"
_TOO_MANY: Final = 100
_LOST: Final = 1100
_RESTORED: Final = frozenset({1101, 1102})
#: Broken and whole again, by what they name: the text ends with the farm, such as `:usfarm`.
_BROKEN: Final = {2103: "market_data_farm", 2105: "history_farm", 2157: "security_definition_farm"}
_WHOLE: Final = {
    2104: "market_data_farm",
    2106: "history_farm",
    2107: "history_farm",
    2108: "market_data_farm",
    2158: "security_definition_farm",
}


class Connection:
    """The state of one connection; a bot that says goodbye itself is not disconnected, it is gone."""

    def __init__(self) -> None:
        #: Whether `IB.disconnect` runs because the bot called it.
        self.leaving = False
        self.connecting = False
        self._broken: dict[str, set[str]] = {}
        self._lost = False
        self._silent = False
        self._held_back: Timer | None = None

    def start(self) -> None:
        """Say that it is being made."""
        self.connecting = True
        self._enter("connecting")

    def up(self) -> None:
        """Say that it stands."""
        self._lost = self._silent = False
        self._enter("connected")

    def failed(self, error: BaseException) -> None:
        """Say that it could not be made."""
        self._enter("disconnected", error)

    def down(self) -> bool:
        """Say that it is gone; returns whether the bot wanted it."""
        self.released()
        if self.leaving and not self.connecting:
            meter.connection_closed(name=CONNECTION, venue=names.VENUE)
            for farm in self._broken:
                meter.connection_closed(name=farm, venue=names.VENUE)
            self._broken.clear()
            return True
        if not self.connecting:
            self._enter("disconnected", "connection_lost")
        return False

    def told(self, code: int, said: str) -> None:
        """Take a code of TWS."""
        if code == _LOST:  # TWS lives and answers, but has no way to the market: nothing is sent, filled or canceled
            self._lost = True
            self._enter("disconnected", str(code))
        elif code in _RESTORED:
            self.up()
        elif code == _TOO_MANY:
            meter.rate_limited(name=_MESSAGES, error=str(code), venue=names.VENUE)
        elif code in _BROKEN or code in _WHOLE:
            self._farm(code, said.rpartition(":")[2])

    def silent(self) -> None:
        """Say that nothing came for longer than the bot allows."""
        if not self._lost:
            self._silent = True
            self._enter("degraded", "timeout")

    def heard(self) -> None:
        """Say that data came again."""
        if self._silent:
            self.up()

    def throttled(self) -> None:
        """Begin to time how long requests are held back."""
        self._held_back = meter.rate_limit_wait(name=_MESSAGES, venue=names.VENUE)
        self._held_back.__enter__()

    def released(self) -> None:
        """End that time."""
        held, self._held_back = self._held_back, None
        if held is not None:
            held.__exit__(None, None, None)

    def _farm(self, code: int, name: str) -> None:
        kind = _BROKEN.get(code) or _WHOLE[code]
        broken = self._broken.setdefault(kind, set())
        if code in _BROKEN:
            broken.add(name)
        else:
            broken.discard(name)
        state: a.ConnectionState = "degraded" if broken else "connected"
        error = str(code) if code in _BROKEN else None
        meter.connection_changed(name=kind, state=state, transport="tcp", error=error, venue=names.VENUE)

    def _enter(self, state: a.ConnectionState, error: str | BaseException | None = None) -> None:
        meter.connection_changed(name=CONNECTION, state=state, transport="tcp", error=error, venue=names.VENUE)
