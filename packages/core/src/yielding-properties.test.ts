// Properties of yielding on random full pools: every GPU is held by a ready worker, idle or busy, and jobs of several endpoints wait.
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { EndpointView, Observed } from './observed.ts'
import { container, endpoint, gpu, host, lease, NOW, observed, record, view, waiting } from './testing/plan-fixture.ts'
import { plan } from './plan.ts'

const seedOfWorld = fc.record({
  endpoints: fc.array(
    fc.record({
      workersMin: fc.nat(2),
      waiting: fc.constantFrom(0, 0, 1, 3),
      waitedMs: fc.nat(20_000),
      priority: fc.constantFrom(1, 1, 4),
    }),
    {
      minLength: 2,
      maxLength: 4,
    },
  ),
  /** One per GPU. */
  workers: fc.array(
    fc.record({ owner: fc.nat(3), isBusy: fc.boolean(), idleMs: fc.nat(20_000), readyMs: fc.integer({ min: 100, max: 60_000 }) }),
    { minLength: 1, maxLength: 6 },
  ),
})
type Seed = typeof seedOfWorld extends fc.Arbitrary<infer T> ? T : never

interface FullPool {
  readonly seen: Observed
  readonly owners: readonly Owner[]
  readonly yielded: ReadonlySet<string>
}

interface Owner {
  readonly view: EndpointView
  readonly min: number
  readonly idle: readonly string[]
  readonly busy: readonly string[]
}

function toPool(seed: Seed): FullPool {
  const cards = seed.workers.map((_, index) => gpu(`g${index}`))
  const workers = seed.workers.map(({ owner, isBusy, idleMs, readyMs }, index) => {
    const { uuid, name } = cards[index] ?? gpu('')
    const readyAt = NOW - readyMs
    const times = {
      createdAt: readyAt - 2000,
      containerStartedAt: readyAt - 1000,
      readyAt,
      lastJobEndedAt: NOW - Math.min(idleMs, readyMs),
    }
    const endpointId = `ep-${owner % seed.endpoints.length}`
    return { isBusy, found: record(`w${index}`, { endpointId, gpus: [{ uuid, name, simulated: true }], ...times }) }
  })
  const owners = seed.endpoints.map(({ workersMin: min, waiting: count, waitedMs, priority }, index): Owner => {
    const id = `ep-${index}`
    const own = workers.filter(({ found }) => found.endpointId === id)
    const [busy, idle] = [true, false].map((is) => own.filter(({ isBusy }) => isBusy === is).map(({ found }) => found.id))
    const leases = (busy ?? []).map((workerId) => ({ ...lease(`j-${workerId}`, workerId), endpointId: id }))
    const settings = { workersMin: min, workersMax: 8, priority }
    return {
      view: view(endpoint(id, { settings }), { ...waiting(count, waitedMs), workers: own.map(({ found }) => found), leases }),
      min,
      idle: idle ?? [],
      busy: busy ?? [],
    }
  })
  const containers = workers.map(({ found }) => container(found))
  const seen = observed(
    owners.map((owner) => owner.view),
    [host('h1', cards, containers)],
  )
  const yielded = plan(seen, NOW).actions.flatMap((action) =>
    action.kind === 'drain' && action.reason === 'yielded' ? [action.workerId] : [],
  )
  return { seen, owners, yielded: new Set(yielded) }
}

/** What breaks the rule in the smallest pool found; empty if 500 pools keep it. */
function offencesAgainst(rule: (pool: FullPool) => readonly unknown[]): readonly unknown[] {
  const { counterexample } = fc.check(
    fc.property(seedOfWorld, (seed) => rule(toPool(seed)).length === 0),
    { numRuns: 500 },
  )
  return counterexample === null ? [] : [...rule(toPool(counterexample[0])), counterexample[0]]
}

const spareOf = ({ idle, busy, min, view: { demand } }: Owner) => Math.min(idle.length + busy.length - min, idle.length - demand.waiting)

test('no job of an endpoint waits for a GPU that spare idle workers of another endpoint hold', () => {
  const offences = offencesAgainst(({ owners, yielded }) =>
    owners.filter((asking) => {
      const isWaiting = asking.view.demand.waiting > asking.idle.length
      const isYielding = [...asking.idle, ...asking.busy].some((id) => yielded.has(id))
      // Enough patience, so that the endpoint wants another worker now.
      const wants = asking.idle.length + asking.busy.length === 0
      const spare = owners.some((owner) => owner !== asking && spareOf(owner) > 0)
      return isWaiting && wants && spare && !isYielding && yielded.size === 0
    }),
  )
  expect(offences).toEqual([])
})

test('the minimum of an endpoint stays, whatever waits', () => {
  const offences = offencesAgainst(({ owners, yielded }) =>
    owners.filter(({ idle, busy, min }) => {
      const all = [...idle, ...busy]
      const left = all.filter((id) => !yielded.has(id)).length
      return left < all.length && left < min
    }),
  )
  expect(offences).toEqual([])
})

test('a worker that is in its first 5 s after its start and busy does not yield', () => {
  const offences = offencesAgainst(({ seen, owners, yielded }) => {
    const busy = new Set(owners.flatMap((owner) => owner.busy))
    const young = seen.endpoints.flatMap(({ workers }) => workers).filter(({ readyAt = 0 }) => readyAt > NOW - 5000)
    return young.filter(({ id }) => busy.has(id) && yielded.has(id))
  })
  expect(offences).toEqual([])
})

test('no more workers yield than jobs wait elsewhere', () => {
  const offences = offencesAgainst(({ owners, yielded }) => {
    const wanted = owners.reduce((sum, { view: { demand, endpoint: found }, min, idle, busy }) => {
      const belowMin = Math.max(0, min - idle.length - busy.length)
      return sum + Math.min(Math.max(demand.waiting, belowMin), found?.settings.workersMax ?? 0)
    }, 0)
    return yielded.size > wanted ? [...yielded] : []
  })
  expect(offences).toEqual([])
})
