// A runtime for Node in a few lines: takes events from the Runtime API, works, flushes, answers.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"use strict";

const { work } = require(process.env.FUNCTION_JS);
const { trace, metrics } = require("@opentelemetry/api");
const { logs } = require("@opentelemetry/api-logs");

const api = `http://${process.env.AWS_LAMBDA_RUNTIME_API}/2018-06-01/runtime/invocation`;

// The API's providers are proxies; the SDK's, behind them, can flush.
async function flush() {
  const providers = [
    trace.getTracerProvider(),
    logs.getLoggerProvider(),
    metrics.getMeterProvider(),
  ];
  for (const provider of providers) {
    const real = provider.getDelegate ? provider.getDelegate() : provider;
    if (real.forceFlush) {
      await real.forceFlush();
    }
  }
}

async function serve() {
  for (;;) {
    const next = await fetch(`${api}/next`);
    await next.text();
    work();
    await flush();
    const id = next.headers.get("lambda-runtime-aws-request-id");
    await (await fetch(`${api}/${id}/response`, { method: "POST", body: "{}" })).text();
  }
}

serve();
