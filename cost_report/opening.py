"""What an opened source is, whatever its kind."""

from collections.abc import Callable
from dataclasses import dataclass

import ibis


@dataclass(frozen=True, slots=True)
class Opened:
    """A connection, what to call it (without a password), how to close it, and what is missing."""

    connection: ibis.BaseBackend
    title: str
    close: Callable[[], None]
    notes: tuple[str, ...] = ()
