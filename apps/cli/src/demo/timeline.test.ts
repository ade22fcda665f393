import type { EndpointEvent } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { renderStory, writeStory } from './timeline.ts'

const plain = (text: string): string => text
const event = (at: number, kind: EndpointEvent['kind'], more: Partial<EndpointEvent> = {}): EndpointEvent => ({
  at,
  endpointId: 'e',
  kind,
  ...more,
})

const EVENTS: readonly EndpointEvent[] = [
  event(1000, 'job_queued', { jobId: 'a' }),
  event(1010, 'worker_placed', { workerId: 'w', message: 'worker w placed on local (NVIDIA L4, simulated): a job arrived' }),
  event(1300, 'worker_started', { workerId: 'w' }),
  event(1400, 'worker_ready', { workerId: 'w' }),
  event(1401, 'job_started', { jobId: 'a', workerId: 'w' }),
  // Reported late, with its original time.
  event(1500, 'job_settled', { jobId: 'a', workerId: 'w' }),
  event(1450, 'job_started', { jobId: 'a', workerId: 'w', message: 'function entered' }),
  event(2000, 'job_queued', { jobId: 'b' }),
  event(2002, 'job_started', { jobId: 'b', workerId: 'w', message: 'function entered' }),
  event(2004, 'job_settled', { jobId: 'b', workerId: 'w' }),
  event(5004, 'worker_draining', {
    workerId: 'w',
    reason: 'idle_timeout',
    message: 'worker w is retiring: no job for idle_timeout seconds',
  }),
  event(5104, 'worker_gone', { workerId: 'w' }),
]

describe('writeStory', () => {
  it('lists the cold call, the warm call and the scale-down to zero', () => {
    const { cold, warm, toZero } = writeStory(EVENTS, 'container')
    expect(cold.map(({ at, what }) => [at, what])).toEqual([
      [1000, 'queued'],
      [1010, 'placed on local (NVIDIA L4, simulated)'],
      [1300, 'container started'],
      [1400, 'agent ready'],
      [1450, 'function entered'],
      [1500, 'returned'],
    ])
    expect(warm.map(({ what }) => what)).toEqual(['queued', 'function entered', 'returned'])
    expect(toZero.map(({ what }) => what)).toEqual(['worker idle', 'worker retired: no job for idle_timeout seconds', 'worker removed'])
  })

  it('lists the end of the worker that ran the last call, even if the first worker was already gone', () => {
    const fresh = EVENTS.map((each) => (each.at >= 2002 ? { ...each, workerId: 'v' } : each))
    const { toZero } = writeStory([...fresh, event(1900, 'worker_gone', { workerId: 'w' })], 'container')
    expect(toZero.map(({ at }) => at)).toEqual([2004, 5004, 5104])
  })

  it('omits unknown steps', () => {
    expect(writeStory([], 'container')).toEqual({ cold: [], warm: [], toZero: [] })
  })
})

describe('renderStory', () => {
  it('shows the time and the duration of each step', () => {
    const lines = renderStory(writeStory(EVENTS, 'container'), { bold: plain, dim: plain })
    expect(lines).toContainEqual(expect.stringMatching(/^Cold call +500 ms$/))
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}container started +300 ms {2}\+290 ms$/))
    expect(lines).toContainEqual(expect.stringMatching(/^Back to zero +3\.1 s$/))
  })
})
