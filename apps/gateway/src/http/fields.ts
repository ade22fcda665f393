// A JSON object from outside, before anything is known of its members.

export type Fields = Readonly<Record<string, unknown>>

/** Neither an array nor null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
