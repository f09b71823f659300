"""Stack traces by the shapes that runtimes print them in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.signals.stack_trace import ExceptionFacts, find_exception
from tests.support.laws import LAW

PYTHON = """Traceback (most recent call last):
  File "/var/task/app.py", line 9, in handler
    pay(order)
    ^^^^^^^^^^
  File "/var/task/app.py", line 4, in pay
    raise ValueError("no money: 12")
ValueError: no money: 12"""
PYTHON_CHAINED = f"""{PYTHON}

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/var/task/app.py", line 12, in handler
    raise shop.errors.OrderError("not paid") from error
shop.errors.OrderError: not paid"""
NODE = """TypeError: Cannot read properties of undefined (reading 'id')
    at pay (/var/task/index.js:4:15)
    at async Runtime.handler (file:///var/task/index.mjs:9:3)"""
NODE_CODE = """Error [ERR_INVALID_URL]: Invalid URL
    at new URL (node:internal/url:797:36) {
  code: 'ERR_INVALID_URL'
}"""
JAVA = """Exception in thread "main" java.lang.IllegalStateException: no money
\tat com.shop.Payment.pay(Payment.java:12)
\tat java.base/java.lang.Thread.run(Thread.java:1583)
Caused by: java.sql.SQLException: timeout
\t... 2 more"""
DOTNET = """System.InvalidOperationException: no money
 ---> System.TimeoutException: bank
   at Shop.Bank.Ask() in /src/Bank.cs:line 7
   --- End of inner exception stack trace ---
   at Shop.Payment.Pay() in /src/Payment.cs:line 12"""
RUBY = """app.rb:3:in `pay': no money (Shop::OrderError)
\tfrom app.rb:7:in `handler'"""
RUBY_34 = """app.rb:3:in 'Shop#pay': no money (RuntimeError)
\tfrom app.rb:7:in '<main>'"""
GO = """panic: runtime error: index out of range [5] with length 3

goroutine 1 [running]:
main.pay(...)
\t/src/main.go:12 +0x1d
exit status 2"""
MIB = 2**20
GO_FATAL = (
    "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine 1 [chan receive]:\nmain()"
)


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        pytest.param(PYTHON, "ValueError", "no money: 12", id="python"),
        pytest.param(PYTHON_CHAINED, "shop.errors.OrderError", "not paid", id="python chained"),
        pytest.param(PYTHON.removesuffix(": no money: 12"), "ValueError", "", id="no message"),
        pytest.param(PYTHON + "\nand: 2", "ValueError", "no money: 12\nand: 2", id="two lines"),
        pytest.param(
            NODE, "TypeError", "Cannot read properties of undefined (reading 'id')", id="node"
        ),
        pytest.param(NODE_CODE, "Error", "Invalid URL", id="node with a code"),
        pytest.param(JAVA, "java.lang.IllegalStateException", "no money", id="java"),
        pytest.param(
            DOTNET,
            "System.InvalidOperationException",
            "no money\n ---> System.TimeoutException: bank",
            id=".net",
        ),
        pytest.param(RUBY, "Shop::OrderError", "no money", id="ruby"),
        pytest.param(RUBY_34, "RuntimeError", "no money", id="ruby 3.4"),
        pytest.param(
            GO, "panic", "runtime error: index out of range [5] with length 3", id="go panic"
        ),
        pytest.param(
            GO_FATAL, "fatal error", "all goroutines are asleep - deadlock!", id="go fatal"
        ),
    ],
)
@pytest.mark.parametrize("before", ["", "while paying\n", "a\nb: c\n"])
def test_the_shapes_of_runtimes(text: str, kind: str, message: str, before: str) -> None:
    """Type and message are the exception's; the trace is the text from where it begins."""
    found = find_exception(before + text)
    assert found is not None
    assert (found.type, found.message) == (kind, message)
    assert (before + text).endswith(found.stacktrace)
    assert found.stacktrace.count("\n") >= text.count("\n")


def test_aws_python_runtime_with_carriage_returns() -> None:
    """An unhandled error: exception above, no-break spaces as indent, one kind of line end."""
    text = (
        "[ERROR] ValueError: boom\rTraceback (most recent call last):\r"
        '\xa0\xa0File "/var/task/app.py", line 3, in handler\r'
        '\xa0\xa0\xa0\xa0raise ValueError("boom")'
    )
    found = find_exception(text)
    assert found is not None
    assert (found.type, found.message) == ("ValueError", "boom")
    assert found.stacktrace.startswith("Traceback (most recent call last):\n\xa0\xa0File")


def test_a_message_before_the_error_in_its_line() -> None:
    """`console.error("failed:", error)`."""
    found = find_exception("payment failed: " + NODE)
    assert found is not None
    assert found.type == "TypeError"
    assert found.stacktrace == NODE


@pytest.mark.parametrize(
    "text",
    [
        "",
        "one line",
        "Error: one line",
        "two\nlines",
        "meet me\n    at noon",
        "Traceback (most recent call last):\n  File x",
        "see Traceback (most recent call last):\n  File x\nValueError: inside a line",
        "Traceback (most recent call last):\n  File x\nnot a name: text",
        "goroutine\n\ngoroutine 1 [running]:",
        "a\n\tfrom b",
    ],
)
def test_what_only_looks_like_a_trace_is_none(text: str) -> None:
    """The text stays what it was."""
    assert find_exception(text) is None


def test_facts_have_semantic_names() -> None:
    """What is not known is left out."""
    assert ExceptionFacts("E", "m", "s").to_attributes() == {
        "exception.type": "E",
        "exception.message": "m",
        "exception.stacktrace": "s",
    }
    assert ExceptionFacts("", "m").to_attributes() == {"exception.message": "m"}


_pieces = st.sampled_from(
    [line + "\n" for text in (PYTHON, NODE, JAVA, RUBY, GO) for line in text.splitlines()]
) | st.sampled_from(["\n", "\r", " ", ": ", "at ", "]", " ["])


@LAW
@given(st.lists(_pieces | st.text(max_size=5), max_size=20).map("".join))
def test_any_mixture_is_an_exception_or_none(text: str) -> None:
    """Broken, cut or mixed up: never an error of ours, and no part without a name."""
    found = find_exception(text)
    assert found is None or found.type or found.message


@pytest.mark.parametrize(
    "unit",
    [
        *(": ", "a: ", "\n", "\n ", "\nat ", "\n    at (", "E: [", " [", "\n\tfrom ", "':", "\r"),
        *("Traceback (most recent call last):\n", "\ngoroutine ", "panic: ", "$", "a.", "Error:"),
    ],
)
def test_a_mebibyte_of_anything_is_read(unit: str) -> None:
    """In time linear in the text: a square of it would not end before the test is stopped."""
    for before in ("", "Error: x\n    at f (y)", "\n\tfrom ", "\ngoroutine "):
        find_exception(before + unit * (MIB // len(unit)))
