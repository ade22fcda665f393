// Compares the scan with `JSON.parse`: the same texts are JSON and have the same members, even if the scan pauses after every byte.
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonScan, type JsonOutline, type JsonScanOptions, type Span } from './json-scan.ts'
import { JsonFaultError } from './json-tokens.ts'

const MEMBERS = new Set(['input', 'policy'])
const encode = (text: string): Uint8Array => Buffer.from(text)

function outlineJson(bytes: Uint8Array, options?: JsonScanOptions): JsonOutline {
  const scan = new JsonScan(bytes, { from: 0, to: bytes.length }, options)
  scan.step(bytes.length)
  return scan.outline()
}

function parsed(json: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(json) as unknown }
  } catch {
    return undefined
  }
}

function inSteps(bytes: Uint8Array, step: number, options: JsonScanOptions) {
  const scan = new JsonScan(bytes, { from: 0, to: bytes.length }, options)
  while (!scan.step(step));
  return scan.outline()
}

const valueAt = (bytes: Uint8Array, { from, to }: Span): unknown => JSON.parse(Buffer.from(bytes).toString('utf8', from, to))

/** What the scan finds in a text. */
function byScan(json: string, step: number): unknown {
  const bytes = encode(json)
  try {
    const { kind, elements, members, ...whole } = inSteps(bytes, step, { members: MEMBERS, mostElements: 3 })
    const found = Object.fromEntries([...members].map(([name, span]) => [name, valueAt(bytes, span)]))
    return { kind, value: valueAt(bytes, whole), members: found, elements: elements.map((span) => valueAt(bytes, span)) }
  } catch (error) {
    return error instanceof JsonFaultError ? error.fault : error
  }
}

/** The same, derived from the parsed value. */
function byParse(json: string): unknown {
  const known = parsed(json)
  if (known === undefined) return 'not_json'
  const { value } = known
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  const members = isObject ? Object.fromEntries(Object.entries(value).filter(([name]) => MEMBERS.has(name))) : {}
  const elements = Array.isArray(value) ? (value as readonly unknown[]).slice(0, 3) : []
  return { kind: isObject ? 'object' : Array.isArray(value) ? 'array' : 'other', value, members, elements }
}

describe('the scan', () => {
  const name = fc.constantFrom('"input"', '"policy"', '"\\u0069nput"', '"inpu\\u0074"', '"__proto__"', '"x"', '"in put"', '"input\\\\"')
  const value = fc.oneof(fc.json({ maxDepth: 4 }), fc.constantFrom('1e999', '18446744073709551616', '-0', '0.5e-7', '"\\ud800"', ' [ ] '))
  const object = fc
    .array(fc.tuple(name, value), { maxLength: 5 })
    .map((members) => `{${members.map((pair) => pair.join(' : ')).join(',\n')}}`)
  const list = fc.array(value, { maxLength: 5 }).map((values) => ` [${values.join(' ,')}]`)
  const anyText = fc.oneof(object, list, value)
  /** One letter removed, doubled or replaced: nearly JSON. */
  const mutated = fc
    .tuple(
      anyText,
      fc.nat(),
      fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ',', ':', '0', '-', '.', 'e', '\n', '\u0001', 'u', 't', 'é'),
    )
    .map(([json, at, letter]) => json.slice(0, at % (json.length + 1)) + letter + json.slice((at % (json.length + 1)) + 1))

  it('accepts what JSON.parse accepts, and finds its members', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, mutated), fc.constantFrom(1, 3, 7, 1000), (json, step) => {
        expect(byScan(json, step)).toEqual(byParse(json))
      }),
      { numRuns: 3000 },
    )
  })

  it.each([
    '',
    ' ',
    '-',
    '01',
    '1.',
    '1e',
    '1e+',
    '.5',
    'tru',
    'truex',
    'nul',
    '"',
    '"\\',
    '"\\u00',
    '"\\x"',
    '[',
    '[1,]',
    '[,1]',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{a:1}',
    '1 2',
    '[1}',
    ']',
    '\ufeff1',
    'NaN',
    '-Infinity',
    '"\t"',
  ])('refuses %j', (broken) => {
    expect(byParse(broken)).toBe('not_json')
    expect(() => outlineJson(encode(broken))).toThrow('not_json')
  })

  it('accepts the same nesting depth as Python', () => {
    const nested = (depth: number): Uint8Array => encode('['.repeat(depth) + ']'.repeat(depth))
    expect(outlineJson(nested(1000)).count).toBe(1)
    expect(() => outlineJson(nested(1001))).toThrow('too_deep')
  })

  it('stops if there are too many values', () => {
    expect(outlineJson(encode('[1,{"a":2}]'), { mostValues: 4 }).count).toBe(2)
    expect(() => outlineJson(encode('[1,{"a":2}]'), { mostValues: 3 })).toThrow('too_many_values')
  })

  it('counts Python’s non-JSON words if they are allowed', () => {
    expect(outlineJson(encode('[NaN,-Infinity,"NaN",Infinity]'), { isLax: true }).laxWords).toBe(3)
    for (const text of ['[NaNs]', '[-NaN]', '[Inf]']) expect(() => outlineJson(encode(text), { isLax: true })).toThrow('not_json')
  })

  it('reads a part of a text and nothing after it', () => {
    const bytes = encode('[12,-1]')
    const scan = new JsonScan(bytes, { from: 1, to: 2 })
    expect(scan.step(9)).toBe(true)
    expect(scan.outline()).toMatchObject({ from: 1, to: 2, kind: 'other' })
    expect(() => new JsonScan(bytes, { from: 4, to: 5 }).step(9)).toThrow('not_json')
  })
})
