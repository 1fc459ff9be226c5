/** An X.509 v3 certificate with an ECDSA signature (RFC 5280, RFC 5758), as far as development and tests need one. Pure: the key signs elsewhere. */
import {
  bits,
  boolean,
  explicit,
  implicit,
  namedBits,
  objectIdentifier,
  octets,
  positiveInteger,
  sequence,
  setOf,
  time,
  utf8,
} from "./der.ts";
import { ipBytes } from "./ip-bytes.ts";

export interface Certificate {
  /** Common names; the same where a certificate signs itself. */
  readonly issuer: string;
  readonly subject: string;
  /** Host names (wildcards too) and IP addresses. */
  readonly hosts: readonly string[];
  readonly serial: Buffer;
  /** ISO 8601, UTC. */
  readonly notBefore: string;
  readonly notAfter: string;
  /** DER of the subject's SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** May sign other certificates. */
  readonly isAuthority: boolean;
}

const ECDSA_WITH_SHA256 = sequence(objectIdentifier("1.2.840.10045.4.3.2"));
const VERSION_3 = explicit(0, positiveInteger(Buffer.of(2)));

const BASIC_CONSTRAINTS = "2.5.29.19";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const SERVER_AUTHENTICATION = "1.3.6.1.5.5.7.3.1";
const CLIENT_AUTHENTICATION = "1.3.6.1.5.5.7.3.2";
const COMMON_NAME = "2.5.4.3";

const DIGITAL_SIGNATURE = 0;
const CERTIFICATE_SIGNING = 5;

/** DER of the certificate. `sign` gives the DER of an ECDSA signature over SHA-256, with the issuer's P-256 key. */
export function certificate(asked: Certificate, sign: (bytes: Buffer) => Buffer): Buffer {
  const { isAuthority, hosts } = asked;
  const extensions = [
    extension(BASIC_CONSTRAINTS, true, sequence(...(isAuthority ? [boolean(true)] : []))),
    extension(KEY_USAGE, true, namedBits(DIGITAL_SIGNATURE, ...(isAuthority ? [CERTIFICATE_SIGNING] : []))),
    ...(isAuthority
      ? []
      : [
          extension(
            EXTENDED_KEY_USAGE,
            false,
            sequence(objectIdentifier(SERVER_AUTHENTICATION), objectIdentifier(CLIENT_AUTHENTICATION)),
          ),
        ]),
    ...(hosts.length === 0 ? [] : [extension(SUBJECT_ALTERNATIVE_NAME, false, sequence(...hosts.map(generalName)))]),
  ];
  const toBeSigned = sequence(
    VERSION_3,
    positiveInteger(asked.serial),
    ECDSA_WITH_SHA256,
    name(asked.issuer),
    sequence(time(asked.notBefore), time(asked.notAfter)),
    name(asked.subject),
    asked.publicKey,
    explicit(3, sequence(...extensions)),
  );
  return sequence(toBeSigned, ECDSA_WITH_SHA256, bits(sign(toBeSigned)));
}

/** RFC 7468: 64 characters a line. */
export function pem(label: string, der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ""].join("\n");
}

// Private

function name(commonName: string): Buffer {
  return sequence(setOf(sequence(objectIdentifier(COMMON_NAME), utf8(commonName))));
}

function extension(id: string, isCritical: boolean, content: Buffer): Buffer {
  return sequence(objectIdentifier(id), ...(isCritical ? [boolean(true)] : []), octets(content));
}

/** RFC 5280 section 4.2.1.6: dNSName is [2], iPAddress is [7]. */
function generalName(host: string): Buffer {
  const address = ipBytes(host);
  return address === null ? implicit(2, Buffer.from(host, "latin1")) : implicit(7, address);
}
