"""Settings of delivery."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.environment import Environment
from logger_extension.policy.cpu import MB_PER_VCPU
from logger_extension.policy.flush import FlushRules, Policy
from logger_extension.settings.delivery import MAX_DURATION_MS, DeliverySettings
from tests.support.laws import LAW

OURS = "LOGGER_EXTENSION_"
KIB, MIB = 1024, 1024 * 1024
DEFAULTS = DeliverySettings(
    flush=FlushRules(policy=Policy.AUTO, interval_ms=1_000, staleness_limit_ms=10_000),
    flush_timeout_ms=2_000,
    collector_budget_ms=100,
    deadline_margin_ms=200,
    queue_max_bytes=4 * MIB,
    queue_max_records=2_048,
    unread_max_bytes=512 * KIB,
    request_max_bytes=512 * KIB,
    request_max_records=10_000,
)


def _read_all(
    variables: Mapping[str, str], *, memory_mb: int = 128, is_managed: bool = False
) -> tuple[DeliverySettings, list[str]]:
    names = {
        name if name.startswith("OTEL_") else OURS + name: value
        for name, value in variables.items()
    }
    env = Environment(names)
    settings = DeliverySettings.read(
        env, memory_bytes=memory_mb * MIB, vcpus=memory_mb / MB_PER_VCPU, is_managed=is_managed
    )
    return settings, env.complaints


def _read(
    *, memory_mb: int = 128, is_managed: bool = False, **variables: str
) -> tuple[DeliverySettings, list[str]]:
    return _read_all(variables, memory_mb=memory_mb, is_managed=is_managed)


def test_the_defaults() -> None:
    """Of the smallest function; nothing is complained of."""
    assert _read() == (DEFAULTS, [])


def test_every_setting() -> None:
    """Each is read from its variable."""
    settings, complaints = _read(
        memory_mb=1_024,
        FLUSH_POLICY="overlap",
        OTEL_BLRP_SCHEDULE_DELAY="500",
        STALENESS_LIMIT_MS="60000",
        FLUSH_TIMEOUT_MS="3000",
        COLLECTOR_BUDGET_MS="50",
        DEADLINE_MARGIN_MS="400",
        QUEUE_MAX_BYTES=str(8 * MIB),
        QUEUE_MAX_RECORDS="1000",
        REQUEST_MAX_BYTES=str(1 * MIB),
        REQUEST_MAX_RECORDS="500",
    )
    assert complaints == []
    assert settings == DeliverySettings(
        flush=FlushRules(policy=Policy.OVERLAP, interval_ms=500, staleness_limit_ms=60_000),
        flush_timeout_ms=3_000,
        collector_budget_ms=50,
        deadline_margin_ms=400,
        queue_max_bytes=8 * MIB,
        queue_max_records=1_000,
        unread_max_bytes=int(1_024 / 1_769 * 4 * MIB),
        request_max_bytes=1 * MIB,
        request_max_records=500,
    )


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("OTEL_BLRP_SCHEDULE_DELAY", 10, 900_000),
        ("STALENESS_LIMIT_MS", 100, 86_400_000),
        ("FLUSH_TIMEOUT_MS", 10, 900_000),
        ("COLLECTOR_BUDGET_MS", 1, 900_000),
        ("DEADLINE_MARGIN_MS", 10, 60_000),
        ("QUEUE_MAX_BYTES", 64 * KIB, 8 * MIB),
        ("QUEUE_MAX_RECORDS", 1, 10_000_000),
        ("REQUEST_MAX_BYTES", 16 * KIB, 64 * MIB),
        ("REQUEST_MAX_RECORDS", 1, 1_000_000),
    ],
)
def test_what_is_out_of_range_is_a_complaint(name: str, least: int, most: int) -> None:
    """The ends of a range are in it; anything else leaves the default, and names the variable."""
    for value in (least, most):
        settings, complaints = _read_all({name: str(value)})
        assert complaints == []
        assert settings != DEFAULTS
    for text in (str(least - 1), str(most + 1), "much", "1.5"):
        settings, complaints = _read_all({name: text})
        assert settings == DEFAULTS
        [complaint] = complaints
        assert f"{name}='{text}' is not a whole number from {least} to {most}" in complaint


@pytest.mark.parametrize(
    ("text", "policy", "interval_ms"),
    [
        ("", Policy.AUTO, 1_000),
        ("auto", Policy.AUTO, 1_000),
        (" End ", Policy.END, 1_000),
        ("OVERLAP", Policy.OVERLAP, 1_000),
        ("periodic,250", Policy.PERIODIC, 250),
        ("Periodic , 60000 ", Policy.PERIODIC, 60_000),
        ("periodic,1", Policy.PERIODIC, 1),
        (f"periodic,{MAX_DURATION_MS}", Policy.PERIODIC, MAX_DURATION_MS),
    ],
)
def test_policies(text: str, policy: Policy, interval_ms: int) -> None:
    """Compared without case; blanks do not matter."""
    settings, complaints = _read(FLUSH_POLICY=text)
    assert complaints == []
    assert settings.flush == replace(DEFAULTS.flush, policy=policy, interval_ms=interval_ms)


@pytest.mark.parametrize(
    "text",
    [
        "never",
        "periodic",
        "periodic,",
        "periodic,0",
        "periodic,-5",
        "periodic,1.5",
        "periodic,5s",
        "periodic,\N{SUPERSCRIPT TWO}",
        "periodic,100,200",
        f"periodic,{MAX_DURATION_MS + 1}",
        "periodic,000000500999999",
        "periodic," + "9" * 5_000,
        "end,100",
        "auto,",
        ",100",
    ],
)
@pytest.mark.parametrize("is_managed", [False, True])
def test_a_policy_that_is_none_is_a_complaint(
    text: str,
    is_managed: bool,  # noqa: FBT001  (a parameter of the test)
) -> None:
    """With what can be set instead; the default is taken, interval included."""
    settings, complaints = _read(FLUSH_POLICY=text, is_managed=is_managed)
    policy = Policy.PERIODIC if is_managed else Policy.AUTO
    assert settings.flush == replace(DEFAULTS.flush, policy=policy)
    [complaint] = complaints
    assert complaint.startswith(f"{OURS}FLUSH_POLICY={text[:40]!r} is not auto, end, overlap or")
    assert "periodic,<milliseconds>" in complaint
    assert len(complaint) < 200


@pytest.mark.parametrize(
    ("text", "interval_ms"), [("", 700), ("end", 700), ("overlap", 700), ("periodic,250", 250)]
)
def test_where_no_invocation_is_told_of_there_is_only_an_interval(
    text: str, interval_ms: int
) -> None:
    """On Managed Instances: the one of the policy, else that of the specification's variable."""
    settings, complaints = _read(FLUSH_POLICY=text, OTEL_BLRP_SCHEDULE_DELAY="700", is_managed=True)
    assert complaints == []
    assert settings.flush.policy is Policy.PERIODIC
    assert settings.flush.interval_ms == interval_ms


