// JSON values that pass through unparsed: a job's input, output and chunks (ADR 35). Their text is exactly what their author wrote, so no number
// is rounded and no member lost. Large values stay bytes, because decoding and encoding 60 MB blocks the thread; small ones are text.
import { z } from 'zod'

declare const isJson: unique symbol

/** Valid JSON; bytes are UTF-8. Only code that has validated the text may create it. */
export type JsonText = (string | Uint8Array<ArrayBuffer>) & { readonly [isJson]: true }
export const JsonText = z.custom<JsonText>((value) => typeof value === 'string' || value instanceof Uint8Array)

/** For text that is known to be JSON. */
export function asJson(text: string | Uint8Array<ArrayBuffer>): JsonText {
  return text as JsonText
}

/** Undefined becomes null. */
export function toJson(value: unknown): JsonText {
  return asJson(JSON.stringify(value ?? null))
}
