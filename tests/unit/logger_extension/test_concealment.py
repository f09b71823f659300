"""Words that repeat a secret: whole, in part, in other clothes."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.concealment import HIDDEN, conceal
from tests.support.laws import LAW

KEY = "Sup3r-secret/key+4711=="


@pytest.mark.parametrize(
    "echo",
    [
        KEY,
        KEY.upper(),
        KEY[:10],
        KEY[-9:],
        quote(KEY, safe=""),
        repr(KEY),
        " ".join(KEY),
        KEY.replace("-", "?"),
    ],
)
def test_an_echo_is_not_told(echo: str) -> None:
    """Cut, quoted, escaped or spaced out: only the status is left."""
    words = f"HTTP 401: no such key: {echo}"
    assert conceal(words, [KEY]) == f"HTTP 401 ({HIDDEN})"
    assert conceal(f"gRPC UNAUTHENTICATED: {echo}", ["other", KEY]).startswith("gRPC UNAUTH")
    assert conceal(f"Cannot connect to {echo}", [KEY]) == HIDDEN


@pytest.mark.parametrize("secret", ["p@ss", "ü%1", "++", "a"])
def test_a_short_secret_hides_more(secret: str) -> None:
    """Its few letters are enough."""
    assert conceal(f"HTTP 400: what is {secret}?", [secret]) == f"HTTP 400 ({HIDDEN})"
    assert HIDDEN in conceal(f"HTTP 400: what is {quote(secret, safe='')}?", [secret])


def test_other_words_are_told() -> None:
    """They are what helps a user."""
    words = "HTTP 413: at most 4 MiB"
    assert conceal(words, [KEY, ""]) == words
    assert conceal("", [KEY]) == ""


@LAW
@given(
    st.text("0123456789=/+", min_size=5, max_size=30),
    st.text("abc :", max_size=20),
    st.text("abc :", max_size=20),
)
def test_no_secret_gets_through(secret: str, before: str, after: str) -> None:
    """Wherever it stands, whatever else stands there."""
    assert secret not in conceal(f"{before}{secret}{after}", [secret])


@LAW
@given(st.text(), st.text("xyz", min_size=5))
def test_what_shares_nothing_stays(words: str, secret: str) -> None:
    """Concealment changes only what it must."""
    if not any(piece in words.casefold() for piece in "xyz"):
        assert conceal(words, [secret]) == words
