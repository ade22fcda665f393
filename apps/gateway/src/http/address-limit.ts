// How often one address may do what needs no key (ADR 68). Each gateway counts for itself. The number of addresses is bounded: a crowd of them makes
// the counts start anew, and never uses up memory.
import { RunyardError } from '@runyard/schema'
import { createCounts } from './rate-limit.ts'

const WINDOW_MS = 60_000
const MOST_ADDRESSES = 10_000

/** `most` in a minute. */
export function createAddressLimit(most: number, what: string) {
  let counts = createCounts(WINDOW_MS)
  return {
    /** For a try that was right: only wrong ones are paced. */
    takeBack: (address: string): void => counts.takeBack(address),
    /** @throws RunyardError('too_many_requests') */
    count(address: string) {
      const now = Date.now()
      if (counts.size() >= MOST_ADDRESSES) counts = createCounts(WINDOW_MS)
      const { count, endsAt } = counts.add(address, now)
      if (count <= most) return
      const sentence = `There are too many ${what} from this address: at most ${most} in a minute.`
      throw new RunyardError('too_many_requests', sentence, { retryAfterS: Math.ceil((endsAt - now) / 1000), refusal: 'rate' })
    },
  }
}
