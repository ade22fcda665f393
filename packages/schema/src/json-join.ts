// Builds JSON from unparsed JSON values (ADR 35). Separate from the shapes, because core cannot use Node's buffers.
import { asJson, type JsonText } from './json-text.ts'

/** Parses the value, for the few callers that need its content and have bounded its size. */
export function parseJson(json: JsonText): unknown {
  return JSON.parse(typeof json === 'string' ? json : new TextDecoder().decode(json))
}

/** `{…fields, name: value}`, with the value inserted unchanged. It is the last member. The name needs no escapes. */
export function withMember(fields: object, name: string, value: JsonText): JsonText {
  const fieldsText = JSON.stringify(fields).slice(0, -1)
  const head = `${fieldsText}${fieldsText === '{' ? '' : ','}"${name}":`
  // Every small value passes here.
  return typeof value === 'string' ? asJson(`${head}${value}}`) : joinJson([head, value, '}'])
}

/** The same for several values; undefined ones are omitted. */
export function withMembers(fields: object, values: Readonly<Record<string, JsonText | undefined>>): JsonText {
  const parts: (string | Uint8Array)[] = [JSON.stringify(fields).slice(0, -1)]
  for (const name in values) {
    const value = values[name]
    if (value !== undefined) parts.push(`${parts[0] === '{' && parts.length === 1 ? '' : ','}"${name}":`, value)
  }
  parts.push('}')
  return joinJson(parts)
}

/** `[a,b,…]` */
export function toJsonList(values: readonly JsonText[]): JsonText {
  return joinJson(['[', ...values.flatMap((value, index) => (index === 0 ? [value] : [',', value])), ']'])
}

/** Text if all parts are text, otherwise bytes. The caller ensures that the result is JSON. */
export function joinJson(parts: readonly (string | Uint8Array)[]): JsonText {
  let text = ''
  for (const part of parts) {
    if (typeof part !== 'string') return joinBytes(parts)
    text += part
  }
  return asJson(text)
}

function joinBytes(parts: readonly (string | Uint8Array)[]): JsonText {
  return asJson(Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : part))))
}
