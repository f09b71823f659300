"""The amount of CPU that a memory size gives."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.policy.cpu import MB_PER_VCPU, find_cpu_share
from tests.support.laws import LAW


@pytest.mark.parametrize(
    ("memory_mb", "processors", "vcpus", "has_spare"),
    [
        (128, 2, 128 / 1769, False),
        (1_769, 2, 1.0, False),
        (1_770, 2, 1_770 / 1769, True),
        (3_538, 2, 2.0, True),
        (10_240, 6, 10_240 / 1769, True),
        # Fewer processors than the memory would give: a local tool, or another kind of machine.
        (10_240, 1, 1.0, False),
        (10_240, 2, 2.0, True),
        (3_538, None, 2.0, True),
        (128, None, 128 / 1769, False),
    ],
)
def test_cpu_comes_with_memory(
    memory_mb: int,
    processors: int | None,
    vcpus: float,
    has_spare: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """1,769 MB are one vCPU; only above it is any to spare, and never more than is there."""
    share = find_cpu_share(memory_mb, processors)
    assert share.vcpus == vcpus
    assert share.has_spare is has_spare


@LAW
@given(st.integers(128, 10_240), st.integers(128, 10_240), st.none() | st.integers(1, 64))
def test_more_memory_is_never_less_cpu(one: int, other: int, processors: int | None) -> None:
    """And what the kernel shows is the most."""
    less, more = (find_cpu_share(memory, processors) for memory in sorted((one, other)))
    assert 0 < less.vcpus <= more.vcpus
    assert processors is None or more.vcpus <= processors
    assert more.has_spare or not less.has_spare
    assert not more.has_spare or max(one, other) > MB_PER_VCPU
