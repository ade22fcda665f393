import { describe, expect, it } from 'vitest'
import { isTooLate, judgeWebhook, type WebhookRetryPolicy, type WebhookTries } from './webhook-schedule.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const policy: WebhookRetryPolicy = { retryDelaysMs: [10_000, 10_000, 5 * MINUTE, HOUR], maxAgeMs: 3 * HOUR }

const failed = { kind: 'failed' } as const
const nextAttempt = (tries: WebhookTries, by: WebhookRetryPolicy) => judgeWebhook(failed, tries, by).nextAt

/** The times of all attempts at a receiver that refuses each one at once. */
function attemptTimes(by: WebhookRetryPolicy): readonly number[] {
  const times = [0]
  for (let attempts = 1; attempts < 1000; attempts += 1) {
    const next = nextAttempt({ attempts, endedAt: 0, now: times.at(-1) ?? 0 }, by)
    if (next === undefined) return times
    times.push(next)
  }
  throw new Error('it never gives up')
}

describe('the next attempt', () => {
  it('makes exactly three attempts within the first minute, 10 s apart (client-api §7, §13.19)', () => {
    expect(attemptTimes(policy).filter((at) => at <= MINUTE)).toEqual([0, 10_000, 20_000])
  })

  it('goes on with the longer pauses, repeats the last one, and stops before the event is too old', () => {
    expect(attemptTimes(policy).slice(3)).toEqual([5 * MINUTE + 20_000, HOUR + 5 * MINUTE + 20_000, 2 * HOUR + 5 * MINUTE + 20_000])
  })

  it('is Runpod’s profile alone when the events may be a minute old', () => {
    expect(attemptTimes({ ...policy, maxAgeMs: MINUTE })).toEqual([0, 10_000, 20_000])
  })

  it('counts the pause from the end of an attempt that took its time', () => {
    expect(nextAttempt({ attempts: 1, endedAt: 0, now: 9500 }, policy)).toBe(19_500)
  })

  it('does not come without any pauses', () => {
    const tries = { attempts: 1, endedAt: 0, now: 0 }
    expect(judgeWebhook(failed, tries, { retryDelaysMs: [], maxAgeMs: HOUR })).toEqual({ outcome: 'given_up' })
  })
})

describe('an event', () => {
  it('is too late for any attempt, the first one too, once it is older than it may be', () => {
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
