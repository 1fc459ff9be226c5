/** Certificates that change while the server runs, and those that cannot be served at all. */
import assert from "node:assert/strict";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

import { authority, identity, type Identity, serverIdentity, writeIdentity } from "../support/certificates.ts";
import { type Maitred, runMaitred, startMaitred } from "../support/maitred.ts";
import { temporaryFolder, testApps } from "../support/places.ts";
import { SecureClient, secureGet } from "../support/secure-client.ts";

const APP = ["-w", "1", "-b", "127.0.0.1:0", "--chdir", testApps, "wsgi_app:application"];

/** A certificate for localhost that can be told from others. */
const marked = (mark: string, asked: Parameters<typeof serverIdentity>[1] = {}): Identity =>
  serverIdentity("localhost", { hosts: ["localhost", `${mark}.test`], ...asked });

async function served(server: Maitred, mark: string): Promise<void> {
  assert.equal((await secureGet(server.port, "/")).names, `DNS:localhost, DNS:${mark}.test`);
}

const RELOADED = (mark: string): RegExp =>
  new RegExp(`TLS certificates reloaded \\(their files changed\\): localhost, ${mark}\\.test until \\d{4}-`);

test("a changed certificate is served to new connections; open ones and sessions stay", async () => {
  const folder = temporaryFolder();
  const server = await startMaitred([...writeIdentity(folder, marked("one")), ...APP]);
  await served(server, "one");
  const open = await SecureClient.open(server.port);
  await open.get("/");
  const { session } = open;

  writeIdentity(folder, marked("two"));
  await server.waitForLine(RELOADED("two"));
  await served(server, "two");
  assert.equal((await open.get("/scheme")).body, "https");
  const resumed = await SecureClient.open(server.port, { session: session! });
  assert.equal(resumed.socket.isSessionReused(), true, "tickets of before are good");
  resumed.close();
  open.close();

  // As certbot and most others do it: new files take the old ones' names.
  const next = temporaryFolder();
  writeIdentity(next, marked("three"));
  for (const name of ["server.key", "server.pem"]) renameSync(join(next, name), join(folder, name));
  await server.waitForLine(RELOADED("three"));
  await served(server, "three");
  await server.stop();
});

test("a folder behind a symbolic link that is turned is noticed, as Kubernetes turns it", async () => {
  const folder = temporaryFolder();
  for (const mark of ["one", "two"]) {
    mkdirSync(join(folder, `..${mark}`));
    writeIdentity(join(folder, `..${mark}`), marked(mark));
  }
  symlinkSync("..one", join(folder, "..data"));
  for (const name of ["server.pem", "server.key"]) symlinkSync(`..data/${name}`, join(folder, name));
  const flags = ["--certfile", join(folder, "server.pem"), "--keyfile", join(folder, "server.key")];
  const server = await startMaitred([...flags, ...APP]);
  await served(server, "one");
  symlinkSync("..two", join(folder, "..data_tmp"));
  renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
  await server.waitForLine(RELOADED("two"));
  await served(server, "two");
  rmSync(join(folder, "..one"), { recursive: true });
  await server.stop();
});

test("a wrong pair leaves the old one in place and says why, until it is mended", async () => {
  const folder = temporaryFolder();
  const server = await startMaitred([...writeIdentity(folder, marked("one")), ...APP]);
  const stays = (why: string): RegExp => new RegExp(`TLS certificates not reloaded, the old ones stay: .*${why}`);
  const two = marked("two");

  writeFileSync(join(folder, "server.pem"), two.cert);
  await server.waitForLine(stays("server\\.key does not belong to the certificate in .*server\\.pem \\(localhost\\)"));
  await served(server, "one");

  writeIdentity(folder, marked("late", { startsInDays: -30, endsInDays: -1 }));
  await server.waitForLine(stays("server\\.pem \\(localhost\\) expired on"));
  await served(server, "one");

  rmSync(join(folder, "server.key"));
  await server.waitForLine(stays("server\\.key does not exist"));
  await served(server, "one");

  writeIdentity(folder, two);
  await server.waitForLine(RELOADED("two"));
  await served(server, "two");
  await server.stop();
});

