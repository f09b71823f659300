# First what the module itself needs, then the table that CDK and SAM have too (deploy/parameters.toml).

variable "layer_zip" {
  description = "The zip that `logger-extension layer build` has made, with the name that it gave."
  type        = string

  validation {
    condition     = fileexists(var.layer_zip)
    error_message = "There is no such file: make it with `logger-extension layer build`, see --help."
  }

  validation {
    condition     = can(regex(local.zip_name, basename(var.layer_zip)))
    error_message = "Keep the name that `logger-extension layer build` gave: it says for which runtime and architecture the layer is."
  }
}

variable "layer_name" {
  description = "The name of the layer in the account."
  type        = string
  default     = "logger-extension"
}

variable "endpoint" {
  description = "The collector, for example http://collector:4318."
  type        = string
  default     = null

  validation {
    condition     = length(compact([var.endpoint, var.logs_endpoint, var.log_group])) > 0
    error_message = "Logs have no endpoint: set endpoint, or logs_endpoint or log_group."
  }

  validation {
    condition     = var.xray || length(compact([var.endpoint, var.traces_endpoint])) > 0
    error_message = "Traces have no endpoint: set endpoint, or traces_endpoint or xray."
  }

  validation {
    condition     = length(compact([var.endpoint, var.metrics_endpoint])) > 0
    error_message = "Metrics have no endpoint: set endpoint, or metrics_endpoint."
  }

  validation {
    condition     = !strcontains(var.endpoint == null ? "" : var.endpoint, "{{resolve:")
    error_message = "Write a reference without resolve:, as {{secretsmanager:NAME}}; CloudFormation would put the secret itself in its place."
  }
}

variable "logs_endpoint" {
  description = "The whole URL for logs, where they go elsewhere."
  type        = string
  default     = null

  validation {
    condition     = !strcontains(var.logs_endpoint == null ? "" : var.logs_endpoint, "{{resolve:")
    error_message = "Write a reference without resolve:, as {{secretsmanager:NAME}}; CloudFormation would put the secret itself in its place."
  }
}

variable "traces_endpoint" {
  description = "The whole URL for spans, where they go elsewhere."
  type        = string
  default     = null

  validation {
    condition     = !strcontains(var.traces_endpoint == null ? "" : var.traces_endpoint, "{{resolve:")
    error_message = "Write a reference without resolve:, as {{secretsmanager:NAME}}; CloudFormation would put the secret itself in its place."
  }
}

variable "metrics_endpoint" {
  description = "The whole URL for metrics, where they go elsewhere."
  type        = string
  default     = null

  validation {
    condition     = !strcontains(var.metrics_endpoint == null ? "" : var.metrics_endpoint, "{{resolve:")
    error_message = "Write a reference without resolve:, as {{secretsmanager:NAME}}; CloudFormation would put the secret itself in its place."
  }
}

variable "protocol" {
  description = "How the collector is spoken to; grpc needs the layer with the grpc extra."
  type        = string
  default     = null

  validation {
    condition     = contains(["", "http/protobuf", "http/json", "grpc"], var.protocol == null ? "" : var.protocol)
    error_message = "protocol is one of http/protobuf, http/json, grpc."
  }

  validation {
    condition     = var.protocol != "grpc" || strcontains(basename(var.layer_zip), "-grpc")
    error_message = "The layer does not speak grpc: build it with --extra grpc."
  }
}

variable "compression" {
  description = "How requests are compressed."
  type        = string
  default     = null

  validation {
    condition     = contains(["", "gzip", "none"], var.compression == null ? "" : var.compression)
    error_message = "compression is one of gzip, none."
  }
}

variable "headers" {
  description = "Headers of each request; a value may hold a reference such as {{secretsmanager:NAME-OR-ARN:SecretString:KEY}} or {{ssm:NAME-OR-ARN}}."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !strcontains(join("", compact(values(var.headers))), "{{resolve:")
    error_message = "Write a reference without resolve:, as {{secretsmanager:NAME}}; CloudFormation would put the secret itself in its place."
  }
}

variable "secret_arns" {
  description = "Secrets of Secrets Manager that headers or endpoints refer to: the function may read these and no others."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.secret_arns : try(startswith(arn, "arn:"), false)])
    error_message = "secret_arns holds whole ARNs, which begin with arn:"
  }
}

variable "parameter_arns" {
  description = "Parameters of Systems Manager that headers or endpoints refer to: the function may read these and no others."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.parameter_arns : try(startswith(arn, "arn:"), false)])
    error_message = "parameter_arns holds whole ARNs, which begin with arn:"
  }
}

variable "kms_key_arns" {
  description = "Keys of your own that those are encrypted with: the function may decrypt with them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.kms_key_arns : try(startswith(arn, "arn:"), false)])
    error_message = "kms_key_arns holds whole ARNs, which begin with arn:"
  }
}

variable "own_sdk" {
  description = "Whether the function has an OpenTelemetry SDK of its own that shall send to the extension: then the OTLP variables above are set under LOGGER_EXTENSION_EXPORTER_OTLP_…, and the SDK is left at its default, http://localhost:4318."
  type        = bool
  default     = false
  nullable    = false
}

variable "xray" {
  description = "Whether spans go to X-Ray's OTLP endpoint of the function's region, signed with its role, which is allowed to."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !(var.xray && length(compact([var.traces_endpoint])) > 0)
    error_message = "traces_endpoint and xray exclude each other: set one of them."
  }
}

