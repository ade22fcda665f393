// Numbers at the edges of what JavaScript, JSON, dates and Redis can hold, and where a body of a given schema has numbers.

/** As they stand in JSON. */
export const EDGES = [
  '0',
  '-0',
  '1',
  '-1',
  '1.5',
  '1e999',
  '-1e999',
  '1e300',
  '5e-324',
  '2147483648',
  '9007199254740991',
  '9007199254740993',
  '-9007199254740993',
  '8640000000000000',
  '8640000000000001',
  '99999999999999999999',
  'null',
  '"NaN"',
  '"1e999"',
  '"…"',
  '[]',
  '{}',
] as const

/** As they stand in an address. */
export const EDGES_IN_QUERY = [...EDGES.map((edge) => edge.replaceAll('"', '')), '+Infinity', '0x10', ' ', '-271821-04-20T00:00:00Z'].map(
  encodeURIComponent,
)

export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly oneOf?: readonly JsonSchema[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
}

type Path = readonly string[]
/** Values that a member is good with, by its name. */
export type Good = Readonly<Record<string, unknown>>

/** Each body that is good but for one number, which is `{edge}`, as JSON. */
export function bodiesWithOneNumber(schema: JsonSchema, good: Good): readonly string[] {
  return numbersIn(schema).map((path) => JSON.stringify(withEdge(schema, path, good)).replace('"{edge}"', '{edge}'))
}

function variantsOf(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf ?? schema.oneOf ?? []
}

function numbersIn(schema: JsonSchema, path: Path = []): readonly Path[] {
  if ([schema.type].flat().some((type) => type === 'integer' || type === 'number')) return [path]
  const members = Object.entries(schema.properties ?? {}).flatMap(([name, member]) => numbersIn(member, [...path, name]))
  const items = schema.items === undefined ? [] : numbersIn(schema.items, [...path, '0'])
  const variants = variantsOf(schema).flatMap((variant, index) => numbersIn(variant, [...path, `?${index}`]))
  return [...members, ...items, ...variants]
}

/** An example of the schema that has what it must have and what lies on the path. */
function withEdge(schema: JsonSchema, path: Path, good: Good): unknown {
  const [step, ...rest] = path
  if (step === undefined) return '{edge}'
  if (step.startsWith('?')) return withEdge(variantsOf(schema)[Number(step.slice(1))] ?? {}, rest, good)
  if (schema.items !== undefined) return [withEdge(schema.items, rest, good)]
  return { ...objectOf(schema, good), [step]: withEdge(schema.properties?.[step] ?? {}, rest, good) }
}

function objectOf({ properties = {}, required = [] }: JsonSchema, good: Good): Record<string, unknown> {
  return Object.fromEntries(required.map((name) => [name, name in good ? good[name] : exampleOf(properties[name] ?? {}, good)]))
}

function exampleOf(schema: JsonSchema, good: Good): unknown {
  const [variant] = variantsOf(schema)
  if (variant !== undefined) return exampleOf(variant, good)
  if (schema.items !== undefined) return [exampleOf(schema.items, good)]
  if (schema.type === 'object') return objectOf(schema, good)
  const plain: Readonly<Record<string, unknown>> = { boolean: true, string: 'x' }
  return schema.const ?? schema.enum?.[0] ?? plain[[schema.type].flat()[0] ?? ''] ?? schema.minimum ?? 1
}
