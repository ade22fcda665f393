import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { StartFailures } from './backoff.ts'
import { DEFAULT_PLAN_POLICY, type EndpointView } from './observed.ts'
import { plan } from './plan.ts'
import { failedRelease, rollBackOf, rolledBack, withGoodRelease } from './release.ts'
import { container, endpoint, gpu, host, NOW, observed, record, view } from './testing/plan-fixture.ts'

const good = withGoodRelease({ ...endpoint('ep-one', { spec: { image: 'good:1' } }), specHash: 'good' }, { at: 1 })
const bad = {
  ...good,
  spec: { ...good.spec, image: 'bad:2' },
  specHash: 'bad',
  version: 2,
  updatedAt: NOW - 60_000,
  sharedTemplateId: 'tpl',
}
const failuresOf = (count: number, specHash = 'bad'): StartFailures => ({
  specHash,
  count,
  lastAt: NOW - 1000,
  workerCreatedAt: NOW - 2000,
  reason: 'exited',
  message: 'it exited with 1',
})
const policy = { ...DEFAULT_PLAN_POLICY, rollsBack: true }
const worldOf = (found: EndpointView, change: Parameters<typeof observed>[2] = {}) =>
  observed(
    [found],
    [
      host(
        'h1',
        [gpu('g1')],
        found.workers.map((worker) => container(worker)),
      ),
    ],
    { policy, ...change },
  )
const releaseActions = (found: EndpointView, change: Parameters<typeof observed>[2] = {}) =>
  plan(worldOf(found, change), NOW).actions.filter(({ kind }) => kind === 'note-release' || kind === 'roll-back')
const readyOf = (specHash: string) => record('w1', { specHash })

test.each<[string, EndpointView, readonly string[]]>([
  ['has a ready worker', view(bad, { workers: [readyOf('bad')] }), ['note-release']],
  ['is on record as good', view(good, { workers: [readyOf('good')] }), []],
  ['has failed twice', view(bad, { failures: failuresOf(2) }), []],
  ['has failed three times', view(bad, { failures: failuresOf(3) }), ['roll-back']],
  ['has failed before it was saved again', view({ ...bad, updatedAt: NOW }, { failures: failuresOf(3) }), []],
  ['fails after it was good', view(good, { failures: failuresOf(9, 'good') }), []],
  ['fails where none was ever good', view({ ...bad, goodRelease: undefined }, { failures: failuresOf(9) }), []],
  ['has failed, with an old worker that still works', view(bad, { workers: [readyOf('good')], failures: failuresOf(3) }), ['roll-back']],
])('of a release that %s', (_, found, kinds) => {
  expect(releaseActions(found).map(({ kind }) => kind)).toEqual(kinds)
})

test('without the setting nothing is recorded and nothing rolled back, but the failed release is named', () => {
  const found = view(bad, { failures: failuresOf(3) })
  const off = { policy: DEFAULT_PLAN_POLICY }
  expect(releaseActions(found, off)).toEqual([])
  const message = plan(worldOf(found, off), NOW).statuses.get('ep-one')?.message
  expect(message).toContain(`no worker of the release of ${new Date(bad.updatedAt).toISOString()} has started in 3 tries`)
})

test('a roll-back is a new version of the last good release, reported until the endpoint is saved again', () => {
  const after = rolledBack(bad, { message: 'it exited with 1', at: NOW })
  expect(after).toMatchObject({ specHash: 'good', spec: { image: 'good:1' }, version: 3, updatedAt: NOW, savedBy: 'roll-back' })
  expect(after).not.toHaveProperty('sharedTemplateId')
  if (after === undefined) throw new Error('nothing was rolled back')
  expect(rollBackOf(after)).toMatch(/^the release of .* could not start, so the endpoint was rolled back .*: it exited with 1$/)
  expect(plan(worldOf(view(after)), NOW).statuses.get('ep-one')).toMatchObject({ reason: 'rolled_back', throttled: 0 })
  expect(rollBackOf({ ...after, updatedAt: NOW + 1 })).toBeUndefined()
  expect(rolledBack(after, { message: 'again', at: NOW })).toBeUndefined()
})

test('a roll-back always ends: whatever fails next, the same endpoint is not rolled back again', () => {
  expect(() =>
    fc.assert(
      fc.property(fc.nat(20), fc.constantFrom('good', 'bad'), (count, specHash) => {
        const after = rolledBack(bad, { message: 'x', at: NOW - 5000 })
        if (after === undefined) return false
        return releaseActions(view(after, { failures: failuresOf(count, specHash) })).length === 0
      }),
    ),
  ).not.toThrow()
})

test('a release with a ready worker has not failed, and one without keeps the build that it is rolled back to', () => {
  expect(failedRelease(bad, [readyOf('bad')], failuresOf(3))).toBeUndefined()
  expect(failedRelease(bad, [], failuresOf(3))).toMatchObject({ count: 3 })
  const built = { ...bad, goodRelease: withGoodRelease({ ...bad, specHash: 'good' }, { at: 1, buildId: 'b1' }).goodRelease }
  expect(rolledBack(built, { message: 'no', at: NOW })).toMatchObject({ specHash: 'good', buildId: 'b1' })
})
