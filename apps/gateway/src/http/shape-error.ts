// A request that does not fit its shape, in one sentence: which member, what is wanted, and what was given, if it cannot be a secret.
// Members that a body does not have are refused with those that it has, as parameters of queries are.
import { closestWord } from '@runyard/kit'
import { describeIssue, describeValue, quoted, type Issue } from '@runyard/schema'
import { z } from 'zod'

/** As fastify-type-provider-zod hands it over. */
export interface ShapeFault {
  readonly validation: readonly {
    readonly instancePath: string
    readonly message?: string | undefined
    readonly keyword?: string
    readonly params?: Partial<Issue>
  }[]
  readonly validationContext?: string | undefined
}

/** What did not fit, where the request is known. */
export interface Given {
  readonly value: unknown
  readonly shape: unknown
}

export interface ShapeError {
  readonly sentence: string
  /** Every member that is wrong. */
  readonly issues: readonly { readonly location: string; readonly message: string }[]
}

/** Of a misspelt word, in letters: at most so many, and a third of it. */
const LONGEST_TYPO = 3

export function describeShape({ validation, validationContext = 'request' }: ShapeFault, given?: Given): ShapeError {
  const faults = validation.map(({ instancePath, message = 'is not valid', keyword = '', params }) => ({
    path: instancePath.split('/').filter((part) => part !== ''),
    issue: { ...params, code: keyword, message },
  }))
  const issues = faults.map(({ path, issue }) => ({
    location: [validationContext, ...path].join('.'),
    message: given === undefined ? describeIssue(issue) : describeValue(issue, valueAt(given.value, path)),
  }))
  const [first] = faults
  if (first === undefined) return { sentence: 'The request is not valid', issues }
  const subject = first.path.length > 0 ? quoted(first.path.join('.')) : `The ${validationContext}`
  const unknown = unknownMember(first.issue, subject, memberNames(given?.shape, first.path))
  return { sentence: unknown ?? `${subject} ${issues[0]?.message}.`, issues }
}

function unknownMember({ keys }: Issue, subject: string, known: readonly string[]): string | undefined {
  const [name] = Array.isArray(keys) ? keys.map(String) : []
  if (name === undefined) return undefined
  const near = closestWord(name, known, Math.min(LONGEST_TYPO, Math.ceil(name.length / 3)))
  const takes = known.length === 0 ? '' : `; it takes ${known.join(', ')}`
  const where = subject.replace(/^The /u, 'the ')
  return `There is no member ${quoted(name)} in ${where}${takes}.${near === undefined ? '' : ` Did you mean "${near}"?`}`
}

/** No body at all is read as null. */
function valueAt(value: unknown, path: readonly string[]): unknown {
  if (path.length === 0) return value ?? undefined
  return path.reduce<unknown>((node, part) => (isTree(node) && Object.hasOwn(node, part) ? node[part] : undefined), value)
}

function isTree(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

/** The members of the object at that place of a shape; none where it is not one object. */
function memberNames(shape: unknown, path: readonly string[]): readonly string[] {
  const inner = bareShape(shape)
  const [part, ...rest] = path
  if (inner instanceof z.ZodObject) return part === undefined ? Object.keys(inner.shape) : memberNames(inner.shape[part], rest)
  if (inner instanceof z.ZodArray && part !== undefined) return memberNames(inner.element, rest)
  if (inner instanceof z.ZodUnion) return [...new Set(inner.options.flatMap((option) => memberNames(option, path)))]
  return []
}

function bareShape(shape: unknown): unknown {
  if (shape instanceof z.ZodOptional || shape instanceof z.ZodNullable || shape instanceof z.ZodDefault) return bareShape(shape.unwrap())
  return shape instanceof z.ZodPipe ? bareShape(shape.in) : shape
}
