// Starts the stack while handling stop signals. During the start there is no job to wait for, so the processes get a short grace period after the
// first Ctrl-C and none after the second. A step that ignores both is abandoned: the process exits.
import { setTimeout as sleep } from 'node:timers/promises'
import { aborted } from '@runyard/kit'
import type { StopSignals } from '../stop-signals.ts'
import { openStack, type Stack, type StackOptions } from './open-stack.ts'

const START_GRACE_MS = 5000
const KILLED_WAIT_MS = 1000

/** Undefined: stopped before it was up. @throws RunyardError with one sentence; everything opened until then is closed. */
export async function startStack(
  options: Omit<StackOptions, 'signal' | 'kill'>,
  { polite, hard }: Pick<StopSignals, 'polite' | 'hard'>,
): Promise<Stack | undefined> {
  const kill = new AbortController()
  const opening = openStack({ ...options, signal: polite, kill: kill.signal }).catch((error: unknown) => {
    if (polite.aborted) return undefined
    throw error
  })
  const patience = aborted(polite).then(() => Promise.race([sleep(START_GRACE_MS, undefined, { ref: false }), aborted(hard)]))
  const isOver = await Promise.race([opening.then(() => true), patience.then(() => false)])
  if (isOver) return opening
  kill.abort()
  await Promise.race([opening.then((late) => late?.[Symbol.asyncDispose]()), sleep(KILLED_WAIT_MS, undefined, { ref: false })])
  return undefined
}
