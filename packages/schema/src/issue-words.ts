// What a validator found, in words for the person who wrote the value. Our own sentences stay; those of Zod are written again.
import { quoted } from './bounds.ts'

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
  /** Of a union: the faults of each branch, or the words that choose one. */
  readonly errors?: readonly (readonly Issue[])[]
  readonly options?: unknown
}

const ZODS_OWN = /^(?:Invalid|Too big|Too small|Unrecognized)/u
const KINDS: Readonly<Record<string, string>> = {
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  nonoptional: 'given',
}
const UNITS: Readonly<Record<string, string>> = { string: ' characters', array: ' items' }

const listed = (values: unknown): string => (Array.isArray(values) ? values.join(', ') : String(values))

const boundOf = (word: string, origin: unknown, bound: unknown): string => {
  const unit = UNITS[String(origin)]
  return unit === undefined ? `must be at ${word} ${String(bound)}` : `must have at ${word} ${String(bound)}${unit}`
}

const branches = (errors: readonly (readonly Issue[])[]): string => {
  const all = errors.flatMap(([first]) => (first === undefined ? [] : [describeIssue(first).replace(/^must be /u, '')]))
  return `must be ${all.join(', or ')}`
}

/** By Zod's code of the fault. */
const PREDICATES: Readonly<Record<string, (issue: Issue) => string>> = {
  // The bound of every whole number says nothing of this one.
  too_big: ({ origin, maximum }) => (maximum === Number.MAX_SAFE_INTEGER ? 'is too large' : boundOf('most', origin, maximum)),
  too_small: ({ origin, minimum }) => (minimum === 1 && origin !== 'number' ? 'must not be empty' : boundOf('least', origin, minimum)),
  invalid_value: ({ values }) => `must be one of ${listed(values)}`,
  invalid_type: ({ expected }) => `must be ${KINDS[String(expected)] ?? String(expected)}`,
  invalid_union: ({ errors = [], options }) => (options === undefined ? branches(errors) : `must be one of ${listed(options)}`),
  invalid_format: () => 'has the wrong form',
  unrecognized_keys: ({ keys }) => `has members that are not known: ${listed(keys)}`,
}

/** A predicate, as in `"limit" must be at most 500`. */
export function describeIssue(issue: Issue): string {
  const { code, message } = issue
  if (!ZODS_OWN.test(message)) return message
  return message.endsWith('received undefined') ? 'is missing' : (PREDICATES[code]?.(issue) ?? message)
}

/** The same of a member whose value is known, with what was given: `must be at most 500, not 900`; `is missing: it must be a list`. */
export function describeValue(issue: Issue, value: unknown): string {
  const wanted = wantedOf(issue)
  if (!wanted.startsWith('must ')) return wanted
  return value === undefined ? `is missing: it ${wanted}` : `${wanted}${SHOWN[issue.code]?.(value, issue) ?? ''}`
}

/** In full also of a member that is missing, which `describeIssue` says without what is wanted. */
function wantedOf(issue: Issue): string {
  return ZODS_OWN.test(issue.message) ? (PREDICATES[issue.code]?.(issue) ?? issue.message) : issue.message
}

const shownKind = (value: unknown): string =>
  value === null ? ', not null' : `, not ${KINDS[Array.isArray(value) ? 'array' : typeof value] ?? 'that'}`
const shownValue = (value: unknown): string => {
  if (typeof value === 'string') return `, not ${quoted(value)}`
  return typeof value === 'number' ? `, not ${value}` : shownKind(value)
}
const shownSize = (value: unknown, { origin }: Issue): string => {
  if (UNITS[String(origin)] === undefined) return shownValue(value)
  return (typeof value === 'string' || Array.isArray(value)) && value.length > 0 ? `, not ${value.length}` : ''
}
const CLOSED: ReadonlySet<unknown> = new Set(['number', 'int', 'boolean'])

/**
 * What was given, by the code of the fault. A text is shown only where the member holds numbers or words of a closed list: what may be
 * any text may be a secret.
 */
const SHOWN: Readonly<Record<string, (value: unknown, issue: Issue) => string>> = {
  invalid_value: shownValue,
  invalid_union: (value, { options }) => (options === undefined ? shownKind(value) : shownValue(value)),
  invalid_type: (value, { expected }) => (CLOSED.has(expected) ? shownValue(value) : shownKind(value)),
  too_big: shownSize,
  too_small: shownSize,
}
