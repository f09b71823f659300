"""The settings: the specification's rules, and what happens to values that cannot be used."""

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logger_extension.config import MIB, Config, is_strict
from logger_extension.environment import Environment
from logger_extension.errors import ConfigError
from logger_extension.events import InitType
from logger_extension.policy.cpu import MB_PER_VCPU, find_cpu_share
from logger_extension.policy.flush import Policy
from logger_extension.settings.cost import CostSettings
from logger_extension.settings.delivery import DeliverySettings
from logger_extension.settings.export import Target
from logger_extension.settings.fallback import FallbackSettings
from logger_extension.settings.features import FeatureSettings
from logger_extension.settings.logs import LogsSettings
from logger_extension.settings.metrics import MetricsSettings
from logger_extension.settings.receiver import ReceiverSettings
from logger_extension.settings.traces import TracesSettings
from tests.support.laws import LAW

COLLECTOR = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}
PORT = 4328


def _config(**environ: str) -> Config:
    return Config.from_env(COLLECTOR | environ, telemetry_port=PORT)


def _target(config: Config, signal: str) -> Target:
    target = getattr(config.export, signal)
    assert isinstance(target, Target)
    return target


def test_the_defaults() -> None:
    """One variable is enough."""
    config = _config()
    assert [_target(config, signal).url for signal in ("logs", "traces", "metrics")] == [
        "http://collector:4318/v1/logs",
        "http://collector:4318/v1/traces",
        "http://collector:4318/v1/metrics",
    ]
    env = Environment({})
    assert config == Config(
        export=config.export,
        logs=LogsSettings.read(env),
        traces=TracesSettings.read(env),
        metrics=MetricsSettings.read(env),
        cost=CostSettings.read(env),
        receiver=ReceiverSettings.read(env),
        features=FeatureSettings.read(env),
        delivery=DeliverySettings.read(
            env, memory_bytes=128 * MIB, vcpus=128 / MB_PER_VCPU, is_managed=False
        ),
        fallback=FallbackSettings.read(env),
        cpu=find_cpu_share(128, None),
        service_name="unknown_function",
        resource_attributes={},
        function_name="unknown_function",
        function_version="$LATEST",
        memory_mb=128,
        region="",
        init_type=InitType.ON_DEMAND,
    )


@pytest.mark.parametrize("blank", ["", " ", "\t\n"])
def test_empty_is_unset(blank: str) -> None:
    """Every variable that is empty has its default, without a complaint."""
    names = [
        "OTEL_SDK_DISABLED",
        "OTEL_LOGS_EXPORTER",
        "OTEL_TRACES_EXPORTER",
        "OTEL_EXPORTER_OTLP_PROTOCOL",
        "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        "OTEL_EXPORTER_OTLP_HEADERS",
        "OTEL_EXPORTER_OTLP_COMPRESSION",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_BLRP_SCHEDULE_DELAY",
        "OTEL_SERVICE_NAME",
        "OTEL_RESOURCE_ATTRIBUTES",
        "LOGGER_EXTENSION_DEADLINE_MARGIN_MS",
        "LOGGER_EXTENSION_QUEUE_MAX_BYTES",
        "LOGGER_EXTENSION_QUEUE_MAX_RECORDS",
        "LOGGER_EXTENSION_REQUEST_MAX_BYTES",
        "LOGGER_EXTENSION_REQUEST_MAX_RECORDS",
        "LOGGER_EXTENSION_FLUSH_POLICY",
        "LOGGER_EXTENSION_FLUSH_TIMEOUT_MS",
        "LOGGER_EXTENSION_STALENESS_LIMIT_MS",
        "LOGGER_EXTENSION_COLLECTOR_BUDGET_MS",
        "LOGGER_EXTENSION_FALLBACK",
        "LOGGER_EXTENSION_FALLBACK_MAX_BYTES",
        "LOGGER_EXTENSION_STRICT",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
    ]
    assert _config(**dict.fromkeys(names, blank)) == _config()


