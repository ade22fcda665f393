import { JOB_STATUSES } from '@runyard/schema'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { END_CAUSES } from '../job-end.ts'
import { defined } from '../management/defined.ts'
import { idBytesOf, packJobs, toPastJob, unpackJobs, type PastJob } from './ended-jobs.ts'
import { fingerprintOf, headlineOf, normalised } from './fingerprint.ts'

const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined })
const AT = 1_764_000_000_000

const pastJob: fc.Arbitrary<PastJob> = fc
  .record({
    id: fc.oneof(
      fc.uuid().map((id) => `${id}-u1`),
      fc.uuid().map((id) => `sync-${id}-u1`),
      fc.stringMatching(/^[A-Za-z0-9_-]{1,40}$/u),
    ),
    endpointId: fc.constantFrom('ep1', 'ep2', 'a-longer-endpoint'),
    status: fc.constantFrom(...JOB_STATUSES),
    cause: fc.constantFrom(...END_CAUSES),
    waited: fc.nat(7 * 24 * 3_600_000),
    ran: optional(fc.nat(24 * 3_600_000)),
    end: fc.nat(100_000),
    retries: fc.nat(300),
    workerId: optional(fc.constantFrom('w1234567', 'w7654321')),
    keyId: optional(fc.string()),
    fingerprint: optional(fc.string()),
    error: optional(fc.string({ unit: 'grapheme' })),
  })
  .map(({ waited, ran, end, ...job }): PastJob => {
    const endedAt = AT + end
    const startedAt = ran === undefined ? undefined : endedAt - ran
    return defined({ ...job, endedAt, startedAt, submittedAt: (startedAt ?? endedAt) - waited })
  })

/** Looks random, as the ids of jobs do. */
const uuid = (index: number): string => `${(index * 2_654_435_761).toString(16).padStart(8, '0').slice(0, 8)}-8b86-4011-b42d-00cf4fc964ff`

it('gives back the jobs that were packed into a chunk', () => {
  const roundTrip = fc.property(fc.array(pastJob, { maxLength: 40 }), (jobs) => {
    expect(unpackJobs(packJobs(jobs))).toEqual(jobs)
  })
  fc.assert(roundTrip)
})

it('reads a chunk that was cut as far as it goes', () => {
  const cutChunk = fc.property(fc.array(pastJob, { minLength: 1, maxLength: 5 }), fc.nat(400), (jobs, cut) => {
    expect(unpackJobs(packJobs(jobs).subarray(0, cut)).length).toBeLessThanOrEqual(jobs.length)
  })
  fc.assert(cutChunk)
})

it('needs 30 bytes a job where a second has many, and 80 where it has one', () => {
  const many = Array.from({ length: 200 }, (_, index) => ({
    id: `${uuid(index)}-u1`,
    endpointId: `endpoint-${index % 5}`,
    workerId: `workerworker${index % 20}`,
    status: 'COMPLETED' as const,
    cause: 'result' as const,
    submittedAt: AT - 2000 - index * 7,
    startedAt: AT - 1500 - index * 5,
    endedAt: AT - index * 5,
    retries: 0,
  }))
  expect(packJobs(many).length / many.length).toBeLessThan(30)
  expect(packJobs(many.slice(0, 1)).length).toBeLessThan(80)
})

it('finds the bytes of an id in its chunk', () => {
  const id = `sync-${uuid(7)}-u1`
  const job = { id, endpointId: 'e', status: 'COMPLETED', cause: 'result', submittedAt: AT, endedAt: AT, retries: 0 } as const
  expect([...packJobs([job])].join(' ')).toContain([...(idBytesOf(id) ?? [])].join(' '))
  expect(idBytesOf('mine-1')).toBeUndefined()
})

it('keeps an error and its fingerprint of failed jobs alone', () => {
  const job = { id: 'j1', submittedAt: AT, settledAt: AT + 5, retries: 1, error: 'not wanted' }
  expect(toPastJob('ep1', { cause: 'cancelled', job: { ...job, status: 'CANCELLED' } })).not.toHaveProperty('error')
  expect(toPastJob('ep1', { cause: 'worker_lost', job: { ...job, status: 'FAILED', keyId: 'k1' } })).toMatchObject({
    endedAt: AT + 5,
    keyId: 'k1',
    error: 'not wanted',
    fingerprint: fingerprintOf('not wanted'),
  })
})

const TRACEBACK = 'Traceback (most recent call last):\n  File "/app/handler.py", line 12, in handler\n    raise ValueError(x)\n'
const SDK = (message: string) => JSON.stringify({ error_type: "<class 'ValueError'>", error_message: message, error_traceback: TRACEBACK })

/** Pairs that are the same failure, with the text that they share. */
const ALIKE: readonly (readonly [one: string, other: string, shared: string])[] = [
  [
    'CUDA out of memory. Tried to allocate 20.00 MiB',
    'CUDA out of memory. Tried to allocate 512.00 MiB',
    'CUDA out of memory. Tried to allocate <n> MiB',
  ],
  [`${TRACEBACK}ValueError: bad size 3`, `${TRACEBACK}ValueError: bad size 77`, 'ValueError: bad size <n>'],
  [SDK('bad size 3'), SDK('bad size 4'), 'ValueError: bad size <n>'],
  [
    'worker 1a2b3c4d5e6f was lost: exited (exit code 137)',
    'worker qq2b3c4d5e6f was lost: exited (exit code 1)',
    'worker <id> was lost: exited (exit code <n>)',
  ],
  ['GET https://a.example/x?y=1 failed', 'GET http://b.example failed', 'GET <url> failed'],
  ["KeyError: 'prompt'", "KeyError: 'steps'", 'KeyError: <text>'],
  ['no file /tmp/a/b.png', 'no file /data/models/c', 'no file <path>'],
  ['at 2026-11-30T08:00:00Z: no', 'at 2026-12-01T09:10:11.123Z: no', 'at <time>: no'],
  ['connect 10.0.0.1:8080', 'connect 192.168.1.4:80', 'connect <address>'],
  ['object at 0x7f01', 'object at 0xffee12', 'object at <address>'],
  ['job 6f9619ff-8b86-4011-b42d-00cf4fc964ff-u1 is late', 'job sync-0f9619ff-8b86-4011-b42d-00cf4fc964ff-u1 is late', 'job <id> is late'],
  ['no  room', 'no room\nbut more', 'no room'],
]

describe('the fingerprint of an error', () => {
  it.each(ALIKE)('is one for %j and %j', (one, other, shared) => {
    expect([normalised(one), normalised(other)]).toEqual([shared, shared])
    expect(fingerprintOf(one)).toBe(fingerprintOf(other))
    expect(fingerprintOf(one)).toMatch(/^[0-9a-z]{12}$/u)
  })

  it('differs for different failures', () => {
    const texts = ['CUDA out of memory', 'KeyError: prompt', 'executionTimeout exceeded', 'not enough values', '']
    expect(new Set(texts.map(fingerprintOf)).size).toBe(texts.length)
  })

  it('takes text that only looks like JSON as it is', () => {
    expect(headlineOf('{"error_message": 7}')).toBe('{"error_message": 7}')
    expect(headlineOf('{not json')).toBe('{not json')
  })
})
