// One scaler leads: its lease, the fence that shuts earlier leaders out, and cards that have one holder.
import { hostname } from 'node:os'
import { RunyardError, type WorkerRecord } from '@runyard/schema'
import { workerRecord } from '@runyard/testing/records'
import { array, assert, asyncProperty, boolean, nat, record as recordOf } from 'fast-check'
import { describe, expect, test, vi } from 'vitest'
import { endpoint } from '../testing/endpoint-fixture.ts'
import { submission, useStores } from '../testing/test-store.ts'
import type { StoreUnderTerm } from '../types.ts'

const stores = useStores()
const EP = 'ep-1'
const facts = { machine: hostname(), pid: 1, dataDir: '/d', since: 5, processTable: '', life: '' }
const hold = { ttlMs: 60_000, facts }
const stale: unknown = expect.objectContaining({ code: 'stale_term' })
const L4 = { name: 'NVIDIA L4', simulated: false }

async function lead(owner: string, options: Partial<typeof hold> & { term?: number } = {}): Promise<number> {
  const { leader } = await stores.open()
  const holding = await leader.hold(owner, { ...hold, ...options })
  if (holding.kind !== 'held') throw new Error(`${owner} does not lead`)
  return holding.term
}

/** The leader dies, and another one looks at the endpoint. */
async function takeOver(old: string, fresh: string): Promise<StoreUnderTerm> {
  const store = await stores.open()
  await store.leader.release(old)
  const next = store.underTerm(await lead(fresh))
  await next.workers.list(EP)
  return next
}

describe('the lease', () => {
  test('has one holder, who renews it; the others hear who that is and for how long', async () => {
    const { leader } = await stores.open()
    const term = await lead('one')
    expect(await lead('one', { term })).toBe(term)
    const others = await leader.hold('two', hold)
    expect(others).toMatchObject({ kind: 'others', leader: facts })
    expect(others.kind === 'others' && others.leftMs > 0 && others.leftMs <= hold.ttlMs).toBe(true)
  })

  test('of many who ask at once, one has it', async () => {
    const { leader } = await stores.open()
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => leader.hold(`s${n}`, hold)))
    expect(answers.filter(({ kind }) => kind === 'held')).toHaveLength(1)
  })

  test('passes on with a later term, when it is given up and when it runs out', async () => {
    const { leader } = await stores.open()
    const first = await lead('one')
    await leader.release('no-such')
    expect((await leader.hold('two', hold)).kind).toBe('others')
    await leader.release('one')
    const second = await lead('two', { ttlMs: 1 })
    const third = await vi.waitFor(() => lead('three'))
    expect(first < second && second < third).toBe(true)
  })

  test('that expired without another leader continues under its term, otherwise under a later one', async () => {
    const { leader } = await stores.open()
    const first = await lead('one')
    await leader.release('one')
    expect(await lead('one', { term: first })).toBe(first)
    await leader.release('one')
    await lead('two')
    await leader.release('two')
    expect(await lead('one', { term: first })).toBeGreaterThan(first)
  })

  test('is taken, renewed and led under also while Redis is out of memory', async () => {
    const store = await stores.open()
    await store.workers.create(workerRecord('w1'))
    await stores.redis().configure('maxmemory', '1')
    try {
      const term = await lead('one')
      expect(await lead('one', { term })).toBe(term)
      const led = store.underTerm(term)
      expect((await led.workers.list(EP)).map(({ id }) => id)).toEqual(['w1'])
      await led.jobs.sweepRegister(EP, Date.now())
    } finally {
      await stores.redis().configure('maxmemory', '0')
    }
  })

  test('has later terms also after Redis was emptied', async () => {
    const before = await lead('one')
    const raw = stores.raw()
    await raw.del(...(await raw.keys(`${stores.prefix()}:*`)))
    expect(await lead('one', { term: before })).toBeGreaterThan(before)
  })
})

