import { toJson } from '@runyard/schema'
import { describe, expect, test } from 'vitest'
import {
  END_CAUSES,
  journalOf,
  unreadJob,
  writeJournal,
  writeUnread,
  type EndCause,
  type EndedJob,
  type JobEnd,
  whyIgnored,
} from './job-end.ts'

const ENDPOINT = { id: 'ep-1', name: 'vision' }
const WAITED: EndedJob = { id: 'j1', status: 'CANCELLED', submittedAt: 1000, settledAt: 4000, retries: 0 }
const RAN: EndedJob = { ...WAITED, startedAt: 1500, workerId: 'w1' }

/** The entry for each cause: the log line's reason, the event, and whether there are durations. */
const ENDS: Record<Exclude<EndCause, 'purged'>, { end: Omit<JobEnd, 'cause'>; reason?: string; event: object | undefined }> = {
  result: {
    end: { job: { ...RAN, status: 'FAILED', error: 'ValueError: no' } },
    reason: 'ValueError: no',
    event: { workerId: 'w1' },
  },
  stream_limit: {
    end: { job: { ...RAN, status: 'FAILED', error: 'it streamed too much' } },
    reason: 'it streamed too much',
    event: { workerId: 'w1', message: 'it streamed too much' },
  },
  cancelled: {
    end: { job: { ...WAITED, error: 'not wanted' } },
    reason: 'not wanted',
    event: { message: 'not wanted' },
  },
  worker_lost: {
    end: {
      job: { ...RAN, status: 'FAILED', retries: 2, error: 'job timed out after 2 retries: worker lost 3 times: exit 137' },
      reason: 'heartbeat_lost',
    },
    reason: 'the worker of the job was lost 3 times: exit 137',
    event: { workerId: 'w1', reason: 'heartbeat_lost', message: 'the worker of the job was lost 3 times: exit 137' },
  },
  execution_timeout: {
    end: { job: { ...RAN, status: 'FAILED', error: 'executionTimeout exceeded' } },
    reason: 'executionTimeout exceeded',
    event: { workerId: 'w1', reason: 'execution_timeout', message: 'executionTimeout exceeded' },
  },
  ttl: {
    end: { job: { ...WAITED, status: 'TIMED_OUT', error: 'the ttl elapsed' } },
    reason: 'the ttl elapsed',
    event: { message: 'the ttl elapsed' },
  },
  endpoint_deleted: {
    end: { job: { ...WAITED, error: 'the endpoint was deleted' } },
    reason: 'the endpoint was deleted',
    event: undefined,
  },
}

describe('a job end is one log line, one event and one measurement', () => {
  test.each(Object.entries(ENDS))('%s', (cause, { end, reason, event }) => {
    const { job } = end
    const hasStarted = job.startedAt !== undefined
    expect(journalOf(ENDPOINT, [{ ...end, cause: cause as EndCause }])).toEqual([
      {
        text: 'job settled',
        line: {
          endpointId: 'ep-1',
          endpoint: 'vision',
          jobId: 'j1',
          workerId: job.workerId,
          status: job.status,
          delayMs: hasStarted ? 500 : 0,
          executionMs: hasStarted ? 2500 : 0,
          retries: job.retries,
          reason,
          cause,
        },
        event: event && { at: 4000, endpointId: 'ep-1', kind: 'job_settled', jobId: 'j1', status: job.status, ...event },
        measures: [
          {
            endpointId: 'ep-1',
            cause,
            status: job.status,
            jobs: 1,
            ...(hasStarted ? { durations: { delayMs: 500, executionMs: 2500 } } : {}),
          },
        ],
      },
    ])
  })

  test('this table has a row for every cause', () => {
    expect([...Object.keys(ENDS), 'purged'].toSorted()).toEqual([...END_CAUSES].toSorted())
  })

  test('a completed job has no reason', () => {
    const [entry] = journalOf(ENDPOINT, [{ cause: 'result', job: { ...RAN, status: 'COMPLETED' } }])
    expect(entry).toMatchObject({ line: { status: 'COMPLETED', reason: undefined }, event: { status: 'COMPLETED' } })
    expect(entry?.event).not.toHaveProperty('message')
  })

  test('a long error is cut in the log line', () => {
    const [entry] = journalOf(ENDPOINT, [{ cause: 'result', job: { ...RAN, status: 'FAILED', error: 'x'.repeat(5000) } }])
    expect(entry?.line.reason).toHaveLength(200)
  })

  test('a job whose record could not be read counts without durations', () => {
    const job = unreadJob({ id: 'j1', status: 'FAILED', workerId: 'w1', error: 'lost', at: 7000 })
    expect(journalOf({ id: 'ep-1', name: undefined }, [{ cause: 'worker_lost', job }])).toMatchObject([
      { line: { jobId: 'j1', delayMs: 0, executionMs: 0 }, event: { at: 7000 }, measures: [{ jobs: 1 }] },
    ])
  })
})

