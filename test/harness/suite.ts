// Suites of scenarios. A suite is skipped by name with the reason if the machine lacks something; in CI only a physical GPU may be missing.
import { describe, test } from 'vitest'
import { firstMissing, NO_GPU, type Need } from './machine.ts'

/** A cold Python, an installer and a client that polls with increasing pauses are slow on two busy cores. */
const SCENARIO_MS = 240_000
const inCi = process.env['CI'] === 'true'

/** A suite that runs if its needs are met and is otherwise skipped by name. */
export async function suiteThatNeeds(needs: readonly Need[], title: string, body: () => void): Promise<void> {
  const reason = await firstMissing(needs)
  const skip = reason !== undefined && (!inCi || reason === NO_GPU)
  // oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- title and body are the caller's literals
  describe.skipIf(skip)(skip ? `${title} [${reason}]` : title, { timeout: SCENARIO_MS }, body)
}

/** A test that does not apply to some variants of its suite. There it does not exist, which is not the same as being skipped. */
export function testWhere(applies: boolean, title: string, body: () => Promise<void>): void {
  // oxlint-disable-next-line vitest/valid-title, vitest/no-conditional-tests, vitest/expect-expect -- title and body are the caller's
  if (applies) test.concurrent(title, body)
}
