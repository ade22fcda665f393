// The job state machine against a model, with real Redis and two stores that take turns. Whatever happens in whatever order, each operation answers as the
// model does, and the counts are the model's. An ended job stays as it ended, and every job that was accepted ends. fast-check prints the seed and the shortest
// sequence that fails.
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { COMMANDS, checkEnds, runToTheEnd, sweep } from '../testing/job-commands.ts'
import { createModel } from '../testing/job-model.ts'
import type { Real } from '../testing/model-command.ts'
import { checkStreams } from '../testing/stream-commands.ts'
import { useStores } from '../testing/test-store.ts'

const stores = useStores()

describe('the job state machine', () => {
  test('does what its model does, in any order, and ends every job', { timeout: 300_000 }, async () => {
    const sides = [(await stores.open()).jobs, (await stores.open()).jobs] as const
    const raw = stores.raw()
    let worlds = 0
    await fc.assert(
      fc.asyncProperty(fc.commands(COMMANDS, { maxCommands: 60, size: 'max' }), fc.boolean(), async (commands, isAbandoned) => {
        worlds += 1
        const real: Real = { sides, raw, prefix: stores.prefix(), endpointId: `ep-${worlds}`, seats: ['w-left', 'w-right'], hires: 0 }
        const model = createModel()
        await fc.asyncModelRun(() => ({ model, real }), commands)
        await checkStreams(model, real)
        await (isAbandoned ? sweep(model, real, sides[0]) : runToTheEnd(real))
        await checkEnds(model, real)
      }),
      { numRuns: Number(process.env['PROPERTY_RUNS'] ?? 250) },
    )
    expect(worlds).toBeGreaterThan(0)
  })
})
