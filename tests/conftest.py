"""What all tests share."""

import gc
import shutil
import socket

import pytest

# CDK's library is a program for Node.js: without it not even its tests can be imported.
collect_ignore = [] if shutil.which("node") else ["deploy/cdk"]


def pytest_collection_finish() -> None:
    """Take what was imported out of the reach of garbage collection.

    CDK's and SAM's libraries are hundreds of thousands of objects, and each full collection would
    stop this process, which plays collectors and Lambda, while it walks over them.
    """
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was not even collected."""
    if collect_ignore:
        terminalreporter.write_line("tests of the CDK construct not run: they need Node.js")


def find_unused_port() -> int:
    """Return a TCP port on which nobody listens right now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port: int = sock.getsockname()[1]
        return port


@pytest.fixture
def unused_port() -> int:
    """Return a TCP port on which nobody listens right now."""
    return find_unused_port()


@pytest.fixture
def unused_port_2() -> int:
    """Return another one."""
    return find_unused_port()