describe('a leader of an earlier term', () => {
  const writes: readonly [string, (store: StoreUnderTerm) => Promise<unknown>][] = [
    ['creates no worker', ({ workers }) => workers.create(workerRecord('w2'))],
    ['creates no worker with a card', ({ workers }) => workers.create(workerRecord('w2', { gpus: [{ uuid: 'GPU-1', ...L4 }] }))],
    ['starts none', ({ workers }) => workers.mayStart(workerRecord('w1'))],
    ['changes none', ({ workers }) => workers.patch({ endpointId: EP, workerId: 'w1', fields: { drainingSince: 1 } })],
    ['removes none', ({ workers }) => workers.remove(EP, 'w1', undefined)],
    ['takes no job back', ({ jobs }) => jobs.takeBack({ endpointId: EP, jobId: 'a', workerId: 'w1' }, { budget: 0, evidence: 'lost' })],
    ['ends no job', ({ jobs }) => jobs.forceSettle(EP, 'a', { status: 'FAILED', error: 'too long' })],
    ['sweeps nothing', ({ jobs }) => jobs.sweepExpired(EP, Date.now() + 1e9)],
    ['forgets no result', ({ jobs }) => jobs.sweepRegister(EP, Date.now() + 1e9)],
    [
      'says nothing of the endpoint',
      ({ status }) => status.put(EP, { at: 1, throttled: 9, reason: undefined, message: undefined, unhealthy: 0 }),
    ],
    ['forgets no endpoint', ({ endpoints }) => endpoints.forget(EP)],
    [
      'opens no interval',
      ({ ledger }) => ledger.transition({ workerId: 'w1', endpointId: EP, gpuType: null, gpuCount: 0, state: 'outdated', at: 9 }),
    ],
    ['closes none', ({ ledger }) => ledger.close('w1', 9)],
    ['adds none up', ({ ledger }) => ledger.tidy(1, 1)],
    ['plans on nothing that it reads', ({ workers }) => workers.list(EP)],
  ]

  test.each(writes)('%s', async (_title, write) => {
    const store = await stores.open()
    const old = store.underTerm(await lead('old'))
    await store.endpoints.upsert({ id: EP }, () => endpoint(EP))
    await old.workers.create(workerRecord('w1'))
    await store.jobs.submit(EP, submission('a'))
    await store.jobs.take(EP, 'w1')
    await takeOver('old', 'fresh')
    const raw = stores.raw()
    const dump = async () => {
      const names = (await raw.keys(`${stores.prefix()}:*`)).toSorted()
      return Promise.all(names.map(async (name) => [name, await raw.dumpBuffer(name)]))
    }
    const before = await dump()
    await expect(write(old)).rejects.toEqual(stale)
    expect(await dump()).toEqual(before)
  })

  test('goes on until a later one has looked at the endpoint, and never gets a card after that one began', async () => {
    const store = await stores.open()
    const old = store.underTerm(await lead('old'))
    await store.leader.release('old')
    await lead('fresh')
    await old.workers.create(workerRecord('w1'))
    await expect(old.workers.create(workerRecord('w2', { gpus: [{ uuid: 'GPU-1', ...L4 }] }))).rejects.toEqual(stale)
    expect((await store.workers.list(EP)).map(({ id }) => id)).toEqual(['w1'])
  })

  test('writes nothing into an endpoint that a later one has forgotten', async () => {
    const store = await stores.open()
    const old = store.underTerm(await lead('old'))
    await store.endpoints.upsert({ id: EP }, () => endpoint(EP))
    await old.workers.create(workerRecord('w1'))
    const fresh = await takeOver('old', 'fresh')
    await store.endpoints.delete(EP)
    await fresh.endpoints.forget(EP)
    await expect(old.workers.create(workerRecord('w2'))).rejects.toEqual(stale)
    const raw = stores.raw()
    const left = await raw.keys(`${stores.prefix()}:{${EP}}*`)
    expect(left.toSorted()).toEqual(['forgotten', 'term'].map((name) => `${stores.prefix()}:{${EP}}:r:${name}`))
    const next = await takeOver('fresh', 'next')
    await next.jobs.leases(EP)
    for (const key of left) expect(await raw.ttl(key)).toBeGreaterThan(0)
  })

  test('claims and bills nothing in a Redis that was emptied since', async () => {
    const store = await stores.open()
    const old = store.underTerm(await lead('old'))
    const raw = stores.raw()
    await raw.del(...(await raw.keys(`${stores.prefix()}:*`)))
    await expect(old.workers.create(workerRecord('w1', { gpus: [{ uuid: 'GPU-1', ...L4 }] }))).rejects.toEqual(stale)
    await expect(old.ledger.close('w1', 9)).rejects.toEqual(stale)
    await expect(old.ledger.tidy(9, 1)).rejects.toEqual(stale)
    expect(await raw.keys(`${stores.prefix()}:*`)).toEqual([])
  })

  test('affects only leaders: gateways write without a term', async () => {
    const store = await stores.open()
    await store.underTerm(await lead('one')).workers.create(workerRecord('w1'))
    expect(await store.workers.patch({ endpointId: EP, workerId: 'w1', fields: { readyAt: 7 } })).toBe(true)
    await store.jobs.submit(EP, submission('a'))
    expect(await store.jobs.take(EP, 'w1')).toMatchObject({ id: 'a' })
  })
})

