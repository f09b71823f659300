// A runtime for Node with nothing but Node: takes events from the Runtime API and answers them.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-custom.html
"use strict";

const http = require("node:http");

const [host, port] = process.env.AWS_LAMBDA_RUNTIME_API.split(":");
const agent = new http.Agent({ keepAlive: true });

function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const options = { agent, host, port, method, path: `/2018-06-01/runtime/${path}` };
    const request = http.request(options, (response) => {
      const parts = [];
      response.on("data", (part) => parts.push(part));
      response.on("end", () => resolve([response.headers, Buffer.concat(parts).toString()]));
    });
    request.on("error", reject);
    request.end(body);
  });
}

async function serve(handler) {
  for (;;) {
    const [headers, event] = await call("GET", "invocation/next");
    const id = headers["lambda-runtime-aws-request-id"];
    const answer = await handler(JSON.parse(event), { awsRequestId: id });
    await call("POST", `invocation/${id}/response`, JSON.stringify(answer));
  }
}

async function handler(event, context) {
  console.log("hello from node");
  return { request_id: context.awsRequestId };
}

serve(handler);
