// What a function with the SDK does in one invocation: a SERVER span with a CLIENT child, a log
// record, a count. Where it all goes is in the standard OTEL_* variables.
"use strict";

const { NodeSDK } = require("@opentelemetry/sdk-node");
const { SpanKind, metrics, trace } = require("@opentelemetry/api");
const { logs } = require("@opentelemetry/api-logs");

const sdk = new NodeSDK();
sdk.start();

function work() {
  const options = { kind: SpanKind.SERVER, attributes: { "http.route": "/cart", "retries": 2 } };
  trace.getTracer("function").startActiveSpan("GET /cart", options, (server) => {
    trace.getTracer("function").startActiveSpan("SELECT", { kind: SpanKind.CLIENT }, (client) => {
      logs.getLogger("function").emit({ body: "hello from node", severityNumber: 9 });
      client.end();
    });
    metrics.getMeter("function").createCounter("carts").add(1);
    server.end();
  });
}

module.exports = { sdk, work };
if (require.main === module) {
  work();
  sdk.shutdown().catch((error) => {
    console.error(error);
    process.exitCode = 1;
  });
}
