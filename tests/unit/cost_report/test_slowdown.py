"""How much longer a handler takes with another memory size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cost_report.slowdown import MB_PER_VCPU, model_slowdown

SIZES = st.integers(128, 10_240)


@pytest.mark.parametrize(
    ("now_mb", "then_mb", "cpu_s", "factor"),
    [
        (MB_PER_VCPU, MB_PER_VCPU // 2, 0.1, 2.0),  # all of it computes
        (1024, 512, 0.0, 1.0),  # none of it
        (1024, 512, 0.1 * 1024 / MB_PER_VCPU / 2, 1.5),  # half of it
        (512, 1024, 0.1 * 512 / MB_PER_VCPU, 0.5),
        (MB_PER_VCPU, 2 * MB_PER_VCPU, 0.1, 1.0),  # one thread has no use for a second vCPU
        (2 * MB_PER_VCPU, MB_PER_VCPU, 0.1, 1.0),  # nor misses it
        (2 * MB_PER_VCPU, MB_PER_VCPU, 0.2, 2.0),  # two do
    ],
)
def test_what_computes_scales_with_cpu(
    now_mb: int, then_mb: int, cpu_s: float, factor: float
) -> None:
    """An invocation of 100 ms, by how much of it was CPU time."""
    slowdown = model_slowdown(now_mb, then_mb, cpu_s, 0.1)
    assert slowdown.factor.estimate == pytest.approx(factor, rel=1e-3)


def test_what_is_not_measured_is_a_range_from_none_to_all() -> None:
    """And the sentence says so."""
    slowdown = model_slowdown(1024, 512, None, 0.1)
    assert (slowdown.factor.low, slowdown.factor.high) == pytest.approx((1.0, 2.0))
    assert slowdown.factor.estimate == pytest.approx(1.5)
    assert "is not measured" in slowdown.assumptions[0]


def test_what_is_measured_is_said_with_its_margin() -> None:
    """The CPU time is that of the whole sandbox."""
    slowdown = model_slowdown(MB_PER_VCPU, MB_PER_VCPU // 2, 0.05, 0.1)
    assert slowdown.assumptions[0].startswith("the handler computes 50 % of its time")
    assert (slowdown.factor.low, slowdown.factor.high) == pytest.approx((1.4, 1.6), rel=1e-2)


@given(
    now_mb=SIZES,
    then_mb=SIZES,
    cpu_s=st.one_of(st.none(), st.floats(0, 10)),
    duration_s=st.floats(0, 10),
)
def test_a_range_holds_its_estimate_and_no_change_is_none(
    now_mb: int, then_mb: int, cpu_s: float | None, duration_s: float
) -> None:
    """More memory never takes longer, less never shorter."""
    factor = model_slowdown(now_mb, then_mb, cpu_s, duration_s).factor
    assert 0 < factor.low <= factor.estimate <= factor.high
    if then_mb >= now_mb:
        assert factor.high <= 1 + 1e-9
    if then_mb <= now_mb:
        assert factor.low >= 1 - 1e-9
