/** Fields made of such as were good already. */
import { ResponseFields, responseFields } from "../http/response-fields.ts";

export function made(flat: readonly string[]): ResponseFields {
  const fields = responseFields(flat);
  if (fields instanceof ResponseFields) return fields;
  throw new Error(`field ${fields.name}: ${fields.reason}`);
}
