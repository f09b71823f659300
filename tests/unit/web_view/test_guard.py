"""What is let in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from web_view.errors import ForeignHostError
from web_view.guard import check_host, check_origin, make_headers


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST:4319", "127.0.0.1", "127.0.0.1:1", "127.1.2.3:80", "[::1]:65535"],
)
def test_names_of_this_machine_are_let_in(host: str) -> None:
    """With any port: a tunnel may map it."""
    check_host(host)


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:4319",
        "localhost:4319:1",
        "localhost\n",
        "192.168.0.1",
        "[::]",
        "0.0.0.0",
    ],
)
def test_other_names_are_not(host: str) -> None:
    """Any site may let its name point here."""
    with pytest.raises(ForeignHostError, match="localhost"):
        check_host(host)


@given(name=st.from_regex(r"[a-z0-9.-]{1,30}\.[a-z]{2,10}(:\d{1,5})?", fullmatch=True))
def test_no_public_name_is_let_in(name: str) -> None:
    """Whatever it begins with."""
    with pytest.raises(ForeignHostError):
        check_host(name)


@pytest.mark.parametrize(
    ("site", "mode", "is_let_in"),
    [
        ("none", "navigate", True),
        ("same-origin", "cors", True),
        ("cross-site", "navigate", True),
        ("cross-site", "no-cors", False),
        ("same-site", "cors", False),
    ],
)
def test_other_sites_may_link_here_and_no_more(site: str, mode: str, *, is_let_in: bool) -> None:
    """As browsers tell it; a client that tells nothing is no browser."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    if is_let_in:
        check_origin(headers)
    else:
        with pytest.raises(ForeignHostError):
            check_origin(headers)
    check_origin({})


def test_only_charts_loosen_the_policy_and_only_for_known_styles() -> None:
    """No page runs an inline script or asks another host."""
    plain, charts = make_headers(), make_headers(has_charts=True)
    assert "sha256" not in plain["Content-Security-Policy"]
    for headers in (plain, charts):
        assert "unsafe" not in headers["Content-Security-Policy"]
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["script-src"] == "'self'"
        assert policy["connect-src"] == "'self'"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
