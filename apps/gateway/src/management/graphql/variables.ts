// Lists in the variables of a GraphQL request. Lists in its text are bounded by its tokens; these are not, and each item may be answered.
import { RECORD_LIMITS, RunyardError } from '@runyard/schema'

const MOST = { env: RECORD_LIMITS.variables, other: RECORD_LIMITS.listItems } as const
const DEEPEST = 20

/** @throws RunyardError('bad_request') */
export function checkVariables(value: unknown, name = 'variables', depth = 0): void {
  if (typeof value !== 'object' || value === null) return
  if (depth > DEEPEST) throw new RunyardError('bad_request', `The variables of this request are nested deeper than ${DEEPEST} levels.`)
  const isList = Array.isArray(value)
  if (isList) checkLength(value, name)
  for (const [key, member] of Object.entries(value)) checkVariables(member, isList ? name : key, depth + 1)
}

function checkLength({ length }: readonly unknown[], name: string): void {
  const most = name === 'env' ? MOST.env : MOST.other
  if (length > most) throw new RunyardError('bad_request', `The list "${name}" has ${length} items; at most ${most} are allowed.`)
}
