// For the property test: what a command of fast-check's model runner is here. Each is done by one of two stores on one Redis; after each, what
// the other store reads must be what the model says.
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import type { Redis } from 'ioredis'
import * as model from './job-model.ts'
import type { JobStore } from './value-store.ts'
import { checkWeights } from './weight-check.ts'

export interface Real {
  readonly sides: readonly [JobStore, JobStore]
  readonly raw: Redis
  readonly prefix: string
  readonly endpointId: string
  /** Who sits in each seat: one that lost a lease is retired for good. */
  readonly seats: [string, string]
  hires: number
}

export type Model = model.EndpointModel
export type Run = (m: Model, real: Real, jobs: JobStore) => Promise<void>

export const job = fc.constantFrom('a', 'b', 'c', 'd')
/** Who acts on a job: often the one that may. */
export const actor = fc.constantFrom<0 | 1 | 'holder'>(0, 1, 'holder', 'holder')
const side = fc.constantFrom<0 | 1>(0, 1)

/** A command of fast-check's model runner. After each, what can be read must be what the model says. */
export function command<T>(
  name: string,
  parameters: fc.Arbitrary<T>,
  play: (parameters: T) => Run,
): fc.Arbitrary<fc.AsyncCommand<Model, Real>> {
  return fc.tuple(parameters, side).map(([given, at]) => ({
    check: () => true,
    async run(m, real) {
      await play(given)(m, real, real.sides[at])
      await checkAgreement(m, real, real.sides[1 - at] ?? real.sides[0])
      await checkWeights(real.raw, `${real.prefix}:{${real.endpointId}}`, { jobs: m.jobs.keys() })
    },
    toString: () => `${name}(${JSON.stringify(given)}) at ${at}`,
  }))
}

async function checkAgreement(m: Model, { endpointId }: Real, jobs: JobStore): Promise<void> {
  assert.partialDeepStrictEqual(await jobs.stats(endpointId), model.countsOf(m))
  for (const [id, known] of m.jobs) {
    const record = await jobs.get(endpointId, id)
    // Read once after its end and never different again.
    if (known.state === 'ended') known.record ??= record
    const expected = model.recordOf(known)
    if (expected === undefined) assert.equal(record, undefined)
    else assert.partialDeepStrictEqual({ output: undefined, ...record }, expected)
    assert.equal(record?.settledAt !== undefined, known.state === 'ended')
  }
}

export function actorOf({ seats }: Real, known: model.JobModel | undefined, at: 0 | 1 | 'holder'): string {
  return at === 'holder' ? (known?.last ?? seats[0]) : seats[at]
}