describe('a card', () => {
  const withCards = (id: string, ...uuids: string[]): WorkerRecord => workerRecord(id, { gpus: uuids.map((uuid) => ({ uuid, ...L4 })) })
  const conflict: unknown = expect.objectContaining({ code: 'conflict' } satisfies Partial<RunyardError>)

  test('has one holder, until that one is removed and the card is proven free', async () => {
    const { workers, cards } = await stores.open()
    await workers.create(withCards('w1', 'GPU-1', 'GPU-2'))
    await expect(workers.create(withCards('w2', 'GPU-2', 'GPU-3'))).rejects.toEqual(conflict)
    expect(await workers.list(EP)).toEqual([withCards('w1', 'GPU-1', 'GPU-2')])
    await workers.create(withCards('w3', 'GPU-3'))
    await workers.remove(EP, 'w1', undefined)
    await expect(workers.create(withCards('w2', 'GPU-2'))).rejects.toEqual(conflict)
    for (const card of await cards.list()) await cards.putClaim(card, undefined)
    await workers.create(withCards('w2', 'GPU-2'))
  })

  test('is free where its claim outlived its worker', async () => {
    const { workers } = await stores.open()
    await stores.raw().hset(`${stores.prefix()}:{@}:cards`, 'GPU-1', `${EP}/died-between`)
    await workers.create(withCards('w1', 'GPU-1'))
    await expect(workers.create(withCards('w2', 'GPU-1'))).rejects.toEqual(conflict)
  })

  test('can be used only by its holder, and by no worker once that one drains or is gone', async () => {
    const { workers } = await stores.open()
    const [one, two] = [withCards('w1', 'GPU-1'), withCards('w2', 'GPU-1')]
    await workers.create(one)
    await stores.raw().hset(`${stores.prefix()}:{@}:cards`, 'GPU-1', `${EP}/no-such`)
    expect(await workers.mayStart(one)).toBe('yes')
    expect(await workers.mayStart(two)).toBe('no')
    await stores.raw().hset(`${stores.prefix()}:{@}:cards`, 'GPU-1', `${EP}/w2`)
    await workers.create(workerRecord('w2'))
    expect(await workers.mayStart(one)).toBe('card_held')
    await workers.patch({ endpointId: EP, workerId: 'w1', fields: { drainingSince: 1 } })
    expect(await workers.mayStart(one)).toBe('no')
    await workers.remove(EP, 'w1', undefined)
    expect(await workers.mayStart(one)).toBe('no')
  })

  test('is never held twice, nor for more than its memory, whatever leaders come and go and however their writes are ordered', async () => {
    const step = recordOf({ by: nat(2), card: nat(1), takesOver: boolean(), bytes: nat(2) })
    await assert(
      asyncProperty(array(step, { maxLength: 12 }), async (steps) => {
        const prefix = `${stores.prefix()}-${Math.random()}`
        const store = await stores.open({ prefix })
        const plans = new Map<number, StoreUnderTerm>()
        let leading: number | undefined
        const created: WorkerRecord[] = []
        for (const [n, { by, card, takesOver, bytes }] of steps.entries()) {
          if (takesOver || !plans.has(by)) {
            if (leading !== undefined) await store.leader.release(`s${leading}`)
            const holding = await store.leader.hold(`s${by}`, hold)
            if (holding.kind === 'held') plans.set(by, store.underTerm(holding.term))
            leading = by
          }
          // Each in an endpoint of its own, which has not been read yet.
          // 0: it needs the card alone.
          const part = bytes === 0 ? {} : { part: { bytes, ofBytes: 4 } }
          const record = workerRecord(`w${n}`, { gpus: [{ uuid: `GPU-${card}`, ...L4, ...part }], endpointId: `ep-${n}` })
          await plans
            .get(by)
            ?.workers.create(record)
            .then(
              () => created.push(record),
              (error: unknown) => expect(error).toBeInstanceOf(RunyardError),
            )
        }
        const held = Map.groupBy(
          created.flatMap(({ gpus }) => gpus),
          ({ uuid }) => uuid,
        )
        for (const parts of held.values()) {
          const bytes = parts.reduce((sum, { part }) => sum + (part?.bytes ?? Infinity), 0)
          expect(parts.length === 1 || bytes <= 4).toBe(true)
        }
      }),
      { numRuns: 25 },
    )
  })
})
