// An end as the scripts read it (`readEnd` in the prelude): what the job came to, how long that is kept, and what may be kept in all.
import type { JobOutcome } from '@runyard/schema'
import type { StoreContext } from '../context.ts'
import type { Argument } from '../scripts/script.ts'
import { packOutcome, textOf } from './stored-values.ts'

type EndArgs = (outcome: JobOutcome, given?: { readonly text?: string; readonly now?: number }) => readonly Argument[]

/** A number that Lua holds exactly. */
export const NO_LIMIT = Number.MAX_SAFE_INTEGER

export function createEndArgs({ options }: Pick<StoreContext, 'options'>): EndArgs {
  const { asyncMs, syncMs, keepBytes = NO_LIMIT, outboxEvents = NO_LIMIT, outboxBytes = NO_LIMIT } = options.retention
  return (outcome, { text = textOf(packOutcome(outcome)), now = Date.now() } = {}) => [
    now,
    outcome.status,
    text,
    asyncMs,
    syncMs,
    keepBytes,
    outboxEvents,
    outboxBytes,
  ]
}