@pytest.mark.parametrize(
    ("base", "logs_url"),
    [
        ("http://collector:4318", "http://collector:4318/v1/logs"),
        ("http://collector:4318/", "http://collector:4318/v1/logs"),
        ("http://collector:4318/my", "http://collector:4318/my/v1/logs"),
        ("http://collector:4318/my/", "http://collector:4318/my/v1/logs"),
        ("https://collector", "https://collector/v1/logs"),
        ("HTTPS://collector", "HTTPS://collector/v1/logs"),
        ("http://[2001:db8::1]:4318", "http://[2001:db8::1]:4318/v1/logs"),
    ],
)
def test_the_general_endpoint_gets_the_signals_path(base: str, logs_url: str) -> None:
    """A trailing slash or a path of its own makes no difference."""
    config = _config(OTEL_EXPORTER_OTLP_ENDPOINT=base)
    assert _target(config, "logs").url == logs_url
    assert _target(config, "traces").url == logs_url.replace("logs", "traces")


@pytest.mark.parametrize(
    ("endpoint", "logs_url"),
    [
        ("http://logs:4318", "http://logs:4318/"),
        ("http://logs:4318/", "http://logs:4318/"),
        ("http://logs:4318/in", "http://logs:4318/in"),
        ("http://logs:4318/in/", "http://logs:4318/in/"),
        ("http://logs:4318/in?key=a", "http://logs:4318/in?key=a"),
    ],
)
def test_a_signals_endpoint_is_used_as_it_is(endpoint: str, logs_url: str) -> None:
    """Only a missing path becomes "/"; the other signal keeps the general endpoint."""
    config = _config(OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=endpoint)
    assert _target(config, "logs").url == logs_url
    assert _target(config, "traces").url == "http://collector:4318/v1/traces"


def test_signals_endpoints_are_enough() -> None:
    """The general endpoint may be missing when each signal has its own."""
    environ = {
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "http://l:1/a",
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:2/b",
    }
    config = Config.from_env(environ)
    assert (_target(config, "logs").url, _target(config, "traces").url) == (
        "http://l:1/a",
        "http://t:2/b",
    )


def test_without_a_collector_nothing_can_be_delivered() -> None:
    """The message names the variable to set."""
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        Config.from_env({})


@pytest.mark.parametrize(
    "endpoint", ["collector:4318", "ftp://collector", "http://", "//collector", "http://c:port"]
)
def test_an_endpoint_that_is_no_url_is_refused(endpoint: str) -> None:
    """With what it should look like."""
    with pytest.raises(ConfigError, match="endpoint"):
        _config(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)


@pytest.mark.parametrize("as_signal", [False, True], ids=["general", "signal"])
@pytest.mark.parametrize(
    "endpoint",
    [
        f"http://localhost:{PORT}",
        f"http://LocalHost:{PORT}/v1",
        f"http://localhost.:{PORT}",
        f"http://127.0.0.1:{PORT}/",
        f"http://127.1:{PORT}",
        f"http://127.0.0.53:{PORT}",
        f"http://0.0.0.0:{PORT}",
        f"http://[::1]:{PORT}",
        f"http://[::]:{PORT}",
        f"http://[::ffff:127.0.0.1]:{PORT}",
        f"http://sandbox:{PORT}",
        f"http://sandbox.localdomain:{PORT}",
        f"https://user@sandbox.localdomain:{PORT}/v1/logs",
    ],
)
def test_our_own_receiver_is_refused(endpoint: str, *, as_signal: bool) -> None:
    """In every spelling that reaches it: telemetry would run in a circle."""
    name = f"OTEL_EXPORTER_OTLP_{'LOGS_' if as_signal else ''}ENDPOINT"
    with pytest.raises(ConfigError, match="own listener"):
        _config(**{name: endpoint})


def test_our_own_receiver_is_refused_on_the_schemes_port() -> None:
    """A port that is only implied is a port all the same."""
    with pytest.raises(ConfigError, match="own listener"):
        Config.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost"}, telemetry_port=80)


