// The end of a job as scripts read it: its outcome, its retention, and the limit on all results.
import type { JobOutcome } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import { packOutcome, textOf } from './stored-values.ts'

/** A number that Lua holds exactly. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER

/** The argument `ending` of scripts. */
export const ENDING = {
  now: 'digits',
  status: 'text',
  outcome: 'text',
  asyncMs: 'digits',
  syncMs: 'digits',
  keepBytes: 'digits',
  outboxEvents: 'digits',
  outboxBytes: 'digits',
} as const

type Ending = { readonly [F in keyof typeof ENDING]: (typeof ENDING)[F] extends 'digits' ? number : string }

export function createToEnding({ options }: Pick<StoreContext, 'options'>) {
  const { asyncMs, syncMs, keepBytes = NO_LIMIT, outboxEvents = NO_LIMIT, outboxBytes = NO_LIMIT } = options.retention
  const bounds = { asyncMs, syncMs, keepBytes, outboxEvents, outboxBytes }
  /** `text`: the outcome, where it is packed already. */
  return (outcome: JobOutcome, given: { readonly text?: string; readonly now?: number } = {}): Ending => ({
    now: given.now ?? Date.now(),
    status: outcome.status,
    outcome: given.text ?? textOf(packOutcome(outcome)),
    ...bounds,
  })
}
