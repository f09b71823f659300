"""What the sandbox used during an invocation, from what the kernel counts.

Owns how the texts under /proc are read (https://docs.kernel.org/filesystems/proc.html) and how two
readings become a usage. A figure that cannot be read is None. Must not know when readings are
taken, nor open files.
"""

from typing import NamedTuple

# /proc counts CPU time in USER_HZ, which is 100 for every Linux that Lambda runs on.
TICKS_PER_S = 100

# /proc/net/dev: bytes received come first, bytes sent after eight columns.
RECEIVED, SENT = 0, 8

# The interfaces of a function's own traffic in Lambda's sandboxes; elsewhere all but loopback.
FUNCTION_INTERFACES = frozenset({"vinternal_1", "vint_runtime"})
LOOPBACK = "lo"


class CpuTimes(NamedTuple):
    """Seconds of all logical CPUs together: in user mode, in the kernel, and neither."""

    user_s: float
    system_s: float
    other_s: float


class NetworkBytes(NamedTuple):
    """Bytes that crossed the network interfaces."""

    received: int
    sent: int


class Counters(NamedTuple):
    """What the kernel has counted since the sandbox started; None where it cannot be read."""

    cpu: CpuTimes | None
    network: NetworkBytes | None


class Levels(NamedTuple):
    """What is in use at one moment, by all processes that we may look at; None where unknown."""

    tmp_used_bytes: int | None = None
    tmp_limit_bytes: int | None = None
    descriptors: int | None = None
    threads: int | None = None


class Usage(NamedTuple):
    """What was used between two readings, and the levels at the later one."""

    cpu: CpuTimes | None
    network: NetworkBytes | None
    levels: Levels


def parse_cpu(text: str) -> CpuTimes | None:
    """Read the first line of /proc/stat: user nice system idle iowait irq softirq steal …."""
    name, *columns = text.partition("\n")[0].split() or [""]
    try:
        user, nice, system, idle, iowait, irq, softirq, steal = map(int, columns[:8])
    except ValueError:
        return None
    if name != "cpu":
        return None
    return CpuTimes(
        (user + nice) / TICKS_PER_S,
        (system + irq + softirq) / TICKS_PER_S,
        (idle + iowait + steal) / TICKS_PER_S,
    )


def parse_network(text: str) -> NetworkBytes | None:
    """Read /proc/net/dev: two lines of heading, then a line an interface."""
    by_interface: dict[str, NetworkBytes] = {}
    for line in text.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        try:
            columns = [int(column) for column in numbers.split()]
            by_interface[name.strip()] = NetworkBytes(columns[RECEIVED], columns[SENT])
        except (ValueError, IndexError):
            return None
    names = FUNCTION_INTERFACES & by_interface.keys() or by_interface.keys() - {LOOPBACK}
    if not names:
        return None
    counted = [by_interface[name] for name in names]
    return NetworkBytes(sum(each.received for each in counted), sum(each.sent for each in counted))


def find_usage(before: Counters, after: Counters, levels: Levels) -> Usage:
    """Return what was used between two readings; a counter that went back gives none."""
    cpu = network = None
    if before.cpu and after.cpu:
        cpu = CpuTimes(
            after.cpu.user_s - before.cpu.user_s,
            after.cpu.system_s - before.cpu.system_s,
            after.cpu.other_s - before.cpu.other_s,
        )
        # Idle time may step back a little on its own (it is an estimate); work does not.
        cpu = cpu if min(cpu.user_s, cpu.system_s) >= 0 else None
    if before.network and after.network:
        received = after.network.received - before.network.received
        sent = after.network.sent - before.network.sent
        network = NetworkBytes(received, sent) if min(received, sent) >= 0 else None
    return Usage(cpu, network, levels)
