// For the property test: everything that may happen to the jobs of one endpoint, as commands of fast-check's model runner.
import assert from 'node:assert/strict'
import * as fc from 'fast-check'
import * as model from './job-model.ts'
import { actor, actorOf, command, job, type Model, type Real } from './model-command.ts'
import { chunk, conclude, stream, voidClaim } from './stream-commands.ts'
import { completed, submission } from './test-store.ts'
import type { JobStore, ValueOutcome } from './value-store.ts'
import { NOTHING, readWeights } from './weight-check.ts'

const LONG_AFTER = 48 * 60 * 60 * 1000

const seat = fc.constantFrom<0 | 1>(0, 1)

function retireSeat(real: Real, worker: string | undefined): void {
  const at = real.seats.findIndex((id) => id === worker)
  real.hires += 1
  if (at !== -1) real.seats[at] = `w${real.hires}`
}

const submit = command('submit', fc.tuple(job, fc.boolean()), ([id, lowPriority]) => async (m, { endpointId }, jobs) => {
  if (m.jobs.has(id)) return
  await jobs.submit(endpointId, submission(id, { policy: { lowPriority } }))
  model.submitted(m, id, lowPriority)
})

const take = command('take', seat, (at) => async (m, real, jobs) => {
  const worker = real.seats[at]
  const may = model.takeable(m, worker)
  const given = await jobs.take(real.endpointId, worker)
  if (may === 'not_now') return assert.equal(given, null)
  if (given === undefined || given === null) {
    assert.equal(given, undefined)
    // Nothing there, or a job that this worker had in an earlier life: then it is replaced.
    const isBarred = may.some((id) => m.jobs.get(id)?.barred.has(worker) === true)
    assert.equal(may.length === 0 || isBarred, true)
    if (isBarred) retireSeat(real, worker)
    return
  }
  const known = m.jobs.get(given.id)
  assert.ok(may.includes(given.id))
  assert.equal(known?.barred.has(worker), false)
  if (known !== undefined) model.taken(known, worker)
  assert.equal(given.attempt, known?.attempts)
})

const ping = command('ping', fc.tuple(job, actor), ([id, at]) => async (m, real, jobs) => {
  const known = m.jobs.get(id)
  const worker = actorOf(real, known, at)
  const isHolder = model.mayWrite(known, worker)
  const { notHeld } = await jobs.heartbeat(real.endpointId, worker, { jobIds: [id], withLeases: false })
  assert.deepEqual(notHeld, isHolder ? [] : [id])
  if (isHolder && known !== undefined) known.holder = worker
})

const progress = command('progress', fc.tuple(job, actor, fc.integer()), ([id, at, value]) => async (m, real, jobs) => {
  const known = m.jobs.get(id)
  const worker = actorOf(real, known, at)
  const answer = model.answerTo(known, worker)
  assert.equal(await jobs.progress({ endpointId: real.endpointId, jobId: id, workerId: worker, output: value }), answer)
  if (answer === 'settled' && known !== undefined) Object.assign(known, { progress: value, holder: worker })
})

const settle = command('settle', fc.tuple(job, actor, fc.boolean()), ([id, at, fails]) => async (m, real, jobs) => {
  const known = m.jobs.get(id)
  const worker = actorOf(real, known, at)
  const outcome: ValueOutcome = fails ? { status: 'FAILED', error: worker } : completed(`${worker}'s`)
  const answer = model.answerTo(known, worker)
  assert.equal(await jobs.settle({ endpointId: real.endpointId, jobId: id, workerId: worker, outcome }), answer)
  if (answer !== 'settled' || known === undefined) return
  model.ended(m, known, outcome.status)
  assert.partialDeepStrictEqual(await jobs.get(real.endpointId, id), { ...outcome, workerId: worker, retries: known.attempts - 1 })
})

const force = command(
  'force',
  fc.tuple(job, fc.constantFrom('CANCELLED' as const, 'FAILED' as const)),
  ([id, status]) =>
    async (m, real, jobs) => {
      const known = m.jobs.get(id)
      const { result, heldBy } = await jobs.forceSettle(real.endpointId, id, { status, error: 'by force' })
      if (known === undefined || known.state === 'swept') return assert.equal(result, 'unknown')
      if (known.state === 'ended') return assert.equal(result, 'already_settled')
      assert.deepEqual({ result, heldBy }, { result: 'settled', heldBy: known.state === 'leased' ? known.last : undefined })
      model.ended(m, known, status)
    },
)

const takeBack = command('takeBack', fc.tuple(job, fc.option(actor), fc.boolean()), ([id, at, withAll]) => async (m, real, jobs) => {
  const known = m.jobs.get(id)
  const workerId = at === null ? undefined : actorOf(real, known, at)
  const lease = { endpointId: real.endpointId, jobId: id, workerId }
  const result = await jobs.takeBack(lease, { budget: model.BUDGET, evidence: 'lost', withAll })
  if (!model.mayBeTakenBack(known, workerId)) return assert.equal(result, 'moot')
  if (withAll) model.lostWithAll(m, known.last ?? '', workerId !== undefined)
  retireSeat(real, known.last)
  if (known.attempts > model.BUDGET) {
    assert.equal(result, 'failed')
    return model.ended(m, known, 'FAILED')
  }
  assert.equal(result, 'requeued')
  m.retried += 1
  model.requeued(known)
})

