# A function with the layer and a URL that only signed requests of the account may call.

terraform {
  required_version = ">= 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.0"
    }
  }
}

variable "layer_zip" {
  description = "The zip that `logger-extension layer build` has made."
  type        = string
}

variable "function_zip" {
  description = "The function's code: a zip with examples/hello/app.py."
  type        = string
}

variable "endpoint" {
  description = "The collector, for example https://collector.example.com:4318."
  type        = string
}

variable "secret_arn" {
  description = "A secret whose field `key` is the collector's API key; null where it wants none."
  type        = string
  default     = null
}

module "telemetry" {
  source = "../.."

  layer_zip   = var.layer_zip
  endpoint    = var.endpoint
  headers     = var.secret_arn == null ? {} : { "x-api-key" = "{{secretsmanager:${var.secret_arn}:SecretString:key}}" }
  secret_arns = compact([var.secret_arn])
}

resource "aws_lambda_function" "hello" {
  function_name    = "hello"
  role             = aws_iam_role.hello.arn
  filename         = var.function_zip
  source_code_hash = filebase64sha256(var.function_zip)
  handler          = "app.handler"
  runtime          = coalesce(module.telemetry.runtime, "python3.12")
  architectures    = [module.telemetry.architecture]
  memory_size      = 512
  timeout          = 10
  layers           = [module.telemetry.layer_arn]

  environment {
    # With variables of its own, which win: merge(module.telemetry.environment, { … }).
    variables = module.telemetry.environment
  }
}

resource "aws_iam_role" "hello" {
  name = "hello"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

data "aws_partition" "current" {}

resource "aws_iam_role_policy_attachment" "basic" {
  role       = aws_iam_role.hello.name
  policy_arn = "arn:${data.aws_partition.current.partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_role_policy" "telemetry" {
  count  = module.telemetry.policy_json == null ? 0 : 1
  name   = "telemetry"
  role   = aws_iam_role.hello.name
  policy = module.telemetry.policy_json
}

resource "aws_lambda_function_url" "hello" {
  function_name      = aws_lambda_function.hello.function_name
  authorization_type = "AWS_IAM"
}

output "url" {
  description = "Takes signed requests of those who may lambda:InvokeFunctionUrl and lambda:InvokeFunction."
  value       = aws_lambda_function_url.hello.function_url
}