describe('many jobs ended by one call', () => {
  const ended = (count: number, job: EndedJob): JobEnd[] =>
    Array.from({ length: count }, (_, n) => ({ cause: 'ttl', job: { ...job, id: `j${n}`, status: 'TIMED_OUT', error: 'the ttl elapsed' } }))

  test('up to twenty have an entry each', () => {
    expect(journalOf(ENDPOINT, ended(20, WAITED)).map(({ text }) => text)).toEqual(Array(20).fill('job settled'))
  })

  test('more have one entry together, with the durations of each job that had started', () => {
    const durations = { delayMs: 500, executionMs: 3500 }
    const ranOver = { endpointId: 'ep-1', cause: 'ttl', status: 'TIMED_OUT', jobs: 1, durations }
    const ends = [...ended(30, WAITED), ...ended(2, { ...RAN, settledAt: 5000 })]
    expect(journalOf(ENDPOINT, ends)).toEqual([
      {
        text: 'jobs settled',
        line: { endpointId: 'ep-1', endpoint: 'vision', jobs: 32, status: 'TIMED_OUT', reason: 'the ttl elapsed', cause: 'ttl' },
        event: { at: 5000, endpointId: 'ep-1', kind: 'job_settled', status: 'TIMED_OUT', message: 'the ttl elapsed: 32 jobs' },
        measures: [ranOver, ranOver, { endpointId: 'ep-1', cause: 'ttl', status: 'TIMED_OUT', jobs: 30 }],
      },
    ])
  })

  test('those of a deleted endpoint have no event, and no measure for waiting jobs where all had started', () => {
    const ends = ended(25, RAN).map(({ job: { settledAt: _end, ...job } }): JobEnd => ({ cause: 'endpoint_deleted', job }))
    const [entry, ...more] = journalOf(ENDPOINT, ends)
    expect(more).toEqual([])
    expect(entry?.event).toBeUndefined()
    expect(entry?.measures.map(({ jobs }) => jobs)).toEqual(Array(25).fill(1))
  })

  test('unread jobs have one entry, and no entry if there are none', () => {
    const heard: unknown[] = []
    const port = {
      keep: (endpointId: string, ends: readonly JobEnd[]) => heard.push({ endpointId, ends }),
      log: (line: object, text: string) => heard.push({ ...line, text }),
      event: (event: object) => heard.push(event),
      measure: (measure: object) => heard.push(measure),
    }
    const purged = { cause: 'purged', status: 'CANCELLED', error: 'the queue was purged', at: 9 } as const
    writeUnread(port, ENDPOINT, { ...purged, jobs: 0 })
    writeJournal(port, ENDPOINT, [])
    expect(heard).toEqual([])
    writeUnread(port, ENDPOINT, { ...purged, jobs: 1 })
    expect(heard).toEqual([
      {
        endpointId: 'ep-1',
        endpoint: 'vision',
        jobs: 1,
        status: 'CANCELLED',
        reason: 'the queue was purged',
        cause: 'purged',
        text: 'jobs settled',
      },
      { at: 9, endpointId: 'ep-1', kind: 'job_settled', status: 'CANCELLED', message: 'the queue was purged: 1 job' },
      { endpointId: 'ep-1', cause: 'purged', status: 'CANCELLED', jobs: 1 },
    ])
  })
})

test('the history gets each job by itself, however many ended at once, also with their endpoint', () => {
  const kept: string[] = []
  const keep = (endpointId: string, ends: readonly JobEnd[]) => kept.push(...ends.map(({ job }) => `${endpointId} ${job.id}`))
  const port = { keep, log: () => undefined, event: () => undefined, measure: () => undefined }
  const ends = Array.from({ length: 30 }, (_, index): JobEnd => ({ cause: 'ttl', job: { ...WAITED, id: `j${index}` } }))
  writeJournal(port, ENDPOINT, ends)
  writeJournal(port, ENDPOINT, [{ cause: 'endpoint_deleted', job: WAITED }])
  expect(kept).toEqual([...ends.map(({ job }) => `ep-1 ${job.id}`), `ep-1 ${WAITED.id}`])
})

const ended = (status: 'COMPLETED' | 'FAILED' | 'CANCELLED', more: { workerId?: string; error?: string } = {}) =>
  ({ status, settledAt: 1, workerId: 'w1', ...more }) as const

test.each([
  ['does not exist', undefined, 'job_unknown'],
  ['is queued again', { status: 'IN_QUEUE' }, 'attempt_superseded'],
  ['runs on another worker', { status: 'IN_PROGRESS', workerId: 'w2' }, 'attempt_superseded'],
  ['was ended by another worker', ended('COMPLETED', { workerId: 'w2' }), 'attempt_superseded'],
  ['was ended by this worker', ended('COMPLETED'), 'result_repeated'],
  ['failed while this worker held it', ended('FAILED', { error: 'job timed out' }), 'job_ended'],
  ['was cancelled', ended('CANCELLED', { error: 'cancelled' }), 'job_ended'],
  ['was purged while it was queued again', { status: 'CANCELLED', settledAt: 1 }, 'job_ended'],
] as const)('a result is ignored if its job %s', (_, job, reason) => {
  expect(whyIgnored(job, { workerId: 'w1', outcome: { status: 'COMPLETED', output: toJson(1) } })).toBe(reason)
})

test('the same error twice is a repeated result, a different error is not', () => {
  const job = ended('FAILED', { error: 'no cheese' })
  const posted = (error: string) => ({ workerId: 'w1', outcome: { status: 'FAILED', error } as const })
  expect([whyIgnored(job, posted('no cheese')), whyIgnored(job, posted('no bread'))]).toEqual(['result_repeated', 'job_ended'])
})

test('an unread result counts as repeated if the job completed, otherwise as late', () => {
  const unread = { workerId: 'w1', outcome: undefined }
  expect(whyIgnored({ status: 'COMPLETED', workerId: 'w1', settledAt: 1 }, unread)).toBe('result_repeated')
  expect(whyIgnored({ status: 'FAILED', workerId: 'w1', settledAt: 1 }, unread)).toBe('job_ended')
})
