/** What command lines ask of TLS. Mistakes: read-plan.mistakes.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { HostFacts } from "./host-facts.ts";
import type { Plan } from "./plan.ts";
import { readPlan } from "./read-plan.ts";
import { shellWords } from "./shell-words.ts";

const house: HostFacts = {
  cwd: "/srv/site",
  pid: 4711,
  platform: "linux",
  affinityCpus: 4,
  cgroupQuotaCpus: null,
  findPython: () => ({ path: "/usr/bin/python3" }),
  isDirectory: () => true,
  isFile: () => false,
  trouble: () => null,
  textOf: () => null,
};

type Env = Readonly<Record<string, string>>;

function planned(line: string, env: Env): { plan: Plan; notices: readonly string[] } {
  const words = shellWords(line);
  assert.ok(words.type === "value");
  const result = readPlan(words.value, env, house);
  assert.ok(result.type === "plan", result.type === "mistakes" ? result.mistakes.join("\n") : "");
  return result;
}

const tcp = (host: string, port: number): Plan["binds"][number] => ({ type: "tcp", host, port });

/** What `--certfile c.pem --keyfile k.pem` asks for. */
const secured: NonNullable<Plan["tls"]> = {
  certificates: [{ certfile: "/srv/site/c.pem", keyfile: "/srv/site/k.pem" }],
  keyPassword: null,
  leastVersion: "TLSv1.2",
  ciphers: null,
  clientCertificates: "none",
  caFile: null,
  handshakeTimeoutMs: 10_000,
};

type Secured = Pick<Plan, "tls" | "binds" | "redirectHttp" | "redirectPort" | "hsts">;

const plain: Secured = {
  tls: null,
  binds: [tcp("127.0.0.1", 8000)],
  redirectHttp: [],
  redirectPort: null,
  hsts: "",
};

const lines: readonly (readonly [line: string, env: Env, difference: Partial<Secured>])[] = [
  ["--certfile c.pem --keyfile k.pem app:app", {}, { tls: secured }],
  ["--ssl-certfile c.pem --ssl-keyfile k.pem app:app", {}, { tls: secured }],
  ["app:app", { UVICORN_SSL_CERTFILE: "c.pem", UVICORN_SSL_KEYFILE: "k.pem" }, { tls: secured }],
  [
    "--certfile both.pem app:app",
    {},
    { tls: { ...secured, certificates: [{ certfile: "/srv/site/both.pem", keyfile: "/srv/site/both.pem" }] } },
  ],
  [
    "--certfile a.pem --keyfile a.key --certfile /b.pem --keyfile /b.key app:app",
    {},
    {
      tls: {
        ...secured,
        certificates: [
          { certfile: "/srv/site/a.pem", keyfile: "/srv/site/a.key" },
          { certfile: "/b.pem", keyfile: "/b.key" },
        ],
      },
    },
  ],
  [
    "--certfile c.pem --keyfile k.pem --cert-reqs 2 --ca-certs ca.pem --ssl-version TLSv1_3 app:app",
    {},
    { tls: { ...secured, clientCertificates: "required", caFile: "/srv/site/ca.pem", leastVersion: "TLSv1.3" } },
  ],
  [
    "--certfile c.pem --keyfile k.pem --ssl-cert-reqs CERT_OPTIONAL --ssl-ca-certs ca.pem --ssl-version 17 app:app",
    {},
    { tls: { ...secured, clientCertificates: "optional", caFile: "/srv/site/ca.pem" } },
  ],
  [
    "--certfile c.pem --keyfile k.pem --ciphers ECDHE+AESGCM --tls-handshake-timeout 3 --hsts on app:app",
    {},
    { tls: { ...secured, ciphers: "ECDHE+AESGCM", handshakeTimeoutMs: 3000 }, hsts: "max-age=31536000" },
  ],
  [
    "--certfile c.pem --keyfile k.pem --hsts '365d; includesubdomains;preload' -b https://:443 -b http://:81 --redirect-http :80 app:app",
    {},
    {
      tls: secured,
      hsts: "max-age=31536000; includeSubDomains; preload",
      binds: [
        { ...tcp("0.0.0.0", 443), tls: true },
        { ...tcp("0.0.0.0", 81), tls: false },
      ],
      redirectHttp: [tcp("0.0.0.0", 80)],
    },
  ],
  [
    "--certfile c.pem --keyfile k.pem --redirect-http :80 --redirect-port 443 --hsts 60 app:app",
    {},
    { tls: secured, redirectHttp: [tcp("0.0.0.0", 80)], redirectPort: 443, hsts: "max-age=60" },
  ],
];

for (const [line, env, difference] of lines) {
  test(`plans: ${Object.keys(env).join(" ")} maitred ${line}`, () => {
    const { tls, binds, redirectHttp, redirectPort, hsts } = planned(line, env).plan;
    assert.deepEqual({ tls, binds, redirectHttp, redirectPort, hsts }, { ...plain, ...difference });
  });
}

const noticed: readonly (readonly [line: string, env: Env, notice: RegExp | null])[] = [
  ["--hsts on app:app", {}, /^--hsts has no effect without --certfile/],
  ["--ca-certs ca.pem --certfile c.pem app:app", {}, /^--ca-certs ca.pem has no effect without --cert-reqs/],
  ["--certfile c.pem -b http://:80 app:app", {}, /^--certfile c.pem has no effect: every --bind is spelled http/],
  ["--certfile c.pem --redirect-port 443 app:app", {}, /^--redirect-port 443 has no effect without --redirect-http/],
  [
    "--certfile c.pem --ssl-keyfile-password hunter2 app:app",
    {},
    /^--ssl-keyfile-password can be read by every user of this machine \(ps\)/,
  ],
  ["--certfile c.pem app:app", { UVICORN_SSL_KEYFILE_PASSWORD: "hunter2" }, null],
  ["--certfile c.pem --do-handshake-on-connect app:app", {}, /^--do-handshake-on-connect is not needed/],
];

for (const [line, env, notice] of noticed) {
  test(`${notice === null ? "says nothing about" : "notices"}: maitred ${line}`, () => {
    const { notices } = planned(line, env);
    assert.equal(notices.length, notice === null ? 0 : 1, notices.join("\n"));
    if (notice !== null) assert.match(notices[0] ?? "", notice);
  });
}
