# The layer, and what a function needs beside it. A function belongs to whoever declares it, so that
# its variables and its role's policy are outputs; `examples/hello` puts them together.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_region" "current" {}

resource "aws_lambda_layer_version" "this" {
  layer_name               = var.layer_name
  description              = "Telemetry of functions to any OpenTelemetry collector"
  filename                 = var.layer_zip
  source_code_hash         = filebase64sha256(var.layer_zip)
  compatible_runtimes      = local.runtime == null ? null : [local.runtime]
  compatible_architectures = [local.architecture]
  license_info             = "Apache-2.0"
}

locals {
  zip_name     = "^logger-extension-(any|python3\\.[0-9]+)-(x86_64|arm64)[a-z-]*\\.zip$"
  built_for    = regex(local.zip_name, basename(var.layer_zip))
  runtime      = local.built_for[0] == "any" ? null : local.built_for[0]
  architecture = local.built_for[1]

  # `id` is the region's name in every version of the provider; `name` is deprecated since 6.
  region = data.aws_region.current.id
}
