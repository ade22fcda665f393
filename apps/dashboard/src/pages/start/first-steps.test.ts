import type { EndpointView, FoundJob, JobDetailView } from '@runyard/schema/api'
import { expect, it } from 'vitest'
import { exportBlock, firstScripts } from './first-scripts.ts'
import { describeCards, firstSteps } from './first-steps.ts'

const endpoints = [{ id: 'e1', name: 'hello' }] as unknown as readonly EndpointView[]
const job = (change: Partial<FoundJob> = {}): FoundJob => ({
  id: 'j1',
  endpoint: { id: 'e1', name: 'hello' },
  status: 'IN_QUEUE',
  submittedAt: 1,
  retries: 0,
  ...change,
})
const detail = (attempt: Partial<JobDetailView['attempts'][number]>): JobDetailView => ({
  ...job(),
  attempts: [{ workerId: 'w1', startedAt: 2, ...attempt }],
  kept: [],
  events: [],
})
const states = (seen: Partial<Parameters<typeof firstSteps>[0]>) =>
  firstSteps({ keyName: 'k', endpoints: [], job: undefined, detail: undefined, ...seen }).map(({ state }) => state)

it('ticks off one step after the other', () => {
  expect(states({})).toEqual(['done', 'going', 'later', 'later', 'later', 'later'])
  expect(states({ endpoints })).toEqual(['done', 'done', 'going', 'later', 'later', 'later'])
  expect(states({ endpoints, job: job() })).toEqual(['done', 'done', 'done', 'going', 'later', 'later'])
  expect(states({ endpoints, job: job(), detail: detail({}) })).toEqual(['done', 'done', 'done', 'done', 'going', 'later'])
  expect(states({ endpoints, job: job(), detail: detail({ enteredAt: 3 }) })).toEqual(['done', 'done', 'done', 'done', 'done', 'going'])
  expect(states({ endpoints, job: job({ status: 'COMPLETED', workerId: 'w1' }) })).toEqual(Array.from({ length: 6 }, () => 'done'))
})

it('says why it waits, and where it stopped', () => {
  const waits = firstSteps({ keyName: 'k', endpoints, job: job({ message: 'no host has an NVIDIA L4' }), detail: undefined })
  expect(waits[3]).toMatchObject({ state: 'going', note: 'no host has an NVIDIA L4' })
  const failed = firstSteps({
    keyName: 'k',
    endpoints,
    job: job({ status: 'FAILED', workerId: 'w1', error: 'ValueError: no' }),
    detail: undefined,
  })
  expect(failed[5]).toMatchObject({ state: 'stopped', note: 'ValueError: no' })
})

it('names simulated cards as such', () => {
  expect(
    describeCards([
      { name: 'L4', simulated: true },
      { name: 'L4', simulated: true },
      { name: 'A40', simulated: false },
    ]),
  ).toBe('2 × L4 (simulated), 1 × A40')
})

it('writes the address of this gateway into what is to be copied', () => {
  expect(exportBlock('http://box:8080')).toContain('export RUNPOD_ENDPOINT_BASE_URL=http://box:8080/v2')
  expect(firstScripts('http://box:8080', 'e1').curl.text).toContain('http://box:8080/v2/e1/runsync')
  expect(
    firstScripts('http://box:8080', undefined)
      .flash.text.trim()
      .split('\n')
      .filter((line) => line !== ''),
  ).toHaveLength(6)
})
