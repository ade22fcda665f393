// The settings as a flat list, derived from the one schema, so that a new key in `Config` needs no second definition.
import { Config } from '@runyard/schema'
import { z } from 'zod'

export interface Setting {
  readonly path: readonly string[]
  /** `workerPlane.port` */
  readonly key: string
  /** `RUNYARD_WORKER_PLANE_PORT` */
  readonly variable: string
  readonly kind: 'scalar' | 'list' | 'map'
  readonly help: string
  /** One phrase that describes the permitted values, or undefined if any text is permitted. */
  readonly allowed: string | undefined
}

interface Node {
  readonly type?: string
  readonly properties?: Record<string, Node>
  readonly items?: Node
  readonly enum?: readonly unknown[]
  readonly minimum?: number
  readonly maximum?: number
  readonly description?: string
}

let root: Node | undefined
let settings: readonly Setting[] | undefined

function schemaRoot(): Node {
  root ??= z.toJSONSchema(Config) as Node
  return root
}

/** Every setting, in the schema's order. */
export function listSettings(): readonly Setting[] {
  settings ??= collect(schemaRoot(), [])
  return settings
}

/** What is at a path: a setting, a section of settings, or nothing. */
export function hasKey(path: readonly string[]): 'leaf' | 'section' | 'none' {
  const node = path.reduce<Node | undefined>((parent, part) => parent?.properties?.[part], schemaRoot())
  if (node === undefined) return 'none'
  return node.properties === undefined ? 'leaf' : 'section'
}

/** The settings and sections of a section. */
export function namesIn(path: readonly string[]): readonly string[] {
  const node = path.reduce<Node | undefined>((parent, part) => parent?.properties?.[part], schemaRoot())
  return Object.keys(node?.properties ?? {})
}

/** `workerPlane.port` → `RUNYARD_WORKER_PLANE_PORT`. */
export function variableName(path: readonly string[]): string {
  const words = path.map((part) => part.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase())
  return `RUNYARD_${words.join('_')}`
}

/** The permitted values of a setting as one phrase, or the validator's own message. */
export function describeAllowed(setting: Setting, fallback: string): string {
  return setting.allowed === undefined ? fallback : `allowed is ${setting.allowed}`
}

function collect(node: Node, path: readonly string[]): readonly Setting[] {
  if (node.properties !== undefined) return Object.entries(node.properties).flatMap(([name, child]) => collect(child, [...path, name]))
  return [
    {
      path,
      key: path.join('.'),
      variable: variableName(path),
      kind: node.type === 'array' ? 'list' : node.type === 'object' ? 'map' : 'scalar',
      help: node.description ?? '',
      allowed: allowedPhrase(node),
    },
  ]
}

function allowedPhrase(node: Node): string | undefined {
  if (node.enum !== undefined) return `one of ${node.enum.join(', ')}`
  if (node.type === 'integer') return `a whole number${range(node)}`
  if (node.type === 'number') return `a number${range(node)}`
  const each = node.type === 'array' && node.items !== undefined ? allowedPhrase(node.items) : undefined
  return each === undefined ? undefined : `a list with each ${each}`
}

/** Omits the bounds of a safe integer, which Zod reports as well. */
function range({ minimum = -Infinity, maximum = Infinity }: Node): string {
  const from = minimum > Number.MIN_SAFE_INTEGER ? ` from ${minimum}` : ''
  return maximum < Number.MAX_SAFE_INTEGER ? `${from} to ${maximum}` : from
}
