/** Fields of a response that is not stored, as its client gets them. */
import type { CachePlan } from "../config/sites/cache-plan.ts";
import { ResponseFields } from "../http/response-fields.ts";
import { TAG_FIELDS } from "./cacheability.ts";
import { ownFields } from "../http/response-changes.ts";
import { valueOf, without } from "../http/field-lines.ts";

/** Without what is meant for the cache, with what it has to say. */
export function forClient(fields: ResponseFields, plan: CachePlan, status: string): ResponseFields {
  const { flat, text, contentLength, hasDate, hasServer, wantsClose } = fields;
  const isHidden = (lower: string): boolean =>
    lower === "surrogate-control" || (!plan.keepTags && TAG_FIELDS.has(lower));
  if (hasSurrogate(flat)) {
    const kept = without(flat, isHidden);
    return ownFields(plan.statusHeader ? [...kept, "Cache-Status", status] : kept);
  }
  if (!plan.statusHeader) return fields;
  const more = `Cache-Status: ${status}\r\n`;
  return new ResponseFields(
    [...flat, "Cache-Status", status],
    text + more,
    contentLength,
    hasDate,
    hasServer,
    wantsClose,
  );
}

function hasSurrogate(flat: readonly string[]): boolean {
  return (
    valueOf(flat, "surrogate-key") !== undefined ||
    valueOf(flat, "cache-tag") !== undefined ||
    valueOf(flat, "surrogate-control") !== undefined
  );
}
