import type { EndpointLoadView, PoolView } from '@runyard/schema/api'
import { describe, expect, it } from 'vitest'
import { describePool, troublesOf } from './describe-pool.ts'

const workers = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 1, unhealthy: 0 }
const load = (name: string, more: Partial<EndpointLoadView> = {}): EndpointLoadView => ({
  id: `id-${name}`,
  name,
  jobs: { completed: 0, failed: 0, inProgress: 2, inQueue: 1, retried: 0 },
  workers,
  ...more,
})
const STUCK = load('upscale', { reason: 'no_matching_gpu', message: 'no host has a GPU of the requested types' })
const card = (busy: boolean) => ({ holders: busy ? [{ workerId: 'w', endpoint: null }] : [] })
const pool = (...busy: readonly boolean[]) => ({ scalerAt: 0, hosts: [{ gpus: busy.map(card) }] }) as unknown as PoolView

describe('what needs a person', () => {
  it('is each notice, and each endpoint whose jobs wait for something that does not pass by itself', () => {
    const notice = {
      event: 'endpoint_crash_loop',
      subject: 'caption',
      message: 'five starts have failed',
      since: '2026-11-30T10:00:00Z',
    } as const
    const troubles = troublesOf(
      [notice],
      [
        load('caption', { reason: 'gpus_busy', message: 'all GPUs are in use' }),
        STUCK,
        load('embed'),
        load('render', { reason: 'gpus_busy', message: 'all GPUs are in use' }),
      ],
    )
    expect(troubles).toEqual([
      {
        subject: 'caption',
        message: 'five starts have failed',
        command: 'runyard logs caption',
        since: Date.parse('2026-11-30T10:00:00Z'),
        endpointId: 'id-caption',
      },
      {
        subject: 'upscale',
        message: '1 job waits: no host has a GPU of the requested types',
        command: 'runyard explain upscale',
        endpointId: 'id-upscale',
      },
    ])
  })
})

describe('the sentence of state', () => {
  it.each([
    [pool(true, false), [STUCK], '1 thing needs you · 1 of 2 cards in use on 1 host · 2 jobs run, 1 waits'],
    [pool(), [], 'Nothing needs you · 1 host without a GPU'],
    [{ hosts: [], scalerAt: null }, [], 'Nothing needs you · no host is configured'],
  ])('says what is at work, and what waits', (view, loads, sentence) => {
    expect(describePool(view, troublesOf([], loads), loads)).toBe(sentence)
  })
})
