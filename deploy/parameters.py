"""The one table of what can be set when the layer is attached to a function.

The CDK construct, the SAM template and the Terraform module each have exactly these parameters; tests
compare all three with this table, so that they cannot drift. Owns names, types, choices and the
variables of the function that they become (docs/configuration.md says what each variable means).
Must not know any of the three tools. Whatever has no row of its own goes by `settings`.
"""

from dataclasses import dataclass
from enum import StrEnum

# Our own names for OTLP's variables: then the function's SDK does not see them.
STANDARD_PREFIX, OWN_PREFIX = "OTEL_EXPORTER_OTLP_", "LOGGER_EXTENSION_EXPORTER_OTLP_"


class Kind(StrEnum):
    """What a value is, and how it is written into its variable."""

    TEXT = "text"
    BOOLEAN = "boolean"
    INTEGER = "integer"
    NUMBER = "number"  # written out in digits, never as 2e-07
    LIST = "list"  # joined by commas
    MAP = "map"  # name=value, joined by commas; values percent-encoded


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter.

    Attributes:
        name: in snake_case as CDK (Python) and Terraform have it; `pascal` is SAM's.
        kind: what a value is.
        variable: what it sets; empty where it sets no variable by itself (`meaning` says what then).
            Unset leaves the variable unset, and the extension's own default stands.
        choices: the only values; empty for any.
        meaning: one sentence for all three tools' documentation.
        required: whether it must be given.
    """

    name: str
    kind: Kind
    variable: str
    meaning: str
    choices: tuple[str, ...] = ()
    required: bool = False

    @property
    def pascal(self) -> str:
        """The name in PascalCase."""
        return "".join(word.capitalize() for word in self.name.split("_"))


PARAMETERS = (
    Parameter(
        name="endpoint",
        kind=Kind.TEXT,
        variable="OTEL_EXPORTER_OTLP_ENDPOINT",
        meaning="The collector, for example http://collector:4318.",
        required=True,
    ),
    Parameter(
        name="logs_endpoint",
        kind=Kind.TEXT,
        variable="OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
        meaning="The whole URL for logs, where they go elsewhere.",
    ),
    Parameter(
        name="traces_endpoint",
        kind=Kind.TEXT,
        variable="OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
        meaning="The whole URL for spans, where they go elsewhere.",
    ),
    Parameter(
        name="metrics_endpoint",
        kind=Kind.TEXT,
        variable="OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
        meaning="The whole URL for metrics, where they go elsewhere.",
    ),
    Parameter(
        name="protocol",
        kind=Kind.TEXT,
        variable="OTEL_EXPORTER_OTLP_PROTOCOL",
        choices=("http/protobuf", "http/json", "grpc"),
        meaning="How the collector is spoken to; grpc needs the layer with the grpc extra.",
    ),
    Parameter(
        name="compression",
        kind=Kind.TEXT,
        variable="OTEL_EXPORTER_OTLP_COMPRESSION",
        choices=("gzip", "none"),
        meaning="How requests are compressed.",
    ),
    Parameter(
        name="headers",
        kind=Kind.MAP,
        variable="OTEL_EXPORTER_OTLP_HEADERS",
        meaning="Headers of each request; a value may hold a reference such as"
        " {{secretsmanager:NAME-OR-ARN:SecretString:KEY}} or {{ssm:NAME-OR-ARN}}.",
    ),
    Parameter(
        name="secret_arns",
        kind=Kind.LIST,
        variable="",
        meaning="Secrets of Secrets Manager that headers or endpoints refer to: the function may"
        " read these and no others.",
    ),
    Parameter(
        name="parameter_arns",
        kind=Kind.LIST,
        variable="",
        meaning="Parameters of Systems Manager that headers or endpoints refer to: the function may"
        " read these and no others.",
    ),
    Parameter(
        name="kms_key_arns",
        kind=Kind.LIST,
        variable="",
        meaning="Keys of your own that those are encrypted with: the function may decrypt with them.",
    ),
    Parameter(
        name="own_sdk",
        kind=Kind.BOOLEAN,
        variable="",
        meaning="Whether the function has an OpenTelemetry SDK of its own that shall send to the"
        " extension: then the OTLP variables above are set under LOGGER_EXTENSION_EXPORTER_OTLP_…,"
        " and the SDK is left at its default, http://localhost:4318.",
    ),
    Parameter(
        name="xray",
        kind=Kind.BOOLEAN,
        variable="",
        meaning="Whether spans go to X-Ray's OTLP endpoint of the function's region, signed with"
        " its role, which is allowed to.",
    ),
    Parameter(
        name="log_group",
        kind=Kind.TEXT,
        variable="",
        meaning="A log group that exists: log records go to CloudWatch's OTLP endpoint of the"
        " function's region, signed with its role, which is allowed to. Needs log_stream.",
    ),
    Parameter(
        name="log_stream",
        kind=Kind.TEXT,
        variable="",
        meaning="A stream of that log group that exists.",
    ),
    Parameter(
        name="service_name",
        kind=Kind.TEXT,
        variable="OTEL_SERVICE_NAME",
        meaning="service.name, where it is not the function's name.",
    ),
    Parameter(
        name="resource_attributes",
        kind=Kind.MAP,
        variable="OTEL_RESOURCE_ATTRIBUTES",
        meaning="Attributes of the resource, for example deployment.environment.name.",
    ),
    Parameter(
        name="flush_policy",
        kind=Kind.TEXT,
        variable="LOGGER_EXTENSION_FLUSH_POLICY",
        meaning="When telemetry goes: auto, end, overlap or periodic,<milliseconds>.",
    ),
    Parameter(
        name="staleness_limit_ms",
        kind=Kind.INTEGER,
        variable="LOGGER_EXTENSION_STALENESS_LIMIT_MS",
        meaning="How old data may get while invocations come, for auto.",
    ),
    Parameter(
        name="collector_budget_ms",
        kind=Kind.INTEGER,
        variable="LOGGER_EXTENSION_COLLECTOR_BUDGET_MS",
        meaning="The most that a collector which does not answer may cost an invocation.",
    ),
    Parameter(
        name="fallback",
        kind=Kind.TEXT,
        variable="LOGGER_EXTENSION_FALLBACK",
        meaning="Where goes what no collector takes: stdout, an absolute path, or none.",
    ),
    Parameter(
        name="log_min_severity",
        kind=Kind.TEXT,
        variable="LOGGER_EXTENSION_LOG_MIN_SEVERITY",
        choices=("any", "trace", "debug", "info", "warn", "error", "fatal"),
        meaning="Lines of a lower level are not sent.",
    ),
    Parameter(
        name="log_sample_ratio",
        kind=Kind.NUMBER,
        variable="LOGGER_EXTENSION_LOG_SAMPLE_RATIO",
        meaning="The share of ordinary invocations whose lines are sent, 0 to 1.",
    ),
    Parameter(
        name="log_redact",
        kind=Kind.LIST,
        variable="LOGGER_EXTENSION_LOG_REDACT",
        meaning="What is replaced before anything leaves: email, card, aws_key, bearer, jwt, secret,"
        " or all.",
    ),
    Parameter(
        name="traces_sampler",
        kind=Kind.TEXT,
        variable="OTEL_TRACES_SAMPLER",
        choices=(
            "always_on",
            "always_off",
            "traceidratio",
            "parentbased_always_on",
            "parentbased_always_off",
            "parentbased_traceidratio",
        ),
        meaning="Which traces are exported.",
    ),
    Parameter(
        name="traces_sampler_arg",
        kind=Kind.NUMBER,
        variable="OTEL_TRACES_SAMPLER_ARG",
        meaning="The share of traces that traceidratio exports, 0 to 1.",
    ),
    Parameter(
        name="metric_export_interval_ms",
        kind=Kind.INTEGER,
        variable="OTEL_METRIC_EXPORT_INTERVAL",
        meaning="The least pause between two exports of metrics.",
    ),
    Parameter(
        name="price_gb_second",
        kind=Kind.NUMBER,
        variable="LOGGER_EXTENSION_PRICE_GB_SECOND",
        meaning="What you pay for a GB-second of duration, in USD, where it is not the list price.",
    ),
    Parameter(
        name="price_provisioned_gb_second",
        kind=Kind.NUMBER,
        variable="LOGGER_EXTENSION_PRICE_PROVISIONED_GB_SECOND",
        meaning="The same for duration with provisioned concurrency.",
    ),
    Parameter(
        name="price_request",
        kind=Kind.NUMBER,
        variable="LOGGER_EXTENSION_PRICE_REQUEST",
        meaning="What you pay for one request, in USD.",
    ),
    Parameter(
        name="price_ephemeral_gb_second",
        kind=Kind.NUMBER,
        variable="LOGGER_EXTENSION_PRICE_EPHEMERAL_GB_SECOND",
        meaning="What you pay for a GB-second of /tmp above 512 MB, in USD.",
    ),
    Parameter(
        name="price_discount",
        kind=Kind.NUMBER,
        variable="LOGGER_EXTENSION_PRICE_DISCOUNT",
        meaning="What a Savings Plan takes off the list price of duration, as a share: 0.12.",
    ),
    Parameter(
        name="feature_attribute",
        kind=Kind.TEXT,
        variable="LOGGER_EXTENSION_FEATURE_ATTRIBUTE",
        meaning="The attribute of the function's own spans that names the feature to bill.",
    ),
    Parameter(
        name="feature_log_field",
        kind=Kind.TEXT,
        variable="LOGGER_EXTENSION_FEATURE_LOG_FIELD",
        meaning="The field of the function's JSON log lines that names the feature to bill.",
    ),
    Parameter(
        name="settings",
        kind=Kind.MAP,
        variable="",
        meaning="Any other variable of docs/configuration.md, by its name.",
    ),
)
