"""Settings of the fallback: where telemetry goes that no collector took."""

from dataclasses import dataclass
from typing import Self

from logger_extension.environment import Environment

STDOUT, NONE = "stdout", "none"

# An eighth of the smallest /tmp (512 MB): the function needs that itself.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class FallbackSettings:
    """Where undelivered telemetry is written as lines of OTLP/JSON.

    Attributes:
        destination: `stdout`, `none`, or the path of a directory.
        max_bytes: the most that the directory may hold.
    """

    destination: str = STDOUT
    max_bytes: int = MAX_BYTES

    @property
    def directory(self) -> str:
        """The path of the directory, empty where there is none."""
        return self.destination if self.destination.startswith("/") else ""

    @classmethod
    def read(cls, env: Environment) -> Self:
        """Read `LOGGER_EXTENSION_FALLBACK…`; bad values are complaints."""
        return cls(
            destination=_read_destination(env),
            max_bytes=env.integer(
                "LOGGER_EXTENSION_FALLBACK_MAX_BYTES", MAX_BYTES, 64 * 1024, 2**40
            ),
        )


def _read_destination(env: Environment) -> str:
    text = env.text("LOGGER_EXTENSION_FALLBACK")
    if text.startswith("/"):
        return text
    if text.lower() not in ("", STDOUT, NONE):
        env.complaints.append(
            f"LOGGER_EXTENSION_FALLBACK={text[:40]!r} is not stdout, none or an absolute path:"
            " stdout is used"
        )
    return NONE if text.lower() == NONE else STDOUT
