"""Headers in a variable: references survive the commas, the equals signs and the decoding."""

from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.errors import ConfigError
from logger_extension.policy.references import MARK
from logger_extension.settings.headers import check_header, parse_headers
from tests.support.laws import LAW

OPENINGS = st.sampled_from(["", "resolve:"])
REFERENCES = st.one_of(
    st.builds(
        "{{{{{}secretsmanager:{}:SecretString:{}}}}}".format,
        OPENINGS,
        *[st.text("ab,=%+/@.-", min_size=1, max_size=9) for _ in range(2)],
    ),
    st.builds("{{{{{}ssm:{}}}}}".format, OPENINGS, st.text("ab/,=%.", min_size=1, max_size=9)),
)
TEXTS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), max_size=9)
VALUES = st.lists(st.one_of(TEXTS, REFERENCES), max_size=4).filter(
    lambda parts: not MARK.search("".join(part for part in parts if not MARK.match(part)))
)


@LAW
@given(st.dictionaries(st.text("abcdefgh-", min_size=1, max_size=5), VALUES, max_size=4))
def test_references_survive(headers: dict[str, list[str]]) -> None:
    """Percent-encoded text around them comes back decoded, they come back as they are."""
    encoded = ",".join(
        f"{name}={''.join(p if MARK.match(p) else quote(p, safe='') for p in parts)}"
        for name, parts in headers.items()
    )
    decoded = {name: "".join(parts) for name, parts in headers.items()}
    assert parse_headers("H", encoded, is_grpc=False) == decoded


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("a={{resolve:ssm:x,y}},b=2", {"a": "{{resolve:ssm:x,y}}", "b": "2"}),
        ("a=Bearer%20{{resolve:ssm:x%20y}}", {"a": "Bearer {{resolve:ssm:x%20y}}"}),
        ("a=Bearer {{resolve:ssm:x}}", {"a": "Bearer {{resolve:ssm:x}}"}),
        ("a={{ssm:x,y}},b=2", {"a": "{{ssm:x,y}}", "b": "2"}),
        ("a=%7B%7Bssm%3Ax%7D%7D", {"a": "{{ssm:x}}"}),
        (
            "a={{resolve:secretsmanager:x=1:SecretString:k=v}}",
            {"a": "{{resolve:secretsmanager:x=1:SecretString:k=v}}"},
        ),
        ("a=%7B%7Bresolve%3Assm%3Ax%7D%7D", {"a": "{{resolve:ssm:x}}"}),
    ],
)
def test_ways_to_write_them(text: str, headers: dict[str, str]) -> None:
    """Wholly encoded they count as well: some tools encode all that they are given."""
    assert parse_headers("H", text, is_grpc=False) == headers
    assert parse_headers("H", text, is_grpc=True) == headers


@pytest.mark.parametrize(
    "text",
    [
        "x=1,a={{resolve:hunter2}}",
        "x=1,a={{resolve:ssm:hunter2",
        "x=1,a={{ssm:hunter2",
        "x=1,a={{resolve:ssm:hunter2,b=3}",
        "x=1,{{resolve:ssm:hunter2}}=1",
        "x=1,a=%7B%7Bresolve%3Ahunter2",
    ],
)
def test_a_malformed_reference_is_refused(text: str) -> None:
    """The variable and the place are named, the value is not."""
    with pytest.raises(ConfigError, match=r"^H: pair 2") as caught:
        parse_headers("H", text, is_grpc=False)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "is_grpc"), [("hunter2\n", False), ("hunter2\x00", True), ("hunter2ü", True)]
)
def test_a_secret_may_hold_what_no_header_takes(value: str, *, is_grpc: bool) -> None:
    """It is checked again when it is known."""
    with pytest.raises(ConfigError, match="with its secret is not usable") as caught:
        check_header("the header a with its secret", "a", value, is_grpc=is_grpc)
    assert "hunter2" not in str(caught.value)
