output "layer_arn" {
  description = "The layer's version, for the function's `layers`."
  value       = aws_lambda_layer_version.this.arn
}

output "runtime" {
  description = "The only runtime that the layer fits; null for a layer with its own interpreter, which fits all."
  value       = local.runtime
}

output "architecture" {
  description = "The architecture that the layer is for."
  value       = local.architecture
}

output "environment" {
  description = "Variables to merge into the function's: merge(module.telemetry.environment, {…})."
  value       = merge(local.variables, { for name, value in var.settings : name => value if value != null })
}

output "policy_json" {
  description = "The policy that the function's role needs; null when it needs none."
  value       = length(local.statements) == 0 ? null : jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
