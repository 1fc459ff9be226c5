/** What compression does unless told otherwise, and what --compress may say. */
import type { Coding } from "../http/negotiation.ts";
import { commaList, value, type ValueType, wrong } from "./value-types.ts";

/** How the length of a compressed page is kept from telling what is secret in it (BREACH). */
export type BreachGuard = "pad" | "skip" | "off";

export interface CompressionPlan {
  /** The first that the client likes best is used. */
  readonly codings: readonly Coding[];
  /** Media types, lower-case: "text/css", "text/*", "application/*+json". */
  readonly types: readonly string[];
  /** Bodies below this stay as they are. */
  readonly minBytes: number;
  readonly levels: Readonly<Record<Coding, number>>;
  readonly breach: BreachGuard;
}

export const CODINGS: readonly Coding[] = ["zstd", "br", "gzip"];

/** Least and most of each coding's level. */
export const LEVELS: Readonly<Record<Coding, readonly [least: number, most: number]>> = {
  zstd: [1, 19],
  br: [0, 11],
  gzip: [1, 9],
};

export const DEFAULT_COMPRESSION: CompressionPlan = {
  codings: CODINGS,
  types: [
    "text/*",
    "application/json",
    "application/*+json",
    "application/x-ndjson",
    "application/javascript",
    "application/x-javascript",
    "application/xml",
    "application/*+xml",
    "application/wasm",
    "application/yaml",
    "application/toml",
    "application/rtf",
    "application/vnd.ms-fontobject",
    "image/svg+xml",
    "image/bmp",
    "image/x-icon",
    "image/vnd.microsoft.icon",
    "font/ttf",
    "font/otf",
  ],
  minBytes: 1024,
  // Higher ones cost several times the CPU for a few per cent (docs/compression.md has the figures).
  levels: { zstd: 3, br: 4, gzip: 5 },
  breach: "pad",
};

/** A media type, "text/css", or many: "text/*", "application/*+json". */
export const mediaRange: ValueType<string> = (text) => {
  const type = text.toLowerCase();
  return /^[a-z0-9!#$&^_.+-]+\/(?:[a-z0-9!#$&^_.+-]+|\*(?:\+[a-z0-9!#$&^_.-]+)?)$/.test(type)
    ? value(type)
    : wrong('is no media type: write "text/css", "text/*" or "application/*+json", without parameters');
};

/** The value of --compress: a switch, or codings. */
export const compressionSwitch: ValueType<CompressionPlan | null> = (text) => {
  const word = text.toLowerCase();
  if (["on", "true", "yes"].includes(word)) return value(DEFAULT_COMPRESSION);
  if (["off", "false", "no"].includes(word)) return value(null);
  const list = codings(text);
  return list.type === "wrong" ? list : value({ ...DEFAULT_COMPRESSION, codings: list.value });
};

/** "zstd,br,gzip": names of codings, best first. */
export const codings: ValueType<readonly Coding[]> = (text) => {
  const list = commaList(text.toLowerCase());
  if (list.type === "wrong") return list;
  const found: Coding[] = [];
  for (const name of list.value) {
    const coding = CODINGS.find((one) => one === name);
    if (coding === undefined) return wrong(`names ${JSON.stringify(name)}, which is not one of ${CODINGS.join(", ")}`);
    if (!found.includes(coding)) found.push(coding);
  }
  return found.length === 0 ? wrong(`names no coding: give some of ${CODINGS.join(", ")}`) : value(found);
};
