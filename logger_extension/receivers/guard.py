"""What a receiver bears: who may connect, how much may wait, and for how long.

Anything in the sandbox can connect, and the telemetry listener is bound to all addresses, because
`sandbox.localdomain` may be any of them. Whoever is refused is counted, never told of line by line.
Must not know what a request asks for.

Time is counted in ticks of running time. A sandbox freezes for any length of time, and the timer of
a tick then fires late: it counts as one tick, however long that was, so a request that Lambda had
half sent before a freeze is not cut when it thaws.

State: the connections in the order of their last change, and the bytes that they hold.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address

from logger_extension.receivers.connection import Connection, Stage

# Between a request's first byte and its last: whoever sends it is on the same machine.
PATIENCE_TICKS = 10
# From here on a request is stalled, and gives way to others.
STALLED_TICKS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one listener bears.

    Attributes:
        max_connections: how many there may be; a new one takes the place of the longest idle.
        max_body_bytes: the largest body, as it comes.
        max_held_bytes: what unfinished requests may hold together.
        tick_s: seconds of a tick.
    """

    max_connections: int
    max_body_bytes: int
    max_held_bytes: int
    tick_s: float = 1.0


class Guard:
    """Watches the connections of one listener.

    Args:
        limits: what is borne.
        refuse: told of what was not let in, by reason.
        lambda_host: the address of Lambda's API, whence telemetry may come too.
    """

    def __init__(
        self, limits: Limits, refuse: Callable[[str], None], lambda_host: str = ""
    ) -> None:
        self._limits = limits
        self._refuse = refuse
        self._lambda_host = lambda_host
        self._connections: dict[Connection, None] = {}
        self._held_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._is_closed = False

    def close(self) -> None:
        """End all connections, and let none in any more."""
        self._is_closed = True
        if self._timer is not None:
            self._timer.cancel()
        for connection in tuple(self._connections):
            connection.cut()
            self.forget(connection)

    def admit(self, connection: Connection, peer: str, own: str) -> bool:
        """Return whether a new connection may stay, from the address `peer` to our address `own`.

        Where there are too many, one that nobody waits for gives way to it: Lambda's own may be
        the newest.
        """
        if self._is_closed or not (peer and own):
            return False
        if not self._is_inside(peer, own):
            self._refuse("foreign_peer")
            return False
        if len(self._connections) >= self._limits.max_connections:
            spare = self._find_spare()
            if spare is None:
                self._refuse("too_many_connections")
                return False
            self.cut(spare, "too_many_connections")
        self._connections[connection] = None
        return True

    def take(self, connection: Connection, size_bytes: int) -> bool:
        """Note bytes that came; return whether the connection still is."""
        if connection not in self._connections:
            return False  # cut a moment ago
        if connection.stage is Stage.IDLE:
            self.move(connection, Stage.RECEIVING)
        elif connection.stage in (Stage.READING, Stage.LEAVING):
            return True  # counted as part of the body, or nobody keeps them
        if self.has_room(connection, size_bytes):
            return True
        self.cut(connection, "no_room")
        return False

    def cut(self, connection: Connection, reason: str) -> None:
        """End a connection at once, and count it."""
        self._refuse(reason)
        connection.cut()
        self.forget(connection)

    def note(self, reason: str) -> None:
        """Count what was not let in."""
        self._refuse(reason)

    def forget(self, connection: Connection) -> None:
        """Note the end of a connection."""
        self._release(connection)
        self._connections.pop(connection, None)

    def move(self, connection: Connection, stage: Stage) -> None:
        """Note a new stage."""
        self._release(connection)
        connection.stage = stage
        if connection not in self._connections:
            return  # cut meanwhile
        if not connection.is_unfinished:
            connection.age_ticks = 0
        elif self._timer is None:
            self._timer = self._call_tick()
        del self._connections[connection]
        self._connections[connection] = None

    def has_room(self, connection: Connection, size_bytes: int) -> bool:
        """Hold so many bytes more; without room for them, first at the expense of the stalled."""
        if connection not in self._connections:
            return False  # cut a moment ago
        connection.held_bytes += size_bytes
        self._held_bytes += size_bytes
        if self._held_bytes <= self._limits.max_held_bytes:
            return True
        for other in tuple(self._connections):
            if self._held_bytes <= self._limits.max_held_bytes:
                return True
            if other is not connection and other.age_ticks >= STALLED_TICKS:
                self.cut(other, "too_slow")
        return self._held_bytes <= self._limits.max_held_bytes

    def _is_inside(self, peer: str, own: str) -> bool:
        """Return whether an address is of this machine, or of Lambda around it.

        Link-local addresses are not routed: none but Lambda can have one that reaches us.
        """
        if peer in (own, self._lambda_host):
            return True
        address = ip_address(peer)
        return address.is_loopback or address.is_link_local

    def _find_spare(self) -> Connection | None:
        """Return the connection that is missed least, None if all are needed.

        First those that never sent a whole request, for the connections that Lambda and the SDK
        keep have; of these and of those the longest idle.
        """
        spare = filter(_is_spare, self._connections)
        return min(spare, key=lambda c: (c.has_served, c.is_unfinished), default=None)

    def _release(self, connection: Connection) -> None:
        self._held_bytes -= connection.held_bytes
        connection.held_bytes = 0

    def _call_tick(self) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(self._limits.tick_s, self._tick)

    def _tick(self) -> None:
        """Let unfinished requests grow older; cut those that take too long."""
        unfinished = [c for c in self._connections if c.is_unfinished]
        for connection in unfinished:
            connection.age_ticks += 1
            if connection.age_ticks > PATIENCE_TICKS:
                self.cut(connection, "too_slow")
        self._timer = self._call_tick() if unfinished else None


def _is_spare(connection: Connection) -> bool:
    if connection.stage is Stage.ANSWERING:
        return False
    is_wanted = connection.has_served and connection.is_unfinished
    return not is_wanted or connection.age_ticks >= STALLED_TICKS
