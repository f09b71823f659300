"""Single variables: what they may look like, and what a bad one becomes."""

import pytest

from logger_extension.environment import Environment, join_url


@pytest.mark.parametrize("text", ["", " ", "\t\n"])
def test_empty_is_unset(text: str) -> None:
    """Every kind of value then has its default, without a complaint."""
    env = Environment({"X": text})
    assert env.text("X") == ""
    assert env.integer("X", 7, 0, 9) == 7
    assert env.choice("X", ("a", "b")) == "a"
    assert env.choice("X", ("a", "b"), "b") == "b"
    assert env.boolean("X", default=True)
    assert not env.boolean("X", default=False)
    assert env.complaints == []


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), (" TRUE ", True), ("false", False), ("False", False)]
)
@pytest.mark.parametrize("default", [True, False])
def test_booleans_are_compared_without_case(text: str, *, value: bool, default: bool) -> None:
    """The specification's booleans know two words."""
    env = Environment({"X": text})
    assert env.boolean("X", default=default) is value
    assert env.complaints == []


@pytest.mark.parametrize("text", ["1", "yes", "on", "0"])
@pytest.mark.parametrize("default", [True, False])
def test_another_word_is_no_boolean(text: str, *, default: bool) -> None:
    """It is told, and the default taken."""
    env = Environment({"X": text})
    assert env.boolean("X", default=default) is default
    (complaint,) = env.complaints
    assert complaint.startswith("X=")
    assert complaint.endswith(f"{str(default).lower()} is used")


def test_a_choice_that_is_none_is_told_with_its_default() -> None:
    """The default of the moment, not the first option."""
    env = Environment({"X": "c"})
    assert env.choice("X", ("a", "b"), "b") == "b"
    assert env.complaints == ["X='c' is not one of a, b: b is used"]


@pytest.mark.parametrize(
    ("own", "base", "url"),
    [
        ("", "http://c", "http://c/v1/logs"),
        ("", "http://c/", "http://c/v1/logs"),
        ("", "http://c/my?key=a", "http://c/my/v1/logs?key=a"),
        ("", "http://c?", "http://c/v1/logs?"),
        ("http://l", "http://c", "http://l/"),
        ("http://l?key=a", "http://c", "http://l/?key=a"),
        ("http://l/in?key=a", "http://c", "http://l/in?key=a"),
    ],
)
def test_a_path_goes_before_the_query(own: str, base: str, url: str) -> None:
    """A signal's own endpoint is used as it is, the general one gets the signal's path."""
    assert join_url(own, base, "v1/logs") == url