test("a reload with a wrong pair changes nothing; one that has expired since is no reason to refuse it", async () => {
  const folder = temporaryFolder();
  const server = await startMaitred([...writeIdentity(folder, marked("one")), ...APP]);
  writeIdentity(folder, marked("late", { startsInDays: -30, endsInDays: -1 }));
  await server.waitForLine(/certificates not reloaded, the old ones stay: .*expired/);
  server.signal("SIGHUP");
  await server.waitForLine(/Worker 2 .* is ready/);
  writeFileSync(join(folder, "server.key"), "");
  server.signal("SIGHUP");
  await server.waitForLine(
    /server\.key is empty[^]*Reload failed: the configuration has 1 mistake, nothing has changed/,
  );
  await served(server, "one");
  await server.stop();
});

test("SIGHUP reads the certificates too, and unchanged ones are no news", async () => {
  const folder = temporaryFolder();
  const server = await startMaitred([...writeIdentity(folder, marked("one")), ...APP]);
  server.signal("SIGHUP");
  await server.waitForLine(/Worker 2 .* is ready/);
  assert.doesNotMatch(server.stderr(), /certificates/);
  await server.stop();
});

test("clients whose authority is no longer believed cannot resume their sessions", async () => {
  const folder = temporaryFolder();
  const caFile = join(folder, "ca.pem");
  writeFileSync(caFile, authority.cert);
  const client = identity("client", { by: authority });
  const own = { cert: client.cert, key: client.key };
  const server = await startMaitred([
    ...writeIdentity(folder, marked("one")),
    "--cert-reqs",
    "2",
    "--ca-certs",
    caFile,
    ...APP,
  ]);
  const { client: before } = await secureGet(server.port, "/", own);
  writeFileSync(caFile, identity("another authority", { isAuthority: true }).cert);
  await server.waitForLine(/TLS certificates reloaded/);
  await assert.rejects(secureGet(server.port, "/", { ...own, session: before.session! }));
  await server.waitForLine(/failed: the client's certificate is not believed/);
  await server.stop();
});

test("a certificate that expires soon is warned of at the start", async () => {
  const folder = temporaryFolder();
  const server = await startMaitred([...writeIdentity(folder, marked("one", { endsInDays: 3.5 })), ...APP]);
  await server.waitForLine(/The certificate in .*server\.pem expires in 3 days \(\d{4}-\d\d-\d\d\): renew it/);
  await server.stop();
});

const good = marked("good");
const encrypted = (key: Identity): string =>
  String(key.privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "right" }));

const mistakes: readonly {
  readonly name: string;
  readonly cert: string | Buffer | null;
  readonly key: string | Buffer | null;
  readonly more?: readonly string[];
  readonly says: RegExp;
}[] = [
  { name: "no certificate file", cert: null, key: good.key, says: /\/server\.pem does not exist/ },
  { name: "no key file", cert: good.cert, key: null, says: /\/server\.key does not exist/ },
  { name: "an empty certificate file", cert: "", key: good.key, says: /\/server\.pem is empty/ },
  { name: "text in the key file", cert: good.cert, key: "hello\n", says: /\/server\.key holds no private key/ },
  { name: "exchanged files", cert: good.key, key: good.cert, says: /are --certfile and --keyfile exchanged\?/ },
  {
    name: "a key of another certificate",
    cert: good.cert,
    key: marked("other").key,
    says: /the key in \S+server\.key does not belong to the certificate in \S+server\.pem \(localhost\)/,
  },
  {
    name: "a chain in the wrong order",
    cert: authority.cert + good.cert,
    key: good.key,
    says: /\/server\.pem has its certificates in the wrong order: .* number 2, which must be first/,
  },
  {
    name: "DER",
    cert: Buffer.from(good.cert.replace(/-----.*-----/g, ""), "base64"),
    key: good.key,
    says: /\/server\.pem is not PEM \(it looks like DER\): openssl x509 -inform der/,
  },
  {
    name: "a damaged certificate",
    cert: good.cert.replace(/\n[^\n]{10}/, "\nAAAAAAAAAA"),
    key: good.key,
    says: /certificate 1 in \S+server\.pem is damaged/,
  },
  {
    name: "a key with a password",
    cert: good.cert,
    key: encrypted(good),
    says: /has a password: give it as UVICORN_SSL/,
  },
  {
    name: "a key with another password",
    cert: good.cert,
    key: encrypted(good),
    more: ["--ssl-keyfile-password", "wrong"],
    says: /\/server\.key cannot be decrypted: the password is wrong/,
  },
  {
    name: "authorities that are none",
    cert: good.cert,
    key: good.key,
    more: ["--cert-reqs", "2", "--ca-certs", "/dev/null"],
    says: /\/dev\/null is empty/,
  },
  {
    name: "ciphers that nobody knows",
    cert: good.cert,
    key: good.key,
    more: ["--ciphers", "ROT13"],
    says: /--ciphers ROT13: no cipher match/,
  },
];

