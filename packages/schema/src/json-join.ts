// Puts JSON values that were never parsed into larger ones (ADR 35). Apart from the shapes, since core has no bytes of Node's.
import { asJson, type JsonText } from './json-text.ts'

/** Builds the value: for those few who need to look into it, and who have bounded its size. */
export function parseJson(json: JsonText): unknown {
  return JSON.parse(typeof json === 'string' ? json : new TextDecoder().decode(json))
}

/** `{…fields, name: value}`, whose value goes in as it is. The name is the last member. */
export function withMember(fields: object, name: string, value: JsonText): JsonText {
  const head = JSON.stringify(fields).slice(0, -1)
  return joinJson([`${head}${head === '{' ? '' : ','}${JSON.stringify(name)}:`, value, '}'])
}

/** The same for several; what is undefined is left out. */
export function withMembers(fields: object, values: Readonly<Record<string, JsonText | undefined>>): JsonText {
  const parts: (string | Uint8Array)[] = [JSON.stringify(fields).slice(0, -1)]
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined) parts.push(`${parts[0] === '{' && parts.length === 1 ? '' : ','}${JSON.stringify(name)}:`, value)
  }
  return joinJson([...parts, '}'])
}

/** `[a,b,…]` */
export function toJsonList(values: readonly JsonText[]): JsonText {
  return joinJson(['[', ...values.flatMap((value, index) => (index === 0 ? [value] : [',', value])), ']'])
}

/** Text where all parts are text; bytes otherwise. What comes out must be JSON again. */
export function joinJson(parts: readonly (string | Uint8Array)[]): JsonText {
  if (parts.every((part) => typeof part === 'string')) return asJson(parts.join(''))
  return asJson(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))))
}
