"""What the kernel counts, and what was used between two readings."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.usage import (
    Counters,
    CpuTimes,
    Levels,
    NetworkBytes,
    find_usage,
    parse_cpu,
    parse_network,
)
from tests.support.laws import LAW

NET_DEV = """\
Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs
"""
REST = "7 0 0 0 0 0 0"


def test_cpu_times() -> None:
    """Nice counts as user, interrupts as system, and waiting for a disk as idle."""
    text = "cpu  1000 20 300 5000 60 7 8 90 0 0\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
    assert parse_cpu(text) == CpuTimes(10.2, 3.15, 51.5)


@pytest.mark.parametrize(
    "text", ["", "cpu\n", "cpu 1 2 3\n", "cpu a b c d e f g h\n", "intr 1 2 3 4 5 6 7 8\n"]
)
def test_cpu_times_that_cannot_be_read(text: str) -> None:
    """Are none."""
    assert parse_cpu(text) is None


def test_the_function_s_interface() -> None:
    """In Lambda only the runtime's interface counts, not the one of telemetry nor loopback."""
    text = (
        f"{NET_DEV}    lo: 500 {REST} 500 0\n"
        f"telemetry1_sb: 70 {REST} 80 0\nvinternal_1:100 {REST} 200 0\n"
    )
    assert parse_network(text) == NetworkBytes(100, 200)
    assert parse_network(text.replace("vinternal_1", "vint_runtime")) == NetworkBytes(100, 200)


def test_other_interfaces() -> None:
    """Elsewhere everything but loopback counts."""
    text = f"{NET_DEV}    lo: 500 {REST} 500 0\n  eth0: 1 {REST} 2 0\n  eth1: 10 {REST} 20 0\n"
    assert parse_network(text) == NetworkBytes(11, 22)


@pytest.mark.parametrize(
    "lines", ["", f"    lo: 500 {REST} 500 0\n", "eth0: 1 2\n", "eth0: x\n", "eth0\n"]
)
def test_a_network_that_cannot_be_read(lines: str) -> None:
    """Is none; so is loopback alone."""
    assert parse_network(NET_DEV + lines) is None


@LAW
@given(text=st.text())
def test_any_text_is_read(text: str) -> None:
    """Whatever stands under /proc, reading it raises nothing."""
    parse_cpu(text)
    parse_network(text)
    parse_network(f"{NET_DEV}{text}")


def test_usage_is_the_difference() -> None:
    """Of the counters; levels are those at the end."""
    levels = Levels(1, 2, 3, 4)
    usage = find_usage(
        Counters(CpuTimes(1.0, 2.0, 3.0), NetworkBytes(10, 20)),
        Counters(CpuTimes(1.5, 2.25, 4.0), NetworkBytes(11, 22)),
        levels,
    )
    assert usage.cpu == CpuTimes(0.5, 0.25, 1.0)
    assert usage.network == NetworkBytes(1, 2)
    assert usage.levels is levels


def test_counters_that_are_unknown_or_go_back() -> None:
    """No figure then; a little less idle time is no reason."""
    known = Counters(CpuTimes(1.0, 2.0, 3.0), NetworkBytes(10, 20))
    for before, after in (
        (known, Counters(None, None)),
        (Counters(None, None), known),
        (known, Counters(CpuTimes(0.0, 2.0, 3.0), NetworkBytes(10, 19))),
    ):
        usage = find_usage(before, after, Levels())
        assert (usage.cpu, usage.network) == (None, None)
    usage = find_usage(known, Counters(CpuTimes(1.0, 2.0, 2.9), None), Levels())
    assert usage.cpu is not None
