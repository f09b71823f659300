"""In what two groups are unlike."""

from typing import Any

from cost_report.caveats import find_caveats
from tests.support.cost_rows import make_row


def make_kind(invocations: int, measured: int | None = None, **fields: Any) -> dict[str, Any]:
    """Return a kind of invocations, all of them measured unless told otherwise."""
    return make_row(**fields) | {
        "invocations": invocations,
        "measured": invocations if measured is None else measured,
    }


def test_groups_that_are_alike_have_none() -> None:
    """A few cold starts more are chance."""
    parts = [
        ("6", [make_kind(95, version="6"), make_kind(5, version="6", is_cold_start=True)]),
        ("7", [make_kind(970, version="7"), make_kind(30, version="7", is_cold_start=True)]),
    ]
    assert find_caveats("version", parts) == ()


def test_cold_starts_are_named_with_their_shares() -> None:
    """They cost more, whatever the version."""
    parts = [
        ("6", [make_kind(80, version="6"), make_kind(20, version="6", is_cold_start=True)]),
        ("7", [make_kind(100, version="7")]),
    ]
    [sentence] = find_caveats("version", parts)
    assert sentence == (
        "the cold or warm start differs too: a warm start for 80 % and a cold start for 20 % of"
        " version 6, a warm start for 100 % of version 7"
    )


def test_another_architecture_or_size_is_named_but_no_alias() -> None:
    """An alias is but a name."""
    parts = [
        ("6", [make_kind(100, version="6", alias="live")]),
        ("7", [make_kind(100, version="7", alias="", architecture="arm64", memory_size_mb=512)]),
    ]
    sentences = find_caveats("version", parts)
    assert [text.partition(" differs")[0] for text in sentences] == [
        "the memory size",
        "the architecture",
    ]


def test_the_field_itself_is_no_caveat() -> None:
    """Sizes are compared, and versions with them."""
    parts = [(512, [make_kind(9, memory_size_mb=512)]), (1024, [make_kind(9, version="8")])]
    [sentence] = find_caveats("memory_size_mb", parts)
    assert sentence.startswith("the version differs too: version 7 for 100 % of 512 MB")


def test_many_without_a_figure_are_told() -> None:
    """A comparison of what is left may be one of the lucky ones."""
    parts = [
        ("6", [make_kind(100, 90, version="6")]),
        ("7", [make_kind(100, 96, version="7")]),
    ]
    assert find_caveats("version", parts) == ("10 of 100 invocations of version 6 have no figure",)
