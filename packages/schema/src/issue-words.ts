// What a validator found, in words for the person who wrote the value. Our own sentences stay; those of Zod are written again.

/** What Zod says of one fault. */
export interface Issue {
  readonly code: string
  readonly message: string
  readonly expected?: unknown
  readonly origin?: unknown
  readonly minimum?: unknown
  readonly maximum?: unknown
  readonly values?: unknown
  readonly keys?: unknown
}

const ZODS_OWN = /^(?:Invalid|Too big|Too small|Unrecognized)/u
const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of members',
  record: 'a group of members',
}
const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items' }

const listed = (values: unknown): string => (Array.isArray(values) ? values.join(', ') : String(values))

const boundOf = (word: string, origin: unknown, bound: unknown): string => {
  const unit = UNITS[String(origin)]
  return unit === undefined ? `must be at ${word} ${String(bound)}` : `must have at ${word} ${String(bound)}${unit}`
}

/** By Zod's code of the fault. */
const PREDICATES: Readonly<Record<string, (issue: Issue) => string>> = {
  too_big: ({ origin, maximum }) => boundOf('most', origin, maximum),
  too_small: ({ origin, minimum }) => (minimum === 1 && origin !== 'number' ? 'must not be empty' : boundOf('least', origin, minimum)),
  invalid_value: ({ values }) => `must be one of ${listed(values)}`,
  invalid_type: ({ expected }) => `must be ${KINDS[String(expected)] ?? String(expected)}`,
  unrecognized_keys: ({ keys }) => `has members that are not known: ${listed(keys)}`,
}

/** A predicate, as in `"limit" must be at most 500`. */
export function describeIssue(issue: Issue): string {
  const { code, message } = issue
  if (!ZODS_OWN.test(message)) return message
  return message.endsWith('received undefined') ? 'is missing' : (PREDICATES[code]?.(issue) ?? message)
}
