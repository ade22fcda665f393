import type { WorkerLifeView } from '@runyard/schema/api'
import { expect, it } from 'vitest'
import { attemptsOf, describeOutcome, writeStory, type StoryFacts } from './write-story.ts'

const worker = (times: WorkerLifeView['times']): ReadonlyMap<string, WorkerLifeView> =>
  new Map([['w1', { id: 'w1', image: 'example/image', times } as WorkerLifeView]])
const job = (fields: Partial<StoryFacts['job']> = {}): StoryFacts['job'] => ({
  id: 'j1',
  status: 'COMPLETED',
  submittedAt: 1000,
  startedAt: 5000,
  endedAt: 9000,
  workerId: 'w1',
  attempts: [{ workerId: 'w1', startedAt: 5000, endedAt: 9000 }],
  ...fields,
})
const tell = (facts: Partial<StoryFacts>) =>
  writeStory({ job: job(), workers: new Map(), deliveries: [], usual: {}, ...facts }).map(
    ({ label, kind, from, to }) => `${label} ${kind} ${from}..${to ?? ''}`,
  )

it('splits the wait for a worker that was started for it', () => {
  const workers = worker({ placed: 2000, imageReady: 3000, containerStarted: 3500, ready: 4800 })
  expect(tell({ workers })).toEqual([
    'waits for a place wait 1000..2000',
    'image is pulled start 2000..3000',
    'container starts start 3000..3500',
    'worker gets ready start 3500..4800',
    'worker takes the job start 4800..5000',
    'runs run 5000..9000',
  ])
})

it('does not split the wait for a worker that was there before', () => {
  expect(tell({ workers: worker({ placed: 500, ready: 900 }) })).toEqual(['waits for a worker wait 1000..5000', 'runs run 5000..9000'])
})

it('leaves out stages that took no time or are not known', () => {
  const workers = worker({ placed: 2000, imageReady: 2000, ready: 4800 })
  expect(tell({ workers }).slice(1, 3)).toEqual(['worker gets ready start 2000..4800', 'worker takes the job start 4800..5000'])
})

it('says when the function was entered, returned, and its result was there', () => {
  const attempts = [{ workerId: 'w1', startedAt: 5000, enteredAt: 6000, returnedAt: 8900, endedAt: 9000 }]
  expect(tell({ job: job({ attempts }) }).slice(1)).toEqual([
    'before the function start 5000..6000',
    'function run 6000..8900',
    'result is returned after 8900..9000',
  ])
})

it('shows each attempt, and the wait between them', () => {
  const attempts = [
    { workerId: 'w0', startedAt: 2000, endedAt: 4000, evidence: 'the worker was lost' },
    { workerId: 'w1', startedAt: 5000, endedAt: 9000 },
  ]
  expect(tell({ job: job({ attempts }) })).toEqual([
    'waits for a worker wait 1000..2000',
    'runs, attempt 1 lost 2000..4000',
    'waits for a worker wait 4000..5000',
    'runs, attempt 2 run 5000..9000',
  ])
})

it.each([
  ['waits', job({ status: 'IN_QUEUE', attempts: [], startedAt: undefined, endedAt: undefined }), ['waits wait 1000..']],
  [
    'runs',
    job({ status: 'IN_PROGRESS', attempts: [{ workerId: 'w1', startedAt: 5000 }], endedAt: undefined }),
    ['waits for a worker wait 1000..5000', 'runs run 5000..'],
  ],
  ['was cancelled while it waited', job({ attempts: [], startedAt: undefined }), ['waited wait 1000..9000']],
  ['has no events any more', job({ attempts: [] }), ['waits for a worker wait 1000..5000', 'runs run 5000..9000']],
  [
    'was retried: its earlier life is left out, and counts',
    job({ attempts: [{ workerId: 'w0', startedAt: 10, endedAt: 20 }, ...job().attempts] }),
    ['waits for a worker wait 1000..5000', 'runs, attempt 2 run 5000..9000'],
  ],
])('describes a job that %s', (_what, given, expected) => {
  expect(tell({ job: given })).toEqual(expected)
})

it('has the attempts before a retry apart from those after it', () => {
  const before = { workerId: 'w0', startedAt: 10, endedAt: 20 }
  expect(attemptsOf(job({ attempts: [before, ...job().attempts] }))).toEqual({ earlier: [before], own: job().attempts })
})

it('ends with the last delivery of its webhook', () => {
  const delivery = { eventId: 'e', url: 'https://example.com', attempt: 1, durationMs: 30 }
  const deliveries = [
    { ...delivery, jobId: 'j2', at: 9001, outcome: 'delivered' as const },
    { ...delivery, jobId: 'j1', at: 9100, outcome: 'delivered' as const, httpStatus: 200 },
    { ...delivery, jobId: 'j1', at: 9050, outcome: 'failed' as const, httpStatus: 500 },
  ]
  expect(tell({ deliveries }).at(-1)).toBe('webhook after 9000..9130')
})

it('says how a job ended with the first line of its error', () => {
  expect(describeOutcome({ status: 'FAILED', error: 'ValueError: no' })).toBe('failed: ValueError: no')
  expect(describeOutcome({ status: 'COMPLETED' })).toBe('completed')
  expect(describeOutcome({ status: 'IN_PROGRESS' })).toBeUndefined()
})
