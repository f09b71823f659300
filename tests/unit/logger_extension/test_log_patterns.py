"""Regular expressions that cannot hang us."""

import re

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from logger_extension.errors import ConfigError
from logger_extension.policy.log_patterns import MAX_STEPS, compile_pattern
from tests.support.backtracking import StepCounter, TooManySteps
from tests.support.laws import LAW

MIB = 2**20
CATASTROPHIC = [
    r"(a+)+$",
    r"(a|aa)+$",
    r"(a|a?)+",
    r"(a*)*",
    r"^(\w+\s?)*$",
    r"(.*a){20}",
    r"(.*)*x",
    r"(x+x+)+y",
    r"(a?){30}a{30}",
    "a?" * 30 + "a" * 30,
    r"(?:a{0,100}){100}",
    r"([^\"\\]|\\.)*\"",
    r"^([a-zA-Z0-9_.\-])+@(([a-zA-Z0-9\-])+\.)+([a-zA-Z0-9]{2,4})+$",
    r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}([a-z]{2,3}|[a-z]{2,3}[.])$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$",
    r"(?i)^(([\w]+[.])*[\w]+[@][\w]+)+$",
]
POLYNOMIAL = [
    r"\s+$",
    r".*a.*b",
    r"a.*b.*c",
    r"\w+@\w+",
    r"a.*b",
    r"<[^>]*>",
    r"(?i)k[^k]*k.*x",
    r"^.*a.*b",
    r"[a-z]{1,100}[a-z]{1,100}x",
    r"(?m)^.*a",
    r'"[^"]*x[^"]*"',
]
UNSUPPORTED = [r"(\w)\1", r"(?P<a>x)(?P=a)", r"(a)?(?(1)b|c)", r"(?=a+)b", r"(?<!x)(?=.*y)z"]
BROKEN = ["(", "[", "a{99999999999999}", "(?P<1>a)", "*", "\\"]
SOUND = [
    "",
    "health",
    r"^START|^END",
    r"password=\S+",
    r"password=\S+|token=\S+",
    r"(?i)authorization: .*",
    r"\bsecret\b",
    r"\d{3}-\d{2}-\d{4}",
    r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}",
    r'"ssn":\s*"\d+"',
    r'"[^"]*"',
    r"\[[^\[\]]*\]",
    r"^GET .*404",
    r"ERROR.{0,80}timeout",
    r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}",
    r"(?<!\d)\d{16}(?!\d)",
    r"x[0-9]+-[a-z]+-",
    r"id=[0-9]++;",
    r"(?>ab)c",
]


@pytest.mark.parametrize("pattern", CATASTROPHIC)
def test_the_classics_are_refused(pattern: str) -> None:
    """Exponential in the text, or in their own length."""
    with pytest.raises(ConfigError, match="is not used"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", POLYNOMIAL)
def test_a_square_of_the_text_is_too_much_as_well(pattern: str) -> None:
    """A line of a mebibyte would take hours."""
    with pytest.raises(ConfigError, match=r"upper bound|fewer repeats"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", [*UNSUPPORTED, *BROKEN])
def test_what_cannot_be_judged_is_refused(pattern: str) -> None:
    """Back references, open repeats in look-arounds, and what is no expression at all."""
    with pytest.raises(ConfigError, match="is not used"):
        compile_pattern(pattern)


@pytest.mark.parametrize("pattern", SOUND)
def test_what_is_linear_is_used_as_it_is(pattern: str) -> None:
    """What users want to say can be said."""
    assert compile_pattern(pattern).pattern == pattern


@pytest.mark.parametrize("pattern", SOUND)
@pytest.mark.parametrize(
    "unit",
    ["a", '"', "0", "1.", "A1", " ", "\n", "[", "password=", "ERROR", '"ssn":', "GET ", "0-a", "é"],
)
def test_a_mebibyte_of_anything_ends(pattern: str, unit: str) -> None:
    """A square of it would not, before the test is stopped."""
    compiled = compile_pattern(pattern)
    compiled.sub("", unit * (MIB // len(unit)) + "!")


_atoms = st.sampled_from(["a", "b", "c", "[ab]", "[^a]", "[bc]", ".", r"\w", "(?:ab)", "(?:a|b)"])
_repeats = st.sampled_from(["", "", "*", "+", "?", "{0,3}", "{2}", "{1,4}", "*?", "+?"])
_pieces = st.tuples(_atoms, _repeats).map("".join)


def _wrap(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    groups = st.tuples(inner.map("(?:{})".format), _repeats).map("".join)
    branches = st.lists(inner, min_size=2, max_size=3).map("|".join).map("(?:{})".format)
    return st.lists(_pieces | groups | branches, min_size=1, max_size=4).map("".join)


_patterns = st.tuples(
    st.sampled_from(["", "", "^"]), st.recursive(_pieces, _wrap, max_leaves=6)
).map("".join)


def _count(pattern: str, text: str) -> int:
    counter = StepCounter(pattern, most_steps=MAX_STEPS * len(text))
    counter.find_all(text)
    return counter.steps


@LAW
@given(_patterns, st.text("abc", min_size=1, max_size=6), st.text("abc\n", max_size=3))
@example(r"\[[^\[]*\]", "[", "")
@example("(?:a|ab)(?:c|bcd)?", "abcd", "")
@example("^a.*b", "a", "")
def test_what_is_used_takes_linear_time(pattern: str, unit: str, end: str) -> None:
    """A matcher of our own that backtracks counts: twice the text, about twice the steps.

    It knows none of the short cuts that `re` takes, so it never counts less.
    """
    try:
        compile_pattern(pattern)
    except ConfigError:
        assume(False)  # noqa: FBT003  (hypothesis's own way)
    at_30, at_60, at_120 = (_count(pattern, unit * (n // len(unit)) + end) for n in (30, 60, 120))
    # For a square, the second step would be four times the first.
    assert at_120 - at_60 <= 3 * (at_60 - at_30) + 60 * len(pattern)


@LAW
@given(_patterns, st.text("abc\n", max_size=8))
def test_the_oracle_matches_as_re_does(pattern: str, text: str) -> None:
    """The first thing that it finds is what `re` finds."""
    try:
        found = StepCounter(pattern, most_steps=20_000).find_all(text)
    except TooManySteps:
        assume(False)  # noqa: FBT003  (hypothesis's own way)
    expected = re.search(pattern, text)
    assert found[:1] == ([] if expected is None else [expected[0]])


@pytest.mark.parametrize(("pattern", "text"), [("(a+)+$", "a" * 30 + "!"), (r"a.*b", "a" * 3_000)])
def test_the_oracle_tells_what_is_not_linear(pattern: str, text: str) -> None:
    """Else the law above would say nothing."""
    with pytest.raises(TooManySteps):
        StepCounter(pattern, most_steps=1_000_000).find_all(text)
