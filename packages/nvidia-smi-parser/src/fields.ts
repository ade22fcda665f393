// Reads single fields of the parsed XML. Every reader accepts any input and returns null for a value that it does not understand.

export type Node = Readonly<Record<string, unknown>>

const ABSENT = new Set(['', 'n/a', '[n/a]', 'none', 'not supported', '[not supported]', '[unknown error]', 'unknown error'])
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  B: 1,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The child element `name`, or an empty one if it is missing or contains only text such as `N/A`. */
export function child(node: Node, name: string): Node {
  const value = node[name]
  return isNode(value) ? value : {}
}

/** All child elements `name`; text instead of elements (`None`) gives an empty list. */
export function children(node: Node, name: string): readonly Node[] {
  const value = node[name]
  return (Array.isArray(value) ? value : [value]).filter(isNode)
}

export function text(node: Node, name: string): string | null {
  const value = node[name]
  if (typeof value !== 'string') return null
  const trimmed = value.trim()
  return ABSENT.has(trimmed.toLowerCase()) ? null : trimmed
}

/** The leading integer of `45 C`, `12 %`, `3`. */
export function integer(node: Node, name: string): number | null {
  const digits = /^-?\d+/.exec(text(node, name) ?? '')
  return digits === null ? null : Number(digits[0])
}

/** `24564 MiB` → bytes. */
export function bytes(node: Node, name: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?i?B)$/.exec(text(node, name) ?? '')
  const factor = BYTES_PER_UNIT[match?.[2] ?? '']
  return match === null || factor === undefined ? null : Math.round(Number(match[1]) * factor)
}

export const isYes = (node: Node, name: string): boolean => text(node, name)?.toLowerCase() === 'yes'
