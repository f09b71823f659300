"""Which traces are exported, against the SDK's own samplers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.context import Context
from opentelemetry.sdk.trace import sampling
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from logger_extension.policy.sampler import SAMPLERS, choose_sampler
from logger_extension.policy.trace_context import TraceContext, derive_context
from tests.support.laws import LAW

OF_THE_SDK = {
    "always_on": lambda _: sampling.ALWAYS_ON,
    "always_off": lambda _: sampling.ALWAYS_OFF,
    "traceidratio": sampling.TraceIdRatioBased,
    "parentbased_always_on": lambda _: sampling.DEFAULT_ON,
    "parentbased_always_off": lambda _: sampling.DEFAULT_OFF,
    "parentbased_traceidratio": sampling.ParentBasedTraceIdRatio,
}


@pytest.mark.parametrize("name", SAMPLERS)
@LAW
@given(
    st.binary(min_size=16, max_size=16).filter(any),
    st.floats(0, 1),
    st.sampled_from((None, True, False)),
)
def test_decides_as_the_sdk(name: str, trace_id: bytes, ratio: float, sampled: bool | None) -> None:  # noqa: FBT001  (a drawn value)
    """Same trace, same ratio, same parent: same decision."""
    parent = Context()
    if sampled is not None:
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        context = SpanContext(int.from_bytes(trace_id, "big"), 1, is_remote=True, trace_flags=flags)
        parent = set_span_in_context(NonRecordingSpan(context), parent)
    expected = OF_THE_SDK[name](ratio).should_sample(parent, int.from_bytes(trace_id, "big"), "fn")
    ours = choose_sampler(name, ratio).decide(TraceContext(trace_id, b"12345678", sampled=sampled))
    assert ours == (expected.decision is sampling.Decision.RECORD_AND_SAMPLE)


@pytest.mark.parametrize(
    ("field", "sampled"),
    [("Sampled=1", True), ("Sampled=0", False), ("Sampled=?", None), ("", None)],
)
def test_the_callers_decision_is_in_the_header(field: str, sampled: bool | None) -> None:  # noqa: FBT001  (the expected value)
    """Anything but 0 and 1 leaves the decision to us."""
    header = f"Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Lineage=1:73f724a8:0;{field}"
    assert derive_context("r", header).sampled is sampled


def test_an_unknown_name_is_the_default() -> None:
    """The specification's default samples whatever the caller has not decided against."""
    assert choose_sampler("jaeger_remote", 0.5) == choose_sampler("parentbased_always_on", 1.0)
