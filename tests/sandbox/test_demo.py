"""`logger-extension demo`: the first thing that a newcomer runs."""

import re

from tests.support.command_line import run_command


def test_the_demo_shows_everything_that_it_promises() -> None:
    """Six invocations, one trace, all logs, and the verdict that nothing is missing; twice."""
    for _ in range(2):
        done = run_command("demo")
        assert (done.returncode, done.stderr) == (0, "")
        text = done.stdout
        assert len(re.findall(r"^[0-9a-f]{8} (?:success|error) ", text, re.MULTILINE)) == 6
        rows = re.findall(r"^[0-9:.]{12} [0-9a-f]{8} hello +(\S+) .* (\d+)$", text, re.MULTILINE)
        assert [int(logs) for _, logs in rows] == [3, 4, 3, 2, 4, 3]
        assert "trace 5759e988bd862e3fe1be46a994272793\n" in text
        assert "(parent 53995c3f42cd8ad8 not received)" in text
        assert re.search(r"├── init hello +\S+ ms", text)
        assert re.search(r"\n[0-9:.]{12} WARN +[0-9a-f]{8} …[0-9a-f]{7} hello guido seal=", text)
        assert "[ERROR] ValueError: there is nobody to" in text
        assert "Everything that was done and printed has arrived, once." in text
        assert "What the extension printed" not in text
        assert "\x1b" not in text
        assert max(map(len, text.splitlines())) <= 80
