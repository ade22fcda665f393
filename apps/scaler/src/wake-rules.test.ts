import { expect, test } from 'vitest'
import { urgencyOf, type Known } from './wake-rules.ts'

const known: Known = {
  supplied: new Set(['busy', 'full', 'leaving']),
  full: new Set(['full', 'paused']),
  waiting: new Set(['throttled', 'paused']),
  draining: new Set(['leaving']),
}

test.each([
  ['a job for an endpoint without workers', { kind: 'job-added', endpointId: 'cold' }, 'now'],
  ['a job for an endpoint with workers', { kind: 'job-added', endpointId: 'busy' }, 'soon'],
  ['a job for an endpoint with all the workers that it may have', { kind: 'job-added', endpointId: 'full' }, 'later'],
  ['a job for an endpoint that may have none', { kind: 'job-added', endpointId: 'paused' }, 'later'],
  ['one more job for an endpoint whose jobs wait for a worker', { kind: 'job-added', endpointId: 'throttled' }, 'soon'],
  ['a job that ended on a worker that is to stop', { kind: 'job-settled', endpointId: 'leaving', jobId: 'j' }, 'now'],
  ['a job that ended on another worker', { kind: 'job-settled', endpointId: 'busy', jobId: 'j' }, 'later'],
  ['a changed endpoint', { kind: 'endpoint-changed', endpointId: 'busy' }, 'now'],
  ['a worker that got ready', { kind: 'worker-changed', endpointId: 'busy', workerId: 'w' }, 'now'],
  ['a stream chunk', { kind: 'job-chunk', endpointId: 'busy', jobId: 'j' }, 'never'],
  ['a connection that is back', { kind: 'resync' }, 'now'],
] as const)('%s wakes the scaler: %s', (_, signal, expected) => {
  expect(urgencyOf(signal, known)).toBe(expected)
})