variable "log_group" {
  description = "A log group that exists: log records go to CloudWatch's OTLP endpoint of the function's region, signed with its role, which is allowed to. Needs log_stream."
  type        = string
  default     = null

  validation {
    condition     = length(compact([var.log_group, var.logs_endpoint])) < 2
    error_message = "logs_endpoint and log_group exclude each other: set one of them."
  }

  validation {
    condition     = length(compact([var.log_group, var.log_stream])) != 1
    error_message = "Set log_group and log_stream together, or none of them."
  }
}

variable "log_stream" {
  description = "A stream of that log group that exists."
  type        = string
  default     = null
}

variable "service_name" {
  description = "service.name, where it is not the function's name."
  type        = string
  default     = null
}

variable "resource_attributes" {
  description = "Attributes of the resource, for example deployment.environment.name."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !strcontains(join("", compact(values(var.resource_attributes))), "{{resolve:")
    error_message = "Write a reference without resolve:, as {{secretsmanager:NAME}}; CloudFormation would put the secret itself in its place."
  }
}

variable "flush_policy" {
  description = "When telemetry goes: auto, end, overlap or periodic,<milliseconds>."
  type        = string
  default     = null
}

variable "staleness_limit_ms" {
  description = "How old data may get while invocations come, for auto."
  type        = number
  default     = null

  validation {
    condition     = var.staleness_limit_ms == null ? true : floor(var.staleness_limit_ms) == var.staleness_limit_ms
    error_message = "staleness_limit_ms is a whole number."
  }
}

variable "collector_budget_ms" {
  description = "The most that a collector which does not answer may cost an invocation."
  type        = number
  default     = null

  validation {
    condition     = var.collector_budget_ms == null ? true : floor(var.collector_budget_ms) == var.collector_budget_ms
    error_message = "collector_budget_ms is a whole number."
  }
}

variable "fallback" {
  description = "Where goes what no collector takes: stdout, an absolute path, or none."
  type        = string
  default     = null
}

variable "log_min_severity" {
  description = "Lines of a lower level are not sent."
  type        = string
  default     = null

  validation {
    condition     = contains(["", "any", "trace", "debug", "info", "warn", "error", "fatal"], var.log_min_severity == null ? "" : var.log_min_severity)
    error_message = "log_min_severity is one of any, trace, debug, info, warn, error, fatal."
  }
}

variable "log_sample_ratio" {
  description = "The share of ordinary invocations whose lines are sent, 0 to 1."
  type        = number
  default     = null
}

variable "log_redact" {
  description = "What is replaced before anything leaves: email, card, aws_key, bearer, jwt, secret, or all."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "traces_sampler" {
  description = "Which traces are exported."
  type        = string
  default     = null

  validation {
    condition     = contains(["", "always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio"], var.traces_sampler == null ? "" : var.traces_sampler)
    error_message = "traces_sampler is one of always_on, always_off, traceidratio, parentbased_always_on, parentbased_always_off, parentbased_traceidratio."
  }
}

variable "traces_sampler_arg" {
  description = "The share of traces that traceidratio exports, 0 to 1."
  type        = number
  default     = null
}

variable "metric_export_interval_ms" {
  description = "The least pause between two exports of metrics."
  type        = number
  default     = null

  validation {
    condition     = var.metric_export_interval_ms == null ? true : floor(var.metric_export_interval_ms) == var.metric_export_interval_ms
    error_message = "metric_export_interval_ms is a whole number."
  }
}

variable "price_gb_second" {
  description = "What you pay for a GB-second of duration, in USD, where it is not the list price."
  type        = number
  default     = null
}

variable "price_provisioned_gb_second" {
  description = "The same for duration with provisioned concurrency."
  type        = number
  default     = null
}

variable "price_request" {
  description = "What you pay for one request, in USD."
  type        = number
  default     = null
}

variable "price_ephemeral_gb_second" {
  description = "What you pay for a GB-second of /tmp above 512 MB, in USD."
  type        = number
  default     = null
}

variable "price_discount" {
  description = "What a Savings Plan takes off the list price of duration, as a share: 0.12."
  type        = number
  default     = null
}

variable "feature_attribute" {
  description = "The attribute of the function's own spans that names the feature to bill."
  type        = string
  default     = null
}

variable "feature_log_field" {
  description = "The field of the function's JSON log lines that names the feature to bill."
  type        = string
  default     = null
}

variable "settings" {
  description = "Any other variable of docs/configuration.md, by its name."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = !strcontains(join("", compact(values(var.settings))), "{{resolve:")
    error_message = "Write a reference without resolve:, as {{secretsmanager:NAME}}; CloudFormation would put the secret itself in its place."
  }

  validation {
    condition     = alltrue([for name in keys(var.settings) : !contains(keys(local.parameters), replace(name, "/^LOGGER_EXTENSION_EXPORTER_OTLP_/", "OTEL_EXPORTER_OTLP_"))])
    error_message = "settings is for variables that have no parameter of their own here: use the parameter."
  }

  validation {
    condition     = alltrue([for name in keys(var.settings) : !contains(keys(merge(local.xray, local.cloudwatch)), replace(name, "/^LOGGER_EXTENSION_EXPORTER_OTLP_/", "OTEL_EXPORTER_OTLP_"))])
    error_message = "settings holds what xray or log_group sets."
  }
}
