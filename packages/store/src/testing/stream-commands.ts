// For the property test: what may happen to the streams of jobs.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import * as fc from 'fast-check'
import * as model from './job-model.ts'
import { actor, actorOf, command, job, type Model, type Real, type Run } from './model-command.ts'
import { drainStream } from './test-store.ts'

export const chunk = command(
  'chunk',
  fc.tuple(job, actor, fc.integer(), fc.nat(2)),
  ([id, at, value, repeats]) =>
    async (m, real, jobs) => {
      const known = m.jobs.get(id)
      const worker = actorOf(real, known, at)
      const answer = model.answerTo(known, worker)
      const name = randomUUID()
      for (let post = 0; post <= repeats; post += 1)
        assert.equal(await jobs.appendChunk({ endpointId: real.endpointId, jobId: id, workerId: worker, chunk: value, post: name }), answer)
      if (answer !== 'settled' || known === undefined) return
      known.chunks.push(value)
      known.holder = worker
    },
)

const claimNext =
  (id: string): Run =>
  async (m, { endpointId }, jobs) => {
    const known = m.jobs.get(id)
    const read = await jobs.claimChunks(endpointId, id, 2)
    if (known === undefined || known.state === 'swept') return assert.equal(read, undefined)
    const expected = model.claimable(known).slice(0, 2)
    assert.deepEqual(read?.chunks, expected)
    assert.equal(read.more, known.chunks.length > expected.length)
    assert.equal(read.heldBackMs > 0, known.claim?.isVoid === false)
    if (read.claim === undefined) return assert.equal(expected.length, 0)
    known.claim = { id: read.claim, isVoid: false }
    known.answers.push({ claim: read.claim, count: expected.length })
  }
export const stream = command('stream', fc.tuple(fc.nat(3), job), ([pick, any]) => async (m, real, jobs) => {
  const [id] = model.pickStream(m, pick) ?? [any]
  await claimNext(id)(m, real, jobs)
})

/** An answer of a stream is over, be it one whose claim was lost long ago: delivered whole, or broken off. */
export const conclude = command(
  'conclude',
  fc.tuple(fc.nat(3), fc.boolean(), fc.nat(1)),
  ([pick, isWhole, age]) =>
    async (m, { endpointId }, jobs) => {
      const [id, known] = model.pickStream(m, pick) ?? []
      const answer = known?.answers.at(-1 - age)
      if (id === undefined || known === undefined || answer === undefined) return
      const delivered = isWhole ? answer.count : 0
      const isHeld = known.claim?.id === answer.claim
      assert.equal(await jobs.concludeClaim(endpointId, id, { claim: answer.claim, delivered }), isHeld)
      if (!isHeld) return
      known.claim = undefined
      known.chunks.splice(0, delivered)
    },
)

/** As if the reader's gateway had been dead for the time of a claim; somebody else may ask then. */
export const voidClaim = command('voidClaim', fc.tuple(fc.nat(3), fc.boolean()), ([pick, isWanted]) => async (m, real, jobs) => {
  const [id, known] = model.pickStream(m, pick) ?? []
  if (id === undefined || known?.claim === undefined) return
  const key = `${real.prefix}:{${real.endpointId}}:c:${id}`
  const head = await real.raw.lindex(key, 0)
  assert.match(head ?? '', /^!\S+ \d+\+?$/)
  await real.raw.lset(key, 0, String(head).replace(/ \d+/, ' 0'))
  known.claim.isVoid = true
  if (isWanted) await claimNext(id)(m, real, jobs)
})

/** A further reader gets every undelivered chunk, in order, and then nothing. */
export async function checkStreams(m: Model, { sides: [jobs], endpointId }: Real): Promise<void> {
  for (const [id, known] of m.jobs) {
    if (known.state === 'swept') continue
    if (known.claim !== undefined) await jobs.concludeClaim(endpointId, id, { claim: known.claim.id, delivered: 0 })
    assert.deepEqual((await drainStream(jobs, endpointId, id, 100))?.chunks, known.chunks)
    assert.deepEqual((await jobs.claimChunks(endpointId, id, 100))?.chunks, [])
  }
}