@pytest.mark.parametrize(
    "endpoint", [f"http://collector:{PORT}", "http://localhost:4319", "http://127.0.0.1:4319"]
)
def test_another_listener_is_no_circle(endpoint: str) -> None:
    """A collector on the same machine, or on the same port elsewhere, is fine."""
    config = _config(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert _target(config, "logs").url == f"{endpoint}/v1/logs"


@pytest.mark.parametrize(
    ("text", "headers"),
    [
        ("a=b", {"a": "b"}),
        ("API-Key=abc, X=1", {"api-key": "abc", "x": "1"}),
        ("authorization=Basic%20dXNlcg%3D%3D", {"authorization": "Basic dXNlcg=="}),
        ("authorization=Basic dXNlcg==", {"authorization": "Basic dXNlcg=="}),
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
        (" a = b ,, ", {"a": "b"}),
        ("a=%2C,b=%3D", {"a": ",", "b": "="}),
        ("a=1,A=2", {"a": "2"}),
    ],
)
def test_headers_are_pairs_percent_decoded(text: str, headers: dict[str, str]) -> None:
    """Names in lower case, `=` inside a value allowed."""
    config = _config(OTEL_EXPORTER_OTLP_HEADERS=text)
    assert _target(config, "logs").headers == headers
    assert _target(config, "traces").headers == headers


def test_a_signals_headers_replace_the_general_ones() -> None:
    """They are not merged."""
    config = _config(
        OTEL_EXPORTER_OTLP_HEADERS="general=1", OTEL_EXPORTER_OTLP_TRACES_HEADERS="own=2"
    )
    assert _target(config, "logs").headers == {"general": "1"}
    assert _target(config, "traces").headers == {"own": "2"}


@pytest.mark.parametrize(
    "text",
    ["hunter2", "=hunter2", "a b=hunter2", "a=hunter2%0d%0aX: y", "a=hunter2%ff", "ü=hunter2"],
)
def test_bad_headers_are_refused(text: str) -> None:
    """Nothing that could break a request gets into one, and no value is told."""
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        _config(OTEL_EXPORTER_OTLP_HEADERS=text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "endpoint",
    ["ftp://user:hunter2@collector", "user:hunter2@collector:4318", "http://user:hunter2@c:port"],
)
def test_no_secret_is_told(endpoint: str) -> None:
    """Credentials inside an endpoint that cannot be used stay out of the message."""
    with pytest.raises(ConfigError) as caught:
        _config(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint)
    assert "hunter2" not in str(caught.value)


@LAW
@given(st.text().map(lambda text: f"key{text}"))
def test_no_header_text_does_anything_but_work_or_be_refused(text: str) -> None:
    """Whatever stands there: usable headers, or an error of ours."""
    try:
        config = _config(OTEL_EXPORTER_OTLP_HEADERS=text)
    except ConfigError:
        return
    for name, value in _target(config, "logs").headers.items():
        assert name.isascii()
        assert name == name.lower()
        assert "\r" not in value
        assert "\n" not in value


def test_the_protocol_is_compared_without_case() -> None:
    """Enumerations are, says the specification."""
    assert not _config(OTEL_EXPORTER_OTLP_PROTOCOL="HTTP/Protobuf").complaints


def test_one_signal_can_be_off() -> None:
    """Its collector then does not matter."""
    environ = {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://t:1/x",
        "OTEL_LOGS_EXPORTER": "None",
        "OTEL_METRICS_EXPORTER": "none",
    }
    config = Config.from_env(environ)
    assert config.export.logs is None
    assert _target(config, "traces").url == "http://t:1/x"


def test_all_signals_off_is_nothing_to_do() -> None:
    """The function then runs without us."""
    off = {f"OTEL_{signal}_EXPORTER": "none" for signal in ("LOGS", "TRACES", "METRICS")}
    with pytest.raises(ConfigError, match="all none"):
        _config(**off)


@pytest.mark.parametrize("value", ["true", "TRUE", " True "])
def test_the_sdk_switch_turns_us_off(value: str) -> None:
    """OTEL_SDK_DISABLED."""
    with pytest.raises(ConfigError, match="OTEL_SDK_DISABLED"):
        _config(OTEL_SDK_DISABLED=value)


@pytest.mark.parametrize("value", ["false", "1", "yes", "no"])
def test_only_true_turns_us_off(value: str) -> None:
    """The specification's booleans know no other word."""
    assert _config(OTEL_SDK_DISABLED=value).export.logs is not None


@pytest.mark.parametrize(("value", "read"), [("gzip", "gzip"), ("GZIP", "gzip"), ("none", "none")])
def test_compression(value: str, read: str) -> None:
    """The specification knows these two."""
    config = _config(OTEL_EXPORTER_OTLP_COMPRESSION=value)
    assert _target(config, "logs").compression == read
    assert not config.complaints


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "ten"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1.5"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "9" * 5_000),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_LOGS_EXPORTER", "console"),
        ("OTEL_BLRP_SCHEDULE_DELAY", "0"),
        ("LOGGER_EXTENSION_DEADLINE_MARGIN_MS", "1e3"),
        ("LOGGER_EXTENSION_TELEMETRY_PORT", "abc"),
        ("LOGGER_EXTENSION_QUEUE_MAX_BYTES", "1"),
        ("LOGGER_EXTENSION_FLUSH_POLICY", "sometimes"),
        ("LOGGER_EXTENSION_STALENESS_LIMIT_MS", "never"),
        ("LOGGER_EXTENSION_COLLECTOR_BUDGET_MS", "0"),
        ("LOGGER_EXTENSION_FALLBACK", "relative/path"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "lots"),
        ("OTEL_RESOURCE_ATTRIBUTES", "no pair"),
    ],
)
def test_a_bad_value_is_told_and_its_default_taken(name: str, value: str) -> None:
    """One complaint that names the variable; under STRICT it is an error."""
    config = _config(**{name: value})
    (complaint,) = config.complaints
    assert name in complaint
    assert len(complaint) < 300
    defaults = _config()
    differing = [
        field.name
        for field in fields(Config)
        if field.name != "complaints"
        and getattr(config, field.name) != getattr(defaults, field.name)
    ]
    assert differing == []
    with pytest.raises(ConfigError, match=name):
        _config(**{name: value, "LOGGER_EXTENSION_STRICT": "1"})


