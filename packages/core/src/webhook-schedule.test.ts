import { describe, expect, it } from 'vitest'
import { isTooLate, judgeWebhook, type WebhookRetryPolicy, type WebhookTries } from './webhook-schedule.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const policy: WebhookRetryPolicy = { retryDelaysMs: [10_000, 10_000, 5 * MINUTE, HOUR], maxAgeMs: 3 * HOUR }

const failed = { kind: 'failed' } as const
const nextAttempt = (tries: WebhookTries, by: WebhookRetryPolicy) => judgeWebhook(failed, tries, by).nextAt

/** The times of all attempts at a receiver that fails each one immediately. */
function attemptTimes(by: WebhookRetryPolicy): readonly number[] {
  const times = [0]
  for (let attempts = 1; attempts < 1000; attempts += 1) {
    const next = nextAttempt({ attempts, endedAt: 0, now: times.at(-1) ?? 0 }, by)
    if (next === undefined) return times
    times.push(next)
  }
  throw new Error('the schedule never gives up')
}

describe('the next attempt', () => {
  it('makes exactly three attempts within the first minute, 10 s apart (client-api §7, §13.19)', () => {
    expect(attemptTimes(policy).filter((at) => at <= MINUTE)).toEqual([0, 10_000, 20_000])
  })

  it('continues with the longer pauses, repeats the last one, and stops before the event is too old', () => {
    expect(attemptTimes(policy).slice(3)).toEqual([5 * MINUTE + 20_000, HOUR + 5 * MINUTE + 20_000, 2 * HOUR + 5 * MINUTE + 20_000])
  })

  it('follows only Runpod’s schedule if events may be one minute old', () => {
    expect(attemptTimes({ ...policy, maxAgeMs: MINUTE })).toEqual([0, 10_000, 20_000])
  })

  it('starts the pause at the end of a slow attempt', () => {
    expect(nextAttempt({ attempts: 1, endedAt: 0, now: 9500 }, policy)).toBe(19_500)
  })

  it('does not exist if no pauses are configured', () => {
    const tries = { attempts: 1, endedAt: 0, now: 0 }
    expect(judgeWebhook(failed, tries, { retryDelaysMs: [], maxAgeMs: HOUR })).toEqual({ outcome: 'given_up' })
  })
})

describe('an event', () => {
  it('is too late for any attempt, even the first, once it exceeds its maximum age', () => {
    expect(isTooLate({ endedAt: 1000, now: 1000 + MINUTE }, { maxAgeMs: MINUTE })).toBe(false)
    expect(isTooLate({ endedAt: 1000, now: 1001 + MINUTE }, { maxAgeMs: MINUTE })).toBe(true)
  })
})

describe('judgeWebhook', () => {
  const tries = { attempts: 1, endedAt: 0, now: 0 }

  it.each([
    [{ kind: 'answered', status: 200 }, 'delivered'],
    [{ kind: 'answered', status: 299 }, 'delivered'],
    [{ kind: 'answered', status: 199 }, 'failed'],
    [{ kind: 'answered', status: 301 }, 'failed'],
    [{ kind: 'answered', status: 404 }, 'failed'],
    [{ kind: 'answered', status: 500 }, 'failed'],
    [{ kind: 'failed' }, 'failed'],
    [{ kind: 'refused' }, 'refused'],
  ] as const)('takes %j for %s', (reply, outcome) => {
    expect(judgeWebhook(reply, tries, policy)).toEqual(outcome === 'failed' ? { outcome, nextAt: 10_000 } : { outcome })
  })
})
