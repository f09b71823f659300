"""What `run` checks before anything starts."""

from pathlib import Path

import pytest

from logger_extension_cli.errors import UsageError
from logger_extension_cli.run import find_handler, parse_environment, read_event


def test_a_handler_is_a_file_and_a_function(tmp_path: Path) -> None:
    """Its folder is the task root, and Lambda's name for it has a dot."""
    file = tmp_path / "my_app.py"
    file.touch()
    assert find_handler(f"{file}:on_event") == (tmp_path.resolve(), "my_app.on_event")


@pytest.mark.parametrize("text", ["app.py", ":handler", "app.py:", "app.py:1st", "app.js:handler"])
def test_another_form_is_refused(text: str) -> None:
    """With the form that is wanted."""
    with pytest.raises(UsageError, match=r"not of the form path/app\.py:handler"):
        find_handler(text)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """Before a process is started for it."""
    with pytest.raises(UsageError, match="there is no file"):
        find_handler(f"{tmp_path}/app.py:handler")


def test_an_event_is_the_bytes_of_a_json_file(tmp_path: Path) -> None:
    """As they are; without a file it is an empty object."""
    file = tmp_path / "event.json"
    file.write_bytes(b' {"a": "\\u00fc"}\n')
    assert read_event(file) == b' {"a": "\\u00fc"}\n'
    assert read_event(None) == b"{}"


@pytest.mark.parametrize(
    ("content", "complaint"), [(None, "cannot read"), (b"{", "not JSON"), (b"\xff", "not JSON")]
)
def test_a_bad_event_is_refused(tmp_path: Path, content: bytes | None, complaint: str) -> None:
    """Missing, cut off, or no text at all."""
    file = tmp_path / "event.json"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UsageError, match=f"^--event: .*{complaint}"):
        read_event(file)


def test_variables_are_pairs_of_which_the_last_wins() -> None:
    """A value may be empty or hold an equals sign."""
    pairs = ["A=1", "B=", "C=x=y", "A=2"]
    assert parse_environment(pairs) == {"A": "2", "B": "", "C": "x=y"}


@pytest.mark.parametrize("pair", ["A", "=1", ""])
def test_what_is_no_pair_is_refused(pair: str) -> None:
    """With what was given."""
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_environment([pair])
