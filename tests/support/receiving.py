"""A receiver's intake that keeps what it is given, and says no when it is told to."""

from collections import Counter

from logger_extension.receivers.intake import Intake


class Sink:
    """What a receiver hands on, refuses and complains of."""

    def __init__(self) -> None:
        self.has_room = True
        self.taken: list[tuple[str, bytes]] = []
        self.refused: Counter[str] = Counter()
        self.complaints: list[tuple[str, str]] = []
        self.intake = Intake(self._accept, self._refuse, self._complain)

    def _accept(self, signal: str, body: bytes) -> bool:
        if self.has_room:
            self.taken.append((signal, body))
        return self.has_room

    def _refuse(self, reason: str, count: int) -> None:
        self.refused[reason] += count

    def _complain(self, message: str, reason: str) -> None:
        self.complaints.append((message, reason))