@pytest.mark.parametrize(("value", "timeout_ms"), [("500", 500), ("0", 0), (" 250 ", 250)])
def test_the_timeout_is_in_milliseconds(value: str, timeout_ms: int) -> None:
    """And nought is no limit, as the specification says."""
    config = _config(OTEL_EXPORTER_OTLP_TIMEOUT=value)
    assert _target(config, "logs").timeout_ms == timeout_ms


@pytest.mark.parametrize(
    ("text", "attributes"),
    [
        ("a=b", {"a": "b"}),
        ("team=shop,stage=pro%2Cd", {"team": "shop", "stage": "pro,d"}),
        ("a=b=c", {"a": "b=c"}),
        ("a=", {"a": ""}),
    ],
)
def test_resource_attributes_are_pairs(text: str, attributes: dict[str, str]) -> None:
    """Percent-decoded, all of them text."""
    assert _config(OTEL_RESOURCE_ATTRIBUTES=text).resource_attributes == attributes


@pytest.mark.parametrize("text", ["a=b,broken", "a=b,=c", "a=b,c=%ff", "%ff=b,a=b"])
def test_resource_attributes_are_taken_all_or_none(text: str) -> None:
    """Any error discards the whole variable, with a complaint."""
    config = _config(OTEL_RESOURCE_ATTRIBUTES=text)
    assert config.resource_attributes == {}
    assert "OTEL_RESOURCE_ATTRIBUTES" in config.complaints[0]


