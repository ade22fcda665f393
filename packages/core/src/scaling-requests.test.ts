// How many workers a load-balanced endpoint wants (management §6.3), and what its open requests mean for its workers.
import { describe, expect, test } from 'vitest'
import { plan } from './plan.ts'
import { demandFrom, desiredWorkers, requestsPerWorker } from './scaling.ts'
import { container, endpoint, gpu, host, NOW, observed, record, view } from './testing/plan-fixture.ts'

const balanced = (requestCount: number, settings = {}) => ({
  ...endpoint('ep-one', { settings: { workersMax: 5, scaling: { type: 'REQUEST_COUNT', requestCount }, ...settings } }),
  type: 'LOAD_BALANCER' as const,
})
const idle = { phase: 'idle', idleSince: NOW } as const

function wanted(requests: { held: number; open: number; perSecond?: number }, have = 0, requestsPerSecond = 0): number {
  const { held, ...more } = requests
  const demand = demandFrom([
    { kind: 'requests', waiting: held, waitingNormal: held, oldestWaitingAt: held === 0 ? undefined : NOW, ...more },
  ])
  const { settings, ...rest } = balanced(4)
  const site = { ...rest, settings: { ...settings, requestsPerSecond } }
  return desiredWorkers(site, { demand, workers: Array.from({ length: have }, () => idle) }, NOW).count
}

describe('a load-balanced endpoint wants', () => {
  test.each([
    ['nothing without a request', { held: 0, open: 0 }, 0, 0],
    ['one worker for a held request', { held: 1, open: 0 }, 0, 1],
    ['a worker for every four requests, held and open ones together', { held: 5, open: 4 }, 1, 3],
    ['no more than its maximum', { held: 100, open: 0 }, 0, 5],
    ['what it has, however few requests there are', { held: 0, open: 1 }, 3, 3],
  ])('%s', (_what, requests, have, count) => {
    expect(wanted(requests, have)).toBe(count)
  })

  test.each([
    ['does not count where it sets none', { held: 0, open: 1, perSecond: 90 }, 0, 1],
    ['asks for a worker for every two requests per second', { held: 0, open: 1, perSecond: 6.1 }, 2, 4],
    ['counts while no request is open', { held: 0, open: 0, perSecond: 4 }, 2, 2],
    ['asks for less than the requests in flight', { held: 0, open: 9, perSecond: 0.1 }, 2, 3],
    ['asks for more than its maximum', { held: 0, open: 0, perSecond: 1000 }, 2, 5],
  ])('its rate %s', (_what, requests, requestsPerSecond, count) => {
    expect(wanted(requests, 1, requestsPerSecond)).toBe(count)
  })
})

describe('a worker with an open request', () => {
  const worker = record('w1', { readyAt: NOW - 900_000, lastSeenAt: NOW - 900_000 })
  const found = balanced(4, { idleTimeoutMs: 1000 })
  const decide = (change: object, open: number) =>
    plan(
      observed(
        [view(found, { lifeSigns: 'host', workers: [{ ...worker, ...change }], openRequests: new Map([['w1', open]]) })],
        [host('h1', [gpu('g1')], [container(worker)])],
      ),
      NOW,
    ).actions.map(({ kind }) => kind)

  test('is not idle', () => {
    expect(decide({}, 1)).toEqual([])
    expect(decide({}, 0)).toContain('drain')
  })

  test('or of a rate that asks for it stays while others leave', () => {
    const workers = ['w1', 'w2', 'w3'].map((id) => record(id, { readyAt: NOW - 900_000, lastSeenAt: NOW - 900_000 }))
    const drained = (perSecond: number) => {
      const site = balanced(4, { idleTimeoutMs: 1000, requestsPerSecond: 2 })
      const demand = demandFrom([{ kind: 'requests', waiting: 0, waitingNormal: 0, oldestWaitingAt: undefined, perSecond }])
      const seen = view(site, { lifeSigns: 'host', workers, openRequests: new Map(), demand })
      const { actions } = plan(
        observed(
          [seen],
          [
            host(
              'h1',
              [gpu('g1'), gpu('g2'), gpu('g3')],
              workers.map((one) => container(one)),
            ),
          ],
        ),
        NOW,
      )
      return actions.filter(({ kind }) => kind === 'drain').length
    }
    expect([drained(0), drained(1.9), drained(3.9), drained(9)]).toEqual([3, 2, 1, 0])
  })

  test('is stopped when the request has ended, or has taken as long as one may', () => {
    const draining = { drainingSince: NOW - 10_000, retireReason: 'outdated' }
    expect(decide(draining, 1)).not.toContain('stop')
    expect(decide(draining, 0)).toContain('stop')
    expect(decide({ ...draining, drainingSince: NOW - 330_001 }, 1)).toContain('stop')
  })
})

test('the value of another scaler counts requests, too', () => {
  expect(requestsPerWorker({ type: 'QUEUE_DELAY', queueDelay: 3 })).toBe(3)
})

test('an idle worker of which nothing else is known has been free since the job came', () => {
  const workers = [{ phase: 'idle', idleSince: undefined }] as const
  const demand = { waiting: 1, waitingNormal: 1, oldestWaitingAt: NOW - 1000 }
  expect(desiredWorkers(endpoint('ep-one'), { demand, workers }, NOW)).toMatchObject({ count: 1, dueAt: NOW + 2000 })
})
