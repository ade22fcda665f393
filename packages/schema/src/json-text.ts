// JSON values that pass through and are not parsed: a job's input, its output, its chunks (ADR 35). Their text is what their author wrote, so
// no number is rounded and no member lost. Large ones stay bytes, since decoding and encoding 60 MB holds the thread; small ones are text.
import { z } from 'zod'

declare const isJson: unique symbol

/** Valid JSON, in UTF-8 where it is bytes. Made by whoever has checked it. */
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