@pytest.mark.parametrize(
    ("memory", "has_spare_cpu", "queue_max_bytes"),
    [
        ("128", False, 4 * MIB),
        ("1769", False, 1769 * MIB // 32),
        ("1770", True, 1770 * MIB // 32),
        ("10240", True, 64 * MIB),
        ("32", False, 4 * MIB),
    ],
)
def test_memory_decides_of_cpu_and_queue(
    memory: str, *, has_spare_cpu: bool, queue_max_bytes: int
) -> None:
    """One vCPU is reached at 1,769 MB; the queues take a small share of the memory."""
    config = _config(AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory)
    assert config.cpu.has_spare is has_spare_cpu
    assert config.delivery.queue_max_bytes == queue_max_bytes


@pytest.mark.parametrize(
    ("processors", "has_spare_cpu"), [(None, True), (1, False), (2, True), (6, True)]
)
def test_no_more_cpu_is_expected_than_there_are_processors(
    processors: int | None, *, has_spare_cpu: bool
) -> None:
    """A large memory on a single processor has nothing to spare."""
    config = Config.from_env(
        COLLECTOR | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "3538"}, processors=processors
    )
    assert config.cpu.has_spare is has_spare_cpu
    assert config.cpu.vcpus == min(2.0, processors or 2)


@pytest.mark.parametrize(
    ("limit_bytes", "queue_max_bytes"),
    [(None, 32 * MIB), (4096 * MIB, 32 * MIB), (512 * MIB, 16 * MIB), (10 * MIB, 4 * MIB)],
)
def test_a_limit_of_the_process_counts_where_it_is_lower(
    limit_bytes: int | None, queue_max_bytes: int
) -> None:
    """What the function has is not ours then; its size is told as it is all the same."""
    config = Config.from_env(
        COLLECTOR | {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1024"}, memory_limit_bytes=limit_bytes
    )
    assert config.delivery.queue_max_bytes == queue_max_bytes
    assert config.memory_mb == 1024


@pytest.mark.parametrize(
    ("memory", "asked", "queue_max_bytes"),
    [
        ("1024", 64 * MIB, 64 * MIB),
        ("1024", 64 * MIB + 1, 32 * MIB),
        ("128", 8 * MIB, 8 * MIB),
        ("128", 8 * MIB + 1, 4 * MIB),
        ("32", 4 * MIB, 4 * MIB),
        ("128", 64 * 1024, 64 * 1024),
        ("128", 64 * 1024 - 1, 4 * MIB),
    ],
)
def test_a_queue_takes_a_sixteenth_of_the_memory_at_most(
    memory: str, asked: int, queue_max_bytes: int
) -> None:
    """There are several: what is out of range is told, and the default taken."""
    config = _config(
        AWS_LAMBDA_FUNCTION_MEMORY_SIZE=memory, LOGGER_EXTENSION_QUEUE_MAX_BYTES=str(asked)
    )
    assert config.delivery.queue_max_bytes == queue_max_bytes
    told = [text for text in config.complaints if "LOGGER_EXTENSION_QUEUE_MAX_BYTES" in text]
    assert len(told) == (queue_max_bytes != asked)


@pytest.mark.parametrize(
    ("init_type", "policy"),
    [("on-demand", Policy.END), ("lambda-managed-instances", Policy.PERIODIC)],
)
def test_where_no_invoke_comes_an_interval_is_all_there_is(init_type: str, policy: Policy) -> None:
    """Whatever is asked for."""
    config = _config(AWS_LAMBDA_INITIALIZATION_TYPE=init_type, LOGGER_EXTENSION_FLUSH_POLICY="end")
    assert config.delivery.flush.policy is policy


@pytest.mark.parametrize(
    ("value", "init_type"),
    [
        ("on-demand", InitType.ON_DEMAND),
        ("provisioned-concurrency", InitType.PROVISIONED_CONCURRENCY),
        ("snap-start", InitType.SNAP_START),
        ("lambda-managed-instances", InitType.MANAGED_INSTANCES),
        ("of-tomorrow", InitType.UNKNOWN),
    ],
)
def test_init_types(value: str, init_type: InitType) -> None:
    """A type of tomorrow is unknown, not an error."""
    assert _config(AWS_LAMBDA_INITIALIZATION_TYPE=value).init_type is init_type


@pytest.mark.parametrize(
    ("value", "strict"), [("1", True), ("TRUE", True), ("0", False), ("", False), ("no", False)]
)
def test_strict(value: str, *, strict: bool) -> None:
    """For tests only."""
    assert is_strict({"LOGGER_EXTENSION_STRICT": value}) is strict


def test_our_own_variables_win_over_the_sdks() -> None:
    """The function's SDK is pointed to our receiver by the same variables."""
    config = _config(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:4318",
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT="http://localhost:4318/v1/traces",
        LOGGER_EXTENSION_EXPORTER_OTLP_ENDPOINT="http://collector:4318",
        LOGGER_EXTENSION_EXPORTER_OTLP_LOGS_HEADERS="key=value",
    )
    assert config.receiver.is_on
    assert _target(config, "traces").url == "http://collector:4318/v1/traces"
    assert _target(config, "logs").headers == {"key": "value"}


@pytest.mark.parametrize("endpoint", ["http://localhost:4318", "http://127.0.0.1:4317"])
def test_our_receiver_for_the_sdk_is_refused(endpoint: str) -> None:
    """With the receiver on, its ports are ours."""
    with pytest.raises(ConfigError, match="own listener"):
        _config(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint, LOGGER_EXTENSION_OTLP_RECEIVER="on")


def test_a_receiver_that_is_off_is_no_circle() -> None:
    """By default another extension's collector may listen on the usual port."""
    config = _config(OTEL_EXPORTER_OTLP_ENDPOINT="http://localhost:4318")
    assert not config.receiver.is_on
    assert _target(config, "logs").url == "http://localhost:4318/v1/logs"