const giveBack = command('giveBack', fc.tuple(job, actor), ([id, at]) => async (m, real, jobs) => {
  const known = m.jobs.get(id)
  const worker = actorOf(real, known, at)
  await jobs.giveBack(real.endpointId, id, worker)
  if (known?.state !== 'leased' || known.holder !== worker) return
  known.attempts -= 1
  model.requeued(known)
})

/** As if the lease's time had passed. */
const expire = command('expire', job, (id) => async (m, { raw, prefix, endpointId }) => {
  await raw.del(`${prefix}:{${endpointId}}:${id}:lock`)
  const known = m.jobs.get(id)
  if (known?.state === 'leased') known.holder = undefined
})

/** Every job outlives its time to live. */
export async function sweep(m: Model, { endpointId }: Real, jobs: JobStore): Promise<void> {
  const due = [...m.jobs].filter(([, { state }]) => state === 'waiting' || state === 'leased')
  const swept = await jobs.sweepExpired(endpointId, Date.now() + LONG_AFTER)
  assert.deepEqual(new Set(swept), new Set(due.map(([id]) => id)))
  for (const [, known] of due) Object.assign(known, { state: 'swept', claim: undefined })
}

const ttl = command('ttl', fc.constant(null), () => sweep)

/** A job that is read before its end is written looks like any other: neither an order to end it nor its earlier worker distinguishes it. */
const purge = command('purge', fc.tuple(job, actor), ([id, at]) => async (m, real, jobs) => {
  const { endpointId } = real
  const waiting = [...m.jobs.values()].filter(({ state }) => state === 'waiting')
  const known = m.jobs.get(id)
  assert.equal(await jobs.purge(endpointId), waiting.length)
  for (const one of waiting) model.ended(m, one, 'CANCELLED')
  if (known?.state !== 'ended') return
  assert.equal(
    await jobs.settle({ endpointId, jobId: id, workerId: actorOf(real, known, at), outcome: completed('late') }),
    'already_settled',
  )
  assert.equal((await jobs.forceSettle(endpointId, id, { status: 'FAILED' })).result, 'already_settled')
})

const endPurged = command(
  'endPurged',
  fc.constant(null),
  () =>
    (_m, { endpointId }, jobs) =>
      jobs.endPurged(endpointId),
)

const retry = command('retry', job, (id) => async (m, { endpointId }, jobs) => {
  const known = m.jobs.get(id)
  const result = await jobs.retry(endpointId, id)
  if (known === undefined || known.state === 'swept') return assert.equal(result, 'unknown')
  if (known.state !== 'ended') return assert.equal(result, known.holder === undefined ? 'IN_QUEUE' : 'IN_PROGRESS')
  if (known.record?.status !== 'FAILED') return assert.equal(result, known.record?.status)
  assert.equal(result, 'retried')
  model.revived(known)
  // Who had it in an earlier life comes too late for ever.
  for (const worker of known.barred)
    assert.equal(await jobs.settle({ endpointId, jobId: id, workerId: worker, outcome: completed('stale') }), 'not_holder')
})

/** What empties the queue is rare, or nothing long would ever happen. */
const WEIGHTS: readonly [number, fc.Arbitrary<fc.AsyncCommand<Model, Real>>][] = [
  [6, take],
  [4, takeBack],
  [3, submit],
  [3, chunk],
  [3, expire],
  [2, ping],
  [2, progress],
  [4, stream],
  [3, conclude],
  [2, voidClaim],
  [2, giveBack],
  [3, settle],
  [3, retry],
  [1, force],
]
export const COMMANDS = [...WEIGHTS.flatMap(([weight, one]) => Array.from({ length: weight }, () => one)), ttl, purge, endPurged]

/** What sweeps and one healthy worker do until nothing is left. */
export async function runToTheEnd({ sides: [jobs], endpointId }: Real): Promise<void> {
  for (const lease of await jobs.leases(endpointId)) await jobs.takeBack(lease, { budget: model.BUDGET, evidence: 'swept' })
  for (let given = await jobs.take(endpointId, 'last'); given; given = await jobs.take(endpointId, 'last')) {
    assert.equal(await jobs.settle({ endpointId, jobId: given.id, workerId: 'last', outcome: completed('last') }), 'settled')
  }
}

export async function checkEnds(m: Model, { sides: [jobs], endpointId, raw, prefix }: Real): Promise<void> {
  assert.partialDeepStrictEqual(await jobs.stats(endpointId), { waiting: 0, inProgress: 0 })
  for (const [id, known] of m.jobs) {
    const record = await jobs.get(endpointId, id)
    const expected = model.recordOf(known)
    if (known.state === 'swept' || known.state === 'ended') assert.deepEqual(record, expected)
    else assert.ok(record?.status === 'COMPLETED' || record?.status === 'FAILED')
  }
  const { keptBytes: _kept, ...live } = await readWeights(raw, `${prefix}:{${endpointId}}`)
  assert.deepEqual(live, { queueBytes: 0, unreadBytes: 0 })
  await jobs.sweepRegister(endpointId, Date.now() + LONG_AFTER)
  assert.deepEqual(await readWeights(raw, `${prefix}:{${endpointId}}`), NOTHING)
}
