"""How words of the command line are read."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from logger_extension_cli.argument_types import amount, loopback, moment, port, share


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (moment, "7d", timedelta(days=7)),
        (moment, "90s", timedelta(seconds=90)),
        (moment, "30m", timedelta(minutes=30)),
        (moment, "12h", timedelta(hours=12)),
        (moment, "2w", timedelta(weeks=2)),
        (moment, "2026-11-29", datetime(2026, 11, 29, tzinfo=UTC)),
        (moment, "2026-11-29T18:00:00Z", datetime(2026, 11, 29, 18, tzinfo=UTC)),
        (moment, "2026-11-29T18:00", datetime(2026, 11, 29, 18, tzinfo=UTC)),
        (
            moment,
            "2026-11-29T18:00:00+02:00",
            datetime(2026, 11, 29, 18, tzinfo=timezone(timedelta(hours=2))),
        ),
        (amount, "0", 0.0),
        (amount, "1.5e-7", 1.5e-7),
        (share, "0.17", 0.17),
        (port, "0", 0),
        (port, "65535", 65_535),
        (loopback, "localhost", "127.0.0.1"),
        (loopback, "::1", "::1"),
    ],
)
def test_what_is_taken(read: Callable[[str], Any], text: str, value: object) -> None:
    """As a value; times have a zone."""
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "texts"),
    [
        (
            moment,
            [
                "",
                "7",
                "d",
                "7 d",
                "-7d",
                "\N{ARABIC-INDIC DIGIT SEVEN}d",
                "yesterday",
                "2026-13-01",
                "99999999999w",
            ],
        ),
        (amount, ["", "-1", "nan", "inf", "$1", "1e999"]),
        (share, ["0", "1", "-0.1", "17", "17%", "nan"]),
        (port, ["", "-1", "65536", "http"]),
        (loopback, ["", "0.0.0.0", "::", "127.0.0.2", "example.com"]),
    ],
)
def test_what_is_refused(read: Callable[[str], Any], texts: list[str]) -> None:
    """With a sentence that says what is expected."""
    for text in texts:
        with pytest.raises(argparse.ArgumentTypeError):
            read(text)