for (const { name, cert, key, more = [], says } of mistakes) {
  test(`${name} ends the start with 2 and one sentence`, async () => {
    const folder = temporaryFolder();
    const files = [join(folder, "server.pem"), join(folder, "server.key")] as const;
    if (cert !== null) writeFileSync(files[0], cert);
    if (key !== null) writeFileSync(files[1], key);
    await refused(["--certfile", files[0], "--keyfile", files[1], ...more], says);
  });
}

test("a certificate out of its time ends the start with 2", async () => {
  const folder = temporaryFolder();
  const expired = marked("old", { startsInDays: -9, endsInDays: -2 });
  await refused(writeIdentity(folder, expired), /\/server\.pem \(localhost\) expired on [A-Z][a-z]{2} .* GMT$/m);
  const early = marked("new", { startsInDays: 2 });
  await refused(writeIdentity(folder, early), /is not valid before .* GMT: is this machine's clock right\?$/m);
});

test("a chain, a key with its password, and both in one file are served", async () => {
  const folder = temporaryFolder();
  const both = join(folder, "both.pem");
  writeFileSync(both, encrypted(good) + good.cert + authority.cert);
  const server = await startMaitred(["--certfile", both, ...APP], { env: { UVICORN_SSL_KEYFILE_PASSWORD: "right" } });
  await served(server, "good");
  await server.stop();
});

test(
  "an unreadable key ends the start with 2",
  { skip: process.getuid?.() === 0 && "root reads everything" },
  async () => {
    const folder = temporaryFolder();
    const flags = writeIdentity(folder, good);
    chmodSync(join(folder, "server.key"), 0o000);
    await refused(flags, /\/server\.key may not be read by this user/);
  },
);

test("maitred cert makes what maitred serves and clients believe", async () => {
  const folder = join(temporaryFolder(), "tls");
  const made = await runMaitred(["cert", "--self-signed", "--host", "shop.test", "--out", folder]);
  assert.equal(made.code, 0, made.stderr);
  assert.match(made.stdout, /good for shop\.test, localhost, 127\.0\.0\.1, ::1, for 90 days/);
  const flags = ["--certfile", join(folder, "cert.pem"), "--keyfile", join(folder, "key.pem")];
  const server = await startMaitred([...flags, ...APP]);
  const ca = readFileSync(join(folder, "cert.pem"), "utf8");
  for (const servername of ["shop.test", "localhost"])
    assert.equal((await secureGet(server.port, "/", { ca, servername })).body, "hello");
  await server.stop();
});

// Private

async function refused(flags: readonly string[], says: RegExp): Promise<void> {
  const finished = await runMaitred([...flags, ...APP]);
  assert.equal(finished.code, 2, finished.stderr);
  assert.match(finished.stderr, says);
  assert.match(finished.stderr, /^maitred: error: .*\nsee maitred --help\n$/, "one sentence");
}
