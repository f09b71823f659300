"""What is let in and what an answer says to the browser about itself. Pure.

The pages are for browsers on this machine. A foreign site that lets its name point to 127.0.0.1
could read them in its own name (DNS rebinding), so the Host header must name this machine. The
content security policy lets a page load nothing but its own files, and run no inline script.
"""

import re
from collections.abc import Mapping

from web_view.errors import ForeignHostError

# Any port, because a tunnel or a container may map it.
_HOST = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)

_POLICY: Mapping[str, str] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# plotly's script adds two style sheets: an empty one that it then fills rule by rule, and a fixed
# one for maps. In another plotly the second may differ: it is refused then, and maps alone miss it.
_PLOTLY_STYLES = (
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='",
    "'sha256-ji27qzEtxXZW+7dun6UwjHXJ18e6WAin1VvNtkzIE/o='",
)
_CHART_POLICY = {**_POLICY, "style-src": " ".join(("'self'", *_PLOTLY_STYLES))}


def check_host(host: str) -> None:
    """Accept the value of a Host header.

    Raises:
        ForeignHostError: it names anything but this machine.
    """
    if not _HOST.fullmatch(host):
        raise ForeignHostError(
            "These pages answer only to localhost, 127.0.0.1 and [::1], so that no other site can "
            "read them through your browser. Open them by one of these names."
        )


def check_origin(headers: Mapping[str, str]) -> None:
    """Accept a request that no page of another site makes; following its link is fine.

    Raises:
        ForeignHostError: a page of another site asks in the background.
    """
    is_foreign = headers.get("Sec-Fetch-Site", "none") in ("cross-site", "same-site")
    if is_foreign and headers.get("Sec-Fetch-Mode") != "navigate":
        raise ForeignHostError("A page of another site asked for this. Open it by its own address.")


def make_headers(*, has_charts: bool = False) -> dict[str, str]:
    """Return the headers of every page and file."""
    policy = _CHART_POLICY if has_charts else _POLICY
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
