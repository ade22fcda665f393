// Reads single fields out of the parsed XML. Every reader takes whatever is there and returns null for what it does not understand.

export type Node = Readonly<Record<string, unknown>>

const ABSENT = new Set([
  '',
  'n/a',
  '[n/a]',
  'none',
  'not supported',
  '[not supported]',
  'not found',
  'requested functionality has been deprecated',
])
/** What NVML answers in place of a value, in the words of nvidia-smi. */
const NVML_ERROR =
  /^\[?(gpu is lost|gpu requires reset|unknown error|system is not in ready state|timeout|err!|infoROM is corrupted|insufficient (size|permissions))\]?$/i
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

/** The child element `name`, or an empty one where it is missing or holds only text such as `N/A`. */
export function child(node: Node, name: string): Node {
  const value = node[name]
  return isNode(value) ? value : {}
}

/** All child elements `name`; text in their place (`None`) is none. */
export function children(node: Node, name: string): readonly Node[] {
  const value = node[name]
  return (Array.isArray(value) ? value : [value]).filter(isNode)
}

/** The text at `a/b/c`, trimmed, as printed; undefined where there is none. */
export function printed(node: Node, path: string): string | undefined {
  const names = path.split('/')
  const value = names.slice(0, -1).reduce(child, node)[names.at(-1) ?? '']
  return typeof value === 'string' ? value.trim() : undefined
}

/** The text at `a/b/c`; null where the driver printed no value but N/A or an error. */
export function text(node: Node, path: string): string | null {
  const value = printed(node, path)
  return value === undefined || ABSENT.has(value.toLowerCase()) || NVML_ERROR.test(value) ? null : value
}

/** The error text at `a/b/c`, e.g. `GPU is lost`; null where a value or nothing stands there. */
export function errorText(node: Node, path: string): string | null {
  const value = printed(node, path)
  return value !== undefined && NVML_ERROR.test(value) ? value : null
}

/** The leading number of `45 C`, `12 %`, `26.84 W`, `3`. */
export function number(node: Node, path: string): number | null {
  const digits = /^-?\d+(\.\d+)?/.exec(text(node, path) ?? '')
  return digits === null ? null : Number(digits[0])
}

/** `24564 MiB` → bytes. */
export function bytes(node: Node, path: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*([KMG]?i?B)$/.exec(text(node, path) ?? '')
  const factor = BYTES_PER_UNIT[match?.[2] ?? '']
  return match === null || factor === undefined ? null : Math.round(Number(match[1]) * factor)
}

export const isYes = (node: Node, path: string): boolean => text(node, path)?.toLowerCase() === 'yes'

/** The first of several paths that has a value, for fields that drivers have renamed. */
export function firstOf<T>(read: (node: Node, path: string) => T | null, node: Node, paths: readonly string[]): T | null {
  for (const path of paths) {
    const value = read(node, path)
    if (value !== null) return value
  }
  return null
}
