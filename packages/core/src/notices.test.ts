import type { CardRecord, HostRecord, OpenNotice, Problem } from '@runyard/schema'
import { describe, expect, test } from 'vitest'
import { noticeBody, noticeChanges, problemsOf, RESOLVE_AFTER_MS, type NoticeFacts } from './notices.ts'
import { rolledBack, withGoodRelease } from './release.ts'
import { endpoint, NOW } from './testing/plan-fixture.ts'

const NONE: NoticeFacts = { now: NOW, hosts: [], cards: [], endpoints: [], storeProblems: [], certificate: undefined }
const seen = (change: Partial<NonNullable<HostRecord['sight']>>): HostRecord => ({
  hostId: 'h1',
  sight: { health: 'unreachable', label: 'gpu-box', kind: 'docker', at: NOW, claims: {}, ...change },
})
const quarantined: CardRecord = {
  uuid: 'GPU-1',
  claim: { kind: 'quarantined', since: NOW, quarantines: [NOW], cause: 'reset', message: 'it needs a reset' },
}
const fine = endpoint('ep-one')
const good = withGoodRelease(fine, { at: 1 })
const back = rolledBack({ ...good, specHash: 'bad' }, { message: 'it exited', at: NOW })
const failing = (found: typeof fine) => [{ endpoint: found, reason: 'backing_off', message: 'it crashed' }]
const certificate = (inMs: number) => ({ path: '/etc/tls.pem', expiresAt: NOW + inMs })
const DAY_MS = 86_400_000

describe('what needs a person', () => {
  test.each<[string, Partial<NoticeFacts>, Partial<Problem>]>([
    ['a host that is away', { hosts: [seen({ problem: 'ssh fails' })] }, { event: 'host_lost', subject: 'gpu-box', message: 'ssh fails' }],
    ['a host that is away without a word', { hosts: [seen({})] }, { message: 'The host gpu-box cannot be reached.' }],
    ['a GPU in quarantine', { cards: [quarantined] }, { event: 'gpu_quarantined', subject: 'GPU-1', message: 'reset: it needs a reset' }],
    ['a release that never started', { endpoints: failing(fine) }, { event: 'release_failed', message: 'it crashed' }],
    ['a release that was good and fails', { endpoints: failing(good) }, { event: 'endpoint_crash_loop', subject: 'ep-one' }],
    [
      'a release that was rolled back',
      { endpoints: back === undefined ? [] : [{ endpoint: back, reason: undefined, message: undefined }] },
      { event: 'release_failed', message: expect.stringContaining('was rolled back') as string },
    ],
    ['a store that is away', { storeProblems: [{ kind: 'away', message: 'no answer' }] }, { event: 'store_away', message: 'no answer' }],
    ['a store that is full', { storeProblems: [{ kind: 'full', message: 'no room' }] }, { event: 'store_problem', subject: 'full' }],
    [
      'a certificate near its end',
      { certificate: certificate(13 * DAY_MS) },
      { message: expect.stringContaining(' expires at ') as string },
    ],
    ['a certificate past its end', { certificate: certificate(0) }, { message: expect.stringContaining(' expired at ') as string }],
  ])('%s', (_, facts, problem) => {
    expect(problemsOf({ ...NONE, ...facts })).toMatchObject([problem])
  })

  test.each<[string, Partial<NoticeFacts>]>([
    ['a host that answers', { hosts: [seen({ health: 'ready' })] }],
    ['a host that was not looked at lately', { hosts: [seen({ at: NOW - 180_001 })] }],
    ['a host that was never seen', { hosts: [{ hostId: 'h1' }] }],
    ['a GPU without a claim', { cards: [{ uuid: 'GPU-1' }] }],
    ['an endpoint that waits for a GPU', { endpoints: [{ endpoint: fine, reason: 'gpus_busy', message: undefined }] }],
    ['a certificate with weeks to go', { certificate: certificate(15 * DAY_MS) }],
  ])('is not %s', (_, facts) => {
    expect(problemsOf({ ...NONE, ...facts })).toEqual([])
  })
})

describe('receivers', () => {
  const problem: Problem = { event: 'host_lost', subject: 'gpu-box', message: 'ssh fails' }
  const open: OpenNotice = { id: 'n1', ...problem, since: NOW - 9000 }
  const changes = (known: readonly OpenNotice[], current: readonly Problem[], missingForMs?: number) =>
    noticeChanges(known, current, {
      now: NOW,
      newId: () => 'n2',
      missingSince: new Map(missingForMs === undefined ? [] : [['host_lost  gpu-box', NOW - missingForMs]]),
    })

  test('hear once of a problem, however often it is seen', () => {
    expect(changes([], [problem, problem])).toEqual([{ kind: 'opened', notice: { id: 'n2', ...problem, since: NOW } }])
    expect(changes([open], [problem])).toEqual([])
  })

  test('hear of its end when it has been away for a while', () => {
    expect(changes([open], [])).toEqual([])
    expect(changes([open], [], RESOLVE_AFTER_MS - 1)).toEqual([])
    expect(changes([open], [], RESOLVE_AFTER_MS)).toEqual([{ kind: 'resolved', notice: open }])
  })

  test('get its times', () => {
    expect(noticeBody({ kind: 'opened', notice: open }, NOW)).toMatchObject({ type: 'runyard.notice', state: 'opened', resolvedAt: null })
    expect(noticeBody({ kind: 'resolved', notice: open }, NOW)).toMatchObject({
      state: 'resolved',
      since: new Date(NOW - 9000).toISOString(),
      resolvedAt: new Date(NOW).toISOString(),
    })
  })
})