@pytest.mark.parametrize(
    ("memory_mb", "default_mib", "most_mib"),
    [(64, 4, 4), (128, 4, 8), (512, 16, 32), (1_769, 55.28125, 110.5625), (10_240, 64, 640)],
)
def test_a_queue_is_a_share_of_the_memory(
    memory_mb: int, default_mib: float, most_mib: float
) -> None:
    """A thirty-second by default, a sixteenth at the most."""
    settings, _ = _read(memory_mb=memory_mb)
    assert settings.queue_max_bytes == default_mib * MIB
    settings, complaints = _read(memory_mb=memory_mb, QUEUE_MAX_BYTES=str(int(most_mib * MIB)))
    assert (settings.queue_max_bytes, complaints) == (most_mib * MIB, [])
    settings, complaints = _read(memory_mb=memory_mb, QUEUE_MAX_BYTES=str(int(most_mib * MIB) + 1))
    assert settings.queue_max_bytes == default_mib * MIB
    assert len(complaints) == 1


@LAW
@given(st.integers(128, 10_240))
def test_all_queues_together_are_less_than_a_third_of_the_memory(memory_mb: int) -> None:
    """There are up to nine of these bounds."""
    settings, _ = _read(memory_mb=memory_mb)
    assert 9 * settings.queue_max_bytes < memory_mb * MIB / 3


@pytest.mark.parametrize(
    ("memory_mb", "records", "unread_kib"),
    [
        (128, 2_048, 512),
        (512, 5_788, 1_185),
        (1_769, 20_000, 4 * 1_024),
        (10_240, 40_000, 23_710),
    ],
)
def test_what_waits_can_be_dealt_with_in_time(
    memory_mb: int, records: int, unread_kib: int
) -> None:
    """Records and unread bodies are bounded by the CPU that reads, sends or writes them down."""
    settings, _ = _read(memory_mb=memory_mb)
    assert settings.queue_max_records == records
    assert settings.unread_max_bytes // KIB == unread_kib


def test_no_more_waits_unread_than_read() -> None:
    """A small queue is a small buffer everywhere."""
    settings, _ = _read(memory_mb=3_538, QUEUE_MAX_BYTES=str(128 * KIB))
    assert settings.unread_max_bytes == 128 * KIB
