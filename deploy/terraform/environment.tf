# What the parameters become. deploy/environment.py says the same, and tests compare the two.

locals {
  # One variable for each parameter that has one; null and empty leave it unset.
  parameters = {
    OTEL_EXPORTER_OTLP_ENDPOINT                  = var.endpoint
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT             = var.logs_endpoint
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT           = var.traces_endpoint
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT          = var.metrics_endpoint
    OTEL_EXPORTER_OTLP_PROTOCOL                  = var.protocol
    OTEL_EXPORTER_OTLP_COMPRESSION               = var.compression
    OTEL_EXPORTER_OTLP_HEADERS                   = local.texts["headers"]
    OTEL_SERVICE_NAME                            = var.service_name
    OTEL_RESOURCE_ATTRIBUTES                     = local.texts["resource_attributes"]
    LOGGER_EXTENSION_FLUSH_POLICY                = var.flush_policy
    LOGGER_EXTENSION_STALENESS_LIMIT_MS          = var.staleness_limit_ms
    LOGGER_EXTENSION_COLLECTOR_BUDGET_MS         = var.collector_budget_ms
    LOGGER_EXTENSION_FALLBACK                    = var.fallback
    LOGGER_EXTENSION_LOG_MIN_SEVERITY            = var.log_min_severity
    LOGGER_EXTENSION_LOG_SAMPLE_RATIO            = var.log_sample_ratio
    LOGGER_EXTENSION_LOG_REDACT                  = join(",", var.log_redact)
    OTEL_TRACES_SAMPLER                          = var.traces_sampler
    OTEL_TRACES_SAMPLER_ARG                      = var.traces_sampler_arg
    OTEL_METRIC_EXPORT_INTERVAL                  = var.metric_export_interval_ms
    LOGGER_EXTENSION_PRICE_GB_SECOND             = var.price_gb_second
    LOGGER_EXTENSION_PRICE_PROVISIONED_GB_SECOND = var.price_provisioned_gb_second
    LOGGER_EXTENSION_PRICE_REQUEST               = var.price_request
    LOGGER_EXTENSION_PRICE_EPHEMERAL_GB_SECOND   = var.price_ephemeral_gb_second
    LOGGER_EXTENSION_PRICE_DISCOUNT              = var.price_discount
    LOGGER_EXTENSION_FEATURE_ATTRIBUTE           = var.feature_attribute
    LOGGER_EXTENSION_FEATURE_LOG_FIELD           = var.feature_log_field
  }

  given = {
    for name, value in local.parameters : name => tostring(value) if value != null && value != ""
  }

  # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch-OTLPEndpoint.html
  xray = !var.xray ? {} : merge(
    { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT = "https://xray.${local.region}.${data.aws_partition.current.dns_suffix}/v1/traces" },
    # A signal's own headers replace the general ones, which are the collector's. This one is sent anyway.
    length(var.headers) == 0 ? {} : { OTEL_EXPORTER_OTLP_TRACES_HEADERS = "accept=*/*" },
    # AWS's endpoints do not speak gRPC.
    var.protocol == "grpc" ? { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL = "http/protobuf" } : {},
  )

  has_log_group = length(compact([var.log_group])) > 0

  cloudwatch = !local.has_log_group ? {} : merge(
    {
      OTEL_EXPORTER_OTLP_LOGS_ENDPOINT = "https://logs.${local.region}.${data.aws_partition.current.dns_suffix}/v1/logs"
      OTEL_EXPORTER_OTLP_LOGS_HEADERS  = local.texts["log_headers"]
    },
    var.protocol == "grpc" ? { OTEL_EXPORTER_OTLP_LOGS_PROTOCOL = "http/protobuf" } : {},
  )

  variables = {
    for name, value in merge(local.given, local.xray, local.cloudwatch) :
    var.own_sdk ? replace(name, "/^OTEL_EXPORTER_OTLP_/", "LOGGER_EXTENSION_EXPORTER_OTLP_") : name => value
  }
}

# Maps as text: name=value, joined by commas.
locals {
  maps = {
    headers             = var.headers
    resource_attributes = var.resource_attributes
    log_headers = {
      "x-aws-log-group"  = var.log_group == null ? "" : var.log_group
      "x-aws-log-stream" = var.log_stream == null ? "" : var.log_stream
    }
  }

  # What W3C Baggage does not allow in a value, and =, which OpenTelemetry wants encoded as well.
  escapes = {
    "%" = "%25", "," = "%2C", ";" = "%3B", "=" = "%3D", "\"" = "%22", "\\" = "%5C", " " = "%20"
  }

  # A reference to a secret, inside which nothing is encoded, or one character.
  piece = "\\{\\{(?:secretsmanager|ssm|ssm-secure):[^{}]*\\}\\}|[\\s\\S]"

  texts = {
    for name, pairs in local.maps : name => join(",", [
      for key, value in pairs : join("=", [
        for text in [key, value] : join("", [
          for piece in regexall(local.piece, text) : lookup(local.escapes, piece, piece)
        ])
      ]) if value != null
    ])
  }
}
