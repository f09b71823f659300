// A handler as anyone writes it: it knows nothing of telemetry.
"use strict";

exports.handler = async (event) => {
  const names = event.names ?? [];
  console.log(`greeting ${names.length} people`);
  return { greetings: names.map((name) => `Hello, ${name}!`) };
};
