"""What all tests share."""

import socket

import pytest


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
