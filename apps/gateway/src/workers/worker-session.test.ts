// What a session remembers of its worker's conversation, without a gateway around it.
import type { WorkerRecord } from '@runyard/schema'
import { describe, expect, it } from 'vitest'
import { WorkerSession } from './worker-session.ts'

const NEVER = new AbortController().signal
const JOB = { submittedAt: 1, startedAt: 2, attempt: 1, keyId: 'key' }

function createSession(facts: Partial<WorkerRecord> = {}): WorkerSession {
  const session = new WorkerSession({ endpointId: 'ep', workerId: 'w', token: 't' })
  session.learn({ id: 'w', ...facts } as WorkerRecord)
  return session
}

describe('a stop order', () => {
  it('is sent once, and again only if the worker gets the job again', () => {
    const session = createSession()
    session.orderStop('a')
    session.concludeStops(session.stopOrders, ['a'])
    session.orderStop('a')
    expect(session.stopOrders).toEqual([])
    session.handOut('a', JOB)
    session.orderStop('a')
    expect(session.stopOrders).toEqual(['a'])
  })

  it('is void once its job has ended', () => {
    const session = createSession()
    session.handOut('a', JOB)
    session.orderStop('a')
    expect(session.finish('a')).toEqual(JOB)
    expect(session.stopOrders).toEqual([])
  })

  it('answers the poll that waits for it', async () => {
    const session = createSession()
    const poll = session.holdStopPoll(NEVER)
    session.orderStop('a')
    await poll
    expect(session.stopOrders).toEqual(['a'])
  })

  it('is sent again to a worker that names the job in its next ping, and then not any more', () => {
    const session = createSession()
    const ordered = ['stop', 'stop_again', 'replace', 'stop'].map((step) => {
      expect(session.nextStrayStep('a')).toBe(step)
      session.countStray('a')
      const orders = session.stopOrders
      session.concludeStops(orders, orders)
      return orders.length
    })
    expect(ordered).toEqual([1, 1, 0, 0])
    session.keepStrays([])
    expect(session.nextStrayStep('a')).toBe('stop')
  })
})

describe('a held poll', () => {
  it('is answered when its worker is leaving and holds no job', () => {
    const session = createSession()
    let answered = 0
    session.holdTake({ signal: NEVER, onEnd: () => (answered += 1) })
    expect([session.heldTakes, answered]).toEqual([1, 0])
    session.learn({ id: 'w', drainingSince: 1 } as WorkerRecord)
    session.release()
    expect([session.heldTakes, answered, session.mayTakeJobs, session.isLeaving]).toEqual([0, 1, false, true])
  })
})

it('a worker is recorded as ready once, and again only after that failed', async () => {
  const session = createSession()
  const errors: unknown[] = []
  let writes = 0
  const write = async (): Promise<void> => {
    writes += 1
    if (writes === 1) throw new Error('away')
  }
  session.welcomeOnce(write, (error) => void errors.push(error))
  session.welcomeOnce(write, () => undefined)
  await expect.poll(() => errors.length).toBe(1)
  session.welcomeOnce(write, () => undefined)
  session.welcomeOnce(write, () => undefined)
  expect(writes).toBe(2)
})
