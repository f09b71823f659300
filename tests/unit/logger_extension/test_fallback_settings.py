"""Settings of the fallback."""

import pytest

from logger_extension.environment import Environment
from logger_extension.settings.fallback import FallbackSettings


@pytest.mark.parametrize("value", ["", " ", "stdout", "STDOUT"])
def test_stdout_is_the_default(value: str) -> None:
    """Empty means unset; names are compared without case."""
    env = Environment({"LOGGER_EXTENSION_FALLBACK": value})
    settings = FallbackSettings.read(env)
    assert settings == FallbackSettings(destination="stdout", max_bytes=64 * 1024 * 1024)
    assert settings.directory == ""
    assert env.complaints == []


def test_none() -> None:
    """Nothing is written."""
    settings = FallbackSettings.read(Environment({"LOGGER_EXTENSION_FALLBACK": "None"}))
    assert (settings.destination, settings.directory) == ("none", "")


def test_a_directory() -> None:
    """An absolute path, with its own bound."""
    env = Environment(
        {
            "LOGGER_EXTENSION_FALLBACK": "/tmp/Spool",  # noqa: S108  (only a text here)
            "LOGGER_EXTENSION_FALLBACK_MAX_BYTES": "1000000",
        }
    )
    settings = FallbackSettings.read(env)
    assert (settings.directory, settings.max_bytes) == ("/tmp/Spool", 1_000_000)  # noqa: S108
    assert env.complaints == []


@pytest.mark.parametrize("value", ["tmp/spool", "./spool", "file:///tmp", "stderr"])
def test_what_is_none_of_them(value: str) -> None:
    """Told, and the default taken."""
    env = Environment({"LOGGER_EXTENSION_FALLBACK": value})
    assert FallbackSettings.read(env) == FallbackSettings()
    (complaint,) = env.complaints
    assert "LOGGER_EXTENSION_FALLBACK=" in complaint


def test_a_bound_that_is_none() -> None:
    """Told, and the default taken."""
    env = Environment({"LOGGER_EXTENSION_FALLBACK_MAX_BYTES": "much"})
    assert FallbackSettings.read(env).max_bytes == 64 * 1024 * 1024
    assert len(env.complaints) == 1
