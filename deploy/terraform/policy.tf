# The least that the function's role needs. deploy/environment.py says the same, and tests compare
# the two.

locals {
  log_stream_arn = join(":", [
    "arn", data.aws_partition.current.partition, "logs", local.region,
    data.aws_caller_identity.current.account_id,
    "log-group", coalesce(var.log_group, "-"), "log-stream", coalesce(var.log_stream, "-"),
  ])

  permissions = [
    { actions = ["secretsmanager:GetSecretValue"], resources = var.secret_arns },
    { actions = ["ssm:GetParameters"], resources = var.parameter_arns },
    { actions = ["kms:Decrypt"], resources = var.kms_key_arns },
    {
      # None of them can be limited to a resource:
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
      actions   = ["xray:PutSpans", "xray:PutSpansForIndexing", "xray:PutTraceSegments"]
      resources = var.xray ? ["*"] : []
    },
    {
      actions   = ["logs:PutLogEvents"]
      resources = local.has_log_group ? [local.log_stream_arn] : []
    },
  ]

  statements = [
    for each in local.permissions : {
      Effect   = "Allow"
      Action   = each.actions
      Resource = each.resources
    } if length(each.resources) > 0
  ]
}
