/** What `maitred cert` writes, as node:crypto and OpenSSL's own program read it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { certCommand, certUsage } from "./command.ts";

const folder = mkdtempSync(join(tmpdir(), "maitred-cert-"));
after(() => rmSync(folder, { recursive: true }));

function run(...argv: string[]): { code: number; out: string; err: string } {
  let [out, err] = ["", ""];
  const code = certCommand(
    argv,
    (text) => (out += text),
    (text) => (err += text),
  );
  return { code, out, err };
}

test("a certificate is good for the names asked for and the local ones, and its key is private", () => {
  const out = join(folder, "new/folder");
  const done = run("--self-signed", "--host", "shop.test", "--host=*.shop.test", "--host", "fe80::9", "--out", out);
  assert.equal(done.code, 0, done.err);
  const certificate = new X509Certificate(readFileSync(join(out, "cert.pem")));
  for (const host of ["shop.test", "www.shop.test", "localhost"])
    assert.equal(certificate.checkHost(host) !== undefined, true, host);
  for (const ip of ["127.0.0.1", "::1", "fe80::9"]) assert.equal(certificate.checkIP(ip), ip);
  assert.equal(certificate.checkHost("other.test"), undefined);
  assert.equal(certificate.ca, false);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.checkPrivateKey(createPrivateKey(readFileSync(join(out, "key.pem")))));
  const days = (Date.parse(certificate.validTo) - Date.now()) / 86_400_000;
  assert.ok(days > 89.9 && days <= 90, String(days));
  assert.equal(statSync(join(out, "key.pem")).mode & 0o777, 0o600);
});

test("OpenSSL finds nothing wrong with it, strictly", (t) => {
  run("--self-signed", "--out", folder, "--days", "9000");
  const cert = join(folder, "cert.pem");
  const done = spawnSync(
    "openssl",
    ["verify", "-x509_strict", "-verify_hostname", "localhost", "-CAfile", cert, cert],
    {
      encoding: "utf8",
    },
  );
  if (done.error !== undefined) return t.skip("no openssl here");
  assert.equal(done.status, 0, done.stderr);
  assert.match(new X509Certificate(readFileSync(cert)).validTo, /20[5-9]\d/);
});

test("what is there is not overwritten without --force, not even in part", () => {
  const out = join(folder, "kept");
  run("--self-signed", "--out", out);
  rmSync(join(out, "key.pem"));
  writeFileSync(join(out, "cert.pem"), "mine");
  const done = run("--self-signed", "--out", out);
  assert.equal(done.code, 1);
  assert.match(done.err, /cert\.pem exists already: give --force/);
  assert.equal(readFileSync(join(out, "cert.pem"), "utf8"), "mine");
  assert.throws(() => statSync(join(out, "key.pem")), /ENOENT/);
  assert.equal(run("--self-signed", "--out", out, "--force").code, 0);
  assert.match(readFileSync(join(out, "cert.pem"), "utf8"), /BEGIN CERTIFICATE/);
});

test("mistakes are told, all of them, with 2", () => {
  const { code, err, out } = run("--host", "a b", "--days", "0", "here", "--frobnicate");
  assert.deepEqual([code, out], [2, ""]);
  for (const said of [
    "--self-signed",
    "--host a b",
    "--days 0",
    "here is not an option",
    "--frobnicate",
    "cert --help",
  ])
    assert.ok(err.includes(said), said);
  assert.equal(run("--self-signed", "--out", "/dev/null/x").code, 1);
});

test("--help prints the usage", () => assert.deepEqual(run("--help"), { code: 0, out: certUsage, err: "" }));
