/** How much of something is too much. */
import { single, type Section, type Setting } from "../setting.ts";
import { bytes, value, wholeNumber, wrong, type ValueType } from "../value-types.ts";

const oneMebibyte = 1_048_576;

const headerMapChoice: ValueType<"drop" | "refuse"> = (text) => {
  const word = text.toLowerCase();
  if (word === "dangerous")
    return wrong("lets a client forge another header (X_Forwarded_For) and is not supported: give drop or refuse");
  return word === "drop" || word === "refuse" ? value(word) : wrong("is not one of drop, refuse");
};

/** gunicorn: 0 means its own ceiling of 32768. */
const fieldCount: ValueType<number> = (text) => {
  const count = wholeNumber(0, 32_768)(text);
  return count.type === "value" && count.value === 0 ? value(32_768) : count;
};

export const queueSize: Setting<number> = single({
  key: "queue-size",
  flags: ["--queue-size"],
  metavar: "N",
  type: wholeNumber(0, 10_000_000),
  fallback: 1000,
  help: "Requests that may wait for a worker; one more gets 503",
  doc: "All workers take from one queue. A request leaves it when its client goes away, or after `--queue-timeout`.",
});

export const limitRequestLine: Setting<number> = single({
  key: "limit-request-line",
  flags: ["--limit-request-line"],
  metavar: "BYTES",
  type: bytes(oneMebibyte),
  fallback: 4094,
  help: "Longest request line (method, target and version); 0 is the most maitred can read",
  doc: "Longer ones get 414.",
});

export const limitRequestFields: Setting<number> = single({
  key: "limit-request-fields",
  flags: ["--limit-request-fields"],
  metavar: "N",
  type: fieldCount,
  fallback: 100,
  help: "Most header fields in a request",
  doc: "More get 431. 0 stands for 32768, the most there can be.",
});

export const limitRequestFieldSize: Setting<number> = single({
  key: "limit-request-field_size",
  // gunicorn's flag really has the underscore; the dash is what everyone types first.
  flags: ["--limit-request-field_size", "--limit-request-field-size"],
  metavar: "BYTES",
  type: bytes(oneMebibyte),
  fallback: 8190,
  help: "Longest header field; 0 is the most maitred can read",
  doc: "Longer ones get 431.",
});

export const headerMap: Setting<"drop" | "refuse"> = single<"drop" | "refuse">({
  key: "header-map",
  flags: ["--header-map"],
  metavar: "MODE",
  type: headerMapChoice,
  fallback: "drop",
  help: "Header names with an underscore: drop the field, or refuse the request with 400",
  doc: `In a WSGI environ \`X_Real_IP\` and \`X-Real-IP\` are the same variable, so a client could forge what a proxy sets. gunicorn's
\`dangerous\` is not supported.`,
});

export const limitRequestBody: Setting<number> = single({
  key: "limit-request-body",
  flags: ["--limit-request-body"],
  metavar: "BYTES",
  type: bytes(Number.MAX_SAFE_INTEGER),
  fallback: 1_073_741_824,
  fallbackText: "1g",
  help: "Largest request body; 0 is no limit",
  doc: `A larger one gets 413: before it is read where Content-Length tells, else as soon as it goes over. The default is Apache's; gunicorn
and uvicorn have no limit, nginx has 1 MiB.`,
});

export const minBodyRate: Setting<number> = single({
  key: "min-body-rate",
  flags: ["--min-body-rate"],
  metavar: "BYTES",
  type: bytes(1_073_741_824),
  fallback: 240,
  help: "Slowest request body, in bytes a second; 0 is no limit",
  doc: "Measured over each period of `--body-timeout`. A slower client gets 408.",
});

export const limitConnections: Setting<number> = single({
  key: "limit-connections",
  flags: ["--limit-connections"],
  metavar: "N",
  type: wholeNumber(0),
  fallback: 0,
  fallbackText: "0",
  help: "Most client connections; 0 is as many as the limit of open files allows",
  doc: `When one more comes, the connection that has been idle longest is closed for it. Where none is idle the new one gets 503 and is
closed. Connections are not workers: an idle one costs a few kilobytes.`,
});

export const limitConnectionsPerClient: Setting<number> = single({
  key: "limit-connections-per-client",
  flags: ["--limit-connections-per-client"],
  metavar: "N",
  type: wholeNumber(0),
  fallback: 0,
  fallbackText: "0",
  help: "Most connections from one client address; 0 is no limit",
  doc: `One more gets 503 and is closed. An IPv6 client is its /64, since who has one of its addresses has all of them. Behind a
proxy that does not speak the PROXY protocol all connections come from the proxy: leave it at 0 there.`,
});

export const limitConnectionRequests: Setting<number> = single({
  key: "limit-requests-per-connection",
  flags: ["--limit-requests-per-connection"],
  metavar: "N",
  type: wholeNumber(0),
  fallback: 0,
  fallbackText: "0",
  help: "Requests on one connection before it is closed; 0 is no limit",
  doc: "The last response says `Connection: close`. nginx calls it `keepalive_requests`.",
});

export const limitConcurrency: Setting<number> = single({
  key: "limit-concurrency",
  flags: ["--limit-concurrency"],
  env: ["UVICORN_LIMIT_CONCURRENCY"],
  metavar: "N",
  type: wholeNumber(0),
  fallback: 0,
  fallbackText: "0",
  help: "Most requests waiting or at work; one more gets 503. 0 is no limit",
  doc: `For all workers together. uvicorn counts for each process, and idle connections too; see \`--limit-connections\` for those.`,
});

export const limitsSection: Section = {
  title: "Limits",
  settings: [
    queueSize,
    limitConcurrency,
    limitConnections,
    limitConnectionsPerClient,
    limitConnectionRequests,
    limitRequestLine,
    limitRequestFields,
    limitRequestFieldSize,
    limitRequestBody,
    minBodyRate,
    headerMap,
  ],
};
